"""The key of a piece, and how far its loud and quiet passages lie apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandream.recipe.signals import PITCHES

MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
"""How well each pitch class goes with the key of C, as listeners said (Krumhansl & Kessler 1982)."""
WINDOW_S, STEP_S = 3.0, 0.1
"""Short-term loudness, as in EBU Tech 3342."""
QUIETEST_DB, RELATIVE_DB = -70.0, -20.0


@dataclass(frozen=True)
class Key:
    """A key, how well it fits (correlation, -1..1), and the next best."""

    name: str
    fit: float
    next: str
    next_fit: float


def key_of(chroma: np.ndarray) -> Key | None:
    """The key whose profile correlates best with the pitch classes' mean strengths [12, T]; None without any pitch.

    The algorithm of Krumhansl & Schmuckler (Krumhansl 1990, chapter 4).
    """
    strengths = chroma.mean(axis=1)
    if float(strengths.std()) < 1e-9:
        return None
    fits = {
        f"{pitch} {mode}": float(np.corrcoef(np.roll(profile, tonic), strengths)[0, 1])
        for mode, profile in (("major", MAJOR), ("minor", MINOR))
        for tonic, pitch in enumerate(PITCHES)
    }
    best, second = sorted(fits, key=lambda name: -fits[name])[:2]
    return Key(best, fits[best], second, fits[second])


def loudness_range_db(rms: np.ndarray, rate_hz: int) -> float | None:
    """Decibels from the 10th to the 95th percentile of the loudness of 3 s; None in silence: [T] -> number.

    The gates and percentiles of EBU Tech 3342, without its frequency weighting.
    """
    window, step = min(round(WINDOW_S * rate_hz), len(rms)), round(STEP_S * rate_hz)
    power = np.concatenate([[0.0], np.cumsum(rms.astype(np.float64) ** 2)])
    means = ((power[window:] - power[:-window]) / window)[::step]
    means = means[means > 10 ** (QUIETEST_DB / 10)]
    if not len(means):
        return None
    means = means[means > means.mean() * 10 ** (RELATIVE_DB / 10)]
    low, high = np.percentile(10 * np.log10(means), [10, 95])
    return float(high - low)
