"""A random path: white noise in time, smoothed by a gaussian.

The noise stands on knots with a fixed distance in the path's own time, and each is drawn by its number; so a frame
depends on the knots around it and on nothing else: not on fps, on the film's length, or on where rendering begins.
Of two moments d sigmas apart, the correlation is exp(-d² / 4), as of white noise convolved with a gaussian.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gandream.trajectory.paths.drawn import Drawn

KNOT = 0.75
"""Sigmas from knot to knot: the sum of the squared kernel is constant to 5e-8 (Poisson summation)."""
REACH = 7.0
"""Sigmas: at the kernel's end it is 2.3e-11 of its peak."""


@dataclass(frozen=True)
class Wander:
    """``draw`` gives the values of knots, ints [K] to float64 [K, D]; phases are in sigmas, and so is ``period``."""

    draw: Drawn | Callable[[np.ndarray], np.ndarray]
    period: float | None = None

    def key(self, phases: np.ndarray) -> list[Any]:
        """What shapes the path at phases, for a content key."""
        assert isinstance(self.draw, Drawn), "it was laid out for a film"
        return [self.draw.key(), self.period, phases]

    def __call__(self, phases: np.ndarray) -> np.ndarray:
        """The path at phases [n], float64 [n, D], of the variance of the knots' values at every moment."""
        lap = None if self.period is None else max(1, round(self.period / KNOT))
        distance = KNOT if lap is None or self.period is None else self.period / lap
        if lap == 1:  # a period that is short against sigma smooths everything away: it stays
            return np.repeat(self.draw(np.zeros(1, np.int64)), len(phases), axis=0)
        reach = int(np.ceil(REACH / distance))
        nearest = np.floor(phases / distance).astype(np.int64)
        sides = range(1 - reach, reach + 1)
        kernels = [np.exp(-((phases - (nearest + side) * distance) ** 2) / 2) for side in sides]
        numbers = [(nearest + side) % lap if lap else nearest + side for side in sides]
        if lap and lap < 2 * reach:
            kernels, numbers = _gathered(kernels, numbers, lap)
        needed, rows = np.unique(np.concatenate([*numbers, np.zeros(0, np.int64)]), return_inverse=True)
        values, rows = self.draw(needed), rows.reshape(len(numbers), -1)
        # One knot after the other, so that a frame is summed in the same order whatever range it is in.
        total = np.zeros((len(phases), values.shape[1]))
        for kernel, row in zip(kernels, rows, strict=True):
            total += kernel[:, None] * values[row]
        return total / np.sqrt(sum(kernel**2 for kernel in kernels))[:, None]


def _gathered(
    kernels: list[np.ndarray], numbers: list[np.ndarray], lap: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Where the kernel is longer than the lap, a knot that it meets again is one knot with more weight."""
    weights = np.zeros((lap, len(kernels[0])))
    frames = np.arange(len(kernels[0]))
    for kernel, number in zip(kernels, numbers, strict=True):
        weights[number, frames] += kernel
    return list(weights), [np.full(len(frames), knot) for knot in range(lap)]
