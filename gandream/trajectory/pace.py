"""Even pace: a walk re-timed so that the picture changes as much in every second.

What is measured is how far apart pictures are along the walk (as in the perceptual path length of Karras et al. 2019,
section 4.1); a table of phases then says where the walk must be so that this length grows evenly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from gandream.base.clock import Clock
from gandream.base.hashing import content_key
from gandream.trajectory.timeline import Timeline
from gandream.trajectory.trajectory import Trajectory
from gandream.trajectory.walks import Track

PER_STEP, PER_LAP, MOST = 16, 240, 1600
"""Pictures that are measured from one latent to the next, along a walk without latents, and in all at most."""
FLOOR = 0.02
"""Of the mean change: where nothing changes a walk isn't torn, it passes there fifty times faster at most."""
VERSION = 1
"""Raised when the same walk is measured otherwise."""


@dataclass(frozen=True)
class Route:
    """The part of a walk that a film passes: phases [n + 1] at equal distances, with ``per`` of them in each span.

    Spans are what keeps its times: the steps of a walk from latent to latent, or all of it. A walk with a ``period``
    is measured over one at most.
    """

    phases: np.ndarray
    per: int
    period: float | None = None

    @classmethod
    def of(cls, trajectory: Trajectory, throughout: bool) -> Route:
        """The route of a film's walk."""
        track, places = trajectory.track, trajectory.track.places
        low, high = float(np.floor(places.min())), float(np.ceil(places.max()))
        period = None
        if isinstance(track, Track):
            if not track.loop:
                low, high = max(low, 0.0), min(high, float(track.count - 1))
            elif high - low >= track.count:
                low, high, period = 0.0, float(track.count), float(track.count)
            high = max(high, low + 1)
            per = max(2, min(PER_STEP, int(MOST / (high - low))))
            count = per * int(high - low)
        else:
            wanders = hasattr(track.shape, "period")  # its phases are in sigmas, those of the others in laps
            lap: float | None = getattr(track.shape, "period", 1.0)
            low, high = float(places.min()), float(places.max())
            if lap and high - low > 0.9 * lap:
                low, high, period = 0.0, lap, lap
            high = max(high, low + 1e-9)
            per = count = max(2, min(MOST, int(np.ceil((high - low) * (PER_STEP if wanders else PER_LAP)))))
        return cls(np.linspace(low, high, count + 1), count if throughout else per, period)

    def table(self, changes: np.ndarray) -> np.ndarray:
        """The even phase of each phase [n + 1], from the changes of the picture between them [n]: rising."""
        steps = self.phases[1] - self.phases[0]
        even = self.phases.copy()
        for begin in range(0, len(changes), self.per):
            part = changes[begin : begin + self.per]
            total = part.mean()
            part = part + FLOOR * total if total > 0 else np.ones(len(part))
            way = np.cumsum(part) / part.sum() * len(part) * steps
            even[begin + 1 : begin + len(part)] = self.phases[begin] + way[:-1]  # the ends stay to the last bit
        return even

    def warped(self, places: np.ndarray, even: np.ndarray) -> np.ndarray:
        """Where the walk is at places that pass at an even pace, float64."""
        low, high = self.phases[0], self.phases[-1]
        laps = np.floor(places / self.period) * self.period if self.period else np.zeros_like(places)
        inside = np.interp(places - laps, even, self.phases)
        beyond = (places - laps < low) | (places - laps > high)  # where a walk waits at its ends
        return np.where(beyond, places, laps + inside)

    def variation(self, changes: np.ndarray) -> float:
        """Coefficient of variation of the changes within spans: deviation over mean, 0 at an even pace."""
        spans = [changes[begin : begin + self.per] for begin in range(0, len(changes), self.per)]
        each = np.concatenate([part / part.mean() for part in spans if part.mean() > 0] or [np.ones(1)])
        return float(each.std())


def along(trajectory: Trajectory, phases: np.ndarray) -> Trajectory:
    """The walk alone, at these phases instead of its frames, with the film's middle truncation."""
    track, count = trajectory.track, len(phases)
    more: dict[str, Any] = {}
    if not isinstance(track, Track):
        more["amounts"] = np.full(count, np.median(track.amounts))
    psi = np.repeat(np.median(trajectory.psi, axis=0)[None], count, axis=0)
    line = Timeline(Clock(Fraction(30), count))
    return Trajectory(trajectory.spec, line, replace(track, places=phases, **more), psi)


def route_key(trajectory: Trajectory, route: Route) -> str:
    """Content key of what is measured along a route."""
    walk = along(trajectory, route.phases)
    return content_key("pace", VERSION, walk.key(0, len(route.phases)), route.phases, route.per)


def retimed(trajectory: Trajectory, route: Route, even: np.ndarray) -> Trajectory:
    """The trajectory with its walk at an even pace."""
    track = trajectory.track
    return replace(trajectory, track=replace(track, places=route.warped(track.places, even)))
