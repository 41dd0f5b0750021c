"""What words are laid out on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandream.models.spec import Spec
from gandream.recipe.latent import Latent
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.recipe.walk import Walk
from gandream.trajectory.classes import Morph
from gandream.trajectory.evaluate import LARGEST, Curves
from gandream.trajectory.places import Place, place
from gandream.trajectory.walks import travel


@dataclass(frozen=True)
class Ground:
    """What a walk is laid out on: the recipe, the model's facts, the curves, and the word `classes`."""

    recipe: Recipe
    spec: Spec
    curves: Curves
    classes: int | Morph | None = None

    def place(self, latent: Latent, path: Path_) -> Place:
        """A latent of the recipe."""
        return place(latent, self.recipe, self.spec, path, self.classes)

    def travelled(self, walk: Walk, steady: np.ndarray, path: Path_) -> np.ndarray:
        """Where the walk is at each frame: the integral of its speed along steady places, float64 [F]."""
        places = travel(steady, self.curves.values(walk.speed, (*path, "speed")))
        places = self.curves.timeline.anchored(places, steady)
        if np.abs(places).max() > LARGEST:
            what = "latents" if walk.kind == "through" else "laps or steps"
            raise self.recipe.error(path, f"the walk is too fast: it passes more than {LARGEST:.0e} {what}")
        return places

    @property
    def closes(self) -> bool:
        """Whether the film's end is to meet its beginning."""
        return self.recipe.video.loop and self.curves.timeline.clock.frames > 1

    @property
    def deviation(self) -> float:
        """Standard deviation of each number of z: less than 1 where it is truncated."""
        return 0.8796256610342398 if self.spec.truncated else 1.0  # of a normal distribution from -2 to 2
