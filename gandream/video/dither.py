"""Dither: a little noise before values are cut to codes, so that a slow gradient doesn't become steps.

Noise of half a code to either side, evenly spread: on average a code then stands for exactly the value that was there,
and what lies on a code already, such as black beside a picture, stays as it is. It is blue, without low frequencies,
which the eye sees and an encoder has to keep.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import Tensor

SIDE = 128
ROUNDS = 12
ACROSS, DOWN = 0xC13FA9A9, 0x91E10DA5
"""2^32 / g and 2^32 / g², where g = 1.3247... solves x³ = x + 1: each frame's pattern lies far from those before it."""
KERNEL = np.array([1, 4, 6, 4, 1])


@functools.cache
def pattern() -> np.ndarray:
    """The noise, float32 [SIDE, SIDE], each of SIDE² values between -1/2 and 1/2 once; it continues past its edges.

    White noise loses its low frequencies and is spread evenly again by rank, until both hold. Whole numbers only, so
    that it is the same on every machine.
    """
    ranks = np.random.RandomState(0).permutation(SIDE * SIDE).reshape(SIDE, SIDE)
    for _ in range(ROUNDS):
        low = ranks
        for axis in (0, 1):
            low = sum(weight * np.roll(low, at - 2, axis) for at, weight in enumerate(KERNEL))
        order = np.argsort((256 * ranks - low).ravel(), kind="stable")
        ranks = np.empty(SIDE * SIDE, np.int64)
        ranks[order] = np.arange(SIDE * SIDE)
        ranks = ranks.reshape(SIDE, SIDE)
    return ((ranks + 0.5) / SIDE**2 - 0.5).astype(np.float32)


@functools.lru_cache(16)
def _spread(height: int, width: int, device: torch.device) -> Tensor:
    """The pattern again and again, so that any part of it [height, width] is a view."""
    import torch

    times = (-(-height // SIDE) + 1, -(-width // SIDE) + 1)
    return torch.from_numpy(np.tile(pattern(), times)).to(device)


def noise(frames: range, plane: int, rows: range, width: int, device: torch.device) -> Tensor:
    """The noise of rows of a plane, [N, rows, width]: a function of the frame and the place alone."""
    import torch

    spread = _spread(len(rows), width, device)
    parts = []
    for frame in frames:
        number = 3 * frame + plane
        left, top = (number * step % 2**32 * SIDE >> 32 for step in (ACROSS, DOWN))
        top = (top + rows.start) % SIDE
        parts.append(spread[top : top + len(rows), left : left + width])
    return parts[0][None] if len(parts) == 1 else torch.stack(parts)
