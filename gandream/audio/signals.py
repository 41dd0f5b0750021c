"""Signals on the frame clock: what was measured, brought to 0..1 over the piece, shaped, and sampled for each frame."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from gandream.audio.analyse import Analysis, feature_key
from gandream.audio.blocks import FEATURE_HZ
from gandream.audio.envelope import Seconds, shaped, span
from gandream.base.clock import Clock
from gandream.recipe.signals import Signal

START_S = 0.05
"""Where a file starts in the middle of music, everything begins at once: that onset doesn't set the scale."""
AUDIBLE = 0.1
"""Loudness, relative to the piece's loudest, from which pitch classes are shown in full; below it they fade."""


def sample(analysis: Analysis, signal: Signal, clock: Clock, start_s: Fraction, seconds: Seconds) -> np.ndarray:
    """One signal for every frame: float32 [F], or [F, 12] for chroma.

    Frame k shows the music at ``start_s`` + k/fps. A peak between two frames is shown by the nearer one at its full
    height, so that no short event is lost or depends on how it meets the frame clock. Frames past the end of the
    music are 0 before ``range``.
    """
    rate_hz = analysis.rate_hz
    curve = shaped(_whole_piece(analysis, signal), signal, seconds, rate_hz)
    times = float(start_s) + clock.times
    frames = np.stack([_sampled(row, times, float(clock.fps), rate_hz) for row in curve], axis=1)
    frames[times >= float(analysis.duration_s)] = 0
    frames = span(frames, signal, seconds, rate_hz).astype(np.float32)
    return frames if signal.source == "chroma" else frames[:, 0]


def _sampled(curve: np.ndarray, times: np.ndarray, fps: float, rate_hz: int) -> np.ndarray:
    """A curve [T] at times of frames [F]; where a frame is the nearest to a local peak, the peak."""
    sampled = np.interp(times * rate_hz, np.arange(len(curve)), curve, right=0.0)
    before, after = np.append(-np.inf, curve[:-1]), np.append(curve[1:], -np.inf)
    peaks = np.flatnonzero((curve > before) & (curve >= after))
    nearest = np.floor((peaks / rate_hz - times[0]) * fps + 0.5).astype(int)
    inside = (nearest >= 0) & (nearest < len(times))
    np.maximum.at(sampled, nearest[inside], curve[peaks[inside]])
    return sampled


def _whole_piece(analysis: Analysis, signal: Signal) -> np.ndarray:
    """The bare signal of the whole piece, 0..1, float64 [B, T]."""
    if signal.source == "beat":
        return _pulses(analysis)
    return SCALES[signal.source](analysis.features[feature_key(signal)].astype(np.float64))


def _pulses(analysis: Analysis) -> np.ndarray:
    pulses = np.zeros((1, int(analysis.duration_s * analysis.rate_hz) + 1))
    places = np.round(np.array(analysis.beats_s or ()) * analysis.rate_hz).astype(int)
    pulses[:, places[places < pulses.shape[1]]] = 1
    return pulses


def by_peak(measured: np.ndarray) -> np.ndarray:
    """The loudest moment of the piece is 1."""
    highest = measured.max(initial=0.0)
    return measured / highest if highest > 0 else np.zeros_like(measured)


def by_onset(measured: np.ndarray) -> np.ndarray:
    """The strongest onset is 1, leaving out that the sound begins at all (unless it is one among equals)."""
    highest, later = measured.max(initial=0.0), measured[:, round(START_S * FEATURE_HZ) :].max(initial=0.0)
    return np.minimum(by_peak(measured) * (highest / later if later > 0.1 * highest else 1.0), 1.0)


def by_clarity(measured: np.ndarray) -> np.ndarray:
    """1 is a pitch class that sounds alone: how far each of the twelve stands out from their median.

    c = max(0, a - median a) / max a in each frame, so that noise, in which all are alike, has no pitch; times
    min(1, loudness / (a tenth of the piece's highest)), so that silence has none.
    """
    loudest = measured.max(axis=0, keepdims=True)
    above = np.maximum(measured - np.median(measured, axis=0, keepdims=True), 0)
    clear = np.divide(above, loudest, out=np.zeros_like(above), where=loudest > 0)
    return clear * np.minimum(by_peak(loudest) / AUDIBLE, 1.0)


SCALES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "rms": by_peak,
    "onset": by_onset,
    "chroma": by_clarity,
    "band": by_peak,
}
