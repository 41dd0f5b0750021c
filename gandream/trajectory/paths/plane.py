"""A plane of seeds: one at every whole x and y, bilinear between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gandream.trajectory.ease import eased
from gandream.trajectory.paths.drawn import Drawn
from gandream.trajectory.roam import Corners


@dataclass(frozen=True)
class Plane:
    """``draw`` gives z of seeds, ints [K] to float64 [K, D]; ``stride`` is from one row to the next."""

    draw: Drawn | Callable[[np.ndarray], np.ndarray]
    seed: int = 0
    stride: int = 100
    ease: str = "linear"
    straight: bool = False

    def key(self, places: np.ndarray) -> list[Any]:
        """What shapes the plane at places, for a content key."""
        assert isinstance(self.draw, Drawn), "it was laid out for a film"
        return [self.draw.key(), self.seed, self.stride, self.ease, self.straight, places]

    def corners(self, places: np.ndarray) -> Corners:
        """The four seeds around places [n, 2], x and y, and their weights, which sum to 1."""
        (left, right), (top, down) = (eased(places[:, axis], self.ease) for axis in (0, 1))
        seeds, weights = [], []
        for row in (0, 1):
            for column in (0, 1):
                seeds.append((self.seed + left + column + (top + row) * self.stride) % 2**32)
                weights.append((right if column else 1 - right) * (down if row else 1 - down))
        needed, numbers = np.unique(np.stack(seeds, axis=1), return_inverse=True)
        return Corners(self.draw(needed), numbers.reshape(-1, 4), np.stack(weights, axis=1))

    def __call__(self, places: np.ndarray) -> np.ndarray:
        """z at places [n, 2]: float64 [n, D], of the variance of a seed everywhere: squares of weights sum to 1.

        If it is ``straight``, just their mixture.
        """
        corners = self.corners(places)
        if self.straight:
            return corners.sum(corners.latents)
        return corners.sum(corners.latents) / np.sqrt((corners.weights**2).sum(axis=1, keepdims=True))
