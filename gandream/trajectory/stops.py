"""The list that a walk goes through: ranges and draws of seeds, whole files, and the order in which they come."""

from __future__ import annotations

import numpy as np

from gandream.base.seeds import named_seed
from gandream.models.spec import Spec
from gandream.recipe.latent import Latent
from gandream.recipe.overrides import dotted
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.recipe.seeds import Seeds
from gandream.recipe.walk import Walk
from gandream.trajectory.classes import Morph
from gandream.trajectory.places import Place, place, places_in

MOST = 10000


def named(word: int | None, recipe: Recipe, path: Path_) -> int:
    """The seed that a word gives, else one that is the recipe's and belongs to this place in it."""
    return named_seed(recipe.seed, dotted(path)) if word is None else word


def places_of(walk: Walk, recipe: Recipe, spec: Spec, path: Path_, classes: int | Morph | None = None) -> list[Place]:
    """All latents of a walk, in the order in which it passes them."""
    found: list[tuple[Place, int]] = []
    for index, stop in enumerate(walk.through):
        where = (*path, "through", index)
        if isinstance(stop, Seeds):
            drawn = [Latent.model_validate({"seed": seed, **_class(stop)}) for seed in _drawn(stop, recipe, where)]
            some = [place(latent, recipe, spec, where, classes) for latent in drawn]
        else:
            some = places_in(stop, recipe, spec, where, classes)
        found += [(at, index) for at in some]
    if len(found) > MOST:
        problem = f"these are {len(found)} latents; a walk has {MOST} at most"
        raise recipe.error((*path, "through"), problem, "A file with every frame is `walk: {file: ...}`.")
    only_w = next((index for at, index in found if at.in_w), None)
    if walk.space == "z" and only_w is not None:
        raise recipe.error((*path, "through", only_w), "this latent is only there in w", "Leave `space: z` out.")
    return _ordered([at for at, _ in found], walk, recipe, path)


def _class(stop: Seeds) -> dict[str, int | str]:
    return {} if stop.class_ is None else {"class": stop.class_}


def _drawn(stop: Seeds, recipe: Recipe, path: Path_) -> list[int]:
    if isinstance(stop.seeds, tuple):
        return list(range(stop.seeds[0], stop.seeds[1] + 1))
    random = np.random.RandomState(named(stop.seed, recipe, (*path, "seed")))
    return random.randint(0, 2**32, stop.seeds, dtype=np.uint64).tolist()


def _ordered(places: list[Place], walk: Walk, recipe: Recipe, path: Path_) -> list[Place]:
    order = walk.order or ("shuffle" if walk.shuffle is not None else "as written")
    if order == "reverse":
        return places[::-1]
    if order == "ping-pong":  # neither end twice, on a loop
        return places + (places[-2:0:-1] if walk.loop else places[-2::-1])
    if order == "shuffle":
        seed = named(walk.shuffle, recipe, (*path, "shuffle"))
        return [places[index] for index in np.random.RandomState(seed).permutation(len(places))]
    return places
