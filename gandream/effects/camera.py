"""The camera in picture space: maps of the plane, mirrored edges, and the crossfade that makes a zoom infinite."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gandream.effects.gaussian import gaussian
from gandream.effects.geometry import places, transform
from gandream.effects.moment import beside

if TYPE_CHECKING:
    from torch import Tensor

SOFTNESS = 0.45
"""Sigma in pixels for each pixel that is left out: what is made smaller is softened, so that nothing flickers."""
SEAM, ARRIVAL = 0.35, 0.5
"""Of an infinite zoom: the width of the smaller picture's soft edge, in half sides of the frame, at most; and how long
it takes to come in, in octaves."""


def moved(images: Tensor, maps: np.ndarray) -> Tensor:
    """Pictures [N, C, H, W] so that a place p shows what was at its map [N, 3, 3] of (p, 1), in half heights.

    Those whose map is the identity stay as they are, to the last bit.
    """
    import torch

    return torch.cat(
        [
            image if np.array_equal(one, np.eye(3)) else _moved(image, one)
            for image, one in zip(images.split(1), maps, strict=True)
        ]
    )


def _moved(image: Tensor, one: np.ndarray) -> Tensor:
    shrunk = abs(np.linalg.det(one[:2, :2]))  # pixels that become one
    if shrunk > 1:
        image = gaussian(image, [SOFTNESS * math.sqrt(shrunk - 1)])
    height, width = image.shape[2:]
    period = np.array([4 * width / height, 4.0])  # the mirror images repeat
    right, down = (np.mod(one[:2, 2] + period / 2, period) - period / 2).tolist()
    (a, b, _), (c, d, _), _ = one.tolist()
    return transform(image, [((a, b, right), (c, d, down))]).clamp_(-1, 1)


def endless(larger: Tensor, smaller: Tensor, shares: np.ndarray) -> Tensor:
    """Two sizes of the same pictures, twice and once as large, at shares of an octave [N]: the smaller in the larger.

    At 0 the larger one fills the frame alone, at 1 the smaller one, which is the larger one of the next octave. Until
    then what is beyond its edges isn't seen.
    """
    import torch

    x, y = places(larger)
    away = torch.maximum((x * (larger.shape[2] / larger.shape[3])).abs(), y.abs())  # [1, H, W], 1 at the frame's edges
    reach = np.exp2(shares - 1)
    seam = np.clip(2 * (1 - reach), 1e-6, SEAM)
    there = _smooth(beside(shares / ARRIVAL, larger))
    inside = _smooth((beside(reach, larger) - away[:, None]) / beside(seam, larger))
    inside = torch.where(beside(shares, larger) >= 1, 1.0, inside)
    return torch.lerp(larger, smaller, there * inside)


def _smooth(x: Tensor) -> Tensor:
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)
