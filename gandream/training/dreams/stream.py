"""The stream ``procedural:dreams``: picture i of a seed, for any i, at any resolution, with its class as label."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from gandream.training.dreams.draws import Draws
from gandream.training.dreams.fields import grid
from gandream.training.dreams.flows import marble, silk
from gandream.training.dreams.patterns import bloom, rosettes
from gandream.training.dreams.shapes import glass, orbs, ripples
from gandream.training.dreams.skies import aurora, dunes, nebula

Painter = Callable[[Draws, Tensor, Tensor], Tensor]
"""(draws of N pictures, x, y [1, R, R] from ``fields.grid``) -> display RGB [N, 3, R, R] in [0, 1]."""

CLASSES: Final[dict[str, Painter]] = {
    "silk": silk,
    "marble": marble,
    "nebula": nebula,
    "glass": glass,
    "ripples": ripples,
    "rosettes": rosettes,
    "dunes": dunes,
    "orbs": orbs,
    "aurora": aurora,
    "bloom": bloom,
}
"""Painters by name; a picture's label is its painter's place here. Part of the stream: the order never changes."""

CHUNK_PIXELS: Final = 16 * 128 * 128
"""Pixels painted at once: few enough for the cache, enough to make calls cheap."""


def pictures(seed: int, indices: Tensor, resolution: int, device: str | torch.device = "cpu") -> tuple[Tensor, Tensor]:
    """Pictures ``indices`` of the stream ``seed``; picture i depends on (seed, i) alone and is of class i mod 10.

    Args:
        seed: Any whole number; its low 64 bits count.
        indices: int64 [N], 0 and up, in any order.
        resolution: Pixels along each side; other resolutions show the same picture.
        device: Where to paint. Other devices differ by rounding.

    Returns:
        Display RGB, uint8 [N, 3, resolution, resolution], and labels, int64 [N].
    """
    indices = indices.to(device=device, dtype=torch.int64)
    labels = indices % len(CLASSES)
    x, y = grid(resolution, device)
    out = torch.empty((indices.shape[0], 3, resolution, resolution), dtype=torch.uint8, device=device)
    chunk = max(1, CHUNK_PIXELS // resolution**2)
    with torch.no_grad():
        for label, painter in enumerate(CLASSES.values()):
            for places in torch.nonzero(labels == label)[:, 0].split(chunk):
                if places.shape[0]:
                    painted = painter(Draws(seed, indices[places]), x, y)
                    out[places] = painted.mul_(255.0).add_(0.5).to(torch.uint8)
    return out, labels
