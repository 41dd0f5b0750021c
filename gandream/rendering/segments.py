"""Rendering the segments that are missing: trajectory, generator, Y'CbCr, encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from gandream.rendering.plan import Segment
from gandream.rendering.projector import Load, Projector
from gandream.rendering.reel import Reel
from gandream.rendering.store import Store
from gandream.video.colour import planar_yuv
from gandream.video.encode import SegmentWriter
from gandream.video.segments import publish_with_digest

Progress = Callable[[int], None]
"""Told how many more frames are made."""


def render_segments(reel: Reel, missing: Sequence[Segment], load: Load, store: Store, progress: Progress) -> None:
    """Render segments into the store, each published as soon as it is whole, and there to stay.

    Those of one model come one after the other, so that each model is loaded once.
    """
    projector, fmt = Projector(reel, load), reel.fmt
    with SegmentWriter(fmt) as writer:
        for segment in sorted(missing, key=reel.models):
            writer.begin(store.segments, segment.frames, partial(_publish, store, segment.key))
            for images in projector.pictures(segment.start, segment.stop):
                writer.write(planar_yuv(images, fmt.subsampling))
                progress(len(images))


def _publish(store: Store, key: str, part: Path) -> Path:
    return publish_with_digest(part, store.segments, key)
