"""Filters for doubling the size of a picture: insert zeros, then a low-pass (Karras et al. 2020a, section 4.1)."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.arguments import double, wide

DEFAULT = (1.0, 3.0, 3.0, 1.0)
"""Binomial filter, where a file has none."""


def square(taps: np.ndarray | None) -> np.ndarray:
    """A filter [T] or [T, T] as [T, T]; it sums to what it summed to (1 in all known files)."""
    if taps is None:
        line = np.asarray(DEFAULT) / sum(DEFAULT)
        return np.outer(line, line)
    return np.outer(taps, taps) if taps.ndim == 1 else taps


class Low:
    """The filter of one place, on a device: [C, 1, T, T], with the gain of 4 that makes up for the zeros."""

    def __init__(self, taps: np.ndarray | None, channels: int, device: torch.device):
        kernel = torch.as_tensor(4 * square(taps), dtype=torch.float32, device=device)
        self.rows, self.columns = kernel.shape
        self.spread = kernel.expand(channels, 1, self.rows, self.columns).contiguous()
        self.gather = self.spread.flip(2, 3).contiguous()
        """Flipped: torch's convolutions are correlations, the filter's is not."""

    def after_transposed(self, x: Tensor, kernel: int, bias: Tensor | None) -> Tensor:
        """Filter what a whole transposed convolution with stride 2 gave: [N, C, 2 H + k - 2, ...] -> [N, C, 2 H, ...].

        Zero insertion and the convolution with k x k taps come first, so the filter's window is centred on both.
        """
        before = [(taps + 1) // 2 + kernel // 2 - (kernel - 1) for taps in (self.columns, self.rows)]
        after = [(taps - 2) // 2 + kernel // 2 - (kernel - 2) for taps in (self.columns, self.rows)]
        if before == after and min(before) >= 0:
            return F.conv2d(x, self.gather, bias, padding=(before[1], before[0]), groups=x.shape[1])
        x = F.pad(x, (before[0], after[0], before[1], after[1]))
        return F.conv2d(x, self.gather, bias, groups=x.shape[1])

    def double(self, x: Tensor) -> Tensor:
        """Twice the size: [N, C, H, W] -> [N, C, 2 H, 2 W]."""
        if self.rows == self.columns and self.rows % 2 == 0:
            return F.conv_transpose2d(x, self.spread, stride=2, padding=self.rows // 2 - 1, groups=x.shape[1])
        whole = F.conv_transpose2d(x, self.spread, stride=2, groups=x.shape[1])
        (left, right), (top, bottom) = ((-(t - 1 - (t + 1) // 2), -(t - 2 - (t - 2) // 2)) for t in
                                        (self.columns, self.rows))  # fmt: skip
        return F.pad(whole, (left, right, top, bottom))


def phases(weight: Tensor, taps: np.ndarray | None) -> Tensor:
    """A transposed convolution with stride 2 and the filter after it as one convolution of what is given.

    Weights [O, I, k, k] become [4 O, I, m, m]: those of each of the four pixels that come of one (upper left, upper
    right, lower left, lower right). In one dimension, with p = n - 2 i, what pixel i gives to new pixel n is the
    convolution of both kernels at p; n = 2 j + a sees i = j - d where p = 2 d + a.
    """
    outputs, inputs, kernel = weight.shape[:3]
    host = wide(weight.device)
    gains = torch.as_tensor(4 * square(taps), dtype=torch.float64, device=host)
    ends = [(0, 0), (0, 0)]
    for axis, length in enumerate(gains.shape):
        after = (length + 1) // 2 + kernel // 2 - (kernel - 1)  # as in after_transposed
        ends[axis] = (after - length + 1, after + kernel - 1)
    # What becomes of each tap alone, then of all kernels by one product: convolving them took seconds and a gigabyte.
    alone = torch.eye(kernel**2, dtype=torch.float64, device=host).view(-1, 1, kernel, kernel)
    padding = (gains.shape[0] - 1, gains.shape[1] - 1)
    both = F.conv2d(alone, gains.flip(0, 1)[None, None], padding=padding)[:, 0]
    reach = max(max(-(first // 2), last // 2) for first, last in ends)
    side = 2 * reach + 1
    each = both.new_zeros(kernel**2, 2, 2, side, side)
    (top, bottom), (left, right) = ends
    for place in np.ndindex(2, 2, side, side):
        y, x = (2 * (reach - at) + phase for phase, at in zip(place[:2], place[2:], strict=True))
        if top <= y <= bottom and left <= x <= right:
            each[(slice(None), *place)] = both[:, y - top, x - left]
    made = (double(weight).flatten(2) @ each.flatten(1)).to(weight.dtype).to(weight.device)
    made = made.view(outputs, inputs, 2, 2, side, side)
    return made.permute(2, 3, 0, 1, 4, 5).reshape(4 * outputs, inputs, side, side)


def interleaved(x: Tensor, noise: Tensor | None = None) -> Tensor:
    """The four pixels that came of each, [N, 4 C, H, W], in their places: [N, C, 2 H, 2 W], channels last.

    ``noise`` [N or 1, 1, 2 H, 2 W] is added on the way.
    """
    count, channels, height, width = x.shape
    apart = x.permute(0, 2, 3, 1).reshape(count, height, width, 2, 2, channels // 4).permute(0, 1, 3, 2, 4, 5)
    made = x.new_empty(apart.shape)
    if noise is None:
        made.copy_(apart)
    else:
        torch.add(apart, noise.reshape(-1, height, 2, width, 2, 1), out=made)
    return made.view(count, 2 * height, 2 * width, channels // 4).permute(0, 3, 1, 2)
