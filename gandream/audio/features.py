"""What is measured in the music: per kind of signal one function of a block, 150 times a second, in its own unit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gandream.audio.blocks import ENERGY_SAMPLES, RATE_HZ, Block
from gandream.audio.measure import Measure
from gandream.audio.onsets import novelty, onset
from gandream.audio.pitches import chroma, chroma_stft, pitch
from gandream.audio.spectra import TINY, frequencies, hann, mel_filters, root_mean_square

Feature = Callable[[Block, Measure], np.ndarray]
"""Block and what is asked -> float32 [B, count]."""


def loudness(block: Block, measure: Measure) -> np.ndarray:
    """Root mean square of the samples between two frequencies in the 93 ms around each frame: [1, count]."""
    weights = np.sqrt(_shares(measure)).astype(np.float32)[:, None]
    return root_mean_square(block.spectrum * weights, ENERGY_SAMPLES)


def _shares(measure: Measure) -> np.ndarray:
    """The share of each bin of the energy spectrum that lies between the two frequencies: [1025], 0..1."""
    spacing = RATE_HZ / ENERGY_SAMPLES
    centres = frequencies(RATE_HZ, ENERGY_SAMPLES)
    share = np.minimum(centres + spacing / 2, measure.high_hz) - np.maximum(centres - spacing / 2, measure.low_hz)
    share = np.clip(share, 0, None) / spacing
    share[:2] = 0  # they also hold the constant offset
    return share


def energy(block: Block, measure: Measure) -> np.ndarray:
    """Mean square between two frequencies: [1, count]."""
    return loudness(block, measure) ** 2


def mel(block: Block, measure: Measure) -> np.ndarray:
    """Root mean square in mel bands between two frequencies: [B, count]; or the energy of them joined, [1, count].

    Where they are joined, each is divided by its width, as librosa's are: so narrow low bands don't count less.
    """
    if measure.join:
        filters = _mel_filters(measure.bands, measure.low_hz, measure.high_hz)
        return JOIN[measure.join](filters @ block.spectrum**2)[None]
    filters = mel_filters(measure.bands, measure.low_hz, measure.high_hz, RATE_HZ, ENERGY_SAMPLES)
    bands = filters @ block.spectrum**2
    return np.sqrt(bands * (2 / ENERGY_SAMPLES**2))  # both halves of the spectrum; Parseval


def _mel_filters(bands: int, low_hz: float, high_hz: float) -> np.ndarray:
    """Triangles of area 1 (Slaney 1998), [B, 1025]; those too narrow to meet a bin are empty, and left out."""
    filters = mel_filters(bands, low_hz, high_hz, RATE_HZ, ENERGY_SAMPLES, "area")
    return filters[filters.any(axis=1)]


JOIN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "max": lambda bands: bands.max(axis=0, initial=0.0),
    "mean": lambda bands: bands.sum(axis=0) / max(1, len(bands)),
}
"""Energies of bands [B, count] -> [count]."""


def centroid(block: Block, measure: Measure) -> np.ndarray:
    """The spectrum's centre of gravity in Hz, and loudness, which says whether anything is heard: [2, count]."""
    inside = block.spectrum * _shares(measure).astype(np.float32)[:, None]
    total = inside.sum(axis=0, keepdims=True)
    centres = frequencies(RATE_HZ, ENERGY_SAMPLES)[:, None]
    centre = np.sum(centres * (inside / np.where(total < TINY, 1, total)), axis=0, keepdims=True)
    return np.concatenate([centre, root_mean_square(inside, ENERGY_SAMPLES)])


def flatness(block: Block, measure: Measure) -> np.ndarray:
    """Geometric by arithmetic mean of the power between two frequencies, 0..1, and loudness: [2, count]."""
    inside = _shares(measure) > 0.5
    inside[np.argmax(_shares(measure))] = True
    power = np.maximum(block.spectrum[inside] ** 2, FAINTEST)
    flat = np.exp(np.log(power).mean(axis=0, keepdims=True)) / power.mean(axis=0, keepdims=True)
    return np.concatenate([flat, loudness(block, measure)])


FAINTEST = 1e-10
"""Power of a bin, below which it counts as this: silence is flat."""


def flux(block: Block, measure: Measure) -> np.ndarray:
    """Euclidean distance of amplitude spectra 27 ms apart, between two frequencies, in amplitudes: [1, count].

    Rises and falls count alike (Lerch 2012, section 3.3.3, without the rectifier).
    """
    half = FLUX_LAG // 2
    window = hann(FLUX_SAMPLES)
    spectrum = block.amplitudes(window * 2 / window.sum(), FLUX_SAMPLES // 2, margin=half)
    centres = frequencies(RATE_HZ, FLUX_SAMPLES)
    inside = (centres >= measure.low_hz) & (centres <= measure.high_hz)
    inside[np.argmin(np.abs(centres - (measure.low_hz + measure.high_hz) / 2))] |= not inside.any()
    change = spectrum[inside, 2 * half :] - spectrum[inside, : -2 * half]
    return np.sqrt(np.sum(change**2, axis=0, keepdims=True))


FLUX_SAMPLES = 1024
"""Window of 46 ms."""
FLUX_LAG = 4
"""Feature frames between the spectra that are compared, half of them on each side of the frame."""


def contrast(block: Block, measure: Measure) -> np.ndarray:
    """Peaks over valleys in dB, in the band below 200 Hz and the octaves above it (Jiang et al. 2002): [B, count]."""
    import librosa

    return librosa.feature.spectral_contrast(S=block.spectrum, sr=RATE_HZ, n_bands=measure.bands - 1)


def mfcc(block: Block, measure: Measure) -> np.ndarray:
    """Cepstral coefficients of mel bands (Davis & Mermelstein 1980) from low to high, and loudness: [B + 1, count].

    The orthonormal discrete cosine transform of the bands' energies in decibels; 0 where there are fewer bands.
    """
    import librosa

    energies = _mel_filters(CEPSTRAL_BANDS, measure.low_hz, measure.high_hz) @ block.spectrum**2
    levels = librosa.power_to_db(energies * (2 / ENERGY_SAMPLES**2), amin=1e-10, top_db=None)
    found = np.zeros((measure.bands + 1, block.spectrum.shape[1]), np.float32)
    coefficients = librosa.feature.mfcc(S=levels, n_mfcc=measure.bands)
    found[: len(coefficients)], found[-1] = coefficients, loudness(block, measure)
    return found


CEPSTRAL_BANDS = 40
"""Mel bands whose cepstrum is taken."""


FEATURES: dict[str, Feature] = {
    "rms": loudness,
    "onset": onset,
    "novelty": novelty,
    "chroma": chroma,
    "chroma stft": chroma_stft,
    "band": energy,
    "mel": mel,
    "centroid": centroid,
    "flatness": flatness,
    "flux": flux,
    "contrast": contrast,
    "mfcc": mfcc,
    "pitch": pitch,
}
"""By :attr:`Measure.kind`."""
