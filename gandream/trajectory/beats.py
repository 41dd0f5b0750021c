"""The beat grid of a film: told, or heard and corrected, and the beats that signals pulse on."""

from __future__ import annotations

import math

import numpy as np

from gandream.audio.analyse import Analysis
from gandream.audio.signals import Grid
from gandream.base.tempo import BeatGrid
from gandream.recipe.recipe import SAY_TEMPO, Recipe, no_beats
from gandream.recipe.times import Time
from gandream.trajectory.length import exactly
from gandream.trajectory.timeline import Timeline


def film_grid(recipe: Recipe, music: Analysis | None, wanted: bool) -> BeatGrid | None:
    """The grid in seconds of the music; None where it is neither told nor wanted."""
    tempo = recipe.tempo
    downbeat = None
    if tempo.first_beat is not None:
        downbeat = _in_music(recipe, tempo.first_beat, "first_beat")
    if tempo.bpm is not None:
        return BeatGrid.steady(tempo.bpm, tempo.beats_per_bar, downbeat or 0.0)
    if tempo.beats is not None:
        beats = tuple(_in_music(recipe, time, "beats") for time in tempo.beats)
        return BeatGrid(beats, tempo.beats_per_bar, downbeat)
    if not wanted:
        return None
    if music is not None and music.beats_s is not None:
        grid = BeatGrid(tuple(music.beats_s), tempo.beats_per_bar, downbeat)
        return grid if tempo.factor in (None, 1) else _corrected(grid, tempo.factor, recipe)
    if music is None:
        raise no_beats(recipe)
    raise recipe.error(("audio",), "no beat was found in this music", SAY_TEMPO)


def _in_music(recipe: Recipe, time: Time, word: str) -> float:
    if time.unit not in ("s", "frames"):
        raise recipe.error(("tempo", word), "wanted a time in seconds or frames of the music")
    return float(exactly(lambda time: float(time.amount), time, recipe.video.fps))


def _corrected(grid: BeatGrid, factor: float, recipe: Recipe) -> BeatGrid:
    """The grid with ``factor`` beats for each that was heard, one of them at the downbeat."""
    first, last = grid.downbeat, len(grid.beats_s) - 1
    numbers = np.arange(math.ceil((0 - first) * factor - 1e-9), math.floor((last - first) * factor + 1e-9) + 1)
    if len(numbers) < 2:
        raise recipe.error(("tempo", "factor"), f"of {last + 1} beats that were heard, too few are left")
    beats = np.interp(first + numbers / factor, np.arange(last + 1), grid.beats_s)
    return BeatGrid(tuple(beats.tolist()), grid.beats_per_bar, grid.downbeat_s)


def laid(recipe: Recipe, analysis: Analysis, line: Timeline, *, own: bool) -> Grid:
    """The beats and bars that pulses stand on: those of the film's grid in its music, a stem's own in a stem."""
    tempo = recipe.tempo
    grid = line.grid if own else None
    if grid is None and analysis.beats_s is not None:
        grid = BeatGrid(tuple(analysis.beats_s), tempo.beats_per_bar)
    if grid is None:
        return Grid()
    first, last = 0, len(grid.beats_s) - 1
    if own and tempo.bpm is not None:  # a tempo that is told goes on through the whole music
        first, last = (int(np.floor(grid.beat_at(at))) for at in (0.0, float(analysis.duration_s)))
    beats = np.arange(first, last + 1)
    times = np.interp(beats, np.arange(len(grid.beats_s)), grid.beats_s)
    times += (np.minimum(beats, 0) + np.maximum(beats - len(grid.beats_s) + 1, 0)) * grid.interval_s
    bars = times[(beats - round(grid.downbeat)) % grid.beats_per_bar == 0]
    return Grid(tuple(times.tolist()), tuple(bars.tolist()))
