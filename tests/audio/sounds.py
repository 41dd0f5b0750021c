"""Sounds made for tests: what they hold is known exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile

from gandream.audio.analyse import Analysis, analyse, feature_key
from gandream.audio.signals import sample
from gandream.base.clock import Clock
from gandream.recipe.signals import Signal
from gandream.recipe.times import Time

RATE = 44_100

Sound = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""Seconds since its beginning [S], dice -> samples [S]."""


def click(t: np.ndarray, dice: np.random.Generator) -> np.ndarray:
    return np.sin(2 * np.pi * 1000 * t) * np.exp(-t / 0.01)


def kick(t: np.ndarray, dice: np.random.Generator) -> np.ndarray:
    return np.sin(2 * np.pi * (50 * t + 3 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.12)


def hat(t: np.ndarray, dice: np.random.Generator) -> np.ndarray:
    return dice.normal(size=len(t)) * np.exp(-t / 0.03)


def snare(t: np.ndarray, dice: np.random.Generator) -> np.ndarray:
    return 0.5 * dice.normal(size=len(t)) * np.exp(-t / 0.06) + 0.5 * np.sin(2 * np.pi * 190 * t) * np.exp(-t / 0.05)


def sine(hz: float, seconds: float, rate_hz: int = RATE) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)


def noise(seconds: float, level: float = 0.1, rate_hz: int = RATE) -> np.ndarray:
    return np.random.default_rng(7).normal(size=round(seconds * rate_hz)) * level


def strikes(
    sound: Sound, times_s: Iterable[float], seconds: float, level: float = 0.7, rate_hz: int = RATE
) -> np.ndarray:
    """A sound of 0.3 s beginning at exactly these times, also between samples: [S]."""
    dice = np.random.default_rng(3)
    samples = np.zeros(round((seconds + 1) * rate_hz))
    for time in times_s:
        first = int(np.ceil(time * rate_hz))
        t = (first + np.arange(round(0.3 * rate_hz))) / rate_hz - time
        samples[first : first + len(t)] += level * sound(t, dice) * np.minimum((t[-1] - t) / 0.02, 1)
    return samples[: round(seconds * rate_hz)]


def written(path: Path, samples: np.ndarray, rate_hz: int = RATE) -> Path:
    """A float32 wav file of samples [S] or [S, channels]."""
    soundfile.write(path, samples.astype(np.float32), rate_hz, subtype="FLOAT")
    return path


def signal(words: object) -> Signal:
    """A signal as a recipe writes it."""
    return Signal.model_validate(words)


def seconds(time: Time) -> float:
    assert time.unit == "s"
    return float(time.amount)


def measured(path: Path, words: object) -> np.ndarray:
    """The bare feature of a signal, [B, T]."""
    return analyse(path, [signal(words)], beats=False).features[feature_key(signal(words))]


def sampled(heard: Path | Analysis, words: object, fps: object = 60, frames: int = 0, start: object = 0) -> np.ndarray:
    """A signal on a clock; over the whole piece where no frames are named."""
    one = signal(words)
    heard = heard if isinstance(heard, Analysis) else analyse(heard, [one], beats=False)
    rate = Fraction(str(fps))
    clock = Clock(rate, frames or max(1, int(heard.duration_s * rate)))
    return sample(heard, one, clock, Fraction(str(start)), seconds)
