"""A film of scenes: each compiled to a trajectory of its own on the film's clock, and when it is seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path

import numpy as np

from gandream.base.clock import timestamp
from gandream.effects.chain import Chain, chain
from gandream.models.spec import Spec
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.trajectory.compose import Score, lay_trajectory, warnings_of
from gandream.trajectory.ease import EASE
from gandream.trajectory.evaluate import Curves
from gandream.trajectory.listen import lay_out, listen, sampled
from gandream.trajectory.placed import Part, parts_of
from gandream.trajectory.timeline import Timeline
from gandream.trajectory.trajectory import Trajectory

_ROUNDING = 1e-6
"""Share of a frame by which a time may miss it."""


@dataclass(frozen=True)
class Cut:
    """A scene as it is seen: frames [start, stop) of the film, up to where the next one has come in over it."""

    recipe: Recipe
    trajectory: Trajectory
    effects: Chain
    start: int
    stop: int
    shares: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """How much of it is seen in its first frames, over the scene before: float64 [n], 0 to 1; none for a cut."""


def compose_scenes(
    recipe: Recipe, describe: Callable[[Recipe], Spec], cache: Path | None = None, *, beats: bool = False
) -> tuple[Score, tuple[Cut, ...]]:
    """Compile a recipe of scenes. ``describe`` gives the facts about the model of a scene's recipe.

    The score is that of the first scene, with the warnings of all. RecipeError as :func:`compose`'s, and where scenes
    don't follow one another.
    """
    heard = listen(recipe, cache, beats=beats)
    music = heard.get(recipe.audio.path) if recipe.audio else None
    line = lay_out(recipe, music, beats=beats)
    signals = sampled(recipe, heard, line)
    parts, warnings = parts_of(recipe, line, (music and music.sections) or ())
    warnings += [warning for analysis in heard.values() for warning in analysis.warnings]
    starts = [max(0, _frame(part.begin_s, line)) for part in parts] + [line.clock.frames]
    cuts: list[Cut] = []
    for index, part in enumerate(parts):
        start, stop = starts[index : index + 2]
        if stop <= start:
            raise recipe.error(part.path, "this scene lasts less than a frame")
        shares = _shares(recipe, part, line, index == 0)[: line.clock.frames - start]
        if index:
            cuts[-1] = replace(cuts[-1], stop=start + len(shares))
        cut, said = _lay(part, line, signals, describe(part.recipe), start, stop, len(shares))
        cuts.append(replace(cut, shares=shares))
        warnings += [one for one in said if one not in warnings]
    first = cuts[0]
    curves = Curves(first.recipe, first.trajectory.timeline, signals)
    return Score(first.trajectory, curves, first.effects, music, tuple(warnings)), tuple(cuts)


def _frame(seconds: float, line: Timeline) -> int:
    """The first frame that is not before a time."""
    return ceil(seconds * float(line.clock.fps) - _ROUNDING)


def _lay(
    part: Part, line: Timeline, signals: dict[str, np.ndarray], spec: Spec, start: int, stop: int, overlap: int
) -> tuple[Cut, list[str]]:
    recipe = part.recipe
    # Words of the whole film are counted from its beginning, a scene's own from the scene's.
    line = replace(line, scene_s=(part.begin_s, part.stop_s))
    curves = Curves(recipe, line, signals)
    own = Curves(recipe, replace(line, origin_s=part.begin_s), signals)
    trajectory = lay_trajectory(recipe, spec, curves, own, part.begun)
    ends = (start, stop) if "effects" in part.begun else None
    at = (line.length_s, line.moment_s, float(line.start_s))
    effects = chain(recipe.effects, recipe, line.clock, curves.values, *at, start, ends)
    warnings = [*warnings_of(recipe, spec, trajectory), *effects.warnings]
    return Cut(recipe, trajectory, effects, start, stop), warnings


def _shares(recipe: Recipe, part: Part, line: Timeline, first: bool) -> np.ndarray:
    """How much of a scene is seen in each of the frames in which it comes in: float64 [n]."""
    transition = part.transition or recipe.transition
    if first or transition.crossfade is None:
        return np.zeros(0)
    length_s, lasts_s = line.end_s(transition.crossfade, part.begin_s), part.stop_s - part.begin_s
    if length_s > lasts_s + _ROUNDING:
        path: Path_ = ("transition",) if part.transition is None else (*part.path, "transition")
        what = f"the scene at {timestamp(max(0.0, part.begin_s))} lasts {lasts_s:.3f} s"
        raise recipe.error(path, f"{what}, and its crossfade {length_s:.3f} s", "Make the crossfade shorter.")
    start, stop = _frame(part.begin_s, line), _frame(part.begin_s + length_s, line)
    times = np.arange(start, stop) / float(line.clock.fps)
    return EASE[transition.ease](np.clip((times - part.begin_s) / length_s, 0, 1))
