"""Signals on the frame clock: what was measured, brought to 0..1 over the piece, shaped, and sampled for each frame."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from gandream.audio.analyse import Analysis, feature_key
from gandream.audio.envelope import Seconds, shaped, span
from gandream.audio.laid import LAID, Grid
from gandream.audio.scales import RAW, SCALES
from gandream.base.clock import Clock
from gandream.recipe.signals import Signal

__all__ = ["Grid", "on_frames", "sample"]


def sample(
    analysis: Analysis, signal: Signal, clock: Clock, start_s: Fraction, seconds: Seconds, grid: Grid | None = None
) -> np.ndarray:
    """One signal for every frame: float32 [F], or [F, B] with bands.

    Frame k shows the music at ``start_s`` + k/fps. A peak between two frames is shown by the nearer one at its full
    height, so that no short event is lost or depends on how it meets the frame clock. Frames past the end of the
    music are 0 before ``range``. ``grid`` are the beats and bars as they are told, else those tracked, four to a bar.
    """
    beats_s = analysis.beats_s or ()
    grid = Grid(beats_s, beats_s[::4]) if grid is None else grid
    curve = shaped(_whole_piece(analysis, signal, grid), signal, seconds, analysis.rate_hz)
    return on_frames(curve, signal, clock, start_s, seconds, analysis.rate_hz, float(analysis.duration_s))


def on_frames(
    curve: np.ndarray,
    signal: Signal,
    clock: Clock,
    start_s: Fraction,
    seconds: Seconds,
    rate_hz: int,
    end_s: float = np.inf,
) -> np.ndarray:
    """A shaped curve [B, T] for every frame, in the signal's range: float32 [F] or [F, B]; from the end on as 0."""
    times = float(start_s) + clock.times
    frames = np.stack([_sampled(row, times, float(clock.fps), rate_hz) for row in curve], axis=1)
    frames[times >= end_s] = 0
    frames = span(frames, signal, seconds, rate_hz).astype(np.float32)
    return frames if signal.band_names else frames[:, 0]


def _sampled(curve: np.ndarray, times: np.ndarray, fps: float, rate_hz: int) -> np.ndarray:
    """A curve [T] at times of frames [F]; where a frame is the nearest to a local peak, the peak."""
    sampled = np.interp(times * rate_hz, np.arange(len(curve)), curve, right=0.0)
    before, after = np.append(-np.inf, curve[:-1]), np.append(curve[1:], -np.inf)
    peaks = np.flatnonzero((curve > before) & (curve >= after))
    nearest = np.floor((peaks / rate_hz - times[0]) * fps + 0.5).astype(int)
    inside = (nearest >= 0) & (nearest < len(times))
    np.maximum.at(sampled, nearest[inside], curve[peaks[inside]])
    return sampled


def _whole_piece(analysis: Analysis, signal: Signal, grid: Grid) -> np.ndarray:
    """The bare signal of the whole piece, float64 [B, T]: 0..1, or as measured, or in units of ``scale``."""
    if signal.source in LAID:
        measured = LAID[signal.source](analysis, grid)
    else:
        measured = analysis.features[feature_key(signal)].astype(np.float64)
    if signal.scale in (None, "piece"):
        return SCALES[signal.source](measured, signal)
    raw = RAW[signal.source](measured, signal) if signal.source in RAW else measured
    return raw / signal.scale if isinstance(signal.scale, float) else raw
