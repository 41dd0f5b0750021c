"""What scenes inherit from the recipe's top: it runs on the film's clock, so it is laid out once for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from gandream.recipe.curve import Expression
from gandream.recipe.expression import names_in
from gandream.recipe.recipe import Recipe, values_in

OF_A_SCENE = frozenset({"scene_t", "scene_progress"})
"""What expressions know of the scene that they are in: with these, an inherited word is another one in each."""
T = TypeVar("T")


class Inherited:
    """Words as they were laid out for an earlier scene."""

    def __init__(self) -> None:
        self._laid: dict[tuple[Any, ...], tuple[Any, Any]] = {}

    def laid(self, recipe: Recipe, word: str, make: Callable[[], T], *on: Any) -> T:
        """What ``make`` makes of a word that a scene inherits, which depends on the things ``on`` too."""
        value = getattr(recipe, word)
        if OF_A_SCENE & names_of(value, recipe):
            return make()
        key = (word, recipe.seed, str(recipe.model.class_), id(value), *(id(one) for one in on))
        if key not in self._laid:
            self._laid[key] = make(), (value, on)  # these are kept, so that their ids stay theirs
        return self._laid[key][0]


def names_of(value: Any, recipe: Recipe) -> set[str]:
    """All names in the expressions of a word, and in those of the recipe's own curves if it has one of these."""
    names = _names(value)
    return names | _names(recipe.curves) if names & set(recipe.curves) else names


def _names(value: Any) -> set[str]:
    curves = [one for _, one in values_in(value) if isinstance(one, Expression)]
    return {str(node.value) for curve in curves for node in names_in(curve.tree)}
