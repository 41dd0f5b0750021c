"""The recipe's music and time: what is heard, where the beats are, how long the film is."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np

from gandream.audio.analyse import Analysis, analyse
from gandream.audio.signals import sample
from gandream.base.clock import Clock, exact, frames_in
from gandream.base.errors import AudioError
from gandream.base.tempo import BeatGrid
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import SAY_TEMPO, Recipe, needs_beats, no_beats
from gandream.recipe.times import Time
from gandream.trajectory.timeline import Timeline
from gandream.trajectory.walks import DEFAULT_STEP

MAX_FRAMES = 2_000_000
"""Nine hours at 60 fps; curves of the whole film are held in memory."""
NO_MUSIC_S = Fraction(10)


def listen(recipe: Recipe, cache: Path | None, *, beats: bool = False) -> dict[Path, Analysis]:
    """Analyse each sound file once, for all that is asked of it; with ``beats``, track the music's in any case."""
    wanted: dict[Path, list] = {recipe.audio.path: []} if recipe.audio else {}
    for signal in recipe.signals.values():
        source = signal.of or recipe.audio
        assert source is not None, "the recipe is checked to have music for its signals"
        wanted.setdefault(source.path, []).append(signal)
    tracked = beats or (recipe.tempo.bpm is None and needs_beats(recipe))
    heard = {}
    for path, signals in wanted.items():
        own_beats = tracked and recipe.audio is not None and path == recipe.audio.path
        asked = own_beats or any(signal.source == "beat" for signal in signals)
        try:
            heard[path] = analyse(path, signals, beats=asked, cache=cache)
        except AudioError as error:
            named = ("audio",) if recipe.audio and path == recipe.audio.path else _naming(recipe, path)
            raise AudioError(recipe.where(named), f"{error.where}: {error.problem}", error.hint) from error
    return heard


def _naming(recipe: Recipe, path: Path) -> Path_:
    name = next(name for name, signal in recipe.signals.items() if signal.of and signal.of.path == path)
    return ("signals", name, "of")


def lay_out(recipe: Recipe, music: Analysis | None, *, beats: bool = False) -> Timeline:
    """The film's time line: its clock, where in the music it begins, and the beats."""
    video = recipe.video
    grid = _grid(recipe, music, beats or needs_beats(recipe))
    rough = Timeline(Clock(video.fps, 1), Fraction(0), grid)  # for all but percentages, the length doesn't matter
    start = Fraction(0)
    if video.start is not None:
        if video.start.unit == "%":
            start = (music.duration_s if music else Fraction(0)) * video.start.amount / 100
        else:
            start = _exactly(rough.moment_s, video.start, video.fps)
        if music is not None and start >= music.duration_s:
            problem = f"the film can't begin at {float(start):.2f} s: the music ends at {float(music.duration_s):.2f} s"
            raise recipe.error(("video", "start"), problem)
    rough = Timeline(rough.clock, start, grid)
    frames = frames_in(_duration(recipe, music, rough), video.fps)
    if frames > MAX_FRAMES:
        problem = f"{frames} frames are too many for one film (at most {MAX_FRAMES})"
        raise recipe.error(("video", "duration"), problem, "Make several films of it.")
    return Timeline(Clock(video.fps, frames), start, grid)


def _duration(recipe: Recipe, music: Analysis | None, rough: Timeline) -> Fraction:
    walk, video = recipe.walk, recipe.video
    if len(walk.through) == 1 and recipe.classes is not None:
        walk = recipe.classes  # what moves is the class
    if video.duration is not None:
        return _exactly(rough.end_s, video.duration, video.fps)
    if music is not None:
        return music.duration_s - rough.start_s
    if len(walk.through) == 1:
        return NO_MUSIC_S
    if walk.at is not None:
        times = [_exactly(rough.moment_s, time, video.fps) for time in walk.at if time.unit != "%"]
        return times[-1] + (times[-1] - times[-2] if walk.loop else 0) if len(times) > 1 else NO_MUSIC_S
    steps = len(walk.through) if walk.loop else len(walk.through) - 1
    return _exactly(rough.length_s, walk.every or DEFAULT_STEP, video.fps) * steps


def _exactly(seconds: Callable[[Time], float], time: Time, fps: Fraction) -> Fraction:
    """Seconds of a time without going through floats where it is told in seconds or frames."""
    if time.unit == "s":
        return time.amount
    return time.amount / fps if time.unit == "frames" else exact(round(seconds(time), 9))


def _grid(recipe: Recipe, music: Analysis | None, wanted: bool) -> BeatGrid | None:
    tempo = recipe.tempo
    downbeat = None
    if tempo.first_beat is not None:
        if tempo.first_beat.unit not in ("s", "frames"):
            raise recipe.error(("tempo", "first_beat"), "wanted a time in seconds or frames of the music")
        downbeat = float(_exactly(lambda time: float(time.amount), tempo.first_beat, recipe.video.fps))
    if tempo.bpm is not None:
        return BeatGrid.steady(tempo.bpm, tempo.beats_per_bar, downbeat or 0.0)
    if not wanted:
        return None
    if music is not None and music.beats_s is not None:
        return BeatGrid(tuple(music.beats_s), tempo.beats_per_bar, downbeat)
    if music is None:
        raise no_beats(recipe)
    raise recipe.error(("audio",), "no beat was found in this music", SAY_TEMPO)


def sampled(recipe: Recipe, heard: dict[Path, Analysis], line: Timeline) -> dict[str, np.ndarray]:
    """The recipe's signals at every frame: float32 [F], or [F, B] with bands."""
    values = {}
    for name, signal in recipe.signals.items():
        source = signal.of or recipe.audio
        assert source is not None, "the recipe is checked to have music for its signals"
        values[name] = sample(heard[source.path], signal, line.clock, line.start_s, line.length_s)
    return values
