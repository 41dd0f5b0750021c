"""Frames: the trajectory's inputs through the generator, brought to the film's size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from gandream.base.errors import RenderError
from gandream.rendering.plan import Plan
from gandream.trajectory.feed import Feed

if TYPE_CHECKING:
    from gandream.models.spec import Generator


class Painter:
    """Makes the pictures of a plan, range by range."""

    def __init__(self, plan: Plan, generator: Generator):
        self.plan, self.generator = plan, generator
        self.feed = Feed(plan.trajectory, generator)

    def paint(self, start: int, stop: int) -> Tensor:
        """Pictures of frames [start, stop), float [N, 3, H, W] in about [-1, 1]."""
        fmt, native = self.plan.fmt, self.generator.spec.size
        size = (fmt.height, fmt.width)
        with self._memory(), torch.inference_mode():
            inputs, noise = self.feed.inputs(start, stop), self.feed.noise(start, stop)
            images = self.generator.synthesise(inputs, noise=noise, size=size if native is None else None)
            return FIT[self.plan.fit](in_colour(images), size)

    @contextmanager
    def _memory(self) -> Iterator[None]:
        try:
            yield
        except (MemoryError, torch.OutOfMemoryError) as error:
            raise self._too_large() from error
        except RuntimeError as error:
            if "can't allocate memory" in str(error) or "not enough memory" in str(error):
                raise self._too_large() from error
            raise

    def _too_large(self) -> RenderError:
        size = f"{self.plan.fmt.width}x{self.plan.fmt.height}"
        hint = "Make video.size smaller, or close other programs."
        return RenderError("rendering", f"a frame of {size} needs more memory than there is", hint)


def in_colour(images: Tensor) -> Tensor:
    """Three channels: grey is repeated, and what is transparent lies over black."""
    channels = images.shape[1]
    if channels in (2, 4):
        opacity = (images[:, -1:].clamp(-1, 1) + 1) / 2
        images = (images[:, :-1] + 1) * opacity - 1
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images


def stretch(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Resample [N, C, h, w] to a size (H, W): bicubic, without aliasing where it shrinks."""
    if tuple(images.shape[2:]) == size:
        return images
    return functional.interpolate(images, size, mode="bicubic", antialias=True, align_corners=False)


def cover(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Fill the size and cut off what stands out."""
    height, width = images.shape[2:]
    scale = max(size[0] / height, size[1] / width)
    cut_height, cut_width = (min(n, max(1, round(side / scale))) for n, side in ((height, size[0]), (width, size[1])))
    top, left = (height - cut_height) // 2, (width - cut_width) // 2
    return stretch(images[:, :, top : top + cut_height, left : left + cut_width], size)


def contain(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Show the whole picture, with black beside it."""
    height, width = images.shape[2:]
    scale = min(size[0] / height, size[1] / width)
    inner = (min(size[0], max(1, round(height * scale))), min(size[1], max(1, round(width * scale))))
    top, left = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    beside = (left, size[1] - inner[1] - left, top, size[0] - inner[0] - top)
    return functional.pad(stretch(images, inner), beside, value=-1.0)


FIT = {"cover": cover, "contain": contain, "stretch": stretch}
