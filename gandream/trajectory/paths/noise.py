"""Noise in the plane for many dimensions at once, each with its own, of variance 1: simplex and gradient noise.

Perlin, "Improving noise" (SIGGRAPH 2002), for the squares; Perlin, "Noise hardware" (2001), as in Gustavson, "Simplex
noise demystified" (2005), for the triangles. Gradients are unit vectors in 256 directions, by a hash of the corner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

SKEW = (np.sqrt(3) - 1) / 2
UNSKEW = (3 - np.sqrt(3)) / 6
_ANGLES = 2 * np.pi * (np.arange(256) + 0.5) / 256
_COS, _SIN = np.cos(_ANGLES), np.sin(_ANGLES)
# The variance is the sum over corners of E[(gradient . r)²] weight² = weight² r² / 2, over the plane. Triangles:
# sqrt(3) corners for each unit of area, weight (1/2 - r²)^4. Squares: 4 A B with A and B the integrals of f(1-x)² and
# f(1-x)² x² from 0 to 1, f(x) = 6 x^5 - 15 x^4 + 10 x^3.
SIMPLEX_VARIANCE = np.sqrt(3) * np.pi / 2 * 0.5**10 / 90
PERLIN_VARIANCE = 4 * (181 / 462) * (535 / 18018)


def _hashed(seeds: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """A number from 0 to 255 for each corner (i, j) and seed (SplitMix64's finisher, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        bits = i.astype(np.int64).view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        bits += j.astype(np.int64).view(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
        bits = bits + seeds
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return (bits >> np.uint64(56)).astype(np.intp)


def _slope(seeds: np.ndarray, i: np.ndarray, j: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The corner's gradient · (x, y)."""
    which = _hashed(seeds, i, j)
    return _COS[which] * x + _SIN[which] * y


def simplex(seeds: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Simplex noise at x and y [n, D] with a seed for each dimension, uint64 [D]: [n, D], within ±1.9."""
    skewed = (x + y) * SKEW
    i, j = np.floor(x + skewed), np.floor(y + skewed)
    unskewed = (i + j) * UNSKEW
    x0, y0 = x - (i - unskewed), y - (j - unskewed)
    right = (x0 > y0).astype(np.float64)
    total = np.zeros(x.shape)
    for across, up in ((0.0, 0.0), (right, 1 - right), (1.0, 1.0)):
        dx, dy = x0 - across + (across + up) * UNSKEW, y0 - up + (across + up) * UNSKEW
        weight = np.maximum(0.5 - dx * dx - dy * dy, 0) ** 2
        total += weight * weight * _slope(seeds, i + across, j + up, dx, dy)
    return total / np.sqrt(SIMPLEX_VARIANCE)


def perlin(seeds: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Gradient noise on squares: as :func:`simplex`, within ±3.3."""
    i, j = np.floor(x), np.floor(y)
    dx, dy = x - i, y - j
    total = np.zeros(x.shape)
    for across in (0.0, 1.0):
        for up in (0.0, 1.0):
            weight = _fade(np.abs(1 - across - dx)) * _fade(np.abs(1 - up - dy))
            total += weight * _slope(seeds, i + across, j + up, dx - across, dy - up)
    return total / np.sqrt(PERLIN_VARIANCE)


def _fade(x: np.ndarray) -> np.ndarray:
    return x * x * x * (x * (x * 6 - 15) + 10)


NOISE = {"simplex": simplex, "perlin": perlin}


@dataclass(frozen=True)
class NoiseLoop:
    """Every dimension reads its own noise along its own circle of a diameter in cells: a closed loop."""

    kind: str
    seed: int
    size: int
    diameter: float

    def key(self, phases: np.ndarray) -> list[Any]:
        """What shapes the loop at phases, for a content key."""
        return [self.kind, self.seed, self.size, self.diameter, phases - np.floor(phases)]

    def __call__(self, phases: np.ndarray) -> np.ndarray:
        """The loop at phases [n] in laps: float64 [n, D]."""
        random = np.random.RandomState(self.seed)
        seeds = random.randint(0, 2**32, (2, self.size), dtype=np.uint64)
        seeds = seeds[0] << np.uint64(32) | seeds[1]
        # Circles lie anywhere, and begin anywhere: else all dimensions would be 0 where circles meet a corner.
        x, y, begin = random.uniform(size=(3, self.size)) * np.array([[256], [256], [2 * np.pi]])
        turns = 2 * np.pi * (phases - np.floor(phases))[:, None] + begin
        radius = self.diameter / 2
        return NOISE[self.kind](seeds, x + radius * np.cos(turns), y + radius * np.sin(turns))
