"""Layers that several families learn with."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2
"""Of the leaky rectifier (Karras et al. 2018, appendix A)."""
GAIN = math.sqrt(2)
"""Of rectifiers: keeps the variance (He et al. 2015, equation 10)."""


class EqualDense(nn.Module):
    """y = W x + b with the equalised learning rate (Karras et al. 2018, section 4.1).

    Weights are stored as N(0, 1) / ``rate`` and used times ``rate`` / sqrt(inputs); biases are used times ``rate``
    (Karras et al. 2019, appendix C, where the mapping network learns at 0.01 of the rate of the rest).
    """

    def __init__(self, inputs: int, outputs: int, *, rate: float = 1.0, start: float = 0.0, rectify: bool = False):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), float(start) / rate))
        self.gain, self.rate, self.rectify = rate / math.sqrt(inputs), rate, rectify

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs] -> [N, outputs], in float32."""
        y = F.linear(x.float(), self.weight * self.gain, self.bias * self.rate)
        return F.leaky_relu(y, SLOPE) * GAIN if self.rectify else y


class EqualConv(nn.Module):
    """A convolution with the equalised learning rate, and a leaky rectifier whose gain is inside the weights."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, bias: bool = True, rectify: bool = True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.gain = (GAIN if rectify else 1.0) / math.sqrt(inputs * kernel * kernel)
        self.rectify, self.kernel = rectify, kernel

    def weights(self, scale: float) -> tuple[Tensor, Tensor | None]:
        """Weights and bias in float32. The rectifier is homogeneous: its gain and ``scale`` commute with it."""
        bias = None if self.bias is None else self.bias * ((GAIN if self.rectify else 1.0) * scale)
        return self.weight * (self.gain * scale), bias

    def forward(self, x: Tensor, scale: float = 1.0) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H, W], times ``scale``."""
        weight, bias = self.weights(scale)
        y = F.conv2d(x, weight.to(x.dtype), None if bias is None else bias.to(x.dtype), padding=self.kernel // 2)
        return rectified(y) if self.rectify else y


def rectified(x: Tensor) -> Tensor:
    """Leaky rectifier in place; x must be of no other use. (Its own output serves for the gradient.)"""
    return F.leaky_relu_(x, SLOPE)


class DownConv(EqualConv):
    """Convolution, then 2 x 2 means (Karras et al. 2018, section 3), as one convolution with stride 2.

    Both are linear, so the mean is folded into the weights: one pass over memory instead of two, which is what costs
    time; the k x k kernel becomes (k + 1) x (k + 1).
    """

    def forward(self, x: Tensor, scale: float = 1.0) -> Tensor:
        """[N, inputs, 2 H, 2 W] -> [N, outputs, H, W], times ``scale``."""
        weight, bias = self.weights(scale)
        weight = F.avg_pool2d(F.pad(weight, (1, 1, 1, 1)), 2, stride=1)
        bias = None if bias is None else bias.to(x.dtype)
        y = F.conv2d(x, weight.to(x.dtype), bias, stride=2, padding=self.kernel // 2)
        return rectified(y) if self.rectify else y


def unit(x: Tensor) -> Tensor:
    """Each vector [N, D] (or pixel [N, D, H, W]) scaled to a mean square of 1 (Karras et al. 2018, section 4.2)."""
    return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-8)


def with_deviation(x: Tensor, group: int = 8) -> Tensor:
    """x [N, C, H, W] and one more channel: how much the pictures of a group differ (Karras et al. 2018, section 3).

    The standard deviation over the group of each feature at each place, averaged over features and places. A group is
    every (N / group)-th picture; N need not divide.
    """
    count = x.shape[0]
    groups = math.gcd(count, group) if count % group else group
    y = x.float().reshape(groups, count // groups, *x.shape[1:])
    deviation = (y.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=(1, 2, 3))  # [N / group]
    deviation = deviation.repeat(groups)[:, None, None, None].expand(-1, 1, *x.shape[2:])
    return torch.cat([x, deviation.to(x.dtype)], dim=1)
