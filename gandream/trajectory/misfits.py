"""What a recipe's words want of its model, checked without its music: classes, layers, saved latents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gandream.base.errors import RecipeError
from gandream.models.spec import Spec
from gandream.recipe.bend import Operation
from gandream.recipe.classes import Classes
from gandream.recipe.latent import Latent
from gandream.recipe.layering import Truncated
from gandream.recipe.layers import Layers
from gandream.recipe.motion import Push
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.recipe.scene import Looks
from gandream.recipe.seeds import Seeds
from gandream.recipe.walk import Walk
from gandream.trajectory.bends import bent_layers, check_channels
from gandream.trajectory.classes import class_number
from gandream.trajectory.directions import direction
from gandream.trajectory.layers import mask
from gandream.trajectory.places import place, places_in
from gandream.trajectory.truncation import check_cutoff


def misfits(recipe: Recipe, spec: Spec) -> Iterator[RecipeError]:
    """The mistakes in what a recipe wants of its model, as far as they are known without its music; each once."""
    said: set[tuple[str, str]] = set()
    for word in Looks.model_fields:
        for path, value in _told(getattr(recipe, word), (word,)):
            try:
                _check(value, path, recipe, spec)
            except RecipeError as error:
                if (error.problem, error.hint) not in said:  # such as that no latent has a class
                    said.add((error.problem, error.hint))
                    yield error


def _check(value: Any, path: Path_, recipe: Recipe, spec: Spec) -> None:
    if isinstance(value, Layers):
        noise = recipe.noise[int(path[1])] if path[0] == "noise" else None
        mask(value, spec, recipe, path, optional=noise is not None and noise.optional)
    elif isinstance(value, Operation):
        numbers = bent_layers(value.layer, spec, recipe, (*path, "layer"))
        check_channels(value.channels, numbers, spec, recipe, (*path, "channels"))
    elif isinstance(value, Truncated):
        check_cutoff(value, spec, recipe, path)
    elif isinstance(value, Push):
        if isinstance(value.along, Latent):
            direction(value.along, value, recipe, spec, path)
    elif isinstance(value, Seeds):
        first = value.seeds[0] if isinstance(value.seeds, tuple) else value.seed or 0
        words = {"seed": first} if value.class_ is None else {"seed": first, "class": value.class_}
        place(Latent.model_validate(words), recipe, spec, path, _class_of(recipe, spec))
    elif isinstance(value, Latent):
        where = places_in if "through" in path else place
        where(value, recipe, spec, path, _class_of(recipe, spec))
    elif isinstance(value, Classes) and not spec.classes and not value.optional:
        raise recipe.error(path, f"{spec.name} has no classes", "Leave `classes` out.")
    elif isinstance(value, int | str) and spec.classes:
        class_number(value, recipe, spec, path)


def _told(value: Any, path: Path_) -> Iterator[tuple[Path_, Any]]:
    """The words that want something of a model, with their paths."""
    if isinstance(value, Latent | Seeds | Layers):
        yield path, value
        return
    if isinstance(value, Operation | Truncated | Push):
        yield path, value
    if isinstance(value, Walk) and value.kind != "through":
        value = value.model_copy(update={"through": ()})
    if isinstance(value, Classes):
        yield path, value
        yield from (((*path, "through", index), word) for index, word in enumerate(value.through))
        yield from (((*path, "weights", word), word) for word in value.weights or ())
        return
    for key, inner in _inside(value):
        if not (isinstance(value, Push) and key == "along"):  # a direction is no latent
            yield from _told(inner, (*path, key))


def _inside(value: Any) -> Iterator[tuple[Any, Any]]:
    if hasattr(value, "model_fields_set"):
        fields = type(value).model_fields.items()
        yield from ((field.alias or name, getattr(value, name)) for name, field in fields)
    elif isinstance(value, tuple):
        yield from enumerate(value)


def _class_of(recipe: Recipe, spec: Spec) -> int | None:
    """Stands for what `classes` gives to latents without a class of their own."""
    return 0 if recipe.classes is not None and spec.classes else None
