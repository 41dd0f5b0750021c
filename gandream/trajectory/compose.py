"""From recipe, music and model to a trajectory. What depends on the three together is checked here, before frame 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from gandream.audio.analyse import Analysis, analyse
from gandream.audio.signals import sample
from gandream.base.clock import Clock, exact, frames_in
from gandream.base.errors import AudioError
from gandream.base.seeds import named_seed
from gandream.base.tempo import BeatGrid
from gandream.models.spec import Spec
from gandream.recipe.motion import Push
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe, needs_beats
from gandream.recipe.times import Time
from gandream.trajectory import layers
from gandream.trajectory.evaluate import LARGEST, Curves
from gandream.trajectory.pushes import Shove, accumulated
from gandream.trajectory.timeline import Timeline
from gandream.trajectory.trajectory import Trajectory
from gandream.trajectory.walks import DEFAULT_STEP, Track, closed, steady_places, travel

MAX_FRAMES = 2_000_000
"""Nine hours at 60 fps; curves of the whole film are held in memory."""
NO_MUSIC_S = Fraction(10)


@dataclass(frozen=True)
class Score:
    """A compiled recipe with what was heard on the way."""

    trajectory: Trajectory
    music: Analysis | None = None
    warnings: tuple[str, ...] = ()


def compose(recipe: Recipe, spec: Spec, cache: Path | None = None) -> Score:
    """Compile a recipe for a model. ``cache`` is a folder where what was heard is kept; torch is not loaded."""
    heard = _listen(recipe, cache)
    music = heard.get(recipe.audio.path) if recipe.audio else None
    timeline = _timeline(recipe, music)
    signals = _signals(recipe, heard, timeline)
    curves = Curves(recipe, timeline, signals)
    trajectory = Trajectory(
        spec=spec,
        timeline=timeline,
        track=_track(recipe, spec, curves),
        psi=curves.values(recipe.truncation, ("truncation",)),
        shoves=tuple(_shove(recipe, push, ("push", index), spec, curves) for index, push in enumerate(recipe.push)),
        signals=signals,
    )
    warnings = [warning for analysis in heard.values() for warning in analysis.warnings]
    if recipe.video.loop and not recipe.walk.loop and len(recipe.walk.through) > 1:
        warnings.append("video.loop: the walk stays at its last latent (walk.loop is false), so the film won't close")
    return Score(trajectory, music, tuple(warnings))


def _listen(recipe: Recipe, cache: Path | None) -> dict[Path, Analysis]:
    """Analyse each sound file once, for all that is asked of it."""
    wanted: dict[Path, list] = {recipe.audio.path: []} if recipe.audio else {}
    for signal in recipe.signals.values():
        source = signal.of or recipe.audio
        assert source is not None, "the recipe is checked to have music for its signals"
        wanted.setdefault(source.path, []).append(signal)
    tracked = recipe.tempo.bpm is None and needs_beats(recipe)
    heard = {}
    for path, signals in wanted.items():
        own_beats = tracked and recipe.audio is not None and path == recipe.audio.path
        beats = own_beats or any(signal.source == "beat" for signal in signals)
        try:
            heard[path] = analyse(path, signals, beats=beats, cache=cache)
        except AudioError as error:
            named = ("audio",) if recipe.audio and path == recipe.audio.path else _naming(recipe, path)
            raise AudioError(recipe.where(named), f"{error.where}: {error.problem}", error.hint) from error
    return heard


def _naming(recipe: Recipe, path: Path) -> Path_:
    name = next(name for name, signal in recipe.signals.items() if signal.of and signal.of.path == path)
    return ("signals", name, "of")


def _timeline(recipe: Recipe, music: Analysis | None) -> Timeline:
    video = recipe.video
    grid = _grid(recipe, music)
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


def _grid(recipe: Recipe, music: Analysis | None) -> BeatGrid | None:
    tempo = recipe.tempo
    downbeat = None
    if tempo.first_beat is not None:
        if tempo.first_beat.unit not in ("s", "frames"):
            raise recipe.error(("tempo", "first_beat"), "wanted a time in seconds or frames of the music")
        downbeat = float(_exactly(lambda time: float(time.amount), tempo.first_beat, recipe.video.fps))
    if tempo.bpm is not None:
        return BeatGrid.steady(tempo.bpm, tempo.beats_per_bar, downbeat or 0.0)
    if not needs_beats(recipe):
        return None
    if music is not None and music.beats_s is not None:
        return BeatGrid(tuple(music.beats_s), tempo.beats_per_bar, downbeat)
    problem = (
        "no beat was found in this music"
        if music is not None
        else "the recipe tells time in beats or bars, but has no music and no tempo"
    )
    raise recipe.error(
        ("audio",) if music is not None else ("tempo",),
        problem,
        "Say the tempo, for instance `tempo: {bpm: 120}`.",
    )


def _signals(recipe: Recipe, heard: dict[Path, Analysis], line: Timeline) -> dict[str, np.ndarray]:
    values = {}
    for name, signal in recipe.signals.items():
        source = signal.of or recipe.audio
        assert source is not None, "the recipe is checked to have music for its signals"
        values[name] = sample(heard[source.path], signal, line.clock, line.start_s, line.length_s)
    return values


def _track(recipe: Recipe, spec: Spec, curves: Curves) -> Track:
    walk, line = recipe.walk, curves.timeline
    waypoints = spec.latents([latent.seed for latent in walk.through])
    steady = steady_places(walk, line, recipe)
    places = travel(steady, curves.values(walk.speed, ("walk", "speed")))
    if np.abs(places).max() > LARGEST:
        raise recipe.error(("walk",), f"the walk is too fast: it passes more than {LARGEST:.0e} latents")
    if recipe.video.loop and walk.loop and len(places) > 1:
        end = places[-1] + (places[-1] - places[-2])  # where the frame after the last would be
        places = closed(places, float(end), len(waypoints))
    return Track(waypoints, places, walk.path, walk.ease, walk.loop)


def _shove(recipe: Recipe, push: Push, path: Path_, spec: Spec, curves: Curves) -> Shove:
    amounts = curves.values(push.by, (*path, "by"))
    if push.mode == "drift":
        amounts = accumulated(amounts, curves.timeline.clock)
    if push.toward is not None:
        seed = push.toward.seed
    else:
        seed = named_seed(recipe.seed, f"push.{path[1]}.random") if push.random is True else int(push.random or 0)
    chosen = None if push.layers is None else layers.mask(push.layers, spec, recipe, (*path, "layers"))
    latent = spec.latents([seed])[0]
    return Shove(push.toward is not None, latent, amounts, push.box, push.in_w, chosen)
