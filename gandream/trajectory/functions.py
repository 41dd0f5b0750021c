"""What the functions of expressions mean. Table word -> function(film, *arguments), which are float64 [F] or []."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gandream.base.clock import Clock


@dataclass(frozen=True)
class Film:
    """What a function may know besides its arguments."""

    clock: Clock
    seed: int = 0


def _whole(film: Film, x: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.asarray(x, np.float64), (film.clock.frames,))


def lag(film: Film, x: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """One-pole low-pass y' = (x - y) / seconds, solved exactly for x straight between frames; begins at x; 0 s is x.

    With the gap g = y - x and r = dt / seconds: g[k] = exp(-r) g[k-1] - (x[k] - x[k-1]) (1 - exp(-r)) / r.
    """
    values, taus = _whole(film, x), _whole(film, seconds)
    ratio = 1 / (float(film.clock.fps) * np.clip(taus, 1e-12, 1e12))
    kept, left_behind = np.exp(-ratio), np.diff(values, prepend=values[0]) * -np.expm1(-ratio) / ratio
    gaps, gap = np.empty_like(values), 0.0
    for frame, (keep, behind) in enumerate(zip(kept.tolist(), left_behind.tolist(), strict=True)):
        gap = keep * gap - behind
        gaps[frame] = gap
    return np.where(taus > 0, values + gaps, values)


def delay(film: Film, x: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """x as it was that long ago; before the film began, its first value."""
    return np.interp(film.clock.times - seconds, film.clock.times, _whole(film, x))


def noise(film: Film, x: np.ndarray, seed: np.ndarray | float = 0.0) -> np.ndarray:
    """Gradient noise (Perlin 2002) in one dimension: 0 at whole x, -1 to 1; depends on x and the two seeds alone."""
    x, seed = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(seed, np.float64))
    cell = np.floor(x)
    offset = x - cell
    fade = offset**3 * (offset * (offset * 6 - 15) + 10)
    left = _gradient(cell, seed, film.seed) * offset
    right = _gradient(cell + 1, seed, film.seed) * (offset - 1)
    return 2 * (left + (right - left) * fade)


def _gradient(cell: np.ndarray, seed: np.ndarray, film_seed: int) -> np.ndarray:
    """A slope in [-1, 1) for each cell: its bits and the seeds' mixed as in SplitMix64 (Steele et al. 2014)."""
    with np.errstate(over="ignore", invalid="ignore"):
        bits = np.nan_to_num(cell, posinf=0, neginf=0).clip(-(2.0**52), 2.0**52).astype(np.int64).view(np.uint64)
        bits = (
            (bits + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
            + np.ascontiguousarray(seed + 0.0).view(np.uint64)
            + np.uint64(film_seed)
        )
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
        bits ^= bits >> np.uint64(31)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1


def smoothstep(_: Film, low: np.ndarray, high: np.ndarray, x: np.ndarray) -> np.ndarray:
    """0 below low, 1 above high; where low is high, a step."""
    span = high - low
    share = np.where(span == 0, np.where(x < low, 0.0, 1.0), (x - low) / np.where(span == 0, 1.0, span))
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)


def clamp(_: Film, x: np.ndarray, low: np.ndarray | float = 0.0, high: np.ndarray | float = 1.0) -> np.ndarray:
    """x held between low and high."""
    return np.minimum(np.maximum(x, low), high)


def _fold(combine: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[..., np.ndarray]:
    def folded(_: Film, first: np.ndarray, *others: np.ndarray) -> np.ndarray:
        for other in others:
            first = combine(first, other)
        return first

    return folded


def _of(function: Callable[[np.ndarray], np.ndarray]) -> Callable[..., np.ndarray]:
    return lambda _, x: function(x)


Meaning = Callable[..., np.ndarray]

FUNCTION: dict[str, Meaning] = {
    "sin": _of(np.sin),
    "cos": _of(np.cos),
    "tri": _of(lambda x: 1 - 4 * np.abs((x + 0.25) % 1 - 0.5)),
    "saw": _of(lambda x: 2 * (x % 1) - 1),
    "square": _of(lambda x: np.where(x % 1 < 0.5, 1.0, -1.0)),
    "abs": _of(np.abs),
    "sqrt": _of(np.sqrt),
    "exp": _of(np.exp),
    "log": _of(np.log),
    "floor": _of(np.floor),
    "ceil": _of(np.ceil),
    "round": _of(lambda x: np.floor(x + 0.5)),
    "fract": _of(lambda x: x - np.floor(x)),
    "sign": _of(np.sign),
    "min": _fold(np.minimum),
    "max": _fold(np.maximum),
    "clamp": clamp,
    "mix": lambda _, a, b, amount: a + (b - a) * amount,
    "step": lambda _, edge, x: np.where(x < edge, 0.0, 1.0),
    "smoothstep": smoothstep,
    "where": lambda _, condition, a, b: np.where(condition != 0, a, b),
    "noise": noise,
    "lag": lag,
    "delay": delay,
}
