"""Another sample rate by polyphase filtering (Crochiere & Rabiner 1983, "Multirate Digital Signal Processing", 3.3)."""

from __future__ import annotations

from math import gcd

import numpy as np

ZERO_CROSSINGS = 10
"""Of the sinc on each side."""
KAISER = 5.0
"""Shape of its window: what is out of the band is 60 dB down."""


def resampled(samples: np.ndarray, to_hz: int, from_hz: int) -> np.ndarray:
    """Samples float32 [S] at another rate, as many as fill the same time; sample 0 stays where it is.

    scipy.signal.resample_poly does the same, and takes longer to load.
    """
    up, down = to_hz // gcd(to_hz, from_hz), from_hz // gcd(to_hz, from_hz)
    if up == down:
        return samples
    widest = max(up, down)
    reach = ZERO_CROSSINGS * widest
    taps = np.sinc(np.arange(-reach, reach + 1) / widest) * np.kaiser(2 * reach + 1, KAISER)
    taps *= up / taps.sum()
    count, beside = -(-len(samples) * up // down), reach // up + 1
    padded, made = np.pad(samples.astype(np.float64), (beside, beside + down)), np.empty(count, np.float32)
    for first in range(min(up, count)):  # every up-th sample is made by the same taps
        newest, phase = divmod(first * down + reach, up)
        mine = taps[phase::up]
        outputs = range(first, count, up)
        start = beside + newest - len(mine) + 1
        heard = np.lib.stride_tricks.sliding_window_view(padded[start:], len(mine))[::down][: len(outputs)]
        made[first::up] = heard @ mine[::-1]
    return made
