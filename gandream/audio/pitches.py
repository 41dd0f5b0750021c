"""Pitch: the twelve classes by constant-Q and Fourier transform, and the melody's height."""

from __future__ import annotations

import numpy as np

from gandream.audio.blocks import CONTEXT, HOP, PITCH_HOP, RATE_HZ, Block
from gandream.audio.measure import Measure

LOWEST_NOTE, OCTAVES = "C2", 5
"""65 Hz to 1976 Hz, B6."""
SHARPNESS = 2
"""Windows of 34 periods, twice librosa's: the neighbouring semitone falls on the window's zero."""
CENTRE_HZ, SPREAD_OCTAVES = 440.0, 1.5
"""Notes near A4 count most, those an octave and a half away 0.6: melody and chords more than kick and hiss. In the
bundled piece 7 % is then heard off its scale, 11 % with equal weights."""


def chroma(block: Block, measure: Measure) -> np.ndarray:
    """Amplitude of the twelve pitch classes C, C#, ... B over five octaves at A = 440 Hz: [12, count]."""
    import librosa

    lowest_hz = float(librosa.note_to_hz(LOWEST_NOTE))
    spectrum = librosa.cqt(
        block.samples,
        sr=RATE_HZ,
        hop_length=PITCH_HOP,
        fmin=lowest_hz,
        n_bins=12 * OCTAVES,
        tuning=0.0,
        filter_scale=SHARPNESS,
        sparsity=0,
    )
    octaves = np.log2(lowest_hz / CENTRE_HZ) + np.arange(12 * OCTAVES) / 12
    # librosa's bins are as high as the root of their window's length; 2 ** (octaves / 2) brings them to amplitudes.
    weights = 2 ** (octaves / 2) * np.exp(-0.5 * (octaves / SPREAD_OCTAVES) ** 2)
    classes = librosa.feature.chroma_cqt(
        C=np.abs(spectrum) * weights[:, None],
        fmin=lowest_hz,
        n_octaves=OCTAVES,
        bins_per_octave=12,
        tuning=0.0,
        norm=None,
    )
    frames = (CONTEXT + np.arange(block.count) * HOP) / PITCH_HOP
    return np.stack([np.interp(frames, np.arange(classes.shape[1]), one) for one in classes])


STFT_SAMPLES = 8192
"""Window of 0.37 s: bins of 2.7 Hz."""


def chroma_stft(block: Block, measure: Measure) -> np.ndarray:
    """Power of the twelve pitch classes from a Fourier transform, at A = 440 Hz: [12, count]."""
    import librosa

    window = librosa.filters.get_window("hann", STFT_SAMPLES)
    spectrum = block.amplitudes(window * 2 / window.sum(), STFT_SAMPLES // 2)
    return librosa.feature.chroma_stft(S=spectrum**2, sr=RATE_HZ, n_fft=STFT_SAMPLES, tuning=0.0, norm=None)


# --- melody --------------------------------------------------------------------------------------------------------
MELODY_HOP = 3 * HOP
"""Samples from one estimate of the melody to the next (20 ms)."""
RESOLUTION = 0.2
"""Semitones between candidates."""


def pitch(block: Block, measure: Measure) -> np.ndarray:
    """The melody's fundamental in Hz, and 1 where there is one, else 0: [2, count] (pYIN, Mauch & Dixon 2014)."""
    import librosa

    frame = 2048
    while frame < 4 * RATE_HZ / measure.low_hz:
        frame *= 2
    first = CONTEXT % MELODY_HOP  # so that estimates fall on feature frames
    melody, voiced, _ = librosa.pyin(
        block.samples[first:],
        fmin=measure.low_hz,
        fmax=measure.high_hz,
        sr=RATE_HZ,
        frame_length=frame,
        hop_length=MELODY_HOP,
        resolution=RESOLUTION,
        fill_na=0.0,
    )
    # The nearest estimate: between two notes there is nothing to be heard.
    nearest = (CONTEXT // MELODY_HOP) + np.round(np.arange(block.count) * HOP / MELODY_HOP).astype(int)
    return np.stack([np.where(voiced, melody, 0.0)[nearest], voiced[nearest]])
