"""What is measured in the music: per kind of signal one function of a block, 150 times a second, in its own unit."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from gandream.audio.blocks import ENERGY_SAMPLES, HOP, RATE_HZ, Block, hann, spectra

LOWEST_HZ, HIGHEST_HZ = 20.0, RATE_HZ / 2
"""What is heard where ``low`` and ``high`` say nothing."""

Feature = Callable[[Block, float, float], np.ndarray]
"""Block, low and high in Hz -> float32 [B, count]."""


def energy(block: Block, low_hz: float, high_hz: float) -> np.ndarray:
    """Mean square of the samples between two frequencies in the 93 ms around each frame: [1, count]."""
    spacing = RATE_HZ / ENERGY_SAMPLES
    edges = (np.arange(ENERGY_SAMPLES // 2 + 2) - 0.5) * spacing
    # Each bin counts with the share of it that lies in the range; bins 0 and 1 also hold the constant offset.
    share = np.clip(np.minimum(edges[1:], high_hz) - np.maximum(edges[:-1], low_hz), 0, None) / spacing
    share[:2] = 0
    return (block.energy @ share.astype(np.float32))[None]


def loudness(block: Block, low_hz: float, high_hz: float) -> np.ndarray:
    """Root mean square between two frequencies: [1, count]."""
    return np.sqrt(energy(block, low_hz, high_hz))


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
PER_OCTAVE = 24


def onset(block: Block, low_hz: float, high_hz: float) -> np.ndarray:
    """How much begins at each frame between two frequencies: [1, count].

    Spectral flux on quarter tones with a maximum filter over frequency against vibrato (Böck & Widmer 2013), in three
    steps of our own: the window is one-sided, so that events are placed by when they start, whatever their loudness;
    each peak is as high as the whole rise of the next 40 ms; and amplitudes are logarithmic over the whole spectrum,
    where quiet instruments should count, but linear in a chosen range, where the loudest (a kick over a bass) should.
    """
    from scipy.ndimage import maximum_filter1d

    margin = 3 * RISE
    strength = _quarter_tones(block, low_hz, high_hz, margin)
    if low_hz <= LOWEST_HZ and high_hz >= HIGHEST_HZ:
        strength = np.log1p(COMPRESSION * strength)
    earlier = np.zeros_like(strength)
    earlier[LAG:] = maximum_filter1d(strength[:-LAG], 3, axis=1)
    flux = np.maximum(strength - earlier, 0).sum(axis=1)
    coming = maximum_filter1d(strength, RISE + 1, axis=0, origin=-(RISE // 2))
    height = np.maximum(coming - earlier, 0).sum(axis=1)
    nearby = maximum_filter1d(flux, 2 * RISE + 1)
    shape = np.divide(flux, nearby, out=np.zeros_like(flux), where=nearby > 1e-9)
    return (height * shape)[None, margin : margin + block.count]


def novelty(block: Block, low_hz: float, high_hz: float) -> np.ndarray:
    """The onsets of the whole spectrum, in which beats are looked for: [1, count]."""
    return onset(block, LOWEST_HZ, HIGHEST_HZ)


def _quarter_tones(block: Block, low_hz: float, high_hz: float, margin: int) -> np.ndarray:
    """Amplitude per quarter tone (per FFT bin where it is wider), frames [-margin, count + margin): [frames, bands]."""
    window, bank, centres = _flux_tables()
    inside = (centres >= low_hz) & (centres <= high_hz)
    if not inside.any():
        inside[np.argmin(np.abs(centres - (low_hz + high_hz) / 2))] = True
    spectrum = np.abs(spectra(block.windows(window, NEWEST, before=margin, after=margin)))
    return spectrum @ bank[:, inside]


@functools.cache
def _flux_tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Window that rises within a hop at its newest end; triangles over FFT bins [513, bands], their centres in Hz."""
    fall = FLUX_SAMPLES - HOP
    window = np.concatenate(
        [np.sin(np.pi / 2 * (np.arange(fall) + 0.5) / fall), np.cos(np.pi / 2 * (np.arange(HOP) + 0.5) / HOP)]
    )
    window = (window**2 * 2 / np.sum(window**2)).astype(np.float32)
    spacing, last = RATE_HZ / FLUX_SAMPLES, FLUX_SAMPLES // 2
    tones_hz = spacing * 2 ** (np.arange(PER_OCTAVE * 10) / PER_OCTAVE)
    corners = np.unique(np.concatenate([[0], np.round(tones_hz[tones_hz <= HIGHEST_HZ] / spacing), [last]])).astype(int)
    bins = np.arange(last + 1)
    triangles = [np.interp(bins, corners[i : i + 3], (0, 1, 0), left=0, right=0) for i in range(len(corners) - 2)]
    bank = np.stack([triangle / triangle.sum() for triangle in triangles], axis=1).astype(np.float32)
    return window, bank, corners[1:-1] * spacing


