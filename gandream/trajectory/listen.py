"""The recipe's music and time: what is heard, where the beats are, how long the film is."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from gandream.audio.analyse import Analysis, analyse
from gandream.audio.automation import automation
from gandream.audio.blocks import FEATURE_HZ
from gandream.audio.envelope import shaped
from gandream.audio.signals import on_frames, sample
from gandream.base.clock import Clock, frames_in
from gandream.base.errors import AudioError
from gandream.models.spec import Spec
from gandream.recipe.curve import Keyframes
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe, needs_beats, needs_sections, values_in
from gandream.recipe.signals import BEATEN, Signal
from gandream.recipe.times import Time
from gandream.trajectory.beats import film_grid, laid
from gandream.trajectory.footage import watch
from gandream.trajectory.length import exactly, own_length_s
from gandream.trajectory.placed import scenes_length_s
from gandream.trajectory.timeline import Timeline

MAX_FRAMES = 2_000_000
"""Nine hours at 60 fps; curves of the whole film are held in memory."""


def listen(recipe: Recipe, cache: Path | None, *, beats: bool = False, sections: bool = False) -> dict[Path, Analysis]:
    """Analyse each sound file once, for all that is asked of it; and watch videos that lead a walk.

    With ``beats`` the music's beats are tracked in any case, with ``sections`` its sections are found.
    """
    watch(recipe, cache)
    music = recipe.audio.path if recipe.audio else None
    wanted: dict[Path, list[Signal]] = {music: []} if music else {}
    for signal in recipe.signals.values():
        if (source := _source(recipe, signal)) is not None:
            wanted.setdefault(source, []).append(signal)
    heard = {}
    for path, signals in wanted.items():
        own = path == music
        # Sections are parted at beats as they were heard, so a tempo that is told spares no tracking there.
        tracked = own and (beats or (not recipe.tempo.told and needs_beats(recipe)))
        parted = own and (sections or needs_sections(recipe))
        if own and recipe.tempo.told and not beats:
            signals = [signal for signal in signals if signal.source not in BEATEN]
        count = recipe.sections.count or "auto" if parted else None
        try:
            heard[path] = analyse(path, signals, beats=tracked, sections=count, cache=cache)
        except AudioError as error:
            named = ("audio",) if own else _naming(recipe, path)
            raise AudioError(recipe.where(named), f"{error.where}: {error.problem}", error.hint) from error
    return heard


def _source(recipe: Recipe, signal: Signal) -> Path | None:
    """The sound file that a signal is heard in; None where it comes from elsewhere, or from a tempo without music."""
    source = None if signal.automated else signal.of or recipe.audio
    return source and source.path


def _naming(recipe: Recipe, path: Path) -> Path_:
    name = next(name for name, signal in recipe.signals.items() if signal.of and signal.of.path == path)
    return ("signals", name, "of")


def lay_out(recipe: Recipe, music: Analysis | None, *, beats: bool = False, spec: Spec | None = None) -> Timeline:
    """The film's time line: its clock, where in the music it begins, and the beats.

    Without music, the model's facts say how many latents a file holds, and so how long the walk takes.
    """
    video = recipe.video
    grid = film_grid(recipe, music, beats or needs_beats(recipe))
    sections_s = tuple(section.start_s for section in (music and music.sections) or ())
    _check_sections(recipe, len(sections_s))
    # For all but percentages, the length doesn't matter.
    rough = Timeline(Clock(video.fps, 1), Fraction(0), grid, sections_s)
    start = Fraction(0)
    if video.start is not None:
        if video.start.unit == "%":
            start = (music.duration_s if music else Fraction(0)) * video.start.amount / 100
        else:
            start = exactly(rough.moment_s, video.start, video.fps)
        if music is not None and start >= music.duration_s:
            problem = f"the film can't begin at {float(start):.2f} s: the music ends at {float(music.duration_s):.2f} s"
            raise recipe.error(("video", "start"), problem)
    rough = Timeline(rough.clock, start, grid, sections_s)
    frames = frames_in(_duration(recipe, music, rough, spec), video.fps)
    if frames > MAX_FRAMES:
        problem = f"{frames} frames are too many for one film (at most {MAX_FRAMES})"
        raise recipe.error(("video", "duration"), problem, "Make several films of it.")
    return Timeline(Clock(video.fps, frames), start, grid, sections_s)


def _check_sections(recipe: Recipe, count: int) -> None:
    """Refuse the number of a section that the music doesn't have."""
    for path, value in values_in(recipe):
        for time in value.times if isinstance(value, Keyframes) else (value,):
            if isinstance(time, Time) and time.unit == "section" and time.amount > count:
                many = f"{count} sections" if count != 1 else "one section"
                hint = "`gandream listen` shows them; `sections: {count: 4}` says how many different ones there are."
                raise recipe.error(path, f"there is no {time}: the music has {many}", hint)


def _duration(recipe: Recipe, music: Analysis | None, rough: Timeline, spec: Spec | None) -> Fraction:
    video = recipe.video
    if video.duration is not None:
        return exactly(rough.end_s, video.duration, video.fps)
    if isinstance(recipe.scenes, tuple) and (music is None or recipe.scenes[-1].for_ is not None):
        return scenes_length_s(recipe, rough)
    return own_length_s(recipe, rough, spec) if music is None else music.duration_s - rough.start_s


def sampled(recipe: Recipe, heard: dict[Path, Analysis], line: Timeline) -> dict[str, np.ndarray]:
    """The recipe's signals at every frame: float32 [F], or [F, B] with bands."""
    values = {}
    for name, signal in recipe.signals.items():
        source = _source(recipe, signal)
        if source is None and signal.automated:
            values[name] = _automated(recipe, name, signal, line)
        elif source is None:
            silence = Analysis("", line.start_s + line.clock.duration + 1)
            grid = laid(recipe, silence, line, own=True)
            values[name] = sample(silence, signal, line.clock, line.start_s, line.length_s, grid)
        else:
            own = recipe.audio is not None and source == recipe.audio.path
            grid = laid(recipe, heard[source], line, own=own)
            values[name] = sample(heard[source], signal, line.clock, line.start_s, line.length_s, grid)
    return values


def _automated(recipe: Recipe, name: str, signal: Signal, line: Timeline) -> np.ndarray:
    try:
        curve = automation(signal, float(line.start_s + line.clock.duration))
    except AudioError as error:
        named = ("signals", name, signal.source)
        raise AudioError(recipe.where(named), f"{error.where}: {error.problem}", error.hint) from error
    curve = shaped(curve, signal, line.length_s, FEATURE_HZ)
    return on_frames(curve, signal, line.clock, line.start_s, line.length_s, FEATURE_HZ)
