"""A residual block of a BigGAN in half precision (Brock et al. 2018, figures 15 and 16).

What is added from block to block stays in float32, and so does the norm that sees it. The convolutions of a block are
rounded. Where its activations outnumber its weights, the norm after a convolution is folded into the weights of each
picture, so that what is between is rounded once. Elsewhere the mean that the norm takes away is taken away within the
convolution: numbers around 0 lose less by rounding.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.reduced import ReducedConvolution

Norm = tuple[Tensor, Tensor, Tensor]
"""Scale, mean, offset: (h - mean) scale + offset, each [N, C]."""


class ReducedBlock:
    """A norm and a rectifier before each convolution, float32 in and out."""

    def __init__(
        self,
        weights: Sequence[Tensor],
        bias: Tensor,
        skip: Tensor | None,
        dtype: torch.dtype,
        *,
        size: int,
        doubled: int | None,
    ):
        """Take float32 weights [O, I, k, k] of the convolutions on the long way, and the last one's bias.

        ``skip`` are those of the 1 x 1 on the short way; without it, the first channels go on as they are. ``size`` is
        the side of what is given; ``doubled`` is the number of the convolution that doubles it, if one does.
        """
        self.doubles, self.outputs, self.dtype = doubled is not None, weights[-1].shape[0], dtype
        self.convs = [
            ReducedConvolution(weight, dtype, up=number == doubled, bias=bias if number == len(weights) - 1 else None)
            for number, weight in enumerate(weights)
        ]
        self.skip = None if skip is None else ReducedConvolution(skip, dtype)
        normed = weights[:-1]
        few = sum(weight.numel() for weight in normed) <= sum(weight.shape[0] for weight in normed) * size**2
        self.alone = bias.device.type == "cpu" and few
        """Whether pictures go one by one."""

    def __call__(self, x: Tensor, norms: Sequence[Norm]) -> Tensor:
        """x [N, C, S, S] and what the norm before each convolution does with each picture."""
        scale, mean, offset = (one[:, :, None, None] for one in norms[0])
        h = torch.addcmul(offset - mean * scale, x, scale).relu_().to(self.dtype)
        x = x[:, : self.outputs] if self.skip is None else self.skip(x).float()
        if self.doubles:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        elif self.skip is None:
            x = x.clone()
        if not self.alone:
            return x.add_(self._many(h, norms[1:]))
        for n in range(len(x)):
            x[n : n + 1].add_(self._one(h[n : n + 1], [tuple(part[n] for part in norm) for norm in norms[1:]]))
        return x

    def _one(self, h: Tensor, norms: Sequence[tuple[Tensor, ...]]) -> Tensor:
        for conv, (scale, mean, offset) in zip(self.convs, norms, strict=False):
            h = conv.rectified(h, scale, offset - mean * scale)
        return self.convs[-1](h)

    def _many(self, h: Tensor, norms: Sequence[Norm]) -> Tensor:
        for conv, (scale, mean, offset) in zip(self.convs, norms, strict=False):
            centre = mean.mean(dim=0).to(self.dtype)
            shift = offset - (mean - centre.float()) * scale
            scale, shift = (one.to(self.dtype)[:, :, None, None] for one in (scale, shift))
            h = torch.addcmul(shift, conv(h, -centre), scale).relu_()
        return self.convs[-1](h)
