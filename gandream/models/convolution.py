"""Convolutions with constant weights, done in the way that is fastest for their size."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.reduced import ReducedConvolution
from gandream.models.upsampling import doubling, phases

SMALL = 16
"""Side of features up to which a CPU multiplies matrices: libraries of convolutions rearrange the weights, which are
many in such layers, in each call."""


class Convolution:
    """A convolution of features [N, I, S, S] of one size S, kept in size by zeros around; they may be doubled first.

    Features have their channels last in memory, before and after.
    """

    def __init__(self, weight: Tensor, side: int, *, up: bool = False, bias: Tensor | None = None):
        """Take weights [O, I, k, k], k 1 or 3; ``up`` doubles the size S to nearest neighbours before (k is 3)."""
        self.bias, self.up, self.outputs, self.kernel = bias, up, weight.shape[0], weight.shape[2]
        small = weight.device.type == "cpu" and side <= SMALL
        self.multiplies = self.kernel == 1 or small
        if self.kernel == 1:
            self.weight = weight.flatten(1)
        elif small:
            kernels = phases(weight) if up else weight[None]
            self.weight = kernels.permute(0, 3, 4, 2, 1).reshape(len(kernels), -1, self.outputs).contiguous()
        else:
            kernel = doubling(weight) if up else weight
            self.weight = kernel.contiguous(memory_format=torch.channels_last)

    def __call__(self, x: Tensor) -> Tensor:
        """[N, O, S, S], or [N, O, 2 S, 2 S]."""
        if not self.multiplies:
            if self.up:
                return F.conv_transpose2d(x, self.weight, self.bias, stride=2, padding=1)
            return F.conv2d(x, self.weight, self.bias, padding=1)
        x = x.permute(0, 2, 3, 1)
        if self.kernel == 1:
            return F.linear(x, self.weight, self.bias).permute(0, 3, 1, 2)
        return (self._doubled(x) if self.up else self._multiplied(_windows(x, 3), 0)).permute(0, 3, 1, 2)

    def _doubled(self, x: Tensor) -> Tensor:
        n, height, width, _ = x.shape
        windows = _windows(x, 2)
        made = x.new_empty(n, 2 * height, 2 * width, self.outputs)
        for phase in range(4):
            below, right = divmod(phase, 2)
            seen = windows[:, below : below + height, right : right + width]
            made[:, below::2, right::2] = self._multiplied(seen, phase)
        return made

    def _multiplied(self, windows: Tensor, phase: int) -> Tensor:
        rows, weight = windows.reshape(-1, self.weight.shape[1]), self.weight[phase]
        made = rows @ weight if self.bias is None else torch.addmm(self.bias, rows, weight)
        return made.view(*windows.shape[:3], self.outputs)


AnyConvolution = Convolution | ReducedConvolution


def convolution(
    weight: Tensor, side: int, dtype: torch.dtype, *, up: bool = False, bias: Tensor | None = None
) -> AnyConvolution:
    """One that computes in float32 or in half precision."""
    if dtype == torch.float32:
        return Convolution(weight, side, up=up, bias=bias)
    return ReducedConvolution(weight, dtype, up=up, bias=bias)


def _windows(x: Tensor, side: int) -> Tensor:
    """All windows of a side that begin up to one pixel outside of x [N, H, W, C]: a view [N, H', W', side, side, C]."""
    padded = F.pad(x, (0, 0, 1, 1, 1, 1))
    n, height, width, channels = padded.shape
    a, b, c, d = padded.stride()
    shape = (n, height - side + 1, width - side + 1, side, side, channels)
    return padded.as_strided(shape, (a, b, c, b, c, d))
