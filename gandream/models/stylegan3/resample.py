"""The activation on a finer grid: up, low-pass, leaky rectifier, clamp, low-pass, down (Karras et al. 2021, fig. 4b).

Zeros between pixels, padding, a filter and the choice of every second pixel are together one banded matrix along each
side, so all of it is done as products of small matrices, which CPUs do three to five times as fast as depthwise
convolutions. In channels-last memory [H, W, C] both sides are products from the left, without any copy: along the
height of some rows [h, W C], and along the width of tiles [w, C], which are the same for all tiles and overlap.
Pictures go through in strips of a few rows that stay in the processor's cache, so the fine grid is never whole.

Two-dimensional filters are sums of separable ones: those of configuration R need two to five for float32's precision.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.style.activation import SLOPE

RANK = 1e-7
"""Parts of a two-dimensional filter below this share of its largest are left out: below float32's rounding."""
COARSE_RANK = 1e-3
"""The same where the convolution before is rounded to halves."""
TILE = 16
"""Pixels of the fine grid in a tile: more are faster to multiply, but more of their matrix is zeros."""
CACHE = 1 << 20
"""Bytes of the fine grid that a CPU works on at a time: they should stay in a core's second-level cache."""
CHANNELS = 64
"""As many channels as a CPU works on at a time: fewer make the products slow, more make strips low."""


def separable(taps: np.ndarray | None, least: float = RANK) -> list[tuple[np.ndarray, np.ndarray]]:
    """A filter as a sum of products: float64 (along the height, along the width) of each; None is the identity.

    Products below ``least`` times the largest are left out.
    """
    if taps is None:
        return [(np.ones(1), np.ones(1))]
    taps = taps.astype(np.float64)
    if taps.ndim == 1:
        return [(taps, taps)]
    left, values, right = np.linalg.svd(taps)
    kept = max(int((values > least * values[0]).sum()), 1)
    root = np.sqrt(values[:kept])
    return list(zip(left.T[:kept] * root[:, None], right[:kept] * root[:, None], strict=True))


def up_matrix(taps: np.ndarray, up: int, low: int, fine: int, before: int, first: int = 0) -> np.ndarray:
    """[fine, before] from pixels ``first`` ...: ``up`` - 1 zeros after each, padding by ``low``, the filter, gain up.

    Fine pixel n sees the padded ones n ... n + T - 1 through the flipped filter, and pixel i is i up + low there.
    """
    rows, columns = np.arange(fine)[:, None], np.arange(first, first + before)[None]
    tap = len(taps) - 1 - (columns * up + low - rows)
    return np.where((tap >= 0) & (tap < len(taps)), taps[np.clip(tap, 0, len(taps) - 1)] * up, 0.0)


def down_matrix(taps: np.ndarray, down: int, after: int, fine: int) -> np.ndarray:
    """[after, fine]: the filter where it fits, at every ``down``-th pixel."""
    tap = len(taps) - 1 - (np.arange(fine)[None] - np.arange(after)[:, None] * down)
    return np.where((tap >= 0) & (tap < len(taps)), taps[np.clip(tap, 0, len(taps) - 1)], 0.0)


