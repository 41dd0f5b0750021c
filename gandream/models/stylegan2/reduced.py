"""Layers in half precision: bfloat16 on CPUs that multiply it, float16 on GPUs; sums are in float32 in either.

Styles, demodulation and the picture stay in float32. So do the activations of layers whose weights outnumber them:
they are few, and everything after them is made of them. What is rounded there is what a convolution is given and what
it gives. Where activations outnumber weights, they are halves, and weights are scaled for each picture and rounded
once, all factors included. float16 ends at 65504, so what styles and weights are scaled by is divided out beforehand
and multiplied in again afterwards, in float32; activations are kept in range by the checkpoints' own clamp.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.reduced import Packed
from gandream.models.style.activation import activate
from gandream.models.stylegan2.convolution import EPSILON, Colours, Modulated
from gandream.models.stylegan2.plan import Conv
from gandream.models.stylegan2.resample import interleaved, phases

LARGEST = 256.0
"""Of activations in float16 where a checkpoint has no clamp (Karras et al. 2020b, appendix D: "clamped to +-256")."""
LEAST = 1e-15
"""Of what weights and styles are divided by: its square is still a float32, where a layer has nothing but zeros."""


class ReducedModulated(Modulated):
    """One layer. Doubling and its low-pass are folded into the weights, which costs products, but no passes."""

    def __init__(
        self, conv: Conv, tensors: Mapping[str, np.ndarray], device: torch.device, extra: float, dtype: torch.dtype
    ):
        super().__init__(conv, tensors, device, extra)
        self.dtype, self.doubles = dtype, self.up == 2
        weight = self.weight
        if self.doubles:
            weight = phases(weight.transpose(0, 1), tensors.get(f"{conv.key}.resample_filter"))
            self.low = None
        largest = weight.abs().amax().clamp(min=LEAST) * math.sqrt(weight[0].numel())  # so that sums stay in range
        self.squares = self.squares / largest.square()
        self.epsilon = EPSILON / float(largest.square())
        weight = (weight / largest).contiguous(memory_format=torch.channels_last)
        self.padding = weight.shape[2] // 2
        if self.doubles:  # its weights are four times as many now, and it is given a quarter of the pixels
            inputs, (height, width) = conv.affine.outputs, conv.size
            few = weight.numel() <= (inputs // 4 + conv.outputs) * height * width
            self.weights_are_small = self.weights_are_small and few
        self.weight = weight
        self.convolve = Packed(weight.to(dtype), self.padding)
        self.gives = torch.float32 if device.type == "cpu" and not self.weights_are_small else dtype
        """The type of its activations."""
        if dtype == torch.float16 and self.clamp is None:
            self.clamp = LARGEST * conv.gain * extra

    def __call__(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        """As its base class; x and what is given are float32 or half."""
        style = self.style(w[:, self.row])  # [N, I]
        largest = style.abs().amax(dim=1, keepdim=True).clamp(min=LEAST)
        style = style / largest
        scale = F.linear(style.square(), self.squares) + self.epsilon / largest.square()
        scale = torch.rsqrt(scale) * self.inner  # [N, O]
        y = self._one(x, style[0], scale[0], noise) if self._alone(x) else self._many(x, style, scale, noise)
        return activate(y, self.activation, self.outer, self.clamp)

    def _alone(self, x: Tensor) -> bool:
        return self.weights_are_small and x.shape[0] == 1

    def _one(self, x: Tensor, style: Tensor, scale: Tensor, noise: Tensor | None) -> Tensor:
        """A picture, in halves."""
        bias = self.bias
        if self.doubles:
            scale, bias = scale.repeat(4), bias.repeat(4)
        weight = (self.weight * (scale[:, None] * style)[:, :, None, None]).to(self.dtype)
        y = F.conv2d(x.to(self.dtype), weight, bias.to(self.dtype), padding=self.padding)
        noise = None if noise is None else noise.to(self.dtype)
        if self.doubles:
            return interleaved(y, noise)
        return y if noise is None else y.add_(noise)

    def _many(self, x: Tensor, style: Tensor, scale: Tensor, noise: Tensor | None) -> Tensor:
        """Pictures that share their weights."""
        x = (x * style.to(x.dtype)[:, :, None, None]).to(self.dtype)
        y = self.convolve(x, None)
        y = (interleaved(y) if self.doubles else y).to(self.gives)
        y = y.mul_(scale.to(self.gives)[:, :, None, None]).add_(self.bias.to(self.gives)[:, None, None])
        return y if noise is None else y.add_(noise)


class ReducedColours(Colours):
    """toRGB of halves, in float32."""

    def __call__(self, x: Tensor, w: Tensor) -> Tensor:
        """x [N, I, H, W], float32 or half, and w [N, L, D] -> float32 [N, C, H, W]."""
        if x.dtype == torch.float32:
            return super().__call__(x, w)
        style = self.style(w[:, self.row])
        weight = (self.weight[:, :, 0, 0] * style[:, None]).to(x.dtype)  # [N, C, I]
        y = torch.bmm(x.permute(0, 2, 3, 1).flatten(1, 2), weight.transpose(1, 2)).float().add_(self.bias)
        y = y if self.clamp is None else y.clamp_(-self.clamp, self.clamp)
        return y.unflatten(1, x.shape[2:]).permute(0, 3, 1, 2)
