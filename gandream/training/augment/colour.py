"""Colours of a picture as one affine map: matrices [N, 4, 4] that take (red, green, blue, 1) to the same.

Grey lies at 0, black at -1 and white at 1. Luma is the share along the axis of greys, (1, 1, 1) / sqrt(3): hue turns
around that axis and saturation is the distance from it. Steps that follow each other are multiplied in the opposite
order, the first one on the right. (Karras et al. 2020b, arXiv 2006.06676, appendix B)
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gandream.training.augment.geometry import matrices


def brightened(by: Tensor) -> Tensor:
    """Add [N] to all three colours."""
    one, zero = torch.ones_like(by), torch.zeros_like(by)
    return matrices((one, zero, zero, by), (zero, one, zero, by), (zero, zero, one, by))


def contrasted(factor: Tensor) -> Tensor:
    """Spread the colours away from grey by factors [N]."""
    return _axis(factor, factor)


def luma_flipped(flips: Tensor) -> Tensor:
    """Turn light into dark but keep hue and saturation, where bool [N] is true."""
    factor = 1.0 - 2.0 * flips.to(torch.float64)
    return _axis(factor, torch.ones_like(factor))


def hue_turned(angle: Tensor) -> Tensor:
    """Turn the hue by angles [N] in radians: red becomes green at a third of the circle."""
    cosine, sine = angle.cos(), angle.sin() / math.sqrt(3)
    grey = (1 - cosine) / 3
    same, after, before = grey + cosine, grey - sine, grey + sine
    zero = torch.zeros_like(angle)
    return matrices((same, after, before, zero), (before, same, after, zero), (after, before, same, zero))


def saturated(factor: Tensor) -> Tensor:
    """Spread the colours away from their luma by factors [N]; 0 leaves greys."""
    return _axis(torch.ones_like(factor), factor)


def recolour(images: Tensor, matrix: Tensor) -> Tensor:
    """Pictures [N, 3, R, R] with their colours mapped by matrices [N, 3 or 4, 4]."""
    matrix = matrix[:, :3].to(images.dtype)
    return torch.baddbmm(matrix[..., 3:], matrix[..., :3], images.flatten(2)).view(images.shape)


def _axis(along: Tensor, across: Tensor) -> Tensor:
    """Stretch along the axis of greys and across it by factors [N]."""
    rest = (along - across) / 3
    same, zero = rest + across, torch.zeros_like(along)
    return matrices((same, rest, rest, zero), (rest, same, rest, zero), (rest, rest, same, zero))
