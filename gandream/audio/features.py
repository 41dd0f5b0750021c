"""What is measured in the music: per kind of signal one function of a block, 150 times a second, in its own unit."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from gandream.audio.blocks import CONTEXT, ENERGY_SAMPLES, HOP, PITCH_HOP, RATE_HZ, Block

LOWEST_HZ, HIGHEST_HZ = 20.0, RATE_HZ / 2
"""What is heard where ``low`` and ``high`` say nothing."""

Feature = Callable[[Block, float, float], np.ndarray]
"""Block, low and high in Hz -> float32 [B, count]."""


def loudness(block: Block, low_hz: float, high_hz: float) -> np.ndarray:
    """Root mean square of the samples between two frequencies in the 93 ms around each frame: [1, count]."""
    import librosa

    spacing = RATE_HZ / ENERGY_SAMPLES
    centres = librosa.fft_frequencies(sr=RATE_HZ, n_fft=ENERGY_SAMPLES)
    # Each bin counts with the share of it that lies in the range; bins 0 and 1 also hold the constant offset.
    share = np.minimum(centres + spacing / 2, high_hz) - np.maximum(centres - spacing / 2, low_hz)
    share = np.clip(share, 0, None) / spacing
    share[:2] = 0
    weights = np.sqrt(share).astype(np.float32)[:, None]
    return librosa.feature.rms(S=block.spectrum * weights, frame_length=ENERGY_SAMPLES)


def energy(block: Block, low_hz: float, high_hz: float) -> np.ndarray:
    """Mean square between two frequencies: [1, count]."""
    return loudness(block, low_hz, high_hz) ** 2


# --- onsets --------------------------------------------------------------------------------------------------------
FLUX_SAMPLES = 1024
LAG = 2
"""Feature frames between the spectra that are compared. The window's newest end rises within one hop, so one spectrum
is wholly before an event and the other wholly after it, wherever the event falls between frames: its height doesn't
depend on that."""
NEWEST = round(0.011 * RATE_HZ)
"""How far a window reaches beyond its frame. An event fills the difference from its entry until LAG frames later: its
peak comes (LAG + 1) / 2 frames (10 ms) after it entered, measured 9 ms for clicks and 13 ms for bursts of noise."""
RISE = 6
"""Feature frames (40 ms) that an event may take to reach its height: a kick's fundamental needs two periods."""
COMPRESSION = 100.0
BANDS = 138
"""Mel bands: one per FFT bin up to 1 kHz, above it 28 per octave, quarter tones."""


def onset(block: Block, low_hz: float, high_hz: float) -> np.ndarray:
    """How much begins at each frame between two frequencies: [1, count].

    Spectral flux with a maximum filter over frequency against vibrato (Böck & Widmer 2013). librosa's alone peaks 8 ms
    before a click and 3 ms before noise, has 0.4 of a kick's height before it, and moves 4 ms with loudness; so the
    window is one-sided, which places events by when they start, and each peak is as high as the whole rise of the
    next 40 ms. Amplitudes are logarithmic over the whole spectrum, where quiet instruments should count, but linear
    in a chosen range, where the loudest (a kick over a bass) should.
    """
    import librosa
    from scipy.ndimage import maximum_filter1d

    margin = 3 * RISE
    spectrum = block.amplitudes(_one_sided(), NEWEST, margin=margin)
    strength = librosa.feature.melspectrogram(S=spectrum, sr=RATE_HZ, n_fft=FLUX_SAMPLES, n_mels=BANDS, norm=1)
    centres = librosa.mel_frequencies(BANDS + 2, fmax=HIGHEST_HZ)[1:-1]
    inside = (centres >= low_hz) & (centres <= high_hz)
    inside[np.argmin(np.abs(centres - (low_hz + high_hz) / 2))] |= not inside.any()
    strength = strength[inside]
    if low_hz <= LOWEST_HZ and high_hz >= HIGHEST_HZ:
        strength = np.log1p(COMPRESSION * strength)
    rise = functools.partial(
        librosa.onset.onset_strength,
        sr=RATE_HZ,
        ref=maximum_filter1d(strength, 3, axis=0),
        lag=LAG,
        center=False,
        aggregate=np.sum,
    )
    flux = rise(S=strength)
    height = rise(S=maximum_filter1d(strength, RISE + 1, axis=1, origin=-(RISE // 2)))
    nearby = maximum_filter1d(flux, 2 * RISE + 1)
    shape = np.divide(flux, nearby, out=np.zeros_like(flux), where=nearby > 1e-9)
    return (height * shape)[None, margin : margin + block.count]


def novelty(block: Block, low_hz: float, high_hz: float) -> np.ndarray:
    """The onsets of the whole spectrum, in which beats are looked for: [1, count]."""
    return onset(block, LOWEST_HZ, HIGHEST_HZ)


def _one_sided() -> np.ndarray:
    """The window that rises within a hop at its newest end, for amplitudes: [1024]."""
    fall = FLUX_SAMPLES - HOP
    window = np.concatenate(
        [np.sin(np.pi / 2 * (np.arange(fall) + 0.5) / fall), np.cos(np.pi / 2 * (np.arange(HOP) + 0.5) / HOP)]
    )
    return window**2 * 2 / np.sum(window**2)


# --- pitch ---------------------------------------------------------------------------------------------------------
LOWEST_NOTE, OCTAVES = "C2", 5
"""65 Hz to 1976 Hz, B6."""
SHARPNESS = 2
"""Windows of 34 periods, twice librosa's: the neighbouring semitone falls on the window's zero."""
CENTRE_HZ, SPREAD_OCTAVES = 440.0, 1.5
"""Notes near A4 count most, those an octave and a half away 0.6: melody and chords more than kick and hiss. In the
bundled piece 7 % is then heard off its scale, 11 % with equal weights."""


def chroma(block: Block, low_hz: float, high_hz: float) -> np.ndarray:
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


FEATURES: dict[str, Feature] = {
    "rms": loudness,
    "onset": onset,
    "beat": novelty,
    "chroma": chroma,
    "band": energy,
}
