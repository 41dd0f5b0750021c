"""The modulated convolution, whose padding is cropped to what is looked at."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.style.mapping import FullyConnected
from gandream.models.stylegan3.plan import Convolution

EPSILON = 1e-8
GAIN = math.sqrt(2)
"""Of the leaky rectifier. It commutes with everything between the convolution and the clamp."""


class Modulated:
    """The modulated convolution and its bias (Karras et al. 2021, appendix C.2; 2020a, equations 1 to 3).

    Weights have a mean square of 1 for each output, styles for each picture. The published network takes the mean
    over the whole batch, which cancels in demodulation but for its epsilon; so pictures don't depend on each other.
    """

    def __init__(
        self,
        plan: Convolution,
        crop: tuple[slice, slice],
        tensors: Mapping[str, np.ndarray],
        device: torch.device,
    ):
        def put(part: str) -> Tensor:
            return torch.as_tensor(tensors[f"{plan.key}.{part}"], dtype=torch.float32).to(device)

        self.row, self.demodulates = plan.row, not plan.colours
        weight, self.bias = put("weight"), put("bias")
        self.gain = float(put("magnitude_ema").rsqrt())
        self.style = FullyConnected(
            plan.affine, tensors, device, 1 / math.sqrt(weight[0].numel()) if plan.colours else 1
        )
        if self.demodulates:
            weight = weight * weight.square().mean(dim=(1, 2, 3), keepdim=True).rsqrt()
            self.gain, self.bias = self.gain * GAIN, self.bias * GAIN
        self.squares = weight.square().sum(dim=(2, 3))  # [O, I]
        channels_last = device.type == "cpu"
        self.weight = weight.contiguous(memory_format=torch.channels_last) if channels_last else weight
        self.inside, self.padding, self.cut = zip(
            *(_cropped(side, plan.kernel, part) for side, part in zip(plan.before, crop, strict=True)), strict=True
        )
        height, width = plan.before
        self.weights_are_small = weight.numel() <= (plan.affine.outputs + plan.outputs) * height * width

    def __call__(self, x: Tensor, w: Tensor) -> Tensor:
        """x [N, I, H, W], which stays as it is, and w [N, L, D] -> [N, O, H', W']."""
        style = self.style(w[:, self.row])  # [N, I]
        scale = torch.full_like(style[:, :1], self.gain).expand(-1, self.squares.shape[0])  # [N, O]
        if self.demodulates:
            style = style * style.square().mean(dim=1, keepdim=True).clamp(min=1e-30).rsqrt()
            scale = torch.rsqrt(F.linear(style.square(), self.squares) + EPSILON) * self.gain
        x = x[:, :, self.inside[0], self.inside[1]]
        if x.shape[0] == 1 and self.weights_are_small:
            return self._one(x, style[0], scale[0])[:, :, self.cut[0], self.cut[1]]
        y = self._many(x, style)[:, :, self.cut[0], self.cut[1]]
        return y.mul_(scale[:, :, None, None]).add_(self.bias[:, None, None])

    def _one(self, x: Tensor, style: Tensor, scale: Tensor) -> Tensor:
        """The convolution of one picture with everything in its weights, and its bias; style [I], scale [O]."""
        weight = self.weight * (scale[:, None] * style)[:, :, None, None]
        return F.conv2d(x, weight, self.bias, padding=self.padding)

    def _many(self, x: Tensor, style: Tensor) -> Tensor:
        """The convolution of pictures that share their weights; style [N, I]."""
        return F.conv2d(x * style[:, :, None, None], self.weight, padding=self.padding)


def _cropped(side: int, kernel: int, part: slice) -> tuple[slice, int, slice]:
    """To get a part of a convolution padded by kernel - 1: what to take of its input, its padding, what to keep."""
    low, high = max(kernel - 1 - part.start, 0), max(part.stop - side, 0)
    padding = max(low, high)
    inside = slice(max(part.start - kernel + 1, 0), min(part.stop, side))
    return inside, padding, slice(padding - low, padding - low + part.stop - part.start)
