"""Batch norm with a gain and an offset for each sample, and the rectifier after it, in few passes over memory.

Ioffe & Szegedy 2015, "Batch normalization", algorithms 1 and 2; gains and offsets that a condition gives: de Vries et
al. 2017, "Modulating early visual processing by language", section 3.2; Brock et al. 2018, appendix B. In bfloat16 the
time goes into reading and writing activations, so that norm, gain, offset and rectifier are one step with its own
gradient: four passes forward and ten backward, against about twice as many when PyTorch chains them. Means, variances
and the factors made of them are float32.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

EPSILON = 1e-4
"""In the square root: Brock et al. 2018, appendix C."""
MOMENTUM = 0.1
"""Share of the newest batch in the running statistics."""
RUN = 128
"""Elements that broadcasts should have in a row: shorter rows are joined, because each costs a call."""


class ConditionalNorm(nn.Module):
    """relu((x - mean) / sqrt(variance + e) gain + offset), with statistics of the batch, or running ones."""

    mean: Tensor
    variance: Tensor

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))
        self.recorded: list[tuple[Tensor, Tensor]] | None = None

    def forward(self, x: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
        """Normalise x [N, C, H, W] by gain and offset, float32 [N, C] or [1, C]."""
        if self.training or self.recorded is not None:
            running = (self.mean, self.variance) if self.training else (None, None)
            mean, variance = torch.batch_norm_update_stats(x.detach(), *running, MOMENTUM)
            mean, variance = mean.float(), variance.float()
            if self.recorded is not None:
                self.recorded.append((mean, variance))
        else:
            mean, variance = self.mean, self.variance
            # they don't depend on the pictures, so that the step below would differentiate them wrongly
            scale = gain * (variance + EPSILON).rsqrt()
            shift = offset - mean * scale
            return torch.addcmul(shift[:, :, None, None].to(x), x, scale[:, :, None, None].to(x)).relu_()
        rows = x.shape[0]
        return _NormReLU.apply(x, gain.expand(rows, -1), offset.expand(rows, -1), mean, (variance + EPSILON).rsqrt())


def _rows(x: Tensor, joined: int) -> Tensor:
    """x [N, C, H, W] as [N, HW / joined, joined C], without a copy when channels come last in memory."""
    n, c, h, w = x.shape
    return x.permute(0, 2, 3, 1).reshape(n, h * w // joined, joined * c)


def _tiled(values: Tensor, joined: int, like: Tensor) -> Tensor:
    """Values [N, C] or [1, C] for ``_rows``: [N, 1, joined C] in the type of the activations."""
    return values.repeat(1, joined)[:, None].to(like.dtype)


class _NormReLU(torch.autograd.Function):
    """The step with its gradient; mean and rstd [C] are those of x, which the gradient takes into account."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: Tensor, offset: Tensor, mean: Tensor, rstd: Tensor) -> Tensor:
        n, c, h, w = x.shape
        joined = 1
        while joined * c < RUN and h * w % (2 * joined) == 0:
            joined *= 2
        scale = gain * rstd
        rows = _rows(x, joined)
        y = torch.addcmul(_tiled(offset - mean * scale, joined, x), rows, _tiled(scale, joined, x)).relu_()
        y = y.view(n, h, w, c).permute(0, 3, 1, 2)
        ctx.save_for_backward(x, y, gain, mean, rstd)
        ctx.joined = joined
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, y, gain, mean, rstd = ctx.saved_tensors
        joined: int = ctx.joined
        n, c, h, w = x.shape
        rows = _rows(x, joined)
        g = torch.ops.aten.threshold_backward(_rows(gradients[0], joined), _rows(y, joined), 0)
        # sums over the pixels, of the gradient and of its product with the normalised x: all else is made of them
        total = g.sum(1).view(n, joined, c).sum(1, dtype=torch.float32)
        product = (g * rows).sum(1).view(n, joined, c).sum(1, dtype=torch.float32)
        product = (product - mean * total) * rstd
        scale = gain * rstd
        share = rstd / (-n * h * w)
        slope = (scale * product).sum(0, keepdim=True) * share
        level = (scale * total).sum(0, keepdim=True) / (-n * h * w) - slope * mean
        gx = torch.addcmul(_tiled(level, joined, x), rows, _tiled(slope, joined, x))
        gx.addcmul_(g, _tiled(scale, joined, x))
        return gx.view(n, h, w, c).permute(0, 3, 1, 2), product, total, None, None
