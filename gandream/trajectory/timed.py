"""The functions of expressions that look along time. All are over the whole film, float64 [F]; seconds, not frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandream.base.clock import Clock

_ROUNDING = 1e-9
"""Sums of floats may miss a whole number by this."""


@dataclass(frozen=True)
class Film:
    """What a function may know besides its arguments."""

    clock: Clock
    seed: int = 0


def whole(film: Film, x: np.ndarray) -> np.ndarray:
    """A value at every frame."""
    return np.broadcast_to(np.asarray(x, np.float64), (film.clock.frames,))


def lag(film: Film, x: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """One-pole low-pass y' = (x - y) / seconds, solved exactly for x straight between frames; begins at x; 0 s is x.

    With the gap g = y - x and r = dt / seconds: g[k] = exp(-r) g[k-1] - (x[k] - x[k-1]) (1 - exp(-r)) / r.
    """
    values, taus = whole(film, x), whole(film, seconds)
    kept, behind = _poles(film, values, taus)
    gaps, gap = np.empty_like(values), 0.0
    for frame, (keep, left) in enumerate(zip(kept.tolist(), behind.tolist(), strict=True)):
        gap = keep * gap - left
        gaps[frame] = gap
    return np.where(taus > 0, values + gaps, values)


def _poles(film: Film, values: np.ndarray, taus: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per frame: the share of the gap that is kept, and by how much a one-pole falls behind the move of this frame."""
    ratio = 1 / (float(film.clock.fps) * np.clip(taus, 1e-12, 1e12))
    behind = np.diff(values, prepend=values[0]) * -np.expm1(-ratio) / ratio
    return np.exp(-ratio), np.where(taus > 0, behind, 0)


def envelope(film: Film, x: np.ndarray, attack: np.ndarray, release: np.ndarray) -> np.ndarray:
    """As :func:`lag`, with the time constant ``attack`` while it is below x and ``release`` while it is above."""
    values = whole(film, x)
    ways = [
        [part.tolist() for part in _poles(film, values, taus)] for taus in (whole(film, attack), whole(film, release))
    ]
    moves, gaps, gap = np.diff(values, prepend=values[0]).tolist(), np.empty_like(values), 0.0
    for frame, move in enumerate(moves):
        kept, behind = ways[0] if gap - move < 0 else ways[1]
        gap = kept[frame] * gap - behind[frame]
        gaps[frame] = gap
    return values + gaps


def delay(film: Film, x: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """x as it was that long ago; before the film began, its first value."""
    return np.interp(film.clock.times - seconds, film.clock.times, whole(film, x))


def hold(film: Film, x: np.ndarray, every: np.ndarray) -> np.ndarray:
    """x as it was when the last whole ``every`` seconds began, straight between frames; 0 s is x."""
    times, values, every = film.clock.times, whole(film, x), whole(film, every)
    length = np.where(every > 0, every, 1.0)
    held = np.interp(np.floor(times / length + _ROUNDING) * length, times, values)
    return np.where(every > 0, held, values)


def sample(film: Film, x: np.ndarray, clock: np.ndarray) -> np.ndarray:
    """x as it was when the clock last passed a whole number, upward or downward; both straight between frames."""
    values, clock = whole(film, x), whole(film, clock)
    cells = np.floor(clock + _ROUNDING)
    passed = np.flatnonzero(np.diff(cells)) + 1
    # Upward it passes the whole number that it is above now; downward the one that it was above before, but one.
    borders = np.where(cells[passed] > cells[passed - 1], cells[passed], cells[passed] + 1)
    share = np.clip((borders - clock[passed - 1]) / (clock[passed] - clock[passed - 1]), 0, 1)
    heard = values[passed - 1] + (values[passed] - values[passed - 1]) * share
    since = np.searchsorted(passed, np.arange(len(values)), side="right")
    return np.concatenate([values[:1], heard])[since]


def integral(film: Film, x: np.ndarray) -> np.ndarray:
    """x added up over time (trapezoids), 0 at the first frame."""
    values = whole(film, x)
    return np.concatenate([[0.0], np.cumsum((values[1:] + values[:-1]) / 2)]) / float(film.clock.fps)


def slope(film: Film, x: np.ndarray) -> np.ndarray:
    """The change of x per second, by the frames on both sides."""
    values = whole(film, x)
    return np.gradient(values) * float(film.clock.fps) if len(values) > 1 else np.zeros(1)


def unit(film: Film, x: np.ndarray) -> np.ndarray:
    """x brought to 0..1 by its lowest and highest over the film; 0 where they are the same."""
    values = whole(film, x)
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)
