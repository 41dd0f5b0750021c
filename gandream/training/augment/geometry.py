"""Where the pixels of a transformed picture come from: affine matrices, and one resampling for all of them.

A matrix [N, 3, 3] takes a point of the result to the point of the source, both (x, y, 1) in units of half a picture: x
from -1 at the left edge to 1 at the right, y from -1 at the top to 1 at the bottom. Steps that follow each other are
multiplied in the order in which they are done, the first one on the left.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def scaled(x: Tensor, y: Tensor) -> Tensor:
    """Content larger by factors [N] along the axes; -1 mirrors."""
    zero = torch.zeros_like(x)
    return matrices((1 / x, zero, zero), (zero, 1 / y, zero))


def turned(angle: Tensor) -> Tensor:
    """Content turned counter-clockwise by angles [N] in radians."""
    return _turned(angle.cos(), angle.sin())


def quarter_turned(turns: Tensor) -> Tensor:
    """Content turned counter-clockwise by quarters, int64 [N] of 0..3; without any rounding."""
    cosine = torch.tensor([1.0, 0.0, -1.0, 0.0], dtype=torch.float64, device=turns.device)
    return _turned(cosine[turns], cosine[(turns + 3) % 4])


def moved(x: Tensor, y: Tensor) -> Tensor:
    """Content moved to the right and down by shares [N] of the picture's side."""
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    return matrices((one, zero, -2 * x), (zero, one, -2 * y))


def matrices(*rows: tuple[Tensor, ...]) -> Tensor:
    """Affine matrices [N, K + 1, K + 1] of their first K rows, each entry [N]."""
    zero, one = torch.zeros_like(rows[0][0]), torch.ones_like(rows[0][0])
    last = (*(zero,) * len(rows), one)
    return torch.stack([torch.stack(row, -1) for row in (*rows, last)], -2)


def warp(images: Tensor, matrix: Tensor) -> Tensor:
    """Pictures [N, C, R, R] as matrices [N, 3, 3] say, mirrored at the edges; those that stay in place aren't touched.

    One cubic interpolation (Keys 1981). Karras et al. 2020b (appendix B) interpolate linearly between orthogonal
    wavelet filters at twice the resolution, for several times the cost. The cubic follows frequencies up to 0.25 cycles
    per pixel to 2 % (linear interpolation alone: 21 %), and what lands on whole pixels - mirrored, turned by quarters,
    moved by pixels - is exact to the bit where R is a power of two. Nothing is filtered before content is made smaller:
    scales are mostly above 0.7, and real and generated pictures alias alike.

    First-order gradients everywhere; second-order where torch has those of ``grid_sample``, as newer releases do.
    """
    which = (matrix != torch.eye(3, dtype=matrix.dtype, device=matrix.device)).flatten(1).any(1).nonzero()[:, 0]
    if not len(which):
        return images
    centres = pixel_centres(images.shape[-1], images)
    (a, b, c), (d, e, f) = matrix[which, :2].to(images.dtype).permute(1, 2, 0)[..., None, None]  # [some, 1, 1] each
    x, y = centres, centres[:, None]
    grid = torch.stack([a * x + (b * y + c), d * x + (e * y + f)], -1)
    if len(which) == len(images):
        return _sampled(images, grid)
    return images.index_copy(0, which, _sampled(images[which], grid))


def pixel_centres(resolution: int, like: Tensor) -> Tensor:
    """Coordinates [R] of pixels in units of half a picture, from 1 / R - 1 to 1 - 1 / R."""
    return (2 * torch.arange(resolution, dtype=like.dtype, device=like.device) + 1) / resolution - 1


def _sampled(images: Tensor, grid: Tensor) -> Tensor:
    return F.grid_sample(images, grid, mode="bicubic", padding_mode="reflection", align_corners=False)


def _turned(cosine: Tensor, sine: Tensor) -> Tensor:
    zero = torch.zeros_like(cosine)
    return matrices((cosine, -sine, zero), (sine, cosine, zero))
