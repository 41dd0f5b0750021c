"""Rendering the segments that are missing: trajectory, generator, Y'CbCr, encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gandream.render.plan import Plan, Segment, batches
from gandream.render.store import Store
from gandream.video.colour import planar_yuv
from gandream.video.encode import SegmentWriter
from gandream.video.segments import publish_with_digest

if TYPE_CHECKING:
    from gandream.models.spec import Generator

Progress = Callable[[int], None]
"""Told how many more frames are made."""


def render_segments(
    plan: Plan, missing: Sequence[Segment], generator: Generator, store: Store, progress: Progress
) -> None:
    """Render segments into the store, each published as soon as it is whole, and there to stay."""
    from gandream.render.paint import Painter

    painter = Painter(plan, generator)
    with SegmentWriter(plan.fmt) as writer:
        for segment in missing:
            key = segment.key
            writer.begin(
                store.segments,
                segment.frames,
                lambda part, key=key: publish_with_digest(part, store.segments, key),
            )
            for start, stop in batches(segment, plan.batch):
                images = painter.paint(start, stop)
                writer.write(planar_yuv(images, plan.fmt.subsampling))
                progress(stop - start)
