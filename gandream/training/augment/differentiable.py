"""Differentiable augmentation: colour, translation and cutout, on every picture.

Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training" (arXiv 2006.10738), section 3 and the
ranges of section 4: the strongest of its policies, all three together.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gandream.training.augment.colour import recolour, saturated
from gandream.training.augment.geometry import pixel_centres

ROOM = 8
"""A picture moves by up to 1 / 8 of its side."""
CUT = 2
"""The square that is cut out has 1 / 2 of the side."""


def diffaugment(images: Tensor, p: Tensor | float, random: torch.Generator) -> Tensor:
    """Transform pictures float32 [N, 3, R, R] in about [-1, 1]; what is moved in or cut out is 0, a middle grey.

    Args:
        images: gradients flow back to them.
        p: share of the pictures that are transformed, by all three. 1 is the paper's; at 0 the very pictures are
            returned and nothing is drawn.
        random: on the device of the pictures.

    Raises:
        ValueError: p lies outside 0..1.
    """
    p = float(p)
    if not 0 <= p <= 1:
        raise ValueError(f"a probability of 0..1 is wanted, not {p}")
    if p == 0:
        return images
    count, resolution = len(images), images.shape[-1]

    def uniform() -> Tensor:
        return torch.rand(count, generator=random, device=images.device, dtype=torch.float64)

    def whole(first: int, last: int) -> Tensor:
        return torch.randint(first, last + 1, (count, 2), generator=random, device=images.device)

    taken = uniform() < p
    by, spread, contrast = uniform() - 0.5, uniform() * 2, uniform() + 0.5
    room = max(1, resolution // ROOM)
    distance, middle = whole(-room, room), whole(0, resolution)

    images = recoloured(images, by * taken, torch.where(taken, spread, 1), torch.where(taken, contrast, 1))
    images = moved(images, distance * taken[:, None])
    return images * ~(cut_out(middle, resolution) & taken[:, None, None, None])


def recoloured(images: Tensor, by: Tensor, spread: Tensor, contrast: Tensor) -> Tensor:
    """Pictures lighter by [N], more colourful by factors [N], then spread away from their own mean by factors [N].

    Saturation keeps the mean, so that the three are one matrix: contrast * saturation, and what is left of the mean.
    """
    matrix = saturated(spread)[:, :3].to(images.dtype)
    contrast, by = contrast.to(images.dtype)[:, None, None], by.to(images.dtype)[:, None, None]
    mean = images.mean((1, 2, 3))[:, None, None]
    offset = (by + (1 - contrast) * mean).expand(-1, 3, 1)
    return recolour(images, torch.cat([contrast * matrix[..., :3], offset], -1))


def moved(images: Tensor, distance: Tensor) -> Tensor:
    """Pictures moved to the right and down by whole pixels, int64 [N, 2]; 0 comes in at the edges."""
    resolution = images.shape[-1]
    source = pixel_centres(resolution, images) - (2 * distance[..., None] / resolution).to(images.dtype)  # [N, 2, R]
    x, y = source[:, 0, None, :], source[:, 1, :, None]
    grid = torch.stack(torch.broadcast_tensors(x, y), -1)
    return F.grid_sample(images, grid, mode="nearest", padding_mode="zeros", align_corners=False)


def cut_out(middle: Tensor, resolution: int) -> Tensor:
    """Where squares around middles int64 [N, 2], (x, y) of 0..R, lie: bool [N, 1, R, R]; some hang over the edge."""
    side = resolution // CUT
    offset = torch.arange(resolution, device=middle.device) - (middle[..., None] - side // 2)  # [N, 2, R]
    inside = (offset >= 0) & (offset < side)
    return (inside[:, 0, None, :] & inside[:, 1, :, None])[:, None]
