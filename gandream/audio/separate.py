"""Music parted into what sounds on and what strikes, as a stream of samples: memory does not grow with its length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

WINDOW, STEP = 2048, 512
"""Samples of a spectrum and from one to the next, as librosa's own: 93 and 23 ms."""
KERNEL = 31
"""Spectra (0.7 s) and bins (334 Hz) that the medians are taken over."""
MARGIN_STEPS = KERNEL // 2 + 2 * (WINDOW // STEP) + 1
"""Steps of both neighbours that decide about a sample: the median's reach, and a window on each side of it, twice."""
CHUNK_STEPS = 432
"""Steps of a chunk (10 s)."""


def separated(pieces: Iterable[np.ndarray], part: str, margin: float) -> Iterator[np.ndarray]:
    """The ``harmonic`` or ``percussive`` part of pieces of samples, float32 [S], as pieces of the same total length.

    Median filtering of the spectrogram along time and along frequency, soft masks of exponent 2 (Fitzgerald 2010);
    ``margin`` above 1 leaves out what is neither (Driedger, Müller & Disch 2014).
    """
    chunk, around = CHUNK_STEPS * STEP, MARGIN_STEPS * STEP
    buffer, whole = np.zeros(around, np.float32), 0
    for piece in pieces:
        buffer, whole = np.concatenate([buffer, piece]), whole + len(piece)
        while len(buffer) >= chunk + 2 * around:
            yield _part(buffer[: chunk + 2 * around], part, margin)[around : around + chunk]
            buffer, whole = buffer[chunk:], whole - chunk
    buffer = np.pad(buffer, (0, around))
    while whole > 0:
        heard = min(whole, chunk)
        yield _part(buffer[: heard + 2 * around], part, margin)[around : around + heard]
        buffer, whole = buffer[heard:], whole - heard


def _part(samples: np.ndarray, part: str, margin: float) -> np.ndarray:
    import librosa

    spectrum = librosa.stft(samples, n_fft=WINDOW, hop_length=STEP)
    harmonic, percussive = librosa.decompose.hpss(spectrum, kernel_size=KERNEL, margin=margin)
    chosen = harmonic if part == "harmonic" else percussive
    return librosa.istft(chosen, n_fft=WINDOW, hop_length=STEP, length=len(samples)).astype(np.float32)
