"""Noise, rectifier, and then AdaIN: each channel of each picture normalised, scaled and shifted by w.

Karras et al. 2019, equation 1. All of it is bound by memory, not by arithmetic: on a CPU a picture goes through in
strips that stay in the cache, once until its mean and variance are known and once to apply them. The variance is
summed around a value near the mean, strip by strip in float32 and over the strips in float64, so that neither large
pictures nor a large mean cost it digits.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gandream.models.style.activation import activate
from gandream.models.stylegan1.plan import Plan

STRIP = 1 << 16
"""Numbers that each thread of a CPU works on in one go."""
PIXEL_EPSILON = 1e-8
"""In the square root of the pixelwise normalisation (Karras et al. 2018, section 4.2)."""


class AdaIN:
    """What follows a convolution; ``strength`` [O] is that of the noise in each channel."""

    def __init__(self, plan: Plan, strength: Tensor | None):
        self.activation, self.pixel_norm = plan.activation, plan.pixel_norm
        self.instance_norm, self.epsilon = plan.instance_norm, plan.epsilon
        self.strength = strength if strength is not None and bool(strength.any()) else None

    def __call__(self, x: Tensor, style: Tensor, noise: Tensor | None) -> Tensor:
        """x [N, O, H, W], overwritten, with style [N, 2 O] and noise [N or 1, 1, H, W] -> [N, O, H, W]."""
        if x.device.type != "cpu":
            factor, offset = self._measured(x, style, noise)
            return torch.addcmul(offset, x, factor, out=x)
        x = x.contiguous(memory_format=torch.channels_last)
        for n in range(x.shape[0]):
            own = None if noise is None else noise[n if noise.shape[0] > 1 else 0]
            pixels, factor, offset = self.pending(x[n], style[n], own)
            torch.addcmul(offset, pixels, factor, out=pixels)
        return x

    def pending(self, x: Tensor, style: Tensor, noise: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """One picture x [O, H, W], overwritten, as pixels [H W, O], and the factor and offset [O] to apply.

        Where only a linear layer follows, both fold into it. ``noise`` is [1, H, W].
        """
        pixels = x.permute(1, 2, 0).flatten(0, 1)  # no copy where channels are last
        column = None if noise is None or self.strength is None else noise.reshape(-1, 1)
        scale, shift = style.chunk(2)
        count, rows = pixels.shape[0], max(1, STRIP * torch.get_num_threads() // pixels.shape[1])
        sums: list[Tensor] = []
        squares: list[Tensor] = []
        pivot: Tensor | None = None
        for start in range(0, count, rows):
            strip = pixels[start : start + rows]
            if column is not None and self.strength is not None:
                strip.addcmul_(column[start : start + rows], self.strength)
            activate(strip, self.activation)
            if self.pixel_norm:
                strip.mul_(_inverse(strip, 1))
            if self.instance_norm:
                pivot = strip.mean(dim=0) if pivot is None else pivot
                away = strip - pivot
                sums.append(away.sum(dim=0))
                squares.append(away.square_().sum(dim=0))
        if pivot is None:
            return pixels, scale, shift
        mean = torch.stack(sums).sum(dim=0, dtype=torch.float64) / count
        variance = torch.stack(squares).sum(dim=0, dtype=torch.float64) / count - mean.square()
        factor = torch.rsqrt(variance.clamp_min_(0) + self.epsilon) * scale
        return pixels, factor.float(), (shift - (mean + pivot) * factor).float()

    def _measured(self, x: Tensor, style: Tensor, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        """The factor and offset [N, O, 1, 1] of x [N, O, H, W], which becomes what they are to be applied to."""
        scale, shift = style[:, :, None, None].chunk(2, dim=1)
        if self.strength is not None and noise is not None:
            x = x.addcmul_(noise, self.strength[:, None, None])
        x = activate(x, self.activation)
        if self.pixel_norm:
            x = x.mul_(_inverse(x, 1))
        if not self.instance_norm:
            return scale, shift
        variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
        factor = torch.rsqrt(variance + self.epsilon) * scale
        return factor, shift - mean * factor


def _inverse(x: Tensor, dim: int) -> Tensor:
    """1 / root mean square along a dimension."""
    return torch.rsqrt(x.square().mean(dim=dim, keepdim=True) + PIXEL_EPSILON)
