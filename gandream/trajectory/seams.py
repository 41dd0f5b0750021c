"""What keeps a film that loops from closing, beside its walk."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np

from gandream.base.errors import RecipeError
from gandream.recipe.curve import AnyCurve, Constant, Expression, Keyframes
from gandream.recipe.effects import Echo, Fade, Trails
from gandream.recipe.expression import BEAT_NAMES, names_in
from gandream.recipe.layering import Mixing
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe, values_in
from gandream.recipe.scene import Looks
from gandream.trajectory.evaluate import Curves
from gandream.trajectory.timeline import Timeline
from gandream.trajectory.trajectory import Trajectory
from gandream.trajectory.walks import NEAR, closes

SPEEDS = ("speed", "zoom_speed")
"""Curves that are added up over time, and closed then."""
TURNS = {"rotate": 360.0, "angle": 360.0, "hue": 360.0, "pan": 2.0, "up": 2.0}
"""Curves that a full turn brings back, and how much that is: degrees, or a picture and its mirror image."""
SCENES = frozenset({"scene_t", "scene_progress"})
"""Names that begin with each scene anew."""
JUMPS = 1.5
"""A curve that jumps by its own doing, such as by chance, may do so where the film closes, and this much further."""
_OPEN = "so the film won't close"


def open_seams(recipe: Recipe, trajectory: Trajectory, begun: Collection[str] = ()) -> list[str]:
    """What doesn't end where it begins although the film is to loop, but in words ``begun`` in a scene."""
    if not recipe.video.loop or trajectory.frames < 2:
        return []
    return [f"video.loop: {problem}" for word, problem in _open(recipe, trajectory) if word not in begun]


def _open(recipe: Recipe, trajectory: Trajectory) -> Iterator[tuple[str, str]]:
    for index, (push, shove) in enumerate(zip(recipe.push, trajectory.shoves, strict=False)):
        amounts = getattr(shove, "amounts", None)  # what turns round in a box is told elsewhere
        if amounts is None or closes(amounts):
            continue
        if push.mode == "drift":
            yield "push", f"{recipe.named(('push', index))} drifts to elsewhere than it begins, {_OPEN}"
        elif push.inertia.amount:
            yield "push", f"{recipe.named(('push', index, 'inertia'))} begins at 0 and doesn't end there, {_OPEN}"
    for word, laid in (("mix", trajectory.mixes), ("regions", [one.mixed for one in trajectory.regions])):
        entries: tuple[Mixing, ...] = getattr(recipe, word)
        for index, (words, mixed) in enumerate(zip(entries, laid, strict=False)):
            steady = isinstance(words.amount, Constant) and words.every is None
            if steady and not np.isclose(mixed.amounts[0], mixed.amounts[-1], atol=0.1):
                yield word, f"{recipe.named((word, index))} is there at one end of the film alone, {_OPEN}"
    for index, effect in enumerate(recipe.effects):
        named = f"{recipe.named(('effects', index))}.{effect.words()[0]}"
        if isinstance(effect, Trails | Echo):
            yield "effects", f"{named} begins without a memory, {_OPEN}"
        elif isinstance(effect, Fade) and isinstance(effect.fade, str):
            yield "effects", f"{named} is seen where the film closes"
    for path, curve in _seen(recipe):
        ends = _ends_of(curve, path, recipe, trajectory.timeline)
        if ends is not None:
            yield str(path[0]), f"{recipe.named(path)} begins with {ends[0]:g} and ends with {ends[1]:g}, {_OPEN}"


def _seen(recipe: Recipe) -> Iterator[tuple[Path_, Keyframes | Expression]]:
    """The curves whose values are seen as they are at both ends of the film, not added up over time."""
    for word in Looks.model_fields:
        for path, value in values_in(getattr(recipe, word), (word,)):
            push = recipe.push[int(path[1])] if word == "push" else None
            added_up = path[-1] in SPEEDS or (push is not None and (push.bounce is not None or push.mode == "drift"))
            elsewhere = path[-2:] in (("plane", "x"), ("plane", "y"))  # told of the walk
            entry = getattr(recipe, word)[int(path[1])] if word in ("mix", "regions", "effects") else None
            for_a_while = getattr(entry, "at", None) is not None or getattr(entry, "until", None) is not None
            if isinstance(value, Keyframes | Expression) and not added_up and not elsewhere and not for_a_while:
                yield path, value


def _ends_of(curve: Keyframes | Expression, path: Path_, recipe: Recipe, line: Timeline) -> tuple[float, float] | None:
    """What a curve begins and ends with where these are apart; None where it closes, or follows the music."""
    turn = TURNS.get(str(path[-1]), 0.0)
    if isinstance(curve, Keyframes):
        return (curve.values[0], curve.values[-1]) if _apart(curve.values[-1] - curve.values[0], turn) else None
    heard = {*recipe.signals, *(() if recipe.tempo.told else BEAT_NAMES), *(SCENES if line.scene_s else ())}
    if heard & _names(curve, recipe):
        return None
    count = line.clock.frames - line.clock.beyond
    longer = replace(line, clock=replace(line.clock, frames=count + 2, beyond=2))
    try:
        values = Curves(recipe, longer, {}).values(curve, path)
    except RecipeError:  # what has no value beyond the end of the film
        return None
    # The first frame again, and the second: a wave may jump at the end itself, where rounding says on which side.
    gap = min(_apart(values[count + at] - values[at], turn) for at in (0, 1))
    inside = values[:count]
    own = JUMPS * np.abs(np.diff(inside)).max() if count > 2 else 0.0
    if gap <= max(own, NEAR * np.ptp(inside)):
        return None
    begins, ends = (float(f"{round(values[at], 6):.3g}") for at in (0, count))
    return begins, ends


def _apart(gap: float, turn: float) -> float:
    """How far apart two values are, on a circle if there is one."""
    gap = abs(float(gap))
    return min(gap % turn, -gap % turn) if turn else gap


def _names(curve: AnyCurve, recipe: Recipe) -> set[str]:
    """The names in a curve, and in those of the recipe's own that it is made of."""
    found, waiting = set[str](), [curve]
    while waiting:
        if isinstance(one := waiting.pop(), Expression):
            new = {str((node.parts or (node,))[0].value) for node in names_in(one.tree)} - found
            found |= new
            waiting += [recipe.curves[name] for name in new & recipe.curves.keys()]
    return found
