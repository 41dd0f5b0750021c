"""Latents as written, to places: in z with a class, in w, or between two; checked against the model without torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gandream.base.errors import did_you_mean, listed
from gandream.models.spec import Spec
from gandream.recipe.latent import Latent
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.trajectory.classes import Morph, class_number, known_classes
from gandream.trajectory.interpolate import slerp

MAX_BYTES = 1 << 30
"""Of a file of saved latents, and of an array in it."""
LARGEST = 1e30
"""Of a saved number; the network computes with float32."""
_NPY, _ZIP = b"\x93NUMPY", b"PK"


@dataclass(frozen=True, eq=False)
class Place:
    """A latent: ``z`` [D] and its class; or ``w`` [L, D'] or [1, D']; or ``ends`` and how far between; or the mean.

    The class is a number, or one that moves. Two places are never equal, so that a place can be a key of what was
    mapped from it.
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

    @property
    def moves(self) -> bool:
        """Whether what it is mapped to changes over time, with its class."""
        return isinstance(self.class_, Morph) or (self.ends is not None and any(end.moves for end in self.ends))

    def key(self, start: int, stop: int) -> list[Any]:
        """What it is at frames [start, stop), for a content key."""
        class_ = self.class_
        if isinstance(class_, Morph):
            class_ = class_.weights(start, stop).astype(np.float32)
        return [self.z, class_, self.w, self.ends and [end.key(start, stop) for end in self.ends], self.amount]


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
    return Place()


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


def _saved(latent: Latent, recipe: Recipe, spec: Spec, path: Path_, classes: int | Morph | None) -> Place:
    assert latent.file is not None
    try:
        array, row = _array(latent.file.path, latent.name)
        at = _one(array, row, spec)
    except _FileError as error:
        raise recipe.error(path, *error.args) from None
    if at.z is not None:
        return Place(z=at.z, class_=_class(latent, recipe, spec, path, classes))
    if latent.class_ is not None:
        raise recipe.error((*path, "class"), "a saved w has no class: it went into it when it was mapped")
    return at


def _one(array: np.ndarray, row: str, spec: Spec) -> Place:
    """The latent of an array that may hold many: z [D] or [K, D], w [L, D'] or [K, L or 1, D']."""
    L, D, wide = len(spec.layers), spec.latent_size, spec.w_size or spec.latent_size
    array = array[None] if array.shape == (D,) else array
    many_z = array.ndim == 2 and array.shape[1] == D
    many_w = array.ndim == 3 and array.shape[1] in (1, L) and array.shape[2] == wide
    if array.shape == (L, wide) and not (row and many_z):
        many_z, many_w, array = False, True, array[None]
    if not array.size or not (many_z or many_w):
        problem = f"the saved latent is {list(array.shape)}"
        raise _FileError(f"{problem}, but {spec.name} wants z [{D}] or w [{L}, {wide}], or many of one kind")
    if not row and len(array) > 1:
        raise _FileError(f"this holds {len(array)} latents", f"Say which, from 0 to {len(array) - 1}, as in x.npy#0.")
    if row and int(row) >= len(array):
        raise _FileError(f"there is no latent {row}", f"It holds {len(array)}, counted from 0.")
    one = array[int(row or 0)]
    return Place(z=one) if many_z else Place(w=one)


class _FileError(Exception):
    """What is wrong with a file of saved latents, and what to do."""


def _array(file: Path, name: str | None) -> tuple[np.ndarray, str]:
    """The array that a name means in a file, float64, and the row of it if one is named; nothing is executed."""
    array, row = _read(file, name or "")
    if array.dtype.kind not in "fiu":
        raise _FileError(f"saved latents are numbers, and this is {array.dtype}")
    array = array.astype(np.float64)
    if not (np.abs(array) < LARGEST).all():  # nan isn't
        raise _FileError(
            "some of these numbers are not finite" if not np.isfinite(array).all() else "too large numbers"
        )
    return array, row


def _read(file: Path, name: str) -> tuple[np.ndarray, str]:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise _FileError("the file is too large for saved latents")
        with open(file, "rb") as opened:
            kind = opened.read(6)
        if not kind.startswith((_NPY, _ZIP)):
            raise _FileError("this holds no saved latents: it isn't .npy or .npz inside")
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded, _row_of(name)
        with loaded:
            key, row = _key(loaded.files, name)
            member = next(info for info in loaded.zip.infolist() if info.filename in (key, f"{key}.npy"))
            if member.file_size > MAX_BYTES:
                raise _FileError("the array is too large for saved latents")
            array = loaded[key]
            if not isinstance(array, np.ndarray):  # a member that isn't .npy inside comes as bytes
                raise _FileError(f"'{key}' is no saved array")
            return array, row
    except _FileError:
        raise
    except Exception as error:
        objects = "Object arrays" in str(error)
        why = "it holds Python objects, which are never loaded" if objects else "it is damaged"
        raise _FileError(f"this holds no saved latents: {why}") from error


def _row_of(name: str) -> str:
    if name and not re.fullmatch("[0-9]{1,9}", name):
        hint = "Say which by its number, as in x.npy#0; names are for .npz files."
        raise _FileError(f"an .npy file has no names, so there is no '{name[:60]}' in it", hint)
    return name


def _key(names: list[str], name: str) -> tuple[str, str]:
    """The array of an .npz that a name means, and the row."""
    before, _, row = name.rpartition("/")
    if name in names:
        return name, ""
    if before in names and re.fullmatch("[0-9]{1,9}", row):
        return before, row
    if len(names) == 1 and re.fullmatch("[0-9]{0,9}", name):
        return names[0], name
    near = did_you_mean(name, names) or f"It holds: {listed(names)}."
    raise _FileError(f"the file has no latent '{name[:60]}'" if name else "say which latent, as in x.npz#name", near)
