"""Sound out of any file that ffmpeg or libsndfile reads: mono float32, in blocks, sample 0 at the film's t = 0."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gandream.audio.resample import resampled
from gandream.base import ffmpeg
from gandream.base.errors import AudioError

if TYPE_CHECKING:
    import soundfile

BLOCK = 1 << 16
"""Samples per block."""
LOUDEST = 16.0
"""Samples are held to ±this (24 dB over full scale): float files may hold anything."""

_FROM_ZERO = ("-map", "0:a:0", "-af", ffmpeg.FROM_ZERO)
_SAYS_NOTHING = ("Last message repeated", "Error opening input file")
_ADDRESS = re.compile(r"\[[^\]@]* @ 0x[0-9a-fA-F]+\]\s*")


@dataclass(frozen=True)
class SoundFacts:
    """What a sound file says of its first audio stream: samples per second and channels."""

    rate_hz: int
    channels: int


def probe(path: Path) -> SoundFacts:
    """Rate and channels of the first audio stream; AudioError where there is none."""
    check_readable(path)
    errors: list[str] = []
    if (facts := _ffmpeg_facts(path, errors)) is not None:
        return facts
    try:
        with _sndfile(path) as file:
            return SoundFacts(file.samplerate, file.channels)
    except Exception as error:
        raise _unreadable(path, errors) from error


def ffmpeg_reads(path: Path) -> bool:
    """Whether ffmpeg decodes the file; libsndfile knows some that it doesn't."""
    return _ffmpeg_facts(path, []) is not None


def _ffmpeg_facts(path: Path, errors: list[str]) -> SoundFacts | None:
    header = b"".join(_ffmpeg(path, (*_FROM_ZERO, "-t", "1", "-c:a", "pcm_s16le", "-f", "wav", "pipe:1"), errors))
    at = header.find(b"fmt ")
    if at < 0 or len(header) < at + 16:
        return None
    channels, rate_hz = struct.unpack_from("<HI", header, at + 10)
    return SoundFacts(rate_hz, channels)


def mono_blocks(path: Path, rate_hz: int, *, warn: Callable[[str], None] = lambda words: None) -> Iterator[np.ndarray]:
    """Yield the first audio stream, its channels mixed into one at ``rate_hz``: float32 [S] blocks, all finite.

    A file that breaks on the way gives what can be decoded, and ``warn`` gets the decoder's words; a file of which
    nothing can be decoded is an AudioError.
    """
    check_readable(path)
    errors: list[str] = []
    found = False
    output = (*_FROM_ZERO, "-ac", "1", "-ar", str(rate_hz), "-c:a", "pcm_f32le", "-f", "f32le", "pipe:1")
    for data in _ffmpeg(path, output, errors):
        if len(data):
            found = True
            yield _clean(np.frombuffer(data, "<f4"))
    if found:
        if errors:
            warn(f"{path.name} is damaged, what could be decoded is used: {errors[-1]}")
        return
    try:
        samples = _soundfile(path, rate_hz)
    except Exception as error:
        raise _unreadable(path, errors) from error
    yield samples


def check_readable(path: Path) -> None:
    """AudioError where a file isn't there, can't be opened or is empty."""
    try:
        with open(path, "rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise AudioError(
            str(path), f"can't read this: {error.strerror}", "Check the name of the sound file."
        ) from error
    if empty:
        raise AudioError(str(path), "this file is empty: 0 bytes", "Perhaps a download or a copy didn't finish.")


def _unreadable(path: Path, errors: list[str]) -> AudioError:
    said = errors[-1] if errors else "0 samples"
    if "matches no streams" in said:
        problem = "there is no sound in this file, only pictures or data"
    elif "not on whitelist" in said:
        problem = "this is not a sound file, but perhaps a playlist, a picture or text"
    elif not errors or "received no packets" in said:
        problem = f"there is no sound in this file; ffmpeg: {said}"
    else:
        problem = f"can't decode this; ffmpeg: {said}"
    return AudioError(str(path), problem, "wav, flac, ogg, opus, mp3, m4a and videos with sound can be read.")


def _ffmpeg(path: Path, output: tuple[str, ...], errors: list[str]) -> Iterator[bytes]:
    """Yield what ffmpeg writes, whole float32 samples at a time; its first words go to ``errors``."""
    lines: list[str] = []

    def hear(line: bytes) -> None:
        """Keep the first different lines: they name the cause, what follows is consequences."""
        said = _ADDRESS.sub("", line.decode("utf-8", "replace")).strip()
        if said and len(lines) < 8 and said not in lines and not said.startswith(_SAYS_NOTHING):
            lines.append(said)

    with ffmpeg.reading([*ffmpeg.QUIET, *ffmpeg.sound(path), *output], hear) as running:
        while data := running.out.read(4 * BLOCK):
            yield data[: len(data) // 4 * 4]
        status = running.ended()
        if lines or status:
            errors.append(" / ".join(lines[:2]) or f"ended with status {status}")


def _sndfile(path: Path) -> soundfile.SoundFile:
    """Open what ffmpeg doesn't know. Not MPEG: ffmpeg is better at it, and libmpg123 writes to the terminal itself."""
    import soundfile

    if path.suffix[1:].upper() not in soundfile.available_formats().keys() - {"MP3", "RAW"}:
        raise ValueError(f"libsndfile doesn't know {path.suffix}")
    return soundfile.SoundFile(path)


def _soundfile(path: Path, rate_hz: int) -> np.ndarray:
    """Mono float32 [S], read whole through libsndfile."""
    with _sndfile(path) as file:
        samples = file.read(dtype="float32", always_2d=True).mean(axis=1)
        if not len(samples):
            raise ValueError("0 samples")
        return resampled(_clean(samples), rate_hz, file.samplerate)


def _clean(samples: np.ndarray) -> np.ndarray:
    """float32 [S] without NaN and infinities, held to ±LOUDEST."""
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=LOUDEST, neginf=-LOUDEST), -LOUDEST, LOUDEST)
