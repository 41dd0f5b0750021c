"""The film's time line: its frame clock laid against the music's seconds, beats and bars."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from gandream.base.clock import Clock
from gandream.base.tempo import BeatGrid
from gandream.recipe.times import Time


@dataclass(frozen=True)
class Timeline:
    """What a time of the recipe is in seconds of the film.

    ``start_s`` is where in the music the film begins; ``grid`` is in seconds of the music, None where nothing is told
    in beats; ``sections_s`` are where the music's sections begin. In a scene, ``scene_s`` are the seconds of the film
    where it begins and ends, and ``origin_s`` is what lengths are counted from: where it begins, for words of its own.
    """

    clock: Clock
    start_s: Fraction = Fraction(0)
    grid: BeatGrid | None = None
    sections_s: tuple[float, ...] = ()
    scene_s: tuple[float, float] | None = None
    origin_s: float = 0.0

    def moment_s(self, time: Time) -> float:
        """A point in the film, in seconds from its first frame. Beats and bars are places on the music's grid."""
        if time.unit == "%":
            return float(self.clock.duration * time.amount / 100)
        if time.unit == "frames":
            return float(time.amount / self.clock.fps)
        if time.unit == "s":
            return float(time.amount)
        if time.unit == "section":
            return self.sections_s[int(time.amount) - 1] - float(self.start_s)
        grid, beats = self._beats(time)
        return grid.time_of(beats + (grid.downbeat if time.unit == "bars" else 0)) - float(self.start_s)

    def length_s(self, time: Time) -> float:
        """How long something is, in seconds; beats at the median tempo."""
        if time.unit not in ("beats", "bars"):
            return self.moment_s(time)
        grid, beats = self._beats(time)
        return beats * grid.interval_s

    def end_s(self, time: Time, after_s: float = 0.0) -> float:
        """How long a length is that begins with the film, or so long after; beats as they are played."""
        if time.unit not in ("beats", "bars"):
            return self.length_s(time)
        grid, beats = self._beats(time)
        start = float(self.start_s) + after_s
        return grid.time_of(float(grid.beat_at(start)) + beats) - start

    def steps(self, time: Time) -> np.ndarray:
        """How many times a length has passed since the film began, float64 [F]; beats as they are played."""
        return self.steps_at(time, self.clock.times)

    def steps_at(self, time: Time, seconds: np.ndarray | float) -> np.ndarray:
        """How many times a length has passed at some seconds of the film, from its first frame or the scene's on."""
        if time.unit not in ("beats", "bars"):
            return np.asarray((seconds - self.origin_s) / self.length_s(time))
        grid, per_step = self._beats(time)
        start = float(self.start_s)
        return (grid.beat_at(seconds + start) - grid.beat_at(start + self.origin_s)) / per_step

    def anchored(self, values: np.ndarray, steady: np.ndarray | float = 0.0) -> np.ndarray:
        """Values [F] that add up over time, moved so that they are as the steady ones where the scene's words begin."""
        if not self.origin_s:
            return values
        gap = np.interp(self.origin_s, self.clock.times, np.broadcast_to(steady, values.shape) - values)
        return values + gap

    @cached_property
    def since(self) -> np.ndarray:
        """Seconds since the film began, or the scene of whose words this is the line: float64 [F]."""
        return self.clock.times - self.origin_s

    def _beats(self, time: Time) -> tuple[BeatGrid, float]:
        """The grid, and how many beats there are in beats or bars."""
        assert self.grid is not None, "compose() makes the grid when the recipe has beats"
        return self.grid, float(time.amount) * (self.grid.beats_per_bar if time.unit == "bars" else 1)

    @cached_property
    def music_times(self) -> np.ndarray:
        """Seconds of the music at each frame, float64 [F]."""
        return self.clock.times + float(self.start_s)
