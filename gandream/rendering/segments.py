"""Rendering the segments that are missing: trajectory, generator, Y'CbCr, encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gandream.rendering.plan import Plan, Segment, batches
from gandream.rendering.store import Store
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
    from gandream.rendering.paint import Painter

    painter, run, fmt = Painter(plan, generator), plan.effects.run(), plan.fmt
    with SegmentWriter(fmt) as writer:
        for segment in missing:
            publish = partial(_publish, store, segment.key)
            writer.begin(store.segments, segment.frames, publish)
            begin = run.seek(segment.start, segment.stop)
            for start, stop in batches(begin, segment.stop, plan.batch, fmt.fps):
                # A range of frames may begin within a batch: what lies before it is painted too, and left out.
                first = max(start, begin)
                images = run.apply(painter.paint(start, stop)[first - start :], first)
                if len(images):
                    writer.write(planar_yuv(images, fmt.subsampling))
                    progress(len(images))


def _publish(store: Store, key: str, part: Path) -> Path:
    return publish_with_digest(part, store.segments, key)
