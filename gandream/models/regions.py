"""Latents that differ between regions of the picture: each layer is made for each of them, and blended by their masks.

So every layer sees what the others made of the regions beside it, and the seam is drawn by the network; where a layer
is wider than the picture, at its borders, masks go on as they are at the edge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gandream.models.masks import Mask


@dataclass(frozen=True, eq=False)
class LatentRegion:
    """w [N, L, D'] in a part of the pictures; ``amounts`` [N] is how much of it."""

    w: Tensor
    mask: Mask
    amounts: Tensor

    def at(self, height: int, width: int) -> Tensor:
        """How much of it is at each place, [N, 1, height, width]."""
        return self.mask.at(height, width, self.w.device) * self.amounts[:, None, None, None]

    def over(self, below: Tensor, above: Tensor) -> Tensor:
        """One picture or layer [N, C, H, W] over another, where the region is."""
        return torch.lerp(below, above, self.at(*below.shape[2:]).to(below.dtype))

    def of(self, n: int) -> LatentRegion:
        """For one picture of the batch."""
        one, spots = slice(n, n + 1), self.mask.spots
        mask = self.mask if spots is None else replace(self.mask, spots=spots[one])
        return LatentRegion(self.w[one], mask, self.amounts[one])


class Regions:
    """The regions of a batch: ``x = regions(make, w)`` is what a layer makes of w, and of other w in some places."""

    def __init__(self, regions: Sequence[LatentRegion] = ()):
        self.regions = tuple(regions)

    def __call__(self, make: Callable[[Tensor], Tensor], w: Tensor) -> Tensor:
        """``make`` must not overwrite what it works on."""
        made = make(w)
        for region in self.regions:
            made = region.over(made, make(region.w))
        return made

    def of(self, n: int) -> Regions:
        """For one picture of the batch."""
        return Regions([region.of(n) for region in self.regions]) if self.regions else self


WHOLE = Regions()
"""The same latent everywhere."""
