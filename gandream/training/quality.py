"""How good a generator is: sliced Wasserstein distance of its pictures to held-out ones, beside two yardsticks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gandream.training import swd
from gandream.training.data import Data

SAMPLES = 8192
"""Of each side, as in Karras et al. 2018, section 5 (16384 there)."""
BATCH = 64
Make = Callable[[int, int, "Tensor | None"], Tensor]
"""(number of the first, how many, labels) -> pictures uint8 [N, 3, R, R]."""


@dataclass(frozen=True)
class Quality:
    """A distance, times 1000: of each level of the pyramid by its resolution, and their mean."""

    levels: dict[int, float]

    @property
    def mean(self) -> float:
        """The one figure."""
        return swd.mean(self.levels)


def of_data(data: Data, resolution: int, samples: int, first: int = 0) -> swd.Descriptors:
    """Descriptors of held-out pictures."""
    found = swd.Descriptors(resolution)
    for at in range(0, samples, BATCH):
        found.add(data.batch(first + at, min(BATCH, samples - at), resolution, held_out=True)[0].cpu())
    return found


def of_generator(make: Make, data: Data, resolution: int, samples: int) -> swd.Descriptors:
    """Descriptors of generated pictures, with the classes that held-out pictures have."""
    found = swd.Descriptors(resolution)
    for at in range(0, samples, BATCH):
        count = min(BATCH, samples - at)
        labels = None
        if data.classes:  # the smallest pictures serve to learn the labels
            labels = data.batch(at, count, 16, held_out=True)[1]
        found.add(make(at, count, labels))
    return found


def latents(size: int, first: int, count: int) -> Tensor:
    """z [N, D] of samples by their numbers, the same in every measurement."""
    rows = [torch.randn(size, generator=torch.Generator().manual_seed(first + row)) for row in range(count)]
    return torch.stack(rows)


def compare(a: swd.Descriptors, b: swd.Descriptors) -> Quality:
    """Distance of two sets."""
    return Quality(swd.swd(a, b))
