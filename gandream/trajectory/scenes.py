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
from gandream.trajectory.inherited import Inherited
from gandream.trajectory.listen import lay_out, listen, sampled
from gandream.trajectory.placed import Part, parts_of
from gandream.trajectory.timeline import Timeline
from gandream.trajectory.trajectory import Trajectory
from gandream.trajectory.window import rows

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
    beyond: int = 0
    """For how many frames the last scene goes on beyond the film's end, under the first one, in a film that closes."""


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
    shares = []
    for part, start, stop in zip(parts, starts, starts[1:], strict=False):
        if stop <= start:
            raise recipe.error(part.path, "this scene lasts less than a frame")
        seam = not shares and (len(parts) == 1 or not recipe.video.loop)  # which no scene comes before
        shares.append(np.zeros(0) if seam else _shares(recipe, part, line)[: line.clock.frames - start])
    film = _Film(line, signals, len(parts) > 1)
    cuts: list[Cut] = []
    for part, start, stop, own, following in zip(parts, starts, starts[1:], shares, [*shares[1:], ()], strict=False):
        beyond = len(shares[0]) if part is parts[-1] else 0
        cut, said = film.lay(part, describe(part.recipe), start, stop + len(following), beyond)
        cuts.append(replace(cut, shares=own))
        warnings += [one for one in said if one not in warnings]
    first = cuts[0]
    curves = Curves(first.recipe, first.trajectory.timeline, signals)
    return Score(first.trajectory, curves, first.effects, music, tuple(warnings)), tuple(cuts)


def _frame(seconds: float, line: Timeline) -> int:
    """The first frame that is not before a time."""
    return ceil(seconds * float(line.clock.fps) - _ROUNDING)


class _Film:
    """Lays the scenes of a film out, one after the other; what they inherit, once. ``many``: there is more than one."""

    def __init__(self, line: Timeline, signals: dict[str, np.ndarray], many: bool):
        self.line, self.signals, self.many = line, signals, many
        self._inherited = Inherited()

    def lay(self, part: Part, spec: Spec, start: int, stop: int, beyond: int) -> tuple[Cut, list[str]]:
        """A scene that is seen in frames [start, stop), and if it is the last, in ``beyond`` more after the film."""
        recipe = part.recipe
        # Words of the whole film are counted from its beginning, a scene's own from the scene's.
        curves = Curves(recipe, replace(self.line, scene_s=(part.begin_s, part.stop_s)), self.signals)
        longer = self._beyond(curves, beyond) if beyond else curves
        own = Curves(recipe, replace(longer.timeline, origin_s=part.begin_s), longer.signals) if self.many else None
        laid = lay_trajectory(recipe, spec, curves, own, part.begun, self._inherited)
        effects = self._effects(part, longer, start, stop)
        warnings = [*warnings_of(recipe, spec, laid, part.begun if self.many else ()), *effects.warnings]
        goes_on = recipe.video.loop and "walk" not in part.begun
        seen = laid.scene(start, stop + beyond, around=goes_on, beyond=beyond) if self.many else laid
        return Cut(recipe, seen, effects, start, stop, beyond=beyond), warnings

    def _beyond(self, curves: Curves, count: int) -> Curves:
        """Curves over some frames more than the film's, in which its signals begin again."""
        line, more = curves.timeline, curves.timeline.clock.frames + count
        signals = {name: rows(values, 0, more) for name, values in curves.signals.items()}
        return Curves(curves.recipe, replace(line, clock=replace(line.clock, frames=more, beyond=count)), signals)

    def _effects(self, part: Part, curves: Curves, start: int, stop: int) -> Chain:
        recipe, line = part.recipe, curves.timeline
        film = (0, line.clock.frames - line.clock.beyond)
        at = (line.length_s, line.moment_s, float(line.start_s))

        def made(ends: tuple[int, int], first: int) -> Chain:
            return chain(recipe.effects, recipe, line.clock, curves.values, *at, first, ends)

        if "effects" in part.begun or line.clock.beyond:
            return made((start, stop) if "effects" in part.begun else film, start)
        return replace(self._inherited.laid(recipe, "effects", lambda: made(film, 0)), first=start)


def _shares(recipe: Recipe, part: Part, line: Timeline) -> np.ndarray:
    """How much of a scene is seen in each of the frames in which it comes in: float64 [n]."""
    transition = part.transition or recipe.transition
    if transition.crossfade is None:
        return np.zeros(0)
    length_s, lasts_s = line.end_s(transition.crossfade, part.begin_s), part.stop_s - part.begin_s
    if length_s > lasts_s + _ROUNDING:
        path: Path_ = ("transition",) if part.transition is None else (*part.path, "transition")
        what = f"the scene at {timestamp(max(0.0, part.begin_s))} lasts {lasts_s:.3f} s"
        raise recipe.error(path, f"{what}, and its crossfade {length_s:.3f} s", "Make the crossfade shorter.")
    start, stop = _frame(part.begin_s, line), _frame(part.begin_s + length_s, line)
    times = np.arange(start, stop) / float(line.clock.fps)
    return EASE[transition.ease](np.clip((times - part.begin_s) / length_s, 0, 1))
