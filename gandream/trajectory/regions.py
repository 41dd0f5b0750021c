"""Regions of the picture with latents of their own, laid out in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gandream.recipe.reader import Path_
from gandream.recipe.regions import RegionOfLatent
from gandream.trajectory.layering import Mixed, lay_mix
from gandream.trajectory.laying import Ground
from gandream.trajectory.noise import Region, lay_where


@dataclass(frozen=True, eq=False)
class Regional:
    """What is seen in a part of the picture: its amounts [F] are how much of it."""

    mixed: Mixed
    where: Region

    def there(self, start: int, stop: int) -> bool:
        """Whether it is seen in frames [start, stop)."""
        return bool(self.mixed.amounts[start:stop].any())

    def key(self, start: int, stop: int, classes: int) -> list[Any]:
        """What shapes frames [start, stop), for a content key."""
        return ["region", self.mixed.key(start, stop, classes), self.where.key(start, stop)]


def lay_region(region: RegionOfLatent, path: Path_, ground: Ground) -> Regional:
    """Lay out one entry of `regions`."""
    where = lay_where(region.where, path, ground)
    assert where is not None, "a region says where"
    return Regional(lay_mix(region, path, ground), where)
