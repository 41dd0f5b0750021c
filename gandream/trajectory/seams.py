"""What keeps a film that loops from closing, beside its walk."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gandream.recipe.curve import Constant, Keyframes
from gandream.recipe.effects import Echo, Fade, Trails
from gandream.recipe.layering import Mixing
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe, values_in
from gandream.recipe.scene import Looks
from gandream.trajectory.trajectory import Trajectory
from gandream.trajectory.walks import after_last

NEAR = 0.01
"""Share of a curve's range by which its end may miss its beginning."""
SPEEDS = ("speed", "zoom_speed")
"""Curves that are added up over time, and closed then."""
_OPEN = "so the film won't close"


def open_seams(recipe: Recipe, trajectory: Trajectory) -> list[str]:
    """What doesn't end where it begins although the film is to loop, in sentences."""
    if not recipe.video.loop or trajectory.frames < 2:
        return []
    return [f"video.loop: {problem}" for problem in _open(recipe, trajectory)]


def _open(recipe: Recipe, trajectory: Trajectory) -> Iterator[str]:
    for index, (push, shove) in enumerate(zip(recipe.push, trajectory.shoves, strict=False)):
        amounts = getattr(shove, "amounts", None)  # what turns round in a box is told elsewhere
        if amounts is None or _closes(amounts):
            continue
        if push.mode == "drift":
            yield f"{recipe.named(('push', index))} drifts to elsewhere than it begins, {_OPEN}"
        elif push.inertia.amount:
            yield f"{recipe.named(('push', index, 'inertia'))} begins at 0 and doesn't end there, {_OPEN}"
    for word, laid in (("mix", trajectory.mixes), ("regions", [one.mixed for one in trajectory.regions])):
        entries: tuple[Mixing, ...] = getattr(recipe, word)
        for index, (words, mixed) in enumerate(zip(entries, laid, strict=False)):
            steady = isinstance(words.amount, Constant) and words.every is None
            if steady and not np.isclose(mixed.amounts[0], mixed.amounts[-1], atol=0.1):
                yield f"{recipe.named((word, index))} is there at one end of the film alone, {_OPEN}"
    for index, effect in enumerate(recipe.effects):
        named = f"{recipe.named(('effects', index))}.{effect.words()[0]}"
        if isinstance(effect, Trails | Echo):
            yield f"{named} begins without a memory, {_OPEN}"
        elif isinstance(effect, Fade) and isinstance(effect.fade, str):
            yield f"{named} is seen where the film closes"
    for path, curve in _keyframes(recipe):
        if curve.values[0] != curve.values[-1]:
            ends = f"begins with {curve.values[0]:g} and ends with {curve.values[-1]:g}"
            yield f"{recipe.named(path)} {ends}, {_OPEN}"


def _keyframes(recipe: Recipe) -> Iterator[tuple[Path_, Keyframes]]:
    """The keyframes whose values are seen as they are, not added up over time."""
    for word in Looks.model_fields:
        for path, value in values_in(getattr(recipe, word), (word,)):
            push = recipe.push[int(path[1])] if word == "push" else None
            added_up = path[-1] in SPEEDS or (push is not None and (push.bounce is not None or push.mode == "drift"))
            if isinstance(value, Keyframes) and not added_up:
                yield path, value


def _closes(values: np.ndarray) -> bool:
    """Whether values [F] end where they begin, but for how much they bend from frame to frame."""
    bend = np.abs(np.diff(values, n=2)).max() if len(values) > 2 else 0.0
    return abs(after_last(values) - values[0]) <= NEAR * np.ptp(values) + bend
