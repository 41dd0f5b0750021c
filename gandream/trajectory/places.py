"""Latents as written, to places: in z with a class, in w, or between two; checked against the model without torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from gandream.base.hashing import content_key
from gandream.models.spec import Spec
from gandream.recipe.latent import Latent
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.trajectory.classes import Morph, class_number, known_classes
from gandream.trajectory.interpolate import slerp
from gandream.trajectory.saved import SavedError, all_arrays, one_array


@dataclass(frozen=True, eq=False)
class Place:
    """A latent: ``z`` [D] and its class; or ``w`` [L, D'] or [1, D']; or ``ends`` and how far between; or the mean.

    The class is a number, or one that moves; a place in w has one where classes have centres of w of their own, and
    None is all of them then. Two places are never equal, so that a place can be a key of what was mapped from it.
    """

    z: np.ndarray | None = None
    class_: int | Morph | None = None
    w: np.ndarray | None = None
    ends: tuple[Place, Place] | None = None
    amount: float = 0.0

    @property
    def in_w(self) -> bool:
        """Whether it is only there after the mapping network."""
        return self.z is None

    def parts(self) -> Iterator[Place]:
        """The place, or all that it lies between."""
        for end in self.ends or ():
            yield from end.parts()
        if self.ends is None:
            yield self

    @property
    def moves(self) -> bool:
        """Whether what it is mapped to, or truncated toward, changes over time, with its class."""
        return isinstance(self.class_, Morph) or (self.ends is not None and any(end.moves for end in self.ends))

    def key(self, start: int, stop: int, classes: bool = True) -> list[Any]:
        """What it is at frames [start, stop), for a content key; without ``classes``, its latent alone."""
        if not classes:
            return [self._latent]
        if not self.moves:
            return [self._still]
        class_ = self.class_.key(start, stop) if isinstance(self.class_, Morph) else self.class_
        return [self._latent, class_, self.ends and [end.key(start, stop) for end in self.ends], self.amount]

    @cached_property
    def _still(self) -> str:
        """What it is if it doesn't move: many frames ask, and latents are long."""
        return content_key(self._latent, self.class_, self.ends and [end._still for end in self.ends], self.amount)

    @cached_property
    def _latent(self) -> str:
        return content_key(self.z, self.w)


def place(latent: Latent, recipe: Recipe, spec: Spec, path: Path_, classes: int | Morph | None = None) -> Place:
    """Resolve a latent of the recipe; RecipeError for one that doesn't fit the model.

    Its class is its own, else that of the word ``classes``, else ``model.class``.
    """
    if latent.seed is not None:
        return Place(z=spec.latents([latent.seed])[0], class_=_class(latent, recipe, spec, path, classes))
    if latent.file is not None:
        return _saved(latent, recipe, spec, path, classes)
    if latent.between is not None:
        first, second = (
            place(end, recipe, spec, (*path, "between", index), classes) for index, end in enumerate(latent.between)
        )
        if first.z is not None and second.z is not None and first.class_ == second.class_:
            return Place(z=slerp(first.z[None], second.z[None], np.array([latent.amount]))[0], class_=first.class_)
        return Place(ends=(first, second), amount=latent.amount)
    if spec.class_size:  # the centre is z = 0, and the class stays what it is
        return Place(z=np.zeros(spec.latent_size), class_=_class(latent, recipe, spec, path, classes))
    return Place(class_=_centre(recipe, spec, classes))


def _class(latent: Latent, recipe: Recipe, spec: Spec, path: Path_, classes: int | Morph | None) -> int | Morph | None:
    own = latent.class_ is not None
    if not own and classes is not None:
        return classes
    word = latent.class_ if own else recipe.model.class_
    where = (*path, "class") if own else ("model", "class")
    if not spec.classes:
        if word is not None:
            raise recipe.error(where, f"{spec.name} has no classes", "Leave the class out.")
        return None
    if word is None:
        problem = f"{spec.name} has {len(spec.classes)} classes, and this latent names none"
        hint = "Write {seed: 7, class: 0}, `classes: 0` or `model: {file: ..., class: 0}`."
        raise recipe.error(path, problem, f"{hint} {known_classes(spec)}")
    return class_number(word, recipe, spec, where)


