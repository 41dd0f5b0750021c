"""Pushes: how far off the walk each frame is moved, and where to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gandream.base.clock import Clock
from gandream.trajectory.places import Place
from gandream.trajectory.window import ByFrame


@dataclass(frozen=True)
class Shove:
    """A push laid out in time. ``amounts`` is float64 [F]; ``target``: where to, or the latent of a random direction.

    In z a random direction is the latent itself (RMS about 1); in w it is the mapped latent less ``w_avg``, which is
    one deviation of w. ``layers`` is bool [L] or None for all.
    """

    toward: bool
    target: Place
    amounts: ByFrame
    box: float | None = None
    in_w: bool = False
    layers: np.ndarray | None = None
    bare: bool = False
    """Whether the target is a direction itself, as it was saved, and no latent."""

    def key(self, start: int, stop: int) -> list[Any]:
        """What it does to frames [start, stop), for a content key."""
        amounts, bare = self.amounts[start:stop].astype(np.float32), ["bare"] * self.bare
        return [self.toward, self.in_w, self.target.key(start, stop), amounts, self.box, self.layers, *bare]

    def moved(self, places: np.ndarray, start: int, stop: int) -> np.ndarray:
        """Push z [n, D] of frames [start, stop)."""
        assert self.target.z is not None, "a push in z goes to a latent in z"
        return self.move(places, self.target.z, self.amounts[start:stop, None].astype(np.float32))

    def move(self, places: Any, target: Any, amounts: Any) -> Any:
        """Push places [n, ...] by amounts that broadcast to them, to or along a target [...]; arrays or tensors."""
        if self.toward:
            return places + amounts * (target - places)
        return places + within(amounts * target, self.box)


def within(offsets: Any, box: float | None) -> Any:
    """Fold offsets into [-box, box]: a coordinate turns round at a wall, as if its speed's sign were flipped there."""
    if box is None:
        return offsets
    nearest = offsets - (offsets / 4 / box).round() * 4 * box
    return 2 * nearest.clip(-box, box) - nearest


def accumulated(speed: np.ndarray, clock: Clock) -> np.ndarray:
    """The integral of a speed per second (trapezoids), 0 at the first frame: float64 [F]."""
    return np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) / 2)]) / float(clock.fps)
