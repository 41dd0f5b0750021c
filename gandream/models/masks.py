"""Masks across the picture: how much of something there is at each place, at any resolution.

Places are u from 0 (left edge) to 1 (right edge) and v from 0 (upper edge) to 1 (lower edge), at the middle of pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

SOFT = 0.2
"""Of the picture: the width of the transition between its halves, and at its edges."""


def _smooth(x: Tensor) -> Tensor:
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)


def _half(x: Tensor) -> Tensor:
    """1 where x is below 1 / 2."""
    return _smooth((0.5 + SOFT / 2 - x) / SOFT)


def spot(u: Tensor, v: Tensor, x: Tensor, y: Tensor, radius: Tensor, aspect: float) -> Tensor:
    """1 to half of the radius, in heights of the picture, then fading to 0 at the radius."""
    distance = (((u - x) * aspect) ** 2 + (v - y) ** 2).sqrt()
    return _smooth(2 - 2 * distance / radius.clamp(min=1e-6))


PART: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "left": lambda u, v: _half(u) + 0 * v,
    "right": lambda u, v: _half(1 - u) + 0 * v,
    "top": lambda u, v: _half(v) + 0 * u,
    "bottom": lambda u, v: _half(1 - v) + 0 * u,
    "centre": lambda u, v: _smooth(2 - 2 * ((u - 0.5) ** 2 + (v - 0.5) ** 2).sqrt() / 0.5),
    "edges": lambda u, v: _smooth((0.25 + SOFT / 2 - _inward(u, v)) / SOFT),
}
"""Table word -> function of u [W] and v [H, 1] to [H, W], from 0 to 1."""


def _inward(u: Tensor, v: Tensor) -> Tensor:
    """Distance from the nearest edge, as a share of the picture."""
    return torch.minimum(torch.minimum(u, 1 - u), torch.minimum(v, 1 - v))


@dataclass(frozen=True, eq=False)
class Mask:
    """A part of PART, an ``image`` [H, W] from 0 to 1, or a spot whose x, y and radius at each frame are [N, 3]."""

    part: str = ""
    image: np.ndarray | None = None
    spots: np.ndarray | None = None

    def at(self, height: int, width: int, device: torch.device) -> Tensor:
        """The mask at a resolution, float32 [1 or N, 1, H, W]."""
        if self.image is not None:
            image = torch.from_numpy(np.ascontiguousarray(self.image, np.float32))[None, None]
            size = (height, width)  # on the host, so that it is the same on every device
            smaller = torch.nn.functional.interpolate(image, size, mode="bilinear", antialias=True, align_corners=False)
            return smaller.clamp(0, 1).to(device)
        u = (torch.arange(width, dtype=torch.float32) + 0.5) / width
        v = ((torch.arange(height, dtype=torch.float32) + 0.5) / height)[:, None]
        if self.spots is None:
            return PART[self.part](u, v)[None, None].to(device)
        x, y, radius = (torch.as_tensor(one, dtype=torch.float32)[:, None, None, None] for one in self.spots.T)
        return spot(u, v, x, y, radius, width / height).to(device)
