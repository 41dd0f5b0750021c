"""Latents as written, to places: in z with a class, in w, or between two; checked against the model without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gandream.base.errors import did_you_mean, listed
from gandream.models.spec import Spec
from gandream.recipe.latent import Latent
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.trajectory.interpolate import slerp

MAX_BYTES = 1 << 30
"""Of a file of saved latents."""


@dataclass(frozen=True)
class Place:
    """A latent: ``z`` [D] and its class; or ``w`` [L, D'] or [1, D']; or ``ends`` and how far between; or the mean."""

    z: np.ndarray | None = None
    class_: int | None = None
    w: np.ndarray | None = None
    ends: tuple[Place, Place] | None = None
    amount: float = 0.0

    @property
    def in_w(self) -> bool:
        """Whether it is only there after the mapping network."""
        return self.z is None

    def key(self) -> list[Any]:
        """What it is, for a content key."""
        return [self.z, self.class_, self.w, self.ends and [end.key() for end in self.ends], self.amount]


def place(latent: Latent, recipe: Recipe, spec: Spec, path: Path_) -> Place:
    """Resolve a latent of the recipe; RecipeError for one that doesn't fit the model."""
    if latent.seed is not None:
        return Place(z=spec.latents([latent.seed])[0], class_=_class(latent, recipe, spec, path))
    if latent.file is not None:
        return _saved(latent, recipe, spec, path)
    if latent.between is not None:
        first, second = (place(end, recipe, spec, (*path, "between", i)) for i, end in enumerate(latent.between))
        if first.z is not None and second.z is not None and first.class_ == second.class_:
            return Place(z=slerp(first.z[None], second.z[None], np.array([latent.amount]))[0], class_=first.class_)
        return Place(ends=(first, second), amount=latent.amount)
    return Place()


def _class(latent: Latent, recipe: Recipe, spec: Spec, path: Path_) -> int | None:
    own = latent.class_ is not None
    word = latent.class_ if own else recipe.model.class_
    where = (*path, "class") if own else ("model", "class")
    if not spec.classes:
        if own:
            raise recipe.error(where, f"{spec.name} has no classes", "Leave the class out.")
        return None
    known = f"Its classes: {listed(f'{index} {name}' for index, name in enumerate(spec.classes))}."
    if word is None:
        problem = f"{spec.name} has {len(spec.classes)} classes, and this latent names none"
        raise recipe.error(path, problem, f"Write {{seed: 7, class: 0}}, or `model: {{file: ..., class: 0}}`. {known}")
    if isinstance(word, str):
        if word not in spec.classes:
            raise recipe.error(where, f"{spec.name} has no class '{word}'", did_you_mean(word, spec.classes) or known)
        return spec.classes.index(word)
    if word >= len(spec.classes):
        raise recipe.error(where, f"{spec.name} has classes 0 to {len(spec.classes) - 1}", known)
    return word


def _saved(latent: Latent, recipe: Recipe, spec: Spec, path: Path_) -> Place:
    assert latent.file is not None
    try:
        array = _array(latent.file.path, latent.name)
    except _FileError as error:
        raise recipe.error(path, str(error)) from None
    L, D, Dw = len(spec.layers), spec.latent_size, spec.w_size or spec.latent_size
    wanted = f"{spec.name} wants z [{D}] or w [{L}, {Dw}]"
    if array.shape == (D,):
        return Place(z=array, class_=_class(latent, recipe, spec, path))
    if array.shape == (L, Dw):
        return Place(w=array)
    many_z = array.ndim == 2 and array.shape[1] == D
    if many_z or (array.ndim == 3 and array.shape[1] in (1, L) and array.shape[2] == Dw):
        row = _row(array, latent.name, recipe, path)
        return Place(z=row, class_=_class(latent, recipe, spec, path)) if row.ndim == 1 else Place(w=row)
    raise recipe.error(path, f"the saved latent is {list(array.shape)}, but {wanted}")


def _row(array: np.ndarray, name: str | None, recipe: Recipe, path: Path_) -> np.ndarray:
    number = (name or "").rpartition("/")[2]
    if len(array) == 1 and not number.isdecimal():
        return array[0]
    if not number.isdecimal() or int(number) >= len(array):
        problem = f"the file holds {len(array)} latents"
        raise recipe.error(path, problem, f"Say which, from 0 to {len(array) - 1}: latents.npy#0")
    return array[int(number)]


class _FileError(Exception):
    """What is wrong with a file of saved latents."""


def _array(file: Path, name: str | None) -> np.ndarray:
    """The array that a name means in a file, float64; nothing in it is executed."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise _FileError("the file is too large for saved latents")
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            array = loaded
        else:
            with loaded:
                array = loaded[_key(loaded.files, name)]
    except _FileError:
        raise
    except Exception as error:
        objects = "allow_pickle" in str(error) or "Object arrays" in str(error)
        why = "it holds Python objects, which are never loaded" if objects else "it is damaged, or something else"
        raise _FileError(f"no saved latents: {why}") from error
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise _FileError(f"saved latents are finite numbers; this is {array.dtype} with other values")
    return array.astype(np.float64)


def _key(names: list[str], name: str | None) -> str:
    wanted = name or ""
    for candidate in (wanted, wanted.rpartition("/")[0]):
        if candidate in names:
            return candidate
    if len(names) == 1 and (not wanted or wanted.isdecimal()):
        return names[0]
    near = did_you_mean(wanted, names) or f"It holds: {listed(names)}."
    raise _FileError(
        f"the file has no latent '{wanted}'. {near}" if wanted else f"say which latent, as in x.npz#name. {near}"
    )
