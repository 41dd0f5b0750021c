"""Gaussian smoothing over time: of the weights of blends, and of all of w."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gandream.recipe.smooth import Smooth
from gandream.trajectory.laying import Ground

LEAST = 0.05
"""Sigma in frames below which there is nothing to smooth."""
REACH = 4.0
"""Sigmas that the kernel reaches to both sides."""


@dataclass(frozen=True)
class Smoothing:
    """A gaussian over frames: ``sigma`` in frames; what is still to come counts ``causal`` times.

    ``closed``: the film's end goes on at its beginning; otherwise it is over the frames that there are.
    """

    sigma: float
    causal: float = 1.0
    closed: bool = False

    @property
    def kernel(self) -> np.ndarray:
        """Weights of the frames from ``reach`` before to ``reach`` after: float64 [2 reach + 1], sum 1."""
        ages = np.arange(-self.reach, self.reach + 1)
        kernel = np.exp(-0.5 * (ages / self.sigma) ** 2) * np.where(ages > 0, self.causal, 1.0)
        return kernel / kernel.sum()

    @property
    def reach(self) -> int:
        """Frames on each side that are looked at."""
        return math.ceil(REACH * self.sigma)

    def needed(self, start: int, stop: int, there: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """What frames [start, stop) are made of, of those that are ``there``: ints [n + 2 reach], and which there are.

        Frames are there from the first of the two numbers on, up to the second.
        """
        wanted, (low, high) = np.arange(start - self.reach, stop + self.reach), there
        if self.closed:
            return low + (wanted - low) % (high - low), np.ones(len(wanted), bool)
        return np.clip(wanted, low, high - 1), (wanted >= low) & (wanted < high)

    def ranges(self, start: int, stop: int, there: tuple[int, int]) -> list[tuple[int, int]]:
        """The same frames as ranges, each once and rising."""
        numbers = np.unique(self.needed(start, stop, there)[0])
        return [(int(run[0]), int(run[-1]) + 1) for run in np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)]

    def weights(self, there: np.ndarray) -> np.ndarray:
        """How much each of the needed frames counts for each frame: float64 [2 reach + 1, n], columns sum to 1."""
        count = len(there) - 2 * self.reach
        weights = np.stack([weight * there[tap : tap + count] for tap, weight in enumerate(self.kernel)])
        return weights / weights.sum(axis=0)


def lay_smoothing(words: Smooth | None, ground: Ground) -> Smoothing | None:
    """The word `smooth`."""
    if words is None:
        return None
    line = ground.curves.timeline
    sigma = line.length_s(words.sigma) * float(line.clock.fps)
    return Smoothing(sigma, words.causal, ground.closes) if sigma >= LEAST else None


def gaussian(values: np.ndarray, sigma: float) -> np.ndarray:
    """Values [F, B] smoothed along F; at the ends over what is there, so that rows sum to what they did."""
    if sigma < LEAST:
        return values
    from scipy.ndimage import correlate1d

    kernel = Smoothing(sigma).kernel
    smoothed = correlate1d(values, kernel, axis=0, mode="constant")
    return smoothed / correlate1d(np.ones((len(values), 1)), kernel, axis=0, mode="constant")
