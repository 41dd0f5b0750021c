"""A saved trajectory, at any frame rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gandream.trajectory.interpolate import spline


@dataclass(frozen=True)
class Recorded:
    """``rows`` are z [S, D] or w [S, L, D'], as they were saved; phases count rows."""

    rows: np.ndarray
    loop: bool = True

    def key(self, phases: np.ndarray) -> list[Any]:
        """What shapes it at phases, for a content key: the rows around them."""
        near, share = self._around(phases)
        near = np.where(share > 0, near, near[1])  # without what makes no difference
        needed, numbers = np.unique(near, return_inverse=True)
        return [self.rows[needed], numbers.reshape(near.shape), share]

    def __call__(self, phases: np.ndarray) -> np.ndarray:
        """What lies at phases [n]: float64 [n, ...]; at whole ones the row itself, between them a cubic."""
        near, share = self._around(phases)
        return spline(self.rows[near].astype(np.float64), share, np.ones((3, len(phases))))

    def _around(self, phases: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the four rows around phases [n], [4, n], and how far each is between the middle two."""
        count = len(self.rows)
        nearest = np.round(phases)
        phases = np.where(np.abs(phases - nearest) < 1e-7, nearest, phases)  # a film's clock is binary
        phases = phases if self.loop else np.clip(phases, 0, count - 1)
        first = np.floor(phases).astype(np.int64)
        near = np.stack([first + side for side in (-1, 0, 1, 2)])
        return near % count if self.loop else np.clip(near, 0, count - 1), phases - first
