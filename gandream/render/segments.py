"""Rendering the segments that are missing: trajectory, generator, Y'CbCr, encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gandream.base.errors import RenderError
from gandream.render.plan import Plan, Segment, batches
from gandream.render.store import Store
from gandream.video.colour import planar_yuv
from gandream.video.encode import SegmentWriter
from gandream.video.segments import publish_with_digest

if TYPE_CHECKING:
    from torch import Tensor

    from gandream.models.spec import Generator

Progress = Callable[[int], None]
"""Told how many more frames are made."""


def render_segments(
    plan: Plan, missing: Sequence[Segment], generator: Generator, store: Store, progress: Progress
) -> None:
    """Render segments into the store, each published as soon as it is whole; what is published stays, whatever happens then."""
    with SegmentWriter(plan.fmt) as writer:
        for segment in missing:
            key = segment.key
            writer.begin(
                store.segments,
                segment.frames,
                lambda part, key=key: publish_with_digest(part, store.segments, key),
            )
            for start, stop in batches(segment, plan.batch):
                images = pictures(plan, generator, start, stop)
                writer.write(planar_yuv(images, plan.fmt.subsampling))
                progress(stop - start)


def pictures(plan: Plan, generator: Generator, start: int, stop: int) -> Tensor:
    """Pictures of frames [start, stop), float [N, 3, H, W] in about [-1, 1]."""
    import torch

    try:
        with torch.inference_mode():
            inputs = plan.trajectory.inputs(generator, start, stop)
            return generator.synthesise(inputs, size=(plan.fmt.height, plan.fmt.width))
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise _too_large(plan) from error
    except RuntimeError as error:
        if "can't allocate memory" in str(error) or "not enough memory" in str(error):
            raise _too_large(plan) from error
        raise


def _too_large(plan: Plan) -> RenderError:
    size = f"{plan.fmt.width}x{plan.fmt.height}"
    return RenderError(
        "rendering",
        f"a frame of {size} needs more memory than there is",
        "Make video.size smaller, or close other programs.",
    )
