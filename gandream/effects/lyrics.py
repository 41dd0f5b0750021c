"""Lines with their times, from .srt (SubRip) and .lrc files. Useful alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

MOST_BYTES = 1_000_000
LAST_S = 5.0
"""How long the last line of an .lrc file stays, which says only when lines begin."""
_SRT = re.compile(r"\s*(\d+):(\d\d):(\d\d)[,.](\d{1,3})\s*-->\s*(\d+):(\d\d):(\d\d)[,.](\d{1,3})", re.ASCII)
_LRC = re.compile(r"\[(\d{1,4}):(\d\d(?:[.:]\d{1,3})?)\]", re.ASCII)
_OFFSET = re.compile(r"\[offset:\s*([+-]?\d{1,7})\s*\]", re.IGNORECASE | re.ASCII)
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|\{\\[^{}]*\}|<\d+:\d\d(?:[.:]\d{1,3})?>")


@dataclass(frozen=True)
class Cue:
    """A text from a time on, up to another, in seconds of the music."""

    start_s: float
    stop_s: float
    text: str


def read_lyrics(path: Path) -> list[Cue]:
    """The cues of a file in order of time, none longer than up to the next; ValueError says what is wrong in it."""
    with open(path, "rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES // 1_000_000} MB is no file of lyrics")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it isn't in UTF-8") from None
    lines = text.splitlines()
    cues = _lrc(lines) if path.suffix.lower() == ".lrc" else _srt(lines)
    if not cues:
        raise ValueError("there are no lines with times in it")
    cues.sort(key=lambda cue: cue.start_s)
    ends = [*(cue.start_s for cue in cues[1:]), float("inf")]
    shown = [Cue(cue.start_s, min(cue.stop_s, end), cue.text) for cue, end in zip(cues, ends, strict=True)]
    return [cue for cue in shown if cue.text and cue.stop_s > cue.start_s]


def _srt(lines: list[str]) -> list[Cue]:
    cues: list[Cue] = []
    at = 0
    while at < len(lines):
        match = _SRT.match(lines[at])
        if match is None:
            if "-->" in lines[at]:
                raise ValueError(f"line {at + 1} has a time that can't be read: wanted 00:00:01,000 --> 00:00:04,000")
            at += 1
            continue
        start, stop = (_seconds(*match.groups()[part : part + 4]) for part in (0, 4))
        if stop <= start:
            raise ValueError(f"the text at line {at + 1} ends before it begins")
        text = []
        at += 1
        while at < len(lines) and lines[at].strip():
            text.append(_plain(lines[at]))
            at += 1
        cues.append(Cue(start, stop, "\n".join(line for line in text if line)))
    return cues


def _seconds(hours: str, minutes: str, seconds: str, thousandths: str) -> float:
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(thousandths.ljust(3, "0")) / 1000


def _lrc(lines: list[str]) -> list[Cue]:
    offset = 0.0
    starts: list[tuple[float, str]] = []
    for line in lines:
        if found := _OFFSET.match(line.strip()):
            offset = int(found[1]) / 1000  # above 0: lines come sooner
        text = line.strip()
        times = []
        while match := _LRC.match(text):
            times.append(int(match[1]) * 60 + float(match[2].replace(":", ".")))
            text = text[match.end() :].lstrip()
        starts += [(max(0.0, time - offset), _plain(text)) for time in times]
    starts.sort(key=lambda start: start[0])
    ends = [*(time for time, _ in starts[1:]), *(time + LAST_S for time, _ in starts[-1:])]
    return [Cue(time, end, text) for (time, text), end in zip(starts, ends, strict=True)]


def _plain(line: str) -> str:
    """Without the marks that some files have for italics, colours and single words' times."""
    return " ".join(_MARKUP.sub("", line).split())
