"""The words that shape a signal, in their order; all in seconds, so that the frame rate doesn't change the look."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gandream.audio.spectra import highest
from gandream.recipe.signals import Signal
from gandream.recipe.times import Time

Seconds = Callable[[Time], float]
Word = Callable[[np.ndarray, Signal, Seconds, int], np.ndarray]
"""Curve 0..1 [B, T], the signal, seconds of a time, feature frames per second -> curve [B, T]."""

RELEASES_S = {"beat": 0.2, "bar": 0.2, "section_start": 0.5, "drop": 2.0, "midi": 0.2}
"""How fast pulses fall where nothing is said."""


def smooth(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """Gaussian, sigma in seconds; at the ends over what is there. The highest peak keeps its height.

    What is still to come counts ``causal`` times: 1 is centred; 0 has a sharp attack and a decaying tail.
    """
    sigma = 0.0 if signal.smooth is None else seconds(signal.smooth) * rate_hz
    if sigma < 0.05:
        return curve
    reach = min(int(4 * sigma) + 1, curve.shape[1])
    ages = np.arange(-reach, reach + 1)  # of what is heard: negative is still to come
    kernel = (np.exp(-0.5 * (ages / sigma) ** 2) * np.where(ages < 0, signal.causal, 1.0))[None]
    smoothed = convolved(curve, kernel)[:, reach:-reach]
    weight = convolved(np.ones((1, curve.shape[1])), kernel)[:, reach:-reach]
    smoothed = smoothed / weight
    return _as_high(np.maximum(smoothed, 0) if (curve >= 0).all() else smoothed, curve)


def convolved(curve: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Curves [B, T] with a kernel [1, K], all T + K - 1 of it, by overlapping blocks (Oppenheim and Schafer,
    "Discrete-Time Signal Processing", 8.7.3). scipy.signal has it too, and takes longer to load than all else here.
    """
    (B, T), K = curve.shape, kernel.shape[1]
    N = 1 << max(12, (2 * K - 1).bit_length())
    made, step, response = np.zeros((B, T + N)), N - K + 1, np.fft.rfft(kernel, N)
    for start in range(0, T, step):
        made[:, start : start + N] += np.fft.irfft(np.fft.rfft(curve[:, start : start + step], N) * response, N)
    return made[:, : T + K - 1]


def clip(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """What the two percentiles of the whole piece are becomes 0 and 1, beyond them is cut."""
    if signal.clip is None:
        return curve
    low, high = np.percentile(curve, signal.clip)
    return np.clip((curve - low) / (high - low), 0, 1) if high > low else (curve > low).astype(curve.dtype)


def peaks(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """The percentile of each band's local peaks (higher than both neighbours) becomes 1; beyond it is cut."""
    if signal.peaks is None:
        return curve
    rows = []
    for row in curve:
        inner = row[1:-1]
        tops = inner[(inner > row[:-2]) & (inner > row[2:]) & (inner > 0)]
        most = float(np.percentile(tops, signal.peaks)) if len(tops) else float(row.max(initial=0.0))
        rows.append(np.clip(row / most, 0, 1) if most > 0 else np.zeros_like(row))
    return np.stack(rows)


def gate(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """What is below the gate is 0."""
    return np.where(curve < signal.gate, 0, curve) if signal.gate > 0 else curve


def compress(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """Above the threshold, x becomes threshold + (x - threshold) / ratio; then the highest peak is as it was."""
    if signal.compress is None:
        return curve
    threshold, ratio = signal.compress.threshold, signal.compress.ratio
    return _as_high(np.where(curve > threshold, threshold + (curve - threshold) / ratio, curve), curve)


def expand(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """Below the threshold, x becomes threshold - ratio · (threshold - x), 0 at the lowest."""
    if signal.expand is None:
        return curve
    threshold, ratio = signal.expand.threshold, signal.expand.ratio
    return np.where(curve < threshold, np.maximum(threshold - ratio * (threshold - curve), 0), curve)


def power(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """The curve to a power; what is below 0, as only automation can be, keeps its sign."""
    return np.copysign(np.abs(curve) ** signal.power, curve) if signal.power != 1 else curve


def attack(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """Rise as a one-pole, fall at once. The highest peak keeps its height, so that short events stay visible."""
    time_s = 0.0 if signal.attack is None else seconds(signal.attack)
    return _as_high(_follow(curve, time_s * rate_hz, rising=True), curve) if time_s > 0 else curve


def release(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """Rise at once, fall as a one-pole; pulses fall by themselves where nothing is said."""
    default_s = 0.0 if signal.controller is not None else RELEASES_S.get(signal.source, 0.0)
    time_s = default_s if signal.release is None else seconds(signal.release)
    return _follow(curve, time_s * rate_hz, rising=False) if time_s > 0 else curve


def hold(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """The highest of the time before: each value stays this long before it may fall."""
    frames = 0 if signal.hold is None else min(round(seconds(signal.hold) * rate_hz), curve.shape[1])
    if frames < 1:
        return curve
    return highest(curve, frames, 0)


def quantise(curve: np.ndarray, signal: Signal, seconds: Seconds, rate_hz: int) -> np.ndarray:
    """The nearest of equal steps, half way up to the upper one."""
    if signal.quantise is None:
        return curve
    return np.floor(curve * signal.quantise.steps + 0.5) / signal.quantise.steps


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
    "peaks": peaks,
    "gate": gate,
    "compress": compress,
    "expand": expand,
    "power": power,
    "attack": attack,
    "release": release,
    "hold": hold,
    "quantise": quantise,
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
