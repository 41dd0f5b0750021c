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
    in beats.
    """

    clock: Clock
    start_s: Fraction = Fraction(0)
    grid: BeatGrid | None = None

    def moment_s(self, time: Time) -> float:
        """A point in the film, in seconds from its first frame. Beats and bars are places on the music's grid."""
        if time.unit == "%":
            return float(self.clock.duration * time.amount / 100)
        if time.unit == "frames":
            return float(time.amount / self.clock.fps)
        if time.unit == "s":
            return float(time.amount)
        grid, beats = self._beats(time)
        return grid.time_of(beats + (grid.downbeat if time.unit == "bars" else 0)) - float(self.start_s)

    def length_s(self, time: Time) -> float:
        """How long something is, in seconds; beats at the median tempo."""
        if time.unit not in ("beats", "bars"):
            return self.moment_s(time)
        grid, beats = self._beats(time)
        return beats * grid.interval_s

    def end_s(self, time: Time) -> float:
        """When a length that begins with the film is over, in seconds; beats as they are played."""
        if time.unit not in ("beats", "bars"):
            return self.length_s(time)
        grid, beats = self._beats(time)
        start = float(self.start_s)
        return grid.time_of(float(grid.beat_at(start)) + beats) - start

    def steps(self, time: Time) -> np.ndarray:
        """How many times a length has passed since the film began, float64 [F]; beats as they are played."""
        if time.unit not in ("beats", "bars"):
            return self.clock.times / self.length_s(time)
        grid, per_step = self._beats(time)
        beats = grid.beat_at(self.music_times)
        return (beats - beats[0]) / per_step

    def _beats(self, time: Time) -> tuple[BeatGrid, float]:
        """The grid, and how many beats there are in beats or bars."""
        assert self.grid is not None, "compose() makes the grid when the recipe has beats"
        return self.grid, float(time.amount) * (self.grid.beats_per_bar if time.unit == "bars" else 1)

    @cached_property
    def music_times(self) -> np.ndarray:
        """Seconds of the music at each frame, float64 [F]."""
        return self.clock.times + float(self.start_s)
