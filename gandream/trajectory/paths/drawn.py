"""Latents by their numbers, each drawn by itself when it is needed; and coins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gandream.base.seeds import named_seed
from gandream.models.spec import Spec

KEPT = 512
"""Latents that are remembered: ranges that follow each other need nearly the same."""


@dataclass(frozen=True)
class Drawn:
    """z of numbers, ints [K] to float64 [K, D]: those of seeds, or with a ``seed`` those of a sequence of its own."""

    spec: Spec
    seed: int | None = None
    _kept: dict[int, np.ndarray] = field(default_factory=dict, compare=False, repr=False)

    def key(self) -> list[Any]:
        """What shapes them beside the model, for a content key."""
        return [self.seed]

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        """Draw them."""
        if not len(numbers):
            return np.zeros((0, self.spec.latent_size))
        if len(self._kept) > KEPT:
            self._kept.clear()
        for number in numbers.tolist():
            if number not in self._kept:
                seed = number if self.seed is None else named_seed(self.seed, f"knot {number}")
                self._kept[number] = self.spec.latents([seed])[0]
        return np.stack([self._kept[number] for number in numbers.tolist()])


def coins(seed: int, number: int | None, size: int) -> np.ndarray:
    """A coin for each number of z, of a draw or (None) for the signs at the beginning: bool [D]."""
    return np.random.RandomState(named_seed(seed, f"coins {number}")).uniform(size=size) < 0.5
