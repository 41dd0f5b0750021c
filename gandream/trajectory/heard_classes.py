"""Classes by the bands of a signal: what is heard adds up, leaks, and is smoothed.

The looks of lucid-sonic-dreams and deep-music-visualizer. All of it is done on steps of its own, RATE to a second from
the film's first frame on, and read off at the frames. So the look doesn't change with fps, and at the RATE that both
tools have it is theirs, step for step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from gandream.base.clock import Clock

RATE = Fraction(22050, 512)
"""Steps per second: hops of 512 samples at 22050 Hz."""
FLAT = 1e-7
"""Below this, classes are equally strong."""
FASTEST = 20.0
"""How much a band adds to its class per second where nothing leaks and nothing is said."""


@dataclass(frozen=True)
class Hearing:
    """How classes follow bands; ``react`` and ``complexity`` are a number, or one for each step [S]."""

    leak_s: float | None = 2.0
    react: float | np.ndarray | None = None
    levels: str = "minmax"
    complexity: float | np.ndarray = 1.0
    floor: float = 0.1
    smooth_s: float = 1.0


def steps_of(clock: Clock) -> np.ndarray:
    """Seconds of the steps that a film has, float64 [S]."""
    return np.arange(max(1, math.ceil(clock.frames / clock.fps * RATE))) / float(RATE)


def sampled_at(values: np.ndarray, rate: float, times: np.ndarray) -> np.ndarray:
    """Values [S] or [S, B], ``rate`` to a second, at times [F] in seconds: straight from one to the next."""
    places = np.clip(times * rate, 0, len(values) - 1)
    nearest = np.round(places)
    places = np.where(np.abs(places - nearest) < 1e-6, nearest, places)  # where both have a value, it is the same
    left = np.floor(places).astype(np.int64)
    share = (places - left).reshape(-1, *[1] * (values.ndim - 1))
    right = np.minimum(left + 1, len(values) - 1)
    return values[left] + (values[right] - values[left]) * share


def follow(bands: np.ndarray, hearing: Hearing) -> np.ndarray:
    """Weights of classes at each step [S, B], from how strong the band of each is [S, B].

    Each class is a leaky integrator of its band, c' = react * band - c / leak, solved for a band that is steady during
    a step. After each step the classes are levelled, and it is the levelled ones that what is heard next adds to.
    """
    S, dt = len(bands), float(1 / RATE)
    kept = 1.0 if hearing.leak_s is None else math.exp(-dt / hearing.leak_s)
    unit = dt if hearing.leak_s is None else hearing.leak_s * (1 - kept)
    react = (FASTEST if hearing.leak_s is None else 1 / hearing.leak_s) if hearing.react is None else hearing.react
    heard = bands * (np.broadcast_to(react, S) * unit)[:, None]
    complexity = np.broadcast_to(hearing.complexity, S)
    sounding = np.flatnonzero(bands.any(axis=1))
    now = bands[sounding[0]].astype(np.float64) if sounding.size else np.zeros(bands.shape[1])
    classes = np.empty(bands.shape, np.float64)
    for step in range(S):
        now = kept * now + heard[step] if step else now
        now = complexity[step] * levelled(now, hearing.levels, hearing.floor)
        classes[step] = now
    return classes


def levelled(classes: np.ndarray, levels: str, floor: float) -> np.ndarray:
    """Classes [B] as LEVELS says; where all are equally strong, levels give the first ``floor``."""
    low, high = classes.min(), classes.max()
    if low < 0:
        low = min((one for one in classes if one >= 0), default=0.0)
        classes = np.where(classes < 0, low, classes)
        high = max(high, low)
    flat = high - low < FLAT
    if levels == "minmax":
        classes = np.zeros_like(classes) if flat else (classes - low) / (high - low)
    elif levels == "peak" and high > 0:
        classes = classes / high
    if flat and levels != "none":
        classes = classes.copy()
        classes[0] += floor
    return classes


def smoothed(classes: np.ndarray, seconds: float) -> np.ndarray:
    """Means over windows [S, B], and straight lines from each to the next, with both ends; the last stays."""
    width = round(seconds * RATE)
    if width < 2:
        return classes
    starts = np.arange(0, len(classes), width)
    counts = np.diff(np.append(starts, len(classes)))
    means = np.add.reduceat(classes, starts, axis=0) / counts[:, None]
    window, inside = np.divmod(np.arange(len(classes)), width)
    following = means[np.minimum(window + 1, len(means) - 1)]
    return means[window] + (following - means[window]) * (inside / (width - 1))[:, None]


def turned(count: int, changes: np.ndarray, strength: float, seed: int | None) -> np.ndarray:
    """Which class each band feeds, after so many changes [S]: int [S, B], rows are permutations.

    The list of classes turns by round(strength * count) at each change; with a seed, that share of the classes change
    places by chance instead.
    """
    moved = round(strength * count)
    if seed is None:
        return (np.arange(count) + moved * changes[:, None]) % count
    random, order, orders = np.random.RandomState(seed), np.arange(count), []
    for _ in range(int(changes.max(initial=0)) + 1):
        orders.append(order.copy())
        chosen = random.permutation(count)[:moved]
        order[chosen] = order[np.roll(chosen, 1)]
    return np.stack(orders)[changes]
