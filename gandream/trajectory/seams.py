"""What keeps a film that loops from closing, beside its walk."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from gandream.recipe.curve import Constant, Keyframes
from gandream.recipe.effects import Echo, Fade, Trails
from gandream.recipe.layering import Mixing
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe, values_in
from gandream.recipe.scene import Looks
from gandream.trajectory.trajectory import Trajectory
from gandream.trajectory.walks import closes

SPEEDS = ("speed", "zoom_speed")
"""Curves that are added up over time, and closed then."""
TURNS = ("rotate", "angle", "hue")
"""Curves in degrees, which a full turn brings back."""
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
    for path, curve in _keyframes(recipe):
        apart = curve.values[-1] - curve.values[0]
        if apart % 360 if path[-1] in TURNS else apart:
            ends = f"begins with {curve.values[0]:g} and ends with {curve.values[-1]:g}"
            yield str(path[0]), f"{recipe.named(path)} {ends}, {_OPEN}"


def _keyframes(recipe: Recipe) -> Iterator[tuple[Path_, Keyframes]]:
    """The keyframes whose values are seen as they are, not added up over time."""
    for word in Looks.model_fields:
        for path, value in values_in(getattr(recipe, word), (word,)):
            push = recipe.push[int(path[1])] if word == "push" else None
            added_up = path[-1] in SPEEDS or (push is not None and (push.bounce is not None or push.mode == "drift"))
            elsewhere = path[-2:] in (("plane", "x"), ("plane", "y"))  # told of the walk
            if isinstance(value, Keyframes) and not added_up and not elsewhere:
                yield path, value
