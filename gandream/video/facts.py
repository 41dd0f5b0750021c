"""What a finished file is, as ffmpeg shows it: for the manifest, and for tests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from gandream.base import ffmpeg
from gandream.base.errors import RenderError
from gandream.video.metadata import read_metadata

_SHAPE = re.compile(r"Stream #0:\d+[^\n]*?: Video: (\w+)[^\n,]*, (\w+)(?:\(([^)\n]*)\))?, (\d+)x(\d+)")
_HEAD = re.compile(r"^#(\w+) (\d+): (.*)$", re.MULTILINE)
_ROW = re.compile(r"^(\d+), *(-?\d+), *(-?\d+), *(\d+), *(\d+),", re.MULTILINE)


@dataclass(frozen=True)
class Streams:
    """When a file's frames and sound are there, in a player that honours edit lists."""

    times_s: tuple[Fraction, ...]
    """Seconds at which each frame appears, rising."""
    frame_s: Fraction
    """Seconds of the last frame."""
    rate_hz: int
    """Of the sound; 0 without sound."""
    channels: int
    samples: int
    """Samples of sound that are heard, in each channel."""
    sound_at_s: Fraction
    """Seconds at which the first of them is heard."""

    @property
    def frames(self) -> int:
        """How many frames."""
        return len(self.times_s)

    @property
    def fps(self) -> Fraction | None:
        """The frame rate, where all frames last equally long."""
        ends = [*self.times_s[1:], self.times_s[-1] + self.frame_s]
        lengths = {end - start for start, end in zip(self.times_s, ends, strict=True)}
        return 1 / lengths.pop() if len(lengths) == 1 else None

    @property
    def sound_s(self) -> Fraction:
        """Seconds of sound."""
        return Fraction(self.samples, self.rate_hz) if self.rate_hz else Fraction(0)


@dataclass(frozen=True)
class VideoFacts(Streams):
    """A file as a player that honours edit lists shows it."""

    codec: str
    width: int
    height: int
    pix_fmt: str
    colours: str
    """Range and matrix/primaries/transfer (one word when all three agree), such as ``tv, bt709``."""
    title: str


def streams_of(path: Path) -> Streams:
    """Read when frames are shown, without decoding them, and when sound is heard, by decoding it."""
    copied = ("-map", "0:v:0", "-c:v", "copy", "-map", "0:a:0?", "-c:a", "pcm_s16le")
    text = ffmpeg.run(*ffmpeg.QUIET, *ffmpeg.media(path), *copied, "-f", "framecrc", "-").decode()
    heads = {(int(stream), name): value for name, stream, value in _HEAD.findall(text)}
    # "stream, decoded at, shown at, duration, bytes, checksum": times in ticks of the stream's time base.
    rows = [tuple(int(field) for field in row) for row in _ROW.findall(text)]
    shown = sorted((row[2], row[3]) for row in rows if row[0] == 0)
    heard = [row for row in rows if row[0] == 1]
    tick = Fraction(heads[0, "tb"])
    return Streams(
        times_s=tuple(at * tick for at, _ in shown),
        frame_s=shown[-1][1] * tick,
        rate_hz=int(heads[1, "sample_rate"]) if heard else 0,
        channels=heard[0][4] // (2 * heard[0][3]) if heard else 0,
        samples=sum(row[3] for row in heard),
        sound_at_s=heard[0][2] * Fraction(heads[1, "tb"]) if heard else Fraction(0),
    )


def read_back(path: Path) -> VideoFacts:
    """Read a file's facts: the times of its frames without decoding them, its sound by decoding it."""
    shape = _SHAPE.search(ffmpeg.describe(path))
    if shape is None:
        raise RenderError(
            str(path), "it holds no pictures that ffmpeg can read", "Does it play? Give a film or a picture."
        )
    codec, pix_fmt, colours, width, height = shape.groups()
    found = streams_of(path)
    return VideoFacts(
        **vars(found),
        codec=codec,
        width=int(width),
        height=int(height),
        pix_fmt=pix_fmt,
        colours=", ".join(word for word in (colours or "").split(", ") if word != "progressive"),
        title=read_metadata(path).get("title", ""),
    )