def _centre(recipe: Recipe, spec: Spec, classes: int | Morph | None) -> int | Morph | None:
    """The class whose centre of w is meant where a latent has none; None for the mean of all."""
    if not spec.class_centres or classes is not None:
        return classes if spec.class_centres else None
    word = recipe.model.class_
    return None if word is None else class_number(word, recipe, spec, ("model", "class"))


def places_in(
    latent: Latent, recipe: Recipe, spec: Spec, path: Path_, classes: int | Morph | None = None
) -> list[Place]:
    """All latents that are meant where many may stand: a file without a name in it is all that it holds."""
    if latent.file is None or latent.name:
        return [place(latent, recipe, spec, path, classes)]
    try:
        found = [at for array in all_arrays(latent.file.path).values() for at in _many(array, spec)]
    except SavedError as error:
        raise recipe.error(path, *error.args) from None
    class_ = _class(latent, recipe, spec, path, classes) if any(at.z is not None for at in found) else None
    return [_with_class(at, class_, latent, recipe, spec, path, classes) for at in found]


def _saved(latent: Latent, recipe: Recipe, spec: Spec, path: Path_, classes: int | Morph | None) -> Place:
    assert latent.file is not None
    try:
        array, row = one_array(latent.file.path, latent.name)
        at = _one(array, row, spec)
    except SavedError as error:
        raise recipe.error(path, *error.args) from None
    class_ = None if at.z is None else _class(latent, recipe, spec, path, classes)
    return _with_class(at, class_, latent, recipe, spec, path, classes)


def _with_class(
    at: Place, class_: int | Morph | None, latent: Latent, recipe: Recipe, spec: Spec, path: Path_, classes: Any
) -> Place:
    """A saved place with the class that it has: a z that of its latent, a w the one whose centre is its own."""
    if at.z is not None:
        return Place(z=at.z, class_=class_)
    if latent.class_ is not None:
        raise recipe.error((*path, "class"), "a saved w has no class: it went into it when it was mapped")
    return replace(at, class_=_centre(recipe, spec, classes))


def _one(array: np.ndarray, row: str, spec: Spec) -> Place:
    """The latent of an array that may hold many: its only one, or that of a row."""
    many = _many(array, spec, by_row=bool(row))
    if not row and len(many) > 1:
        raise SavedError(f"this holds {len(many)} latents", f"Say which, from 0 to {len(many) - 1}, as in x.npy#0.")
    if row and int(row) >= len(many):
        raise SavedError(f"there is no latent {row}", f"It holds {len(many)}, counted from 0.")
    return many[int(row or 0)]


def _many(array: np.ndarray, spec: Spec, *, by_row: bool = False) -> list[Place]:
    """The latents of an array: z [D] or [K, D], w [L, D'] or [K, L or 1, D']; ``by_row``: rather many z than one w."""
    L, D, wide = len(spec.layers), spec.latent_size, spec.w_size or spec.latent_size
    array = array[None] if array.shape == (D,) else array
    many_z = array.ndim == 2 and array.shape[1] == D
    many_w = array.ndim == 3 and array.shape[1] in (1, L) and array.shape[2] == wide
    if array.shape == (L, wide) and not (by_row and many_z):
        many_z, many_w, array = False, True, array[None]
    if not array.size or not (many_z or many_w):
        problem = f"the saved latent is {list(array.shape)}"
        raise SavedError(f"{problem}, but {spec.name} wants z [{D}] or w [{L}, {wide}], or many of one kind")
    return [Place(z=one) if many_z else Place(w=one) for one in array]
