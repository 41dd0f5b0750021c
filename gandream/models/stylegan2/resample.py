"""Filters for doubling the size of a picture: insert zeros, then a low-pass (Karras et al. 2020a, section 4.1)."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

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
