"""Drafts: the fields at a quarter of the points, and between them interpolated; only then they become colours.

Fields are smoother than the pictures that are made of them, whose fine lines stay where they are and as sharp. Against
the picture in full, those of the draft of `music_viz`, 256 x 256, have 40 to 54 dB, in the median 48.5
(tests/benchmarks/drafts.py); half as large and made larger as colours they have 38 to 47. They take 7.4 instead of
17.7 ms on one thread.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from gandream.models.cppn.field import Folded
from gandream.models.cppn.palette import develop
from gandream.models.cppn.tiles import spread

LEAST = 16
"""Pixels of a side below which there is nothing to save."""
AT_ONCE = 16384
"""Points that become colours at once: what fits into a cache."""


def can_be_rough(size: tuple[int, int]) -> bool:
    """Whether there are pictures of this (height, width) with a point in the middle of each four pixels."""
    return min(size) >= LEAST and not any(side % 2 for side in size)


def finer(fields: Tensor, folded: Mapping[int, Folded], threads: int) -> Tensor:
    """Pictures [N, 3, 2 h, 2 w] in [-1, 1] of fields [N, FIELDS + 1, h, w], the last of which is 1.

    Cubic convolution with a = -1/2 (Keys 1981, "Cubic convolution interpolation for digital image processing"), which
    is torch's bicubic where that also avoids aliasing; else its a is -3/4, which is less exact, and slower.
    """
    count, _, high, wide = fields.shape
    size = (2 * high, 2 * wide)
    pictures = torch.empty(count, 3, *size, device=fields.device)
    flat = pictures.view(count, 3, -1)

    def paint(n: int, _: None) -> None:
        here = functional.interpolate(fields[n : n + 1], size, mode="bicubic", antialias=True)[0].flatten(1)
        for first in range(0, here.shape[1], AT_ONCE):
            piece = slice(first, first + AT_ONCE)
            develop(here[:, piece], folded[n].colours, out=flat[n, :, piece])

    spread(range(count), paint, lambda: None, threads)
    return pictures