@dataclass(frozen=True)
class Side:
    """Height or width: ``before`` pixels padded by ``low``, ``up`` times as fine, then ``down``: ``after`` pixels."""

    before: int
    low: int
    up: int
    down: int
    up_taps: int
    down_taps: int
    after: int

    @property
    def fine(self) -> int:
        """How many pixels of the fine grid are needed."""
        return (self.after - 1) * self.down + self.down_taps

    def seen(self, start: int, stop: int) -> tuple[int, int]:
        """Which pixels the fine ones see, whether they exist or are padding."""
        return -((self.low - start) // self.up), (stop - 1 + self.up_taps - 1 - self.low) // self.up + 1

    def exists(self, start: int, stop: int) -> tuple[int, int]:
        """Which of those there are."""
        first, last = self.seen(start, stop)
        first = min(max(first, 0), self.before)
        return first, max(min(last, self.before), first)


class Resampled:
    """[N, C, H, W] in channels-last memory to [N, C, H', W'] likewise."""

    def __init__(
        self,
        sides: tuple[Side, Side],
        filters: tuple[np.ndarray | None, np.ndarray | None],
        channels: int,
        clamp: float | None,
        device: torch.device,
        least: float = RANK,
    ):
        def put(array: np.ndarray) -> Tensor:
            return torch.as_tensor(np.ascontiguousarray(array), dtype=torch.float32, device=device)

        (high, wide), (ups, downs) = sides, (separable(taps, least) for taps in filters)
        self.sides, self.clamp = sides, clamp
        # Along the width: tiles of fine pixels, each from `seen` pixels of which `step` are new, to `after` pixels.
        period = math.lcm(wide.up, wide.down)
        self.tile = period * max(1, round(TILE / period))
        self.step, self.after = self.tile // wide.up, self.tile // wide.down
        first, last = wide.seen(0, self.tile)
        self.seen, self.margin = last - first, -first
        self.tiles = max(-(-wide.fine // self.tile), -(-(wide.seen(0, wide.fine)[1] - first) // self.step))
        self.fine_seen = (self.after - 1) * wide.down + wide.down_taps
        self.up_wide = [put(up_matrix(taps, wide.up, wide.low, self.tile, self.seen, first)) for _, taps in ups]
        self.down_wide = [put(down_matrix(taps, wide.down, self.after, self.fine_seen)) for _, taps in downs]
        # Along the height: strips of rows; fine rows that the next strip looks back on are kept.
        self.back = max(high.down_taps - high.down, 0)
        self.parts, self.rows = [slice(0, channels)], high.after
        if device.type == "cpu":
            count = max(round(channels / CHANNELS), 1)
            block = -(-channels // count // 16) * 16
            self.parts = [slice(start, min(start + block, channels)) for start in range(0, channels, block)]
            row = self.tiles * self.tile * min(block, channels) * 4
            fitting = max((CACHE // row - self.back) // high.down, -(-self.back // high.down), 1)
            strips = -(-high.after // fitting)
            self.rows = max(-(-high.after // strips), -(-self.back // high.down))
        self.strips: list[tuple[int, int, int, list[Tensor]]] = []
        self.fine_rows = self.back + self.rows * high.down
        done = -self.back
        for stop in range(self.rows, high.after + self.rows, self.rows):
            start, stop = done + self.back, stop * high.down + self.back
            first, last = high.exists(start, stop)
            low, rows = high.low - start, stop - start
            matrices = [put(up_matrix(taps, high.up, low, rows, last - first, first)) for taps, _ in ups]
            self.strips.append((self.fine_rows - rows, first, last, matrices))
            done = stop - self.back
        down_high = [down_matrix(taps, high.down, self.rows, self.fine_rows) for taps, _ in downs]
        self.down_high = put(np.concatenate(down_high))

    def __call__(self, x: Tensor) -> Tensor:
        """x stays as it is."""
        high, wide = self.sides
        count = len(self.strips) * self.rows
        y = x.new_empty(x.shape[0], count, wide.after, x.shape[1])
        for part in self.parts:
            scratch = _Scratch(self, x, part.stop - part.start)
            for picture, into in zip(x[:, part].permute(0, 2, 3, 1), y[..., part], strict=True):
                picture = picture.reshape(picture.shape[0], -1)
                for number, strip in enumerate(self.strips):
                    done = slice(number * self.rows, (number + 1) * self.rows)
                    into[done] = self._strip(picture, *strip, scratch)[:, : wide.after]
        return y[:, : high.after].permute(0, 3, 1, 2)

    def _strip(self, x: Tensor, at: int, first: int, last: int, matrices: list[Tensor], scratch: _Scratch) -> Tensor:
        """Rows ``first`` to ``last`` of x [H, W C] to fine rows from ``at``, activated, and those to [rows, W', C]."""
        C, tiles = scratch.channels, (self.fine_rows - at) * self.tiles
        if at:
            scratch.fine[:at] = scratch.fine[self.fine_rows - at :]
        inner = scratch.rows[: self.fine_rows - at, self.margin * C : self.margin * C + x.shape[1]]
        new = scratch.fine[at:].view(tiles, self.tile, C)
        for number, (matrix, wide) in enumerate(zip(matrices, self.up_wide, strict=True)):
            torch.mm(matrix, x[first:last], out=inner)
            windows = scratch.coarse.as_strided((tiles, self.seen, C), (self.step * C, C, 1))
            wide = wide.expand(tiles, -1, -1)
            torch.baddbmm(new, wide, windows, beta=min(number, 1), out=new)
        F.leaky_relu_(new, SLOPE)
        if self.clamp is not None:
            new.clamp_(-self.clamp, self.clamp)
        torch.mm(self.down_high, scratch.fine, out=scratch.low)
        tiles = self.rows * self.tiles
        for number, wide in enumerate(self.down_wide):
            start = number * self.rows * scratch.low.shape[1]
            windows = scratch.middle.as_strided((tiles, self.fine_seen, C), (self.tile * C, C, 1), start)
            torch.baddbmm(scratch.out, wide.expand(tiles, -1, -1), windows, beta=min(number, 1), out=scratch.out)
        return scratch.out.view(self.rows, -1, C)


class _Scratch:
    """Memory that strips are worked out in. What lies beyond a row may be looked at, but nobody wants what it gives."""

    def __init__(self, plan: Resampled, x: Tensor, channels: int):
        self.channels = channels
        width, wide = plan.tiles * plan.step * channels, plan.tiles * plan.tile * channels
        self.coarse = x.new_zeros(plan.fine_rows * width + plan.seen * channels)
        """Rows of the given grid, with zeros left and right."""
        self.rows = self.coarse[: plan.fine_rows * width].view(plan.fine_rows, width)
        self.fine = x.new_zeros(plan.fine_rows, wide)
        count = plan.down_high.shape[0]
        self.middle = x.new_zeros(count * wide + plan.fine_seen * channels)
        """Fine along the width only, for each part of the filter."""
        self.low = self.middle[: count * wide].view(count, wide)
        self.out = x.new_zeros(plan.rows * plan.tiles, plan.after, channels)
