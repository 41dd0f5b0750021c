"""From what was measured to 0..1 over the piece: what is 0 and what is 1 for each kind of signal."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gandream.audio.blocks import FEATURE_HZ
from gandream.recipe.signals import Signal

Scale = Callable[[np.ndarray, Signal], np.ndarray]
"""Measured [B, T], the signal -> float64 [B, T]."""

START_S = 0.05
"""Where a file starts in the middle of music, everything begins at once: that onset doesn't set the scale."""
AUDIBLE = 0.1
"""Loudness, relative to the piece's loudest, from which pitch classes are shown in full; below it they fade."""
FAINT = 0.003
"""Loudness, relative to the piece's loudest (-50 dB), below which there is nothing whose colour could be told."""
SILENT_BAND = 0.01
"""A band whose loudest moment is below this share of the loudest band's (-40 dB) is not lifted further."""
OUTLIERS = 1.0
"""Percent at each end of what is heard of pitch and brightness that don't set the scale."""
CENS_S = 41 * 512 / 22050
"""Seconds over which CENS are smoothed, as in librosa."""


def by_peak(measured: np.ndarray, signal: Signal) -> np.ndarray:
    """The highest moment of the piece is 1."""
    highest = measured.max(initial=0.0)
    return measured / highest if highest > 0 else np.zeros_like(measured)


def by_onset(measured: np.ndarray, signal: Signal) -> np.ndarray:
    """The strongest onset is 1, leaving out that the sound begins at all (unless it is one among equals)."""
    highest, later = measured.max(initial=0.0), measured[:, round(START_S * FEATURE_HZ) :].max(initial=0.0)
    return np.minimum(by_peak(measured, signal) * (highest / later if later > 0.1 * highest else 1.0), 1.0)


def by_band(measured: np.ndarray, signal: Signal) -> np.ndarray:
    """The highest moment of each band is 1; bands in which there is next to nothing stay low."""
    highest = np.maximum(measured.max(axis=1, keepdims=True), SILENT_BAND * measured.max(initial=0.0))
    return np.divide(measured, highest, out=np.zeros_like(measured), where=highest > 0)


def by_clarity(measured: np.ndarray, signal: Signal) -> np.ndarray:
    """1 is a pitch class that sounds alone: how far each of the twelve stands out from their median.

    c = max(0, a - median a) / max a in each frame, so that noise, in which all are alike, has no pitch; times
    min(1, loudness / (a tenth of the piece's highest)), so that silence has none.
    """
    if signal.kind == "cens":
        return cens(measured, signal)
    loudest = measured.max(axis=0, keepdims=True)
    above = np.maximum(measured - np.median(measured, axis=0, keepdims=True), 0)
    clear = np.divide(above, loudest, out=np.zeros_like(above), where=loudest > 0)
    return clear * np.minimum(by_peak(loudest, signal) / AUDIBLE, 1.0)


def cens(measured: np.ndarray, signal: Signal) -> np.ndarray:
    """Chroma energy normalised statistics, each frame of length 1 (Müller & Ewert 2011); silence is 0: [12, T].

    A frame's shares of the whole are counted in four steps (0.05, 0.1, 0.2, 0.4), then smoothed over a second.
    """
    import librosa

    if not measured.any():
        return np.zeros_like(measured)
    window = round(CENS_S * FEATURE_HZ)
    return librosa.feature.chroma_cens(
        C=measured, fmin=librosa.note_to_hz("C2"), n_octaves=1, bins_per_octave=12, win_len_smooth=window
    )


def raw_chroma(measured: np.ndarray, signal: Signal) -> np.ndarray:
    """Amplitudes as measured, or CENS."""
    return cens(measured, signal) if signal.kind == "cens" else measured


def raw_tonnetz(measured: np.ndarray, signal: Signal) -> np.ndarray:
    """The tonal centroid, -1..1 (Harte, Sandler & Gasser 2006); the middle, 0, where nothing has a pitch: [6, T]."""
    import librosa

    return librosa.feature.tonnetz(chroma=by_clarity(measured, signal))


def by_place(measured: np.ndarray, signal: Signal) -> np.ndarray:
    """The tonal centroid with its middle at 0.5."""
    return (raw_tonnetz(measured, signal) + 1) / 2


def held(measured: np.ndarray, signal: Signal) -> np.ndarray:
    """Values [B, T] of values and loudness [B + 1, T], where there is next to none the last that was heard before."""
    values, heard = measured[:-1], _heard(measured)
    if not heard.any():
        return np.zeros_like(values)
    last = np.maximum.accumulate(np.where(heard, np.arange(len(heard)), int(np.argmax(heard))))
    return values[:, last]


def _heard(measured: np.ndarray) -> np.ndarray:
    """Where there is more than next to no loudness, the last of rows [B + 1, T]: bool [T]."""
    return measured[-1] > FAINT * measured[-1].max(initial=0.0)


def by_range(measured: np.ndarray, signal: Signal) -> np.ndarray:
    """Each from its lowest (0) to its highest (1) that is heard, the outermost percent left out; constant ones 0.5."""
    values, heard = held(measured, signal), _heard(measured)
    if not heard.any():
        return np.zeros_like(values)
    low, high = np.percentile(values[:, heard], [OUTLIERS, 100 - OUTLIERS], axis=1)[..., None]
    wide = high - low > 1e-6
    return np.where(wide, np.clip((values - low) / np.where(wide, high - low, 1), 0, 1), 0.5)


def by_octave(measured: np.ndarray, signal: Signal) -> np.ndarray:
    """From the lowest (0) to the highest (1) that is heard, evenly in octaves, the outermost percent left out."""
    return by_range(np.concatenate([np.log2(np.maximum(measured[:-1], 1.0)), measured[-1:]]), signal)


def sounding(measured: np.ndarray, signal: Signal) -> np.ndarray:
    """Values [1, T] of values and loudness [2, T], 0 where there is next to none."""
    return np.where(_heard(measured), measured[:1], 0.0)


def by_heard_peak(measured: np.ndarray, signal: Signal) -> np.ndarray:
    """The highest that is heard is 1, silence 0."""
    return by_peak(sounding(measured, signal), signal)


SCALES: dict[str, Scale] = {
    "rms": by_peak,
    "onset": by_onset,
    "chroma": by_clarity,
    "band": by_peak,
    "mel": by_band,
    "centroid": by_octave,
    "flatness": by_heard_peak,
    "flux": by_onset,
    "contrast": by_peak,
    "mfcc": by_range,
    "harmonic": by_peak,
    "percussive": by_peak,
    "pitch": by_octave,
    "tonnetz": by_place,
    "beat": by_peak,
    "bar": by_peak,
    "tempo": by_peak,
    "section": by_peak,
    "label": by_peak,
    "section_start": by_peak,
    "drop": by_peak,
}
RAW: dict[str, Scale] = {
    "chroma": raw_chroma,
    "centroid": held,
    "flatness": sounding,
    "mfcc": held,
    "pitch": held,
    "tonnetz": raw_tonnetz,
}
"""What ``scale: none`` gives where it isn't just what was measured."""
