"""Every dimension goes straight on and turns round at the walls of a box: the random walk of lucid-sonic-dreams.

There, signs are flipped frame by frame; here a place is the triangle wave of the way that lies behind it, so that it
is a function of the phase alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gandream.trajectory.pushes import within


@dataclass(frozen=True)
class Bounce:
    """``begin`` [D] is in the box, ``way`` [D] is what a phase of 1 is worth, with its sign; phases count draws.

    ``slower`` [B, D] is which dimensions are slower in each draw from number ``first`` on, by the share ``randomness``.
    ``drift`` [D] is added over the film, so that it ends where it began.
    """

    begin: np.ndarray
    way: np.ndarray
    slower: np.ndarray
    first: int
    box: float
    randomness: float
    drift: np.ndarray | None = None
    _behind: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        behind = np.zeros((len(self.slower) + 1, len(self.begin)))
        np.cumsum(self.factors(slice(None)), axis=0, out=behind[1:])
        object.__setattr__(self, "_behind", behind - behind[-self.first])  # 0 where the phase is

    def factors(self, draws: slice | np.ndarray) -> np.ndarray:
        """How fast each dimension is in some of the draws: 1, or less."""
        return 1 - self.randomness * self.slower[draws]

    def travelled(self, phases: np.ndarray) -> np.ndarray:
        """The way that lies behind phases [n], walls or not: float64 [n, D]."""
        draws = np.floor(phases).astype(np.int64)
        rows = np.clip(draws - self.first, 0, len(self.slower) - 1)
        return self.way * (self._behind[rows] + self.factors(rows) * (phases - draws)[:, None])

    def key(self, phases: np.ndarray) -> list[Any]:
        """What shapes places at phases, for a content key: the way until the draws that they are in, and those."""
        draws = np.floor(phases[:, 0]).astype(np.int64)
        needed, numbers = np.unique(np.clip(draws - self.first, 0, len(self.slower) - 1), return_inverse=True)
        fixed = [self.begin, self.way, self.box, self.randomness]
        closing = [] if self.drift is None else [self.drift, phases[:, 1]]
        return [fixed, self._behind[needed], self.slower[needed], numbers, phases[:, 0] - draws, *closing]

    def __call__(self, phases: np.ndarray) -> np.ndarray:
        """Places at phases [n, 2], of the walk and of the film (0 to 1): float64 [n, D]."""
        places = self.begin + self.travelled(phases[:, 0])
        if self.drift is not None:
            places = places + self.drift * phases[:, 1:]
        return within(places, self.box)
