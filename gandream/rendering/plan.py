"""A film cut into segments, each a pure function of its content key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from gandream.base.hashing import content_key
from gandream.effects.chain import Chain
from gandream.models.precision import Precision
from gandream.models.spec import Spec
from gandream.rendering.device import Kind, torch_version
from gandream.rendering.threads import cpu_threads
from gandream.trajectory.grid import GridTrajectory
from gandream.trajectory.trajectory import Trajectory
from gandream.video.format import VideoFormat

ENGINE = 1
"""Raised when the renderer makes other pictures of the same trajectory; every segment is then rendered anew."""
SEGMENT_S = 2
BATCH_PIXELS: dict[Kind, int] = {"cpu": 1 << 20, "cuda": 1 << 23, "mps": 1 << 22}
"""Pixels of a batch, as the generator makes them, by device class. In each key: rounding may depend on the batch."""
MAX_BATCH: dict[Kind, int] = {"cpu": 8, "cuda": 32, "mps": 16}
SMALL_PIXELS = 128 * 128
"""Larger pictures are made in half as large batches on a CPU. Milliseconds a picture of a StyleGAN2 in bfloat16 with 1,
2, 4, 8 and 16 at a time: 7.0, 5.7, 4.6, 4.0, 4.0 at 64x64; at 256x256 the number makes no difference."""


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
    device: Kind
    batch: int
    segments: tuple[Segment, ...]
    effects: Chain = field(default_factory=Chain)
    fit: str = "cover"
    """How pictures of another size are brought to the film's."""
    layer: int | None = None
    """The layer whose activations are shown instead of pictures."""
    precision: Precision = "float32"
    """What the generator computes in."""
    threads: int = 0
    """Threads of torch on a CPU, which round sums in another order; 0 on other devices."""
    draft: bool = False
    """Whether pictures may be rough, of models that can make them so (``Spec.rough``)."""

    @property
    def start(self) -> int:
        """First frame of the range that is rendered."""
        return self.segments[0].start

    @property
    def frames(self) -> int:
        """Frames that are rendered."""
        return self.segments[-1].stop - self.segments[0].start

    @property
    def piece(self) -> int:
        """How many pictures of a batch are brought to the film's size at once."""
        return piece_of(self.device, self.batch, self.fmt)

    def key_of(self, first: int, last: int, edges: Sequence[int] = ()) -> list[Any]:
        """For content_key: all that shapes the bytes of frames [first, last); scenes of the film meet at ``edges``."""
        fixed = [ENGINE, self.fmt.key(), self.fit, self.device, self.batch, torch_version()]
        fixed += [] if self.layer is None else ["layer", self.layer]
        fixed += [] if self.precision == "float32" else ["precision", self.precision]
        fixed += ["threads", self.threads] if self.threads else []
        fixed += ["rough"] if self.draft and self.trajectory.spec.rough else []
        begin = self.effects.begin(first, last)  # effects that remember see earlier frames too
        seen = [self.trajectory.key(begin, last), self.effects.key(first, last)]
        return [*fixed, *seen, *self._batches(begin, first, edges)]

    def _batches(self, begin: int, first: int, edges: Sequence[int]) -> list[Any]:
        """For content_key: where the batches begin in which [begin, first] are painted, unless it is at ``first``; and
        what the first of them holds before: a picture's rounding may depend on those of its batch.
        """
        starts = [at for at, _ in batches(begin, first + 1, self.batch, self.fmt.fps, edges)]
        if starts == [first]:
            return []
        before = [self.trajectory.key(starts[0], begin)] if starts[0] < begin else []
        return ["batches", [at - first for at in starts], *before]


def make_plan(
    trajectory: Trajectory,
    fmt: VideoFormat,
    device: Kind,
    frames: tuple[int, int] | None = None,
    effects: Chain | None = None,
    fit: str = "cover",
    layer: int | None = None,
    precision: Precision = "float32",
    draft: bool = False,
) -> Plan:
    """Plan frames [start, stop) of a trajectory (None: all) on a grid of segments that begins at frame 0."""
    start, stop = frames or (0, trajectory.frames)
    height, width = made_size(trajectory.spec, (fmt.height, fmt.width), fit)
    pixels = height * width  # not those of the film: films of any size are then made of the same pictures
    if isinstance(trajectory, GridTrajectory):
        pixels = max(pixels, fmt.width * fmt.height)
    batch = batch_of(device, pixels)
    threads = cpu_threads() if device == "cpu" else 0
    plan = Plan(trajectory, fmt, device, batch, (), effects or Chain(), fit, layer, precision, threads, draft)
    cut = grid(start, stop, fmt.fps)
    keyed = (Segment(first, last, content_key("segment", *plan.key_of(first, last))) for first, last in cut)
    return replace(plan, segments=tuple(keyed))


def batch_of(device: Kind, pixels: int) -> int:
    """How many pictures of so many pixels are made at a time on a device of this class."""
    most = MAX_BATCH[device] // (2 if device == "cpu" and pixels > SMALL_PIXELS else 1)
    return max(1, min(most, BATCH_PIXELS[device] // pixels))


def piece_of(device: Kind, batch: int, fmt: VideoFormat) -> int:
    """How many pictures of a batch are brought to a film's size at once."""
    return max(1, min(batch, BATCH_PIXELS[device] // (fmt.width * fmt.height)))


def made_size(spec: Spec, frame: tuple[int, int], fit: str) -> tuple[int, int]:
    """(height, width) of the pictures that the generator makes for frames of this size.

    Extended pictures are as high or as wide as the native ones, and otherwise as much larger as the frame's shape asks.
    """
    if spec.size is None:
        return frame
    height, width = spec.size
    if fit != "extend":
        return height, width
    if frame[1] * height > frame[0] * width:
        return height, max(width, round(height * frame[1] / frame[0]))
    return max(height, round(width * frame[0] / frame[1])), width


def grid(start: int, stop: int, fps: Fraction, edges: Sequence[int] = ()) -> Iterator[tuple[int, int]]:
    """Cut [start, stop) where segments of two seconds meet, counted from frame 0, and at the edges of scenes."""
    length = max(1, int(SEGMENT_S * fps + Fraction(1, 2)))
    while start < stop:
        end = min(stop, (start // length + 1) * length, *(edge for edge in edges if edge > start))
        yield start, end
        start = end


def batches(start: int, stop: int, size: int, fps: Fraction, edges: Sequence[int] = ()) -> Iterator[tuple[int, int]]:
    """The batches that hold frames [start, stop): each segment of the grid is cut from its own first frame on."""
    for first, last in grid(0, stop, fps, edges):
        for batch in range(first, last, size) if last > start else ():
            end = min(batch + size, last)
            if end > start:
                yield batch, end
