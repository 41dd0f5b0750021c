"""The pictures of a video as a path: each one's place is a random projection of it.

Pictures that are alike lead to latents that are alike, as a projection by a matrix of normal numbers keeps angles
(Johnson & Lindenstrauss 1984); over the draw of the matrix, each number of z is normal with a variance of 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

NEUTRAL = 128.0
"""The value of a colour difference that is grey."""
FAINT = 4.0
"""RMS in eight-bit steps below which a picture is as good as empty, and its place near the middle."""
REACH = 4.0
"""Sigmas that the gaussian reaches to both sides."""
BETWEEN = 1 / 6
"""The variance of going straight from picture to picture, in pictures squared."""


@dataclass(frozen=True)
class Filmed:
    """``cells`` are small pictures, uint8 [S, C]: luma in the first third, then two colour differences.

    Phases count pictures; ``sigma`` is of a gaussian over them; ``size`` is D.
    """

    cells: np.ndarray
    seed: int
    size: int
    sigma: float = 0.0
    loop: bool = True

    def key(self, phases: np.ndarray) -> list[Any]:
        """What shapes the path at phases, for a content key: the pictures around them."""
        near, share = self._around(phases)
        needed, numbers = np.unique(near, return_inverse=True)
        return [self.seed, self.size, self.sigma, self.cells[needed], numbers.reshape(near.shape), share]

    def __call__(self, phases: np.ndarray) -> np.ndarray:
        """The path at phases [n], float64 [n, D]."""
        pictures = self._pictures(phases)
        if not len(pictures):
            return np.zeros((0, self.size))
        # One by one: a product of many rows may be summed in another order when there are more of them.
        return np.stack([picture @ self._matrix for picture in pictures]).astype(np.float64)

    def _around(self, phases: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the pictures around phases [n], [T, n], and how far each is past the one before it, [n]."""
        count = len(self.cells)
        nearest = np.round(phases)
        phases = np.where(np.abs(phases - nearest) < 1e-7, nearest, phases)  # a film's clock is binary
        first = np.floor(phases).astype(np.int64)
        near = first + self._steps[:, None]
        return near % count if self.loop else np.clip(near, 0, count - 1), phases - first

    @property
    def _steps(self) -> np.ndarray:
        """Which pictures are looked at, counted from the one before: int [T]."""
        reach = math.ceil(REACH * self._width) if self.sigma > 0 else 1
        return np.arange(1 - reach, reach + 1)

    @property
    def _width(self) -> float:
        return math.sqrt(self.sigma**2 + BETWEEN)

    def _pictures(self, phases: np.ndarray) -> np.ndarray:
        """What is seen at phases [n], of RMS 1: float32 [n, C]. How light it is as a whole doesn't count."""
        near, share = self._around(phases)
        total, weights = np.zeros((len(phases), self.cells.shape[1])), np.zeros(len(phases))
        for step, numbers in zip(self._steps, near, strict=True):
            away = np.abs(share - step)
            weight = np.exp(-0.5 * (away / self._width) ** 2) if self.sigma > 0 else np.maximum(0, 1 - away)
            total += weight[:, None] * self.cells[numbers]
            weights += weight
        seen, luma = total / weights[:, None], self.cells.shape[1] // 3
        seen[:, :luma] -= seen[:, :luma].mean(axis=1, keepdims=True)
        seen[:, luma:] -= NEUTRAL
        level = np.sqrt(np.mean(seen**2, axis=1, keepdims=True))
        return (seen / np.maximum(level, FAINT)).astype(np.float32)

    @cached_property
    def _matrix(self) -> np.ndarray:
        """Normal numbers of variance 1 / C: float32 [C, D]."""
        shape = (self.cells.shape[1], self.size)
        return (np.random.RandomState(self.seed).randn(*shape) / math.sqrt(shape[0])).astype(np.float32)
