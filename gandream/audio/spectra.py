"""Spectra, mel bands and moving maxima by numpy alone: what most films hear is measured without loading librosa, whose
import and compiled parts take longer than a song. The numbers are librosa's, and tests hold them against it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

SPACING_HZ, LINEAR_HZ, OCTAVE_STEPS = 200 / 3, 1000.0, 27 / np.log(6.4)
"""The mel scale of Slaney 1998 ("Auditory Toolbox"): a mel is 200/3 Hz up to 1 kHz, above it a 27th of ln 6.4."""
LINEAR_MELS = LINEAR_HZ / SPACING_HZ
TINY = float(np.finfo(np.float32).tiny)


def hann(samples: int) -> np.ndarray:
    """The periodic Hann window, float64 [samples]."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(samples) / samples)


def transformed(samples: np.ndarray, window: np.ndarray, hop: int) -> np.ndarray:
    """Spectra of samples [S] under a window [W], every ``hop`` samples from the first: complex64 [W // 2 + 1, T]."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, len(window))[::hop]
    return np.fft.rfft(frames * window, axis=1).astype(np.complex64).T


def frequencies(rate_hz: float, samples: int) -> np.ndarray:
    """Hz of the bins of a window of ``samples``: [samples // 2 + 1]."""
    return np.fft.rfftfreq(samples, 1 / rate_hz)


def mel_frequencies(count: int, low_hz: float, high_hz: float) -> np.ndarray:
    """Hz of ``count`` points from low to high, evenly spaced in mels."""
    mels = np.linspace(_mels(low_hz), _mels(high_hz), count)
    above = LINEAR_HZ * np.exp((mels - LINEAR_MELS) / OCTAVE_STEPS)
    return np.where(mels >= LINEAR_MELS, above, SPACING_HZ * mels)


def _mels(hz: float) -> float:
    return LINEAR_MELS + np.log(hz / LINEAR_HZ) * OCTAVE_STEPS if hz >= LINEAR_HZ else hz / SPACING_HZ


@lru_cache(maxsize=16)
def mel_filters(
    bands: int, low_hz: float, high_hz: float, rate_hz: float, samples: int, sized: str = "height"
) -> np.ndarray:
    """Triangles over the bins of a window of ``samples``, float32 [bands, samples // 2 + 1]; nobody writes into it.

    They are ``sized`` by their ``height`` (1), their ``area`` in Hz (1), or the ``sum`` of their weights (1).
    """
    edges, centres = mel_frequencies(bands + 2, low_hz, high_hz), frequencies(rate_hz, samples)
    away = edges[:, None] - centres
    rising, falling = -away[:-2] / np.diff(edges)[:-1, None], away[2:] / np.diff(edges)[1:, None]
    filters = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    if sized == "area":
        filters *= (2 / (edges[2:] - edges[:-2])).astype(np.float32)[:, None]
    elif sized == "sum":
        total = filters.sum(axis=1, keepdims=True)
        filters /= np.where(total < TINY, 1, total)
    filters.flags.writeable = False
    return filters


def root_mean_square(amplitudes: np.ndarray, samples: int) -> np.ndarray:
    """That of ``samples`` samples by the amplitudes of their spectra [samples // 2 + 1, T] (Parseval): [1, T]."""
    power = amplitudes**2
    power[0] *= 0.5  # all others stand for two
    power[-1] *= 0.5 if samples % 2 == 0 else 1
    return np.sqrt(2 * power.sum(axis=0, keepdims=True) / samples**2)


def highest(values: np.ndarray, before: int, after: int) -> np.ndarray:
    """The highest of ``before`` values earlier to ``after`` later along the last axis, as far as there are."""
    beside = [(0, 0)] * (values.ndim - 1)
    found = np.pad(values, [*beside, (before, after)], constant_values=-np.inf)
    width, seen = before + after + 1, 1
    while 2 * seen <= width:
        found, seen = np.maximum(found[..., :-seen], found[..., seen:]), 2 * seen
    rest = width - seen
    return np.maximum(found[..., : found.shape[-1] - rest], found[..., rest:])
