"""A saved trajectory, at any frame rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandream.trajectory.interpolate import spline


@dataclass(frozen=True)
class Recorded:
    """``rows`` are z [S, D] or w [S, L, D'], as they were saved; phases count rows."""

    rows: np.ndarray
    loop: bool = True

    def __call__(self, phases: np.ndarray) -> np.ndarray:
        """What lies at phases [n]: float64 [n, ...]; at whole ones the row itself, between them a cubic."""
        count = len(self.rows)
        nearest = np.round(phases)
        phases = np.where(np.abs(phases - nearest) < 1e-7, nearest, phases)  # a film's clock is binary
        phases = phases if self.loop else np.clip(phases, 0, count - 1)
        first = np.floor(phases).astype(np.int64)
        near = np.stack([first + side for side in (-1, 0, 1, 2)])
        near = near % count if self.loop else np.clip(near, 0, count - 1)
        return spline(self.rows[near].astype(np.float64), phases - first, np.ones((3, len(phases))))
