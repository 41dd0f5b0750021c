"""How long a film without music is, if nothing says so: once along its walk, or through its classes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from gandream.base.clock import exact
from gandream.models.spec import Spec
from gandream.recipe.classes import Classes
from gandream.recipe.recipe import Recipe
from gandream.recipe.seeds import Seeds
from gandream.recipe.times import Time
from gandream.recipe.walk import Walk
from gandream.trajectory.footage import seconds_of, watched
from gandream.trajectory.saved import SavedError, trajectory_in
from gandream.trajectory.stops import places_of
from gandream.trajectory.timeline import Timeline
from gandream.trajectory.walks import DEFAULT_STEP

NO_MUSIC_S = Fraction(10)
"""Where nothing has a length of its own."""


def exactly(seconds: Callable[[Time], float], time: Time, fps: Fraction) -> Fraction:
    """Seconds of a time without going through floats where it is told in seconds or frames."""
    if time.unit == "s":
        return time.amount
    return time.amount / fps if time.unit == "frames" else exact(round(seconds(time), 9))


def own_length_s(recipe: Recipe, rough: Timeline, spec: Spec | None = None) -> Fraction:
    """Seconds of a film by what moves in it; without the model's facts, a file of latents counts as one."""
    walk = recipe.walk
    words = recipe.classes
    if not walk.goes and words is not None and words.paced:  # what moves is the class
        return _of_steps(words, len(words.sequence(words.through)), rough, recipe.video.fps)
    if walk.kind == "through":
        return _of_steps(walk, _count(recipe, spec), rough, recipe.video.fps)
    said = walk.circle or walk.simplex or walk.wander
    if said is not None and said.every is not None:
        return exactly(rough.length_s, said.every, recipe.video.fps)
    if walk.file is not None:
        if walk.file.duration is not None:
            return exactly(rough.length_s, walk.file.duration, recipe.video.fps)
        try:
            rows, fps = trajectory_in(walk.file.file.path, walk.file.name)
        except SavedError as error:
            raise recipe.error(("walk", "file"), *error.args) from None
        rate = walk.file.fps or (exact(fps) if fps else None)
        return len(rows) / rate if rate else NO_MUSIC_S
    if walk.footage is not None:
        return seconds_of(watched(walk.footage, recipe, ("walk", "footage")))
    return NO_MUSIC_S


def _count(recipe: Recipe, spec: Spec | None) -> int:
    walk = recipe.walk
    if spec is not None and walk.many_unknown:
        return len(places_of(walk, recipe, spec, ("walk",), 0))
    return sum(stop.count() if isinstance(stop, Seeds) else 1 for stop in walk.through)


def _of_steps(words: Walk | Classes, count: int, rough: Timeline, fps: Fraction) -> Fraction:
    if count == 1:
        return NO_MUSIC_S
    if words.at is not None:
        times = [exactly(rough.moment_s, time, fps) for time in words.at if time.unit != "%"]
        return times[-1] + (times[-1] - times[-2] if words.loop else 0) if len(times) > 1 else NO_MUSIC_S
    steps = count if words.loop else count - 1
    every = words.every if isinstance(words.every, tuple) else (words.every or DEFAULT_STEP,)
    lengths = [exactly(rough.length_s, time, fps) for time in every]
    whole, rest = divmod(steps, len(lengths))
    return whole * sum(lengths, Fraction(0)) + sum(lengths[:rest], Fraction(0))
