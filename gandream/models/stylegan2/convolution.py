"""The modulated convolution (Karras et al. 2020a, section 2.2, equations 1 to 3), in two orders of operation.

y_o = d_o sum_i conv(s_i x_i, W_oi) with d_o = 1 / sqrt(sum_i s_i^2 sum_k W_oik^2 + e). Where pictures are small and
channels many, it is cheapest to scale what goes in and what comes out, and to convolve the whole batch with the
weights as they are; where pictures are large, to scale the weights of each picture, whose channels are few. Both are
the same sum. The gain of the activation folds into d where it commutes with it, and the bias into the convolution.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.style.activation import HOMOGENEOUS, activate
from gandream.models.style.mapping import FullyConnected, put
from gandream.models.stylegan2.plan import Conv, ToRGB
from gandream.models.stylegan2.resample import Low

EPSILON = 1e-8


def layout(device: torch.device) -> torch.memory_format:
    """Channels last on a CPU, where it is 1.5 to 3 times as fast (oneDNN reorders everything else at each call)."""
    return torch.channels_last if device.type == "cpu" else torch.contiguous_format


class Modulated:
    """One layer: modulated convolution, noise, bias, activation. ``extra`` is a further gain after the activation."""

    def __init__(self, conv: Conv, tensors: Mapping[str, np.ndarray], device: torch.device, extra: float = 1):
        self.row, self.up, self.kernel, self.activation = conv.row, conv.up, conv.kernel, conv.activation
        self.style = FullyConnected(conv.affine, tensors, device)
        weight = put(tensors[f"{conv.key}.weight"], device)
        self.squares = weight.square().sum(dim=(2, 3))  # [O, I]
        # Transposed convolutions want [I, O, k, k].
        self.weight = (weight.transpose(0, 1) if self.up == 2 else weight).contiguous(memory_format=layout(device))
        self.low = Low(tensors.get(f"{conv.key}.resample_filter"), conv.outputs, device) if self.up == 2 else None
        gain = conv.gain * extra
        folds = conv.activation in HOMOGENEOUS and gain > 0
        self.inner, self.outer = (gain, 1.0) if folds else (1.0, gain)
        self.clamp = None if conv.clamp is None else conv.clamp * extra
        self.bias = put(tensors[f"{conv.key}.bias"], device) * self.inner
        self.noise = put(tensors[f"{conv.key}.noise_const"], device) if conv.noise else None  # [H, W]
        self.noise_gain = float(tensors[f"{conv.key}.noise_strength"]) * self.inner if conv.noise else 0.0
        inputs, (height, width) = conv.affine.outputs, conv.size
        self.weights_are_small = (
            device.type == "cpu" and self.weight.numel() <= (inputs + conv.outputs) * height * width
        )

    def __call__(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        """x [N, I, H, W], w [N, L, D] and noise [N or 1, 1, H', W'] with its gain -> [N, O, H', W']."""
        style = self.style(w[:, self.row])  # [N, I]
        scale = torch.rsqrt(F.linear(style.square(), self.squares, None) + EPSILON) * self.inner  # [N, O]
        if x.shape[0] == 1 and self.weights_are_small:
            y = self._convolve(x, self._modulated(style[0], scale[0]), self.bias)
        else:
            y = self._convolve(x * style[:, :, None, None], self.weight, None)
            # Bias after scale: addcmul would need a third tensor of the whole size.
            y = y.mul_(scale[:, :, None, None]).add_(self.bias[:, None, None])
        if noise is not None:
            y = y.add_(noise)
        return activate(y, self.activation, self.outer, self.clamp)

    def _modulated(self, style: Tensor, scale: Tensor) -> Tensor:
        """Weights of one picture."""
        first, second = (style, scale) if self.up == 2 else (scale, style)
        return self.weight * (first[:, None] * second)[:, :, None, None]

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.low is None:
            return F.conv2d(x, weight, bias, padding=self.kernel // 2)
        return self.low.after_transposed(F.conv_transpose2d(x, weight, stride=2), self.kernel, bias)


class Colours:
    """toRGB: a modulated 1 x 1 convolution without demodulation (Karras et al. 2020a, section 4.1)."""

    def __init__(self, torgb: ToRGB, tensors: Mapping[str, np.ndarray], device: torch.device):
        self.row, self.clamp = torgb.row, torgb.clamp
        self.style = FullyConnected(torgb.affine, tensors, device, torgb.gain)
        self.weight = put(tensors[f"{torgb.key}.weight"], device)  # [C, I, 1, 1]
        self.bias = put(tensors[f"{torgb.key}.bias"], device)

    def __call__(self, x: Tensor, w: Tensor) -> Tensor:
        """x [N, I, H, W] and w [N, L, D] -> [N, C, H, W]."""
        style = self.style(w[:, self.row])
        if x.shape[0] == 1 and not x.is_cuda:
            y = F.conv2d(x, self.weight * style[0, :, None, None], self.bias)
        else:
            y = F.conv2d(x * style[:, :, None, None], self.weight, self.bias)
        return y if self.clamp is None else y.clamp_(-self.clamp, self.clamp)
