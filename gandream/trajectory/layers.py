"""Ranges of layers as written, to the numbers of a model's layers."""

from __future__ import annotations

import numpy as np

from gandream.models.spec import Spec
from gandream.recipe.layers import Layers
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe

_STYLEGAN_GROUPS = {"coarse": (0, 4), "middle": (4, 8), "fine": (8, None)}
_BY_RESOLUTION = ("stylegan1", "stylegan2")
"""Families whose layers 0-3, 4-7 and 8 up are the coarse, middle and fine ones of the StyleGAN paper (section 3.1)."""


def group(name: str, spec: Spec, count: int = 0) -> range:
    """The layers that coarse, middle, fine or all name in a model: thirds, but for the first StyleGANs.

    ``count`` is how many there are, if it isn't the style layers that are meant.
    """
    count = count or len(spec.layers)
    if name == "all" or count == 1:
        return range(count)
    if spec.family in _BY_RESOLUTION:
        first, stop = _STYLEGAN_GROUPS[name]
        return range(first, count)[: None if stop is None else stop - first]
    third = ("coarse", "middle", "fine").index(name)
    return range(round(count * third / 3), round(count * (third + 1) / 3))


def mask(layers: Layers, spec: Spec, recipe: Recipe, path: Path_, *, optional: bool = False) -> np.ndarray:
    """Which of the model's layers are meant, bool [L]; RecipeError where it hasn't some of them, but ``optional``."""
    chosen = np.zeros(len(spec.layers), bool)
    last = len(spec.layers) - 1
    for part in layers.parts:
        if isinstance(part, str):
            numbers = group(part, spec)
            if not numbers and not optional:
                raise recipe.error(path, f"{spec.name} has no {part} layers: its layers are 0 to {last}")
        else:
            first, end = part[0], last if part[1] is None else part[1]
            if max(first, end) > last and not optional:
                raise recipe.error(path, f"{spec.name} has layers 0 to {last}; {max(first, end)} is beyond them")
            numbers = range(first, min(end, last) + 1)
        chosen[list(numbers)] = True
    return chosen
