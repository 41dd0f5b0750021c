"""Music in blocks: each holds its samples and enough of both neighbours that a feature can't tell where it was cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gandream.audio.spectra import hann, transformed

RATE_HZ = 22050
"""Samples per second that features are made of; heard is what lies below half of it."""
HOP = 147
"""Samples from one feature frame to the next."""
FEATURE_HZ = RATE_HZ // HOP
"""Feature frames per second, 150: frame i is at exactly i / 150 s; 25, 30, 50 and 60 fps fall on whole or half ones."""
PITCH_HOP = 448
"""Samples from one pitch spectrum to the next (20 ms): even, so that low notes are measured at lower sample rates."""
CONTEXT = 28 * PITCH_HOP
"""Samples of each neighbour that a block holds (569 ms): half the lowest note's window and the resamplers' reach."""
BLOCK_FRAMES = 24 * 64
"""Feature frames of a block (10.24 s): a whole number of pitch spectra, so that all blocks have them at one phase."""
ENERGY_SAMPLES = 2048
"""Window of the energy spectrum: 93 ms, bins of 10.8 Hz."""


@dataclass(frozen=True)
class Block:
    """``count`` feature frames of music; frame i lies at sample CONTEXT + i · HOP of ``samples``, float32 [S]."""

    samples: np.ndarray
    count: int

    def stft(self, window: np.ndarray, newest: int, *, margin: int = 0) -> np.ndarray:
        """Spectra of frames [-margin, count + margin): complex64 [len(window) // 2 + 1, frames].

        A frame's last sample is ``newest`` samples later than the frame.
        """
        start = CONTEXT - margin * HOP + newest - len(window)
        stop = start + len(window) + (self.count + 2 * margin - 1) * HOP
        return transformed(self.samples[start:stop], window, HOP)

    def amplitudes(self, window: np.ndarray, newest: int, *, margin: int = 0) -> np.ndarray:
        """Amplitudes of :meth:`stft`: float32, same shape."""
        return np.abs(self.stft(window, newest, margin=margin))

    @cached_property
    def spectrum(self) -> np.ndarray:
        """Amplitude by frequency, float32 [1025, count], of the 93 ms around each frame, as librosa's rms takes it."""
        window = hann(ENERGY_SAMPLES)
        return self.amplitudes(window / np.sqrt(np.mean(window**2)), ENERGY_SAMPLES // 2)


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
