"""How much begins at each moment: onset strength by several detectors, each peak where the event is and as high."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gandream.audio.blocks import HOP, RATE_HZ, Block
from gandream.audio.measure import HIGHEST_HZ, LOWEST_HZ, Measure
from gandream.audio.spectra import frequencies, highest, mel_filters, mel_frequencies

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
MARGIN = 3 * RISE
"""Feature frames beyond both ends of a block, so that peaks at its borders are measured alike."""
COMPRESSION = 100.0
BANDS = 138
"""Mel bands: one per FFT bin up to 1 kHz, above it 28 per octave, quarter tones."""


def onset(block: Block, measure: Measure) -> np.ndarray:
    """How much begins at each frame between two frequencies, as the measure's detector has it: [1, count].

    librosa's flux alone peaks 8 ms before a click and 3 ms before noise, has 0.4 of a kick's height before it, and
    moves 4 ms with loudness; so the window is one-sided, which places events by when they start, and each peak is as
    high as the whole rise of the next 40 ms. Amplitudes are logarithmic over the whole spectrum, where quiet
    instruments should count, but linear in a chosen range, where the loudest (a kick over a bass) should.
    """
    spectrum = block.stft(_one_sided(), NEWEST, margin=MARGIN)
    found = DETECTORS[measure.detector](spectrum, measure.low_hz, measure.high_hz)
    return found[None, MARGIN : MARGIN + block.count]


def novelty(block: Block, measure: Measure) -> np.ndarray:
    """The onsets of the whole spectrum, in which beats are looked for: [1, count]."""
    return onset(block, Measure("onset"))


def superflux(spectrum: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    """Rises of mel bands above what these and their neighbours were (Böck & Widmer 2013): [frames].

    Spectral flux with a maximum filter over frequency against vibrato.
    """
    centres = mel_frequencies(BANDS + 2, 0.0, HIGHEST_HZ)[1:-1]
    filters = mel_filters(BANDS, 0.0, RATE_HZ / 2, RATE_HZ, FLUX_SAMPLES, "sum")
    strength = filters[_inside(centres, low_hz, high_hz)] @ np.abs(spectrum)
    if low_hz <= LOWEST_HZ and high_hz >= HIGHEST_HZ:
        strength = np.log1p(COMPRESSION * strength)
    return _risen(strength, highest(strength.T, 1, 1).T)


def flux(spectrum: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    """Rises of the amplitude in each bin (Bello et al. 2005, eq. 4 with the L1 norm of Dixon 2006): [frames]."""
    return _risen(np.abs(_bins(spectrum, low_hz, high_hz)))


def energy(spectrum: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    """Rises of the loudness of all bins together (Bello et al. 2005, section III.B.1): [frames]."""
    return _risen(np.sqrt(np.sum(np.abs(_bins(spectrum, low_hz, high_hz)) ** 2, axis=0, keepdims=True)))


def hfc(spectrum: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    """Rises of the high-frequency content, the power of bin k weighted by k (Masri 1996, section 4.3): [frames]."""
    weights = np.arange(len(spectrum), dtype=np.float32)[:, None]
    return _risen(np.sum(_bins(np.abs(spectrum) ** 2 * weights, low_hz, high_hz), axis=0, keepdims=True))


def complex_domain(spectrum: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    """How far each bin is from where its last two spectra lead, counting what doesn't fade: [frames].

    Duxbury et al. 2003, rectified as in Dixon 2006, eq. 2.9: the expected bin has the last amplitude, and goes on
    turning as it did.
    """
    bins = _bins(spectrum, low_hz, high_hz)
    now, last, before = bins[:, 2 * LAG :], bins[:, LAG:-LAG], bins[:, : -2 * LAG]
    turn = last * np.conj(before)
    expected = last * np.divide(turn, np.abs(turn), out=np.ones_like(turn), where=np.abs(turn) > 1e-12)
    off = np.sum(np.where(np.abs(now) >= np.abs(last), np.abs(now - expected), 0), axis=0)
    off = np.pad(off, (2 * LAG, 0))
    # As high as the highest of the next 40 ms, where the flux of amplitudes peaks.
    return _peaked(_flux(np.abs(bins)), highest(off, 0, RISE))


DETECTORS: dict[str, Callable[[np.ndarray, float, float], np.ndarray]] = {
    "superflux": superflux,
    "flux": flux,
    "energy": energy,
    "hfc": hfc,
    "complex": complex_domain,
}
"""Complex spectra [513, frames], low and high in Hz -> what begins [frames]."""


def _inside(centres: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    """Which centres lie between two frequencies, at least the nearest to their middle."""
    inside = (centres >= low_hz) & (centres <= high_hz)
    inside[np.argmin(np.abs(centres - (low_hz + high_hz) / 2))] |= not inside.any()
    return inside


def _bins(spectrum: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    return spectrum[_inside(frequencies(RATE_HZ, FLUX_SAMPLES), low_hz, high_hz)]


def _flux(strength: np.ndarray, before: np.ndarray | None = None) -> np.ndarray:
    """The sum of the rises of the rows against LAG frames before: [frames]."""
    before = strength if before is None else before
    return np.pad(np.maximum(strength[:, LAG:] - before[:, :-LAG], 0).sum(axis=0), (LAG, 0))


def _risen(strength: np.ndarray, before: np.ndarray | None = None) -> np.ndarray:
    """Flux, each of its peaks as high as the whole rise of the next 40 ms: [frames]."""
    before = strength if before is None else before
    height = _flux(highest(strength, 0, RISE), before)
    return _peaked(_flux(strength, before), height)


def _peaked(flux: np.ndarray, height: np.ndarray) -> np.ndarray:
    """The shape of the flux with this height: [frames]."""
    nearby = highest(flux, RISE, RISE)
    return height * np.divide(flux, nearby, out=np.zeros_like(flux), where=nearby > 1e-9)


def _one_sided() -> np.ndarray:
    """The window that rises within a hop at its newest end, for amplitudes: [1024]."""
    fall = FLUX_SAMPLES - HOP
    window = np.concatenate(
        [np.sin(np.pi / 2 * (np.arange(fall) + 0.5) / fall), np.cos(np.pi / 2 * (np.arange(HOP) + 0.5) / HOP)]
    )
    return window**2 * 2 / np.sum(window**2)
