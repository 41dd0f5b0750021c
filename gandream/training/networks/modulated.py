"""The modulated convolution for training (Karras et al. 2020a, section 2.2, equations 1 to 3), and doubling a size."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandream.training.networks.layers import GAIN, EqualDense, rectified

EPSILON = 1e-8


def phases() -> list[list[list[float]]]:
    """How zero insertion, three taps and the filter [1 3 3 1] / 4 make three taps for each of two phases, [2, 3, 3].

    y[2 p + a] = sum_d x[p + d] sum_k M[a, d + 1, k] w[k]: inserting zeros and filtering is linear, so both fold into
    the weights, and doubling the size becomes one convolution at the small size that gives four pixels for each.
    """
    taps = (1 / 4, 3 / 4, 3 / 4, 1 / 4)
    return [
        [[taps[j] if 0 <= (j := 2 * d - a + 1 + k) < 4 else 0.0 for k in range(3)] for d in (-1, 0, 1)] for a in (0, 1)
    ]


class Modulated(nn.Module):
    """Modulation, convolution (which may double the size), demodulation, noise if any, bias, activation."""

    noise_const: Tensor
    phases: Tensor

    def __init__(
        self, inputs: int, outputs: int, w_size: int, resolution: int, noise_rate: float = 1.0, *, up: bool = False
    ):
        super().__init__()
        self.up, self.outputs, self.resolution = up, outputs, resolution
        self.noise_gain = noise_rate * GAIN
        self.affine = EqualDense(w_size, inputs, start=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        if noise_rate:
            self.noise_strength = nn.Parameter(torch.zeros(()))
            self.register_buffer("noise_const", torch.randn(resolution, resolution))
        self.register_buffer("phases", torch.tensor(phases()), persistent=False)

    def forward(self, x: Tensor, w: Tensor, random: torch.Generator) -> Tensor:
        """x [N, inputs, H, W] and w [N, D'] -> [N, outputs, H', W']; noise is fresh in training, else the fixed one."""
        style = self.affine(w)
        squares = self.weight.square().sum(dim=(2, 3))
        scale = torch.rsqrt(F.linear(style.square(), squares) + EPSILON) * GAIN  # the activation's gain commutes
        x = x * style.to(x.dtype)[:, :, None, None]
        y = self._doubling(x) if self.up else F.conv2d(x, self.weight.to(x.dtype), padding=1)
        shift = (self.bias * GAIN).to(x.dtype)[None, :, None, None]
        y = torch.addcmul(shift, y, scale.to(x.dtype)[:, :, None, None])
        if not self.noise_gain:
            return rectified(y)
        size = (x.shape[0], 1, self.resolution, self.resolution)
        noise = torch.randn(size, generator=random, device=x.device) if self.training else self.noise_const
        return rectified(y + (noise * (self.noise_strength * self.noise_gain)).to(x.dtype))

    def _doubling(self, x: Tensor) -> Tensor:
        m = self.phases
        weight = torch.einsum("atk,bul,oikl->aboitu", m, m, self.weight)
        y = F.conv2d(x, weight.flatten(0, 2).to(x.dtype), padding=1)
        n, _, h, width = y.shape
        y = y.permute(0, 2, 3, 1).reshape(n, h, width, 2, 2, self.outputs)
        return y.transpose(2, 3).reshape(n, 2 * h, 2 * width, self.outputs).permute(0, 3, 1, 2)


class Colours(nn.Module):
    """toRGB: modulated 1 x 1 convolution without demodulation (section 4.1)."""

    def __init__(self, inputs: int, w_size: int):
        super().__init__()
        self.affine = EqualDense(w_size, inputs, start=1.0)
        self.weight = nn.Parameter(torch.randn(3, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.gain = 1 / math.sqrt(inputs)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """x [N, inputs, H, W] and w [N, D'] -> float32 [N, 3, H, W]."""
        # As a product of matrices for each picture: the style goes into the weights, x is read once.
        weight = self.weight[None, :, :, 0, 0] * (self.affine(w) * self.gain)[:, None, :]  # [N, 3, inputs]
        pixels = x.permute(0, 2, 3, 1).flatten(1, 2)  # [N, H W, inputs], no copy in channels-last
        y = torch.bmm(pixels, weight.to(x.dtype).transpose(1, 2)).float() + self.bias
        return y.transpose(1, 2).reshape(x.shape[0], 3, *x.shape[2:])


def doubled(picture: Tensor) -> Tensor:
    """Twice the size by the filter [1 3 3 1] (section 4.1): [N, 3, H, W] -> [N, 3, 2 H, 2 W]."""
    line = torch.tensor([1.0, 3.0, 3.0, 1.0], device=picture.device) / 4
    kernel = (line[:, None] * line).expand(picture.shape[1], 1, 4, 4)
    return F.conv_transpose2d(picture, kernel, stride=2, padding=1, groups=picture.shape[1])
