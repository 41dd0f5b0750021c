"""The words that shape a signal, in their order; all in seconds, so that the frame rate doesn't change the look."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gandream.recipe.signals import Signal
from gandream.recipe.times import Time

Seconds = Callable[[Time], float]
Word = Callable[[np.ndarray, Signal, Seconds, int], np.ndarray]
"""Curve 0..1 [B, T], the signal, seconds of a time, feature frames per second -> curve [B, T]."""

BEAT_RELEASE_S = 0.2


def smooth(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """Gaussian, centred, sigma in seconds; at the ends over what is there. The highest peak keeps its height."""
    sigma = 0.0 if signal.smooth is None else seconds(signal.smooth) * rate_hz
    if sigma < 0.05:
        return curve
    from scipy.signal import oaconvolve

    reach = min(int(4 * sigma) + 1, curve.shape[1])
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)[None]
    smoothed = oaconvolve(curve, kernel, mode="full", axes=1)[:, reach:-reach]
    weight = oaconvolve(np.ones((1, curve.shape[1])), kernel, mode="full", axes=1)[:, reach:-reach]
    return _as_high(np.maximum(smoothed / weight, 0), curve)


def clip(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """What the two percentiles of the whole piece are becomes 0 and 1, beyond them is cut."""
    if signal.clip is None:
        return curve
    low, high = np.percentile(curve, signal.clip)
    return np.clip((curve - low) / (high - low), 0, 1) if high > low else (curve > low).astype(curve.dtype)


def gate(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """What is below the gate is 0."""
    return np.where(curve < signal.gate, 0, curve)


def power(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """The curve to a power."""
    return curve**signal.power


def attack(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """Rise as a one-pole, fall at once. The highest peak keeps its height, so that short events stay visible."""
    time_s = 0.0 if signal.attack is None else seconds(signal.attack)
    return _as_high(_follow(curve, time_s * rate_hz, rising=True), curve) if time_s > 0 else curve


def release(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """Rise at once, fall as a one-pole; beats fall within 0.2 s where nothing is said."""
    default_s = BEAT_RELEASE_S if signal.source == "beat" else 0.0
    time_s = default_s if signal.release is None else seconds(signal.release)
    return _follow(curve, time_s * rate_hz, rising=False) if time_s > 0 else curve


def delay(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """The curve later, 0 until it begins; to the feature frame (3 ms), so that no peak is lowered."""
    frames = 0 if signal.delay is None else min(round(seconds(signal.delay) * rate_hz), curve.shape[1])
    return np.pad(curve, ((0, 0), (frames, 0)))[:, : curve.shape[1]]


def span(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """The range: what 0 and 1 become."""
    low, high = signal.range
    return low + (high - low) * curve


ENVELOPE: dict[str, Word] = {
    "smooth": smooth,
    "clip": clip,
    "gate": gate,
    "power": power,
    "attack": attack,
    "release": release,
    "delay": delay,
}
"""In the order in which they are applied; ``range`` (:func:`span`) is applied to the film's frames, last of all."""


def shaped(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """A curve [B, T] through all words but the range."""
    for word in ENVELOPE.values():
        curve = word(curve, signal, seconds, rate_hz)
    return curve


def _follow(curve: np.ndarray, time: float, *, rising: bool) -> np.ndarray:
    """Go toward the curve by 1 - 1/e in each ``time`` frames while it is above (``rising``) or below, else be it."""
    keep = float(np.exp(-1.0 / time))
    rows = []
    for values in curve.tolist():
        level, row = 0.0 if rising else values[0], []
        for value in values:
            level = value + (level - value) * keep if (value > level) == rising else value
            row.append(level)
        rows.append(row)
    return np.array(rows, curve.dtype).reshape(curve.shape)


def _as_high(curve: np.ndarray, before: np.ndarray) -> np.ndarray:
    highest = curve.max(initial=0.0)
    return curve * (before.max(initial=0.0) / highest) if highest > 0 else curve
