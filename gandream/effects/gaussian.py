"""Gaussian blur by shifted sums, so that its bytes depend on no batch, number of threads or library's choice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

WIDEST_PX = 4.0
"""A wider sigma is made on a picture of half the size, and so on: the kernel stays short."""


def gaussian(images: Tensor, sigmas_px: list[float]) -> Tensor:
    """Blur each of [N, C, H, W] with its own sigma, edges repeated; within 0.4 % of full scale at an edge."""
    import torch

    return torch.cat([_blurred(image[None], sigma) for image, sigma in zip(images, sigmas_px, strict=True)])


def _blurred(image: Tensor, sigma: float) -> Tensor:
    import torch.nn.functional as F

    height, width = image.shape[2:]
    factor = 1
    while sigma / factor > WIDEST_PX and factor * 4 < min(height, width):
        factor *= 2
    if factor == 1:
        return _smooth(_smooth(image, sigma, 2), sigma, 3)
    # Halving has the variance 3/4 of a pixel each time, so (f^2 - 1) / 4; straight lines between samples (f^2 - 1) / 6.
    inner = math.sqrt(sigma**2 - (factor**2 - 1) * 5 / 12) / factor
    rows, columns = -(-height // factor), -(-width // factor)
    image = F.pad(image, [0, columns * factor - width, 0, rows * factor - height], mode="replicate")
    small = image
    for _ in range(factor.bit_length() - 1):
        small = _halved(_halved(small, 2), 3)
    small = _smooth(_smooth(small, inner, 2), inner, 3)
    return _enlarged(_enlarged(small, factor, 2), factor, 3)[:, :, :height, :width]


def _smooth(image: Tensor, sigma: float, dim: int) -> Tensor:
    """One direction: sum over k of w_k x[i + k]."""
    import torch.nn.functional as F

    if sigma < 0.05:
        return image
    reach = max(1, math.ceil(3.2 * sigma))
    weights = [math.exp(-0.5 * (k / sigma) ** 2) for k in range(reach + 1)]
    total = weights[0] + 2 * sum(weights[1:])
    size = image.shape[dim]
    padded = F.pad(image, [0, 0, reach, reach] if dim == 2 else [reach, reach, 0, 0], mode="replicate")
    out = padded.narrow(dim, reach, size) * (weights[0] / total)
    for k in range(1, reach + 1):
        out.add_(padded.narrow(dim, reach - k, size), alpha=weights[k] / total)
        out.add_(padded.narrow(dim, reach + k, size), alpha=weights[k] / total)
    return out


def _halved(image: Tensor, dim: int) -> Tensor:
    """One direction, half as many: [1 3 3 1] / 8 of those round each new one."""
    import torch.nn.functional as F

    padded = F.pad(image, [0, 0, 1, 1] if dim == 2 else [1, 1, 0, 0], mode="replicate")
    even, odd = (padded.unfold(dim, 2, 2).select(-1, side) for side in (0, 1))
    n = image.shape[dim] // 2
    out = odd.narrow(dim, 0, n) + even.narrow(dim, 1, n)
    return out.mul_(3).add_(even.narrow(dim, 0, n)).add_(odd.narrow(dim, 1, n)).div_(8)


def _enlarged(image: Tensor, factor: int, dim: int) -> Tensor:
    """One direction, straight lines between the samples, which lie in the middle of f pixels each."""
    import torch
    import torch.nn.functional as F

    n = image.shape[dim]
    padded = F.pad(image, [0, 0, 1, 1] if dim == 2 else [1, 1, 0, 0], mode="replicate")
    parts = []
    for index in range(factor):
        place = (index + 0.5) / factor - 0.5  # from the sample's own middle, in samples
        near, far = padded.narrow(dim, 1, n), padded.narrow(dim, 2 if place > 0 else 0, n)
        parts.append((near * (1 - abs(place))).add_(far, alpha=abs(place)))
    return torch.stack(parts, dim=dim + 1).flatten(dim, dim + 1)
