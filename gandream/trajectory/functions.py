"""What the functions of expressions mean. Table word -> function(film, *arguments), which are float64 [F] or []."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gandream.trajectory.ease import EASE
from gandream.trajectory.timed import Film, delay, envelope, hold, integral, lag, sample, slope, unit

__all__ = ["FUNCTION", "Film"]


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


def random(film: Film, x: np.ndarray, seed: np.ndarray | float = 0.0) -> np.ndarray:
    """A number in [0, 1) for each whole x; depends on it and the two seeds alone."""
    x, seed = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(seed, np.float64))
    return (_gradient(np.floor(x + 1e-9), seed, film.seed + _OTHER_THAN_NOISE) + 1) / 2


_OTHER_THAN_NOISE = 1 << 40


def euclid(_: Film, x: np.ndarray, hits: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """1 in the steps of a Euclidean rhythm that are hit (Toussaint 2005), which begins with one; else 0."""
    steps, hits = np.maximum(np.floor(steps), 1), np.floor(hits)
    return np.where((np.mod(np.floor(x + 1e-9), steps) * hits) % steps < hits, 1.0, 0.0)


def smoothstep(_: Film, low: np.ndarray, high: np.ndarray, x: np.ndarray) -> np.ndarray:
    """0 below low, 1 above high; where low is high, a step."""
    span = high - low
    share = np.where(span == 0, np.where(x < low, 0.0, 1.0), (x - low) / np.where(span == 0, 1.0, span))
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)


def clamp(_: Film, x: np.ndarray, low: np.ndarray | float = 0.0, high: np.ndarray | float = 1.0) -> np.ndarray:
    """x held between low and high."""
    return np.minimum(np.maximum(x, low), high)


def quantise(_: Film, x: np.ndarray, size: np.ndarray) -> np.ndarray:
    """The nearest multiple of a size; of size 0, x."""
    return np.where(size == 0, x, np.floor(x / np.where(size == 0, 1.0, size) + 0.5) * size)


def remap(_: Film, x: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """On the line on which a is c and b is d; where a is b, c below it and d from there on."""
    share = np.where(a == b, np.where(x < a, 0.0, 1.0), (x - a) / np.where(a == b, 1.0, b - a))
    return c + share * (d - c)


def wrap(_: Film, x: np.ndarray, low: np.ndarray | float = 0.0, high: np.ndarray | float = 1.0) -> np.ndarray:
    """x moved by whole spans into [low, high); where there is no span, low."""
    span = np.asarray(high, np.float64) - low
    return np.where(span == 0, low, low + np.mod(x - low, np.where(span == 0, 1.0, span)))


def _eased(shape: Callable[[np.ndarray], np.ndarray]) -> Callable[..., np.ndarray]:
    return lambda _, x: shape(np.clip(x, 0.0, 1.0))


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
    "pulse": lambda _, x, width=0.5: np.where(x % 1 < width, 1.0, 0.0),
    "euclid": euclid,
    "remap": remap,
    "wrap": wrap,
    "quantise": quantise,
    "db": _of(lambda x: 10 ** (x / 20)),
    "mod": lambda _, x, y: np.mod(x, y),
    "pow": lambda _, x, y: np.power(x, y),
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
    "envelope": envelope,
    "hold": hold,
    "sample": sample,
    "integral": integral,
    "slope": slope,
    "unit": unit,
    "random": random,
    **{name: _eased(shape) for name, shape in EASE.items() if "_" in name},
}
