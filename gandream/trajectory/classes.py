"""The class of a conditional model: its number by its name, and the word ``classes`` laid out in time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from gandream.base.errors import did_you_mean, listed
from gandream.models.labels import known_words, numbers_of
from gandream.models.spec import Spec
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.trajectory.ease import EASE, eased
from gandream.trajectory.interpolate import PATH, snapped
from gandream.trajectory.window import ByFrame


@dataclass(frozen=True, eq=False)
class Morph(ABC):
    """A class that moves, as weights of a model's ``count`` classes; a film has one, which many latents may follow.

    ``numbers`` are the classes that it moves through, int [K].
    """

    count: int
    numbers: np.ndarray

    @abstractmethod
    def weights(self, start: int, stop: int) -> np.ndarray:
        """Weights of all classes at frames [start, stop), float64 [n, C]."""

    @abstractmethod
    def key(self, start: int, stop: int) -> list[Any]:
        """What shapes the weights of frames [start, stop), for a content key."""


@dataclass(frozen=True, eq=False)
class Passage(Morph):
    """From one class to the next: rows sum to 1.

    ``places`` is how many classes each frame has passed, float64 [F]; ``holds`` is for which share of its step each
    stays pure, 0 to 1, float64 [K]; ``spans`` [K] is how long each step takes, in any unit (None: all the same), which
    a spline goes by.
    """

    places: ByFrame
    holds: np.ndarray
    ease: str = "smooth"
    loop: bool = True
    path: str = "lerp"
    spans: np.ndarray | None = None

    def weights(self, start: int, stop: int) -> np.ndarray:
        """At most two classes have a weight; along a spline four, some of them a little below 0."""
        numbers, around = self._around(start, stop)
        weights = np.zeros((len(around), self.count))
        for side in range(4):
            np.add.at(weights, (np.arange(len(around)), numbers[side]), around[:, side])
        return weights

    def key(self, start: int, stop: int) -> list[Any]:
        """The classes that have a weight, and which."""
        numbers, around = self._around(start, stop)
        return ["passage", self.count, np.where(around.T == 0, -1, numbers), around]

    def _around(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """The four classes around each of frames [start, stop), [4, n], and their weights, [n, 4]."""
        K, places = len(self.numbers), snapped(self.places[start:stop])
        passed, share = eased(places if self.loop else np.clip(places, 0, K - 1), "linear")
        hold = self.holds[passed % K]
        # What is held for its whole step is never left on the way: 0 / 1 then, and it jumps.
        share = EASE[self.ease](np.clip((share - hold) / np.where(hold < 1, 1 - hold, 1), 0, 1))
        knots = np.stack([self._index(passed + side) for side in (-1, 0, 1, 2)])
        spans = np.ones((3, len(places))) if self.spans is None else self.spans[knots[:3]]
        # Over the four classes around each frame first: all classes may be many.
        around = PATH[self.path](np.broadcast_to(np.eye(4)[:, None], (4, len(places), 4)), share, spans)
        return self.numbers[knots], around

    def _index(self, steps: np.ndarray) -> np.ndarray:
        K = len(self.numbers)
        return steps % K if self.loop else np.clip(steps, 0, K - 1)


@dataclass(frozen=True, eq=False)
class Chord(Morph):
    """Several classes at once, each with its weight in ``values`` float64 [F, K]."""

    values: ByFrame

    def weights(self, start: int, stop: int) -> np.ndarray:
        """Rows sum to 1 if those of ``values`` do; a class that is there twice has both weights."""
        values = self.values[start:stop]
        weights = np.zeros((len(values), self.count))
        for column, number in enumerate(self.numbers):
            weights[:, number] += values[:, column]
        return weights

    def key(self, start: int, stop: int) -> list[Any]:
        """The weights of those classes that it is made of."""
        return ["chord", self.count, self.numbers, self.values[start:stop]]


def class_number(word: int | str, recipe: Recipe, spec: Spec, path: Path_) -> int:
    """The number of a class that the recipe names at ``path``; RecipeError for one that the model hasn't."""
    if isinstance(word, str):
        numbers = numbers_of(word, spec.classes)
        if len(numbers) > 1:
            meant = listed((f"{number} {spec.classes[number]}" for number in numbers), 6)
            raise recipe.error(path, f"'{word[:60]}' may be several classes of {spec.name}", f"Write one of {meant}.")
        if not numbers:
            hint = f"{did_you_mean(word, known_words(spec.classes))} {known_classes(spec)}".lstrip()
            raise recipe.error(path, f"{spec.name} has no class '{word[:60]}'", hint)
        return numbers[0]
    if word >= len(spec.classes):
        raise recipe.error(path, f"{spec.name} has classes 0 to {len(spec.classes) - 1}", known_classes(spec))
    return word


def known_classes(spec: Spec) -> str:
    """The classes that a model has, in a sentence."""
    both = (name if name == str(index) else f"{index} {name}" for index, name in enumerate(spec.classes))
    return f"Its classes: {listed(both)}."
