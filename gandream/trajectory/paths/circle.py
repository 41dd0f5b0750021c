"""A circle in a plane of latent space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Circle:
    """``across`` and ``up`` [D] span the plane: orthogonal, of length sqrt(D), so that all it passes have RMS 1."""

    across: np.ndarray
    up: np.ndarray

    def key(self, phases: np.ndarray) -> list[Any]:
        """What shapes the circle at phases, for a content key."""
        return [self.across, self.up, phases - np.floor(phases)]

    def __call__(self, phases: np.ndarray) -> np.ndarray:
        """The circle at phases [n] in laps: float64 [n, D]. It begins at ``across``."""
        turns = 2 * np.pi * (phases - np.floor(phases))[:, None]  # whole laps change no bit
        return np.cos(turns) * self.across + np.sin(turns) * self.up


def spanned(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Two orthogonal directions of RMS 1 in the plane of a and b, the first along a (Gram-Schmidt); None: a line."""
    length_a, length_b = np.linalg.norm(a), np.linalg.norm(b)
    if min(length_a, length_b) < 1e-9:
        return None
    across = a / length_a
    up = b - (b @ across) * across
    height = np.linalg.norm(up)
    if height < 1e-6 * length_b:
        return None
    return across * np.sqrt(a.size), up / height * np.sqrt(a.size)
