"""Music in blocks: each holds its samples and enough of both neighbours that a feature can't tell where it was cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

RATE_HZ = 22050
"""Samples per second that features are made of; heard is what lies below half of it."""
HOP = 147
"""Samples from one feature frame to the next."""
FEATURE_HZ = RATE_HZ // HOP
"""Feature frames per second, 150: frame i is at exactly i / 150 s; 25, 30, 50 and 60 fps fall on whole or half ones."""
CONTEXT = RATE_HZ // 2
"""Samples of each neighbour that a block holds."""
BLOCK_FRAMES = 10 * FEATURE_HZ
ENERGY_SAMPLES = 2048
"""Window of the energy spectrum: 93 ms, bins of 10.8 Hz."""


@dataclass(frozen=True)
class Block:
    """``count`` feature frames of music; frame i lies at sample CONTEXT + i · HOP of ``samples``, float32 [S]."""

    samples: np.ndarray
    count: int

    def windows(self, window: np.ndarray, newest: int, *, before: int = 0, after: int = 0, step: int = 1) -> np.ndarray:
        """Windowed samples of frames [-before, count + after): float32 [frames, len(window)].

        A frame's last sample is ``newest`` samples later than the frame.
        """
        start = CONTEXT - before * HOP + newest - len(window)
        frames = np.lib.stride_tricks.sliding_window_view(self.samples[start:], len(window))
        return frames[: (self.count + before + after) * HOP : step * HOP] * window

    @cached_property
    def energy(self) -> np.ndarray:
        """Energy by frequency, float32 [count, 1025]: over all bins the mean square of the 93 ms around the frame."""
        window = hann(ENERGY_SAMPLES)
        window /= np.sqrt(np.sum(window**2) * ENERGY_SAMPLES / 2)
        spectrum = spectra(self.windows(window, ENERGY_SAMPLES // 2))
        return np.real(spectrum) ** 2 + np.imag(spectrum) ** 2


def hann(length: int) -> np.ndarray:
    """The periodic Hann window, float32 [length]."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)


def spectra(windows: np.ndarray) -> np.ndarray:
    """Fourier transform of windows float32 [frames, S]: complex64 [frames, S // 2 + 1] (numpy 1 gives complex128)."""
    import scipy.fft

    return np.asarray(scipy.fft.rfft(windows))


def blocks(pieces: Iterable[np.ndarray]) -> Iterator[Block]:
    """Cut pieces of samples at RATE_HZ, float32 [S], into blocks of ten seconds; around the music is silence."""
    size = BLOCK_FRAMES * HOP
    buffer = np.zeros(CONTEXT, np.float32)
    for piece in pieces:
        buffer = np.concatenate([buffer, piece])
        while len(buffer) >= size + 2 * CONTEXT:
            yield Block(buffer[: size + 2 * CONTEXT], BLOCK_FRAMES)
            buffer = buffer[size:]
    left = len(buffer) - CONTEXT
    while left >= 0:
        count = min(left // HOP + 1, BLOCK_FRAMES)
        wanted = count * HOP + 2 * CONTEXT
        yield Block(np.pad(buffer[:wanted], (0, max(0, wanted - len(buffer)))), count)
        buffer, left = buffer[count * HOP :], left - count * HOP
