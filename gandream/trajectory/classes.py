"""The class of a conditional model: its number by its name, and the word ``classes`` laid out in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandream.base.errors import did_you_mean, listed
from gandream.models.spec import Spec
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.trajectory.ease import EASE, eased


@dataclass(frozen=True, eq=False)
class Morph:
    """A class that moves through some of a model's ``count`` classes; a film has one, which many latents may follow.

    ``numbers`` are those classes, int [K]; ``places`` is how many of them each frame has passed, float64 [F];
    ``holds`` is for which share of its step each stays pure, 0 to 1, float64 [K].
    """

    count: int
    numbers: np.ndarray
    places: np.ndarray
    holds: np.ndarray
    ease: str = "smooth"
    loop: bool = True

    def weights(self, start: int, stop: int) -> np.ndarray:
        """Weights of all classes at frames [start, stop), float64 [n, C]: rows sum to 1, and at most two aren't 0."""
        K, places = len(self.numbers), self.places[start:stop]
        passed, share = eased(places if self.loop else np.clip(places, 0, K - 1), "linear")
        hold = self.holds[passed % K]
        # What is held for its whole step is never left on the way: 0 / 1 then, and it jumps.
        share = EASE[self.ease](np.clip((share - hold) / np.where(hold < 1, 1 - hold, 1), 0, 1))
        rows, weights = np.arange(len(places)), np.zeros((len(places), self.count))
        weights[rows, self.numbers[passed % K]] = 1 - share
        weights[rows, self.numbers[(passed + 1) % K]] += share
        return weights


def class_number(word: int | str, recipe: Recipe, spec: Spec, path: Path_) -> int:
    """The number of a class that the recipe names at ``path``; RecipeError for one that the model hasn't."""
    if isinstance(word, str):
        if word not in spec.classes:
            hint = f"{did_you_mean(word, spec.classes)} {known_classes(spec)}".lstrip()
            raise recipe.error(path, f"{spec.name} has no class '{word[:60]}'", hint)
        return spec.classes.index(word)
    if word >= len(spec.classes):
        raise recipe.error(path, f"{spec.name} has classes 0 to {len(spec.classes) - 1}", known_classes(spec))
    return word


def known_classes(spec: Spec) -> str:
    """The classes that a model has, in a sentence."""
    both = (name if name == str(index) else f"{index} {name}" for index, name in enumerate(spec.classes))
    return f"Its classes: {listed(both)}."
