"""The beat grid: where a time lies in beats and bars, and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class BeatGrid:
    """Beats as a piecewise linear function of time, 0 at the first beat; a bar is ``beats_per_bar`` of them.

    ``beats_s`` are the seconds of two beats or more, rising; before the first and after the last the grid goes on at
    the median interval. ``downbeat_s`` is a time at which a bar begins: at the beat nearest to it.
    """

    beats_s: tuple[float, ...]
    beats_per_bar: int = 4
    downbeat_s: float | None = None

    def __post_init__(self) -> None:
        if len(self.beats_s) < 2:
            raise ValueError(f"a beat grid wants two beats or more, not {len(self.beats_s)}")
        if not (np.isfinite(self.beats_s).all() and (np.diff(self.beats_s) > 0).all()):
            raise ValueError("the beats must be rising, finite seconds")
        if self.beats_per_bar < 1:
            raise ValueError(f"{self.beats_per_bar = }: a bar has one beat or more")

    @classmethod
    def steady(cls, bpm: float, beats_per_bar: int = 4, first_beat_s: float = 0.0) -> BeatGrid:
        """The grid of a fixed tempo in beats per minute."""
        if not 0 < bpm < float("inf"):
            raise ValueError(f"{bpm = }: a tempo is positive")
        return cls((first_beat_s, first_beat_s + 60.0 / bpm), beats_per_bar, first_beat_s)

    @cached_property
    def interval_s(self) -> float:
        """Median seconds from one beat to the next."""
        return float(np.median(np.diff(self.beats_s)))

    @property
    def bpm(self) -> float:
        """Beats per minute, of the median interval."""
        return 60.0 / self.interval_s

    def beat_at(self, times_s: np.ndarray | float) -> np.ndarray:
        """Beats at times in seconds: float64, same shape."""
        times, beats = np.asarray(times_s, np.float64), np.asarray(self.beats_s)
        inside = np.interp(times, beats, np.arange(len(beats)))
        before = np.minimum(times - beats[0], 0.0) / self.interval_s
        after = np.maximum(times - beats[-1], 0.0) / self.interval_s
        return inside + before + after

    @cached_property
    def downbeat(self) -> float:
        """The beat at which bar 0 begins: the one nearest to ``downbeat_s``, or the first."""
        return 0.0 if self.downbeat_s is None else float(np.round(self.beat_at(self.downbeat_s)))

    def bar_at(self, times_s: np.ndarray | float) -> np.ndarray:
        """Bars at times in seconds, 0 at the downbeat: float64, same shape."""
        return (self.beat_at(times_s) - self.downbeat) / self.beats_per_bar

    def time_of(self, beat: float) -> float:
        """Seconds at a (fractional) beat: the inverse of :meth:`beat_at`."""
        last = len(self.beats_s) - 1
        inside = float(np.interp(beat, np.arange(last + 1), self.beats_s))
        return inside + (min(beat, 0.0) + max(beat - last, 0.0)) * self.interval_s
