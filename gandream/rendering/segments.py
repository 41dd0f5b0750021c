"""Rendering the segments that are missing: trajectory, generator, Y'CbCr, encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from gandream.base.locks import Lock
from gandream.rendering.plan import Segment
from gandream.rendering.projector import Load
from gandream.rendering.reel import Reel
from gandream.rendering.store import Store
from gandream.rendering.together import Job, Progress, Sink, render_together
from gandream.video.colour import planes
from gandream.video.encode import SegmentWriter
from gandream.video.format import VideoFormat

if TYPE_CHECKING:
    from torch import Tensor


class SegmentSink(Sink):
    """Encodes segments into the store, each published as soon as it is whole, and there to stay."""

    def __init__(self, fmt: VideoFormat, store: Store):
        self.fmt, self.store = fmt, store
        self._start = 0
        self._writer: SegmentWriter | None = None

    def claim(self, segment: Segment) -> Lock | None:
        """The right to render a segment."""
        return self.store.claim(segment.key)

    def lacking(self, segment: Segment) -> range:
        """All of its frames, or none."""
        return range(segment.start, segment.start if self.store.find(segment.key) else segment.stop)

    def begin(self, segment: Segment, frames: range, published: Callable[[], None]) -> Future[Path]:
        """Start a segment."""

        def publish(part: Path) -> Path:
            path = self.store.publish(part, segment.key)
            published()
            return path

        self._start = frames.start
        return self._open.begin(self.store.segments, len(frames), publish)

    def write(self, images: Tensor, first: int) -> None:
        """Pictures; they are counted in each segment, whose bytes are the same wherever in the film it stands."""
        fmt = self.fmt
        self._open.write(planes(images, fmt.subsampling, fmt.depth, fmt.alpha, first - self._start))

    @property
    def _open(self) -> SegmentWriter:
        assert self._writer is not None, "it was entered"
        return self._writer

    def __enter__(self) -> SegmentSink:
        self._writer = SegmentWriter(self.fmt)
        return self

    def __exit__(self, *error: object) -> None:
        self._open.__exit__(*error)  # type: ignore[arg-type]


def render_segments(
    reel: Reel,
    missing: Sequence[Segment],
    load: Load,
    store: Store,
    progress: Progress,
    waiting: Callable[[], None] = lambda: None,
) -> int:
    """Render segments of one output into the store; gives their frames. See :func:`render_together`."""
    frames = {segment: range(segment.start, segment.stop) for segment in missing}
    return render_together([Job(reel, frames, SegmentSink(reel.fmt, store))], load, progress, waiting)[0]
