"""All that can be wrong with a recipe and is known without its music: what `validate` says, and a batch before it."""

from __future__ import annotations

from collections.abc import Iterator

from gandream.base.errors import GandreamError
from gandream.recipe.cells import cells_of
from gandream.recipe.recipe import Recipe, check_beats
from gandream.recipe.scene import Sectioned
from gandream.run.picture import picture_format
from gandream.run.prepare import describe_model, shown_layer
from gandream.trajectory.misfits import misfits


def mistakes(recipe: Recipe) -> Iterator[GandreamError]:
    """What is wrong with a recipe that can be read; whatever stops the check is raised."""
    check_beats(recipe)
    cells = [cell.recipe for cell in cells_of(recipe)]
    spec = describe_model(recipe)
    picture_format(recipe, spec)
    parts = cells or recipe.told_scenes()
    whole = [recipe] if not parts or isinstance(recipe.scenes, Sectioned) else []
    told: set[str] = set()
    for part in (*whole, *parts):
        own = describe_model(part) if "model" in part.own_words else spec
        shown_layer(part, own)
        for mistake in misfits(part, own):
            if str(mistake) not in told:  # what scenes inherit is wrong once
                told.add(str(mistake))
                yield mistake
