"""Saved directions, as other tools find and save them: checked against the model, in z or in w."""

from __future__ import annotations

import numpy as np

from gandream.models.spec import Spec
from gandream.recipe.latent import Latent
from gandream.recipe.motion import Push
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.trajectory.places import Place
from gandream.trajectory.saved import SavedError, one_array


def direction(saved: Latent, push: Push, recipe: Recipe, spec: Spec, path: Path_) -> Place:
    """A saved direction: in w [1, D'] or [L, D'], or in z [D]; one that may be both is in w unless `space` says z.

    RecipeError where the file holds none for this model.
    """
    assert saved.file is not None, "the recipe is checked to name a file"
    try:
        array, row = one_array(saved.file.path, saved.name)
        return _one(array, row, spec, in_z=not push.in_w, in_w=push.space != "z")
    except SavedError as error:
        raise recipe.error((*path, "along"), *error.args) from None


def _one(array: np.ndarray, row: str, spec: Spec, *, in_z: bool, in_w: bool) -> Place:
    """The direction of an array [D], [L, D'], or many of them [K, D], [K, 1, D], [K, L, D'] with a row."""
    L, D, wide = len(spec.layers), spec.latent_size, spec.w_size or spec.latent_size
    shape = list(array.shape)
    if array.ndim == 3 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 1 or (array.shape == (L, wide) and not row and in_w):
        array = array[None]
    rows = array[0].shape if array.ndim > 1 and len(array) else ()
    fits_w, fits_z = in_w and rows in ((wide,), (L, wide)), in_z and rows == (D,)
    if not (fits_w or fits_z):
        wanted = [f"z [{D}]"] * in_z + [f"w [{wide}] or [{L}, {wide}]"] * in_w
        raise SavedError(f"the saved direction is {shape}, but {spec.name} wants {' or '.join(wanted)}")
    if not row and len(array) > 1:
        raise SavedError(f"this holds {len(array)} directions", f"Say which, 0 to {len(array) - 1}, as in x.npy#0.")
    if int(row or 0) >= len(array):
        raise SavedError(f"there is no direction {row}", f"It holds {len(array)}, counted from 0.")
    one = array[int(row or 0)]
    return Place(w=one.reshape(-1, wide)) if fits_w else Place(z=one)
