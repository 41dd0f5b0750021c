"""A film cut into segments, each a pure function of its content key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from gandream.base.hashing import content_key
from gandream.effects.chain import Chain
from gandream.rendering.device import torch_version
from gandream.trajectory.trajectory import Trajectory
from gandream.video.format import VideoFormat

ENGINE = 1
"""Raised when the renderer makes other pictures of the same trajectory; every segment is then rendered anew."""
SEGMENT_S = 2
BATCH_PIXELS = {"cpu": 1 << 20, "cuda": 1 << 23}
"""Pixels of a batch by device class. Part of each key: rounding may depend on the batch."""
MAX_BATCH = {"cpu": 4, "cuda": 32}


@dataclass(frozen=True)
class Segment:
    """Frames [start, stop) of the film and the key of what they will be."""

    start: int
    stop: int
    key: str

    @property
    def frames(self) -> int:
        """How many frames."""
        return self.stop - self.start


@dataclass(frozen=True)
class Plan:
    """What is to be rendered, and everything that shapes its bytes, fixed before the first frame."""

    trajectory: Trajectory
    fmt: VideoFormat
    device: Literal["cpu", "cuda"]
    batch: int
    segments: tuple[Segment, ...]
    effects: Chain = field(default_factory=Chain)
    fit: str = "cover"
    """How pictures of another size are brought to the film's."""

    @property
    def start(self) -> int:
        """First frame of the range that is rendered."""
        return self.segments[0].start

    @property
    def frames(self) -> int:
        """Frames that are rendered."""
        return self.segments[-1].stop - self.segments[0].start


def make_plan(
    trajectory: Trajectory,
    fmt: VideoFormat,
    device: Literal["cpu", "cuda"],
    frames: tuple[int, int] | None = None,
    effects: Chain | None = None,
    fit: str = "cover",
) -> Plan:
    """Plan frames [start, stop) of a trajectory (None: all) on a grid of segments that begins at frame 0."""
    start, stop = frames or (0, trajectory.frames)
    native = trajectory.spec.size or (fmt.height, fmt.width)
    pixels = max(fmt.width * fmt.height, native[0] * native[1])
    batch = max(1, min(MAX_BATCH[device], BATCH_PIXELS[device] // pixels))
    fixed = [ENGINE, fmt.key(), fit, device, batch, torch_version()]
    effects = effects or Chain()
    segments = []
    for first, last in grid(start, stop, fmt.fps):
        pictures = trajectory.key(effects.begin(first, last), last)  # effects that remember see earlier frames too
        segments.append(Segment(first, last, content_key("segment", *fixed, pictures, effects.key(first, last))))
    return Plan(trajectory, fmt, device, batch, tuple(segments), effects, fit)


def grid(start: int, stop: int, fps: Fraction) -> Iterator[tuple[int, int]]:
    """Cut [start, stop) where segments of two seconds meet, counted from frame 0."""
    length = max(1, int(SEGMENT_S * fps + Fraction(1, 2)))
    while start < stop:
        end = min(stop, (start // length + 1) * length)
        yield start, end
        start = end


def batches(start: int, stop: int, size: int, fps: Fraction) -> Iterator[tuple[int, int]]:
    """The batches that hold frames [start, stop): each segment of the grid is cut from its own first frame on."""
    for first, last in grid(0, stop, fps):
        for batch in range(first, last, size):
            end = min(batch + size, last)
            if end > start:
                yield batch, end
