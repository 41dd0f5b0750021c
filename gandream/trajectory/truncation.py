"""Truncation laid out in time: how much of each layer, and toward what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gandream.models.spec import Spec
from gandream.recipe.latent import Latent
from gandream.recipe.layering import LayerPsi, Nearest, Truncated
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.trajectory import layers
from gandream.trajectory.laying import Ground
from gandream.trajectory.places import Place


@dataclass(frozen=True)
class Centre:
    """What truncation goes toward instead of the model's centre of w.

    The nearest of ``stops``: their sum by softmax weights of minus their squared distance over ``softness`` times the
    mean squared distance between any two of them. Or without any the mean of the class (``of_class``).
    """

    stops: tuple[Place, ...] = ()
    softness: float = 0.1
    of_class: bool = False

    def key(self, start: int, stop: int) -> list[Any]:
        """What shapes frames [start, stop), for a content key."""
        near = [self.softness] if len(self.stops) > 1 else []
        return [[at.key(start, stop) for at in self.stops], *near, self.of_class]


def lay_truncation(ground: Ground) -> tuple[np.ndarray, Centre | None]:
    """psi of each frame, float64 [F] or of each layer [F, L], and what it goes toward."""
    said, path = ground.recipe.truncation, ("truncation",)
    if not isinstance(said, Truncated):
        return _by_layers(said, path, ground) if isinstance(said, tuple) else ground.curves.values(said, path), None
    centre = _centre(said, ground)
    if isinstance(said.psi, tuple):
        return _by_layers(said.psi, (*path, "psi"), ground), centre
    psi = ground.curves.values(said.psi, (*path, "psi"))
    check_cutoff(said, ground.spec, ground.recipe, path)
    chosen = np.ones(len(ground.spec.layers), bool)
    if said.cutoff is not None:
        chosen[said.cutoff :] = False
    elif said.layers is not None:
        chosen = layers.mask(said.layers, ground.spec, ground.recipe, (*path, "layers"))
    return psi if chosen.all() else np.where(chosen, psi[:, None], 1.0), centre


def check_cutoff(said: Truncated, spec: Spec, recipe: Recipe, path: Path_) -> None:
    """Refuse a layer to end at that the model hasn't."""
    last = len(spec.layers) - 1
    if said.cutoff is not None and said.cutoff > last:
        problem = f"{spec.name} has layers 0 to {last}; {said.cutoff} is beyond them"
        raise recipe.error((*path, "cutoff"), problem, "Leave `cutoff` out to truncate them all.")


def _by_layers(parts: tuple[LayerPsi, ...], path: Path_, ground: Ground) -> np.ndarray:
    """Layers that are not listed are not truncated."""
    psi = np.ones((ground.curves.timeline.clock.frames, len(ground.spec.layers)))
    for index, part in enumerate(parts):
        chosen = layers.mask(part.layers, ground.spec, ground.recipe, (*path, index, "layers"))
        psi[:, chosen] = ground.curves.values(part.psi, (*path, index, "psi"))[:, None]
    return psi


def _centre(said: Truncated, ground: Ground) -> Centre | None:
    spec, path = ground.spec, ("truncation", "toward")
    if isinstance(said.toward, Nearest):
        stops = tuple(
            ground.place(latent, (*path, "nearest", index)) for index, latent in enumerate(said.toward.nearest)
        )
        return Centre(stops, said.toward.softness)
    if isinstance(said.toward, Latent):
        # `mean` is what it goes toward anyway, and known to the model itself.
        return None if said.toward.mean else Centre((ground.place(said.toward, path),))
    if said.toward != "class":
        return None
    if not spec.classes:
        raise ground.recipe.error(path, f"{spec.name} has no classes", "Without `toward` it is the mean of all.")
    # A model that knows the centres of its classes goes toward them anyway; so does one whose w holds the class.
    return None if spec.class_centres or spec.class_size else Centre(of_class=True)