# --- pitch ---------------------------------------------------------------------------------------------------------
PITCH_SAMPLES = 8192
PITCH_STEP = 3
"""Feature frames from one pitch spectrum to the next (20 ms); between them is interpolated."""
LOWEST_NOTE, NOTES = 36, 60
"""MIDI number of C2 (65 Hz), and five octaves up to B6 (1976 Hz)."""
CENTRE_OCTAVES, SPREAD_OCTAVES = 69 / 12, 1.5
"""Notes near A4 (440 Hz) count most, those an octave and a half away 0.6: melody and chords more than kick and hiss."""
PERIODS = 34
"""Periods of a note that its window holds (372 ms at most): the neighbouring semitone falls on the window's zero."""


def chroma(block: Block, low_hz: float, high_hz: float) -> np.ndarray:
    """Amplitude of the twelve pitch classes C, C#, ... B over five octaves at A = 440 Hz: [12, count].

    A constant-Q transform by kernels in frequency (Brown & Puckette 1992), each note's window centred on the frame.
    """
    kernels = _note_kernels()
    spectrum = spectra(
        block.windows(np.ones(PITCH_SAMPLES, np.float32), PITCH_SAMPLES // 2, after=PITCH_STEP, step=PITCH_STEP)
    )
    notes = np.abs(spectrum[:, : len(kernels)] @ kernels)
    classes = notes.reshape(len(notes), -1, 12).sum(axis=1)
    frames, known = np.arange(block.count), np.arange(len(classes)) * PITCH_STEP
    return np.stack([np.interp(frames, known, one) for one in classes.T]).astype(np.float32)


@functools.cache
def _note_kernels() -> np.ndarray:
    """What a spectrum is multiplied by to give notes: complex64 [bins below 2.3 kHz, NOTES]."""
    columns = []
    for note in range(LOWEST_NOTE, LOWEST_NOTE + NOTES):
        pitch_hz = 440.0 * 2 ** ((note - 69) / 12)
        length = min(PITCH_SAMPLES, round(PERIODS * RATE_HZ / pitch_hz)) // 2 * 2
        window = np.zeros(PITCH_SAMPLES)
        window[(PITCH_SAMPLES - length) // 2 : (PITCH_SAMPLES + length) // 2] = hann(length) * 2 / length
        window *= np.exp(-0.5 * ((note / 12 - CENTRE_OCTAVES) / SPREAD_OCTAVES) ** 2)
        wave = window * np.exp(2j * np.pi * pitch_hz / RATE_HZ * np.arange(PITCH_SAMPLES))
        columns.append(np.fft.fft(wave)[: round(2300 * PITCH_SAMPLES / RATE_HZ)].conj() / PITCH_SAMPLES)
    return np.stack(columns, axis=1).astype(np.complex64)


FEATURES: dict[str, Feature] = {
    "rms": loudness,
    "onset": onset,
    "beat": novelty,
    "chroma": chroma,
    "band": energy,
}
