"""Half the size by means and twice the size by repeating: each is the other's gradient, up to a factor.

PyTorch's own gradients of these fill zeros and add to them, which takes several times as long. Written as a pair, they
can be differentiated as often as is wanted.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def halved(x: Tensor) -> Tensor:
    """Means of 2 x 2 pixels: [N, C, H, W] -> [N, C, H/2, W/2]."""
    return _Halve.apply(x)


def doubled(x: Tensor) -> Tensor:
    """Each pixel repeated 2 x 2: [N, C, H, W] -> [N, C, 2H, 2W]."""
    return _Double.apply(x)


class _Halve(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _Double.apply(gradients[0] * 0.25)


class _Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="nearest")

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _Halve.apply(gradients[0]) * 4
