"""Walks: where on the path each frame is, and what lies between two latents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gandream.recipe.motion import Walk
from gandream.recipe.recipe import Recipe
from gandream.recipe.times import Time
from gandream.trajectory.ease import eased
from gandream.trajectory.timeline import Timeline

DEFAULT_STEP = Time.seconds(4)


def lerp(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Interpolate straight: [F, D], [F, D], [F] -> [F, D]."""
    return a + (b - a) * share[:, None]


def slerp(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Interpolate on the sphere, norms linearly: [F, D], [F, D], [F] -> [F, D] (Shoemake 1985; lerp without an arc)."""
    norm_a, norm_b = (np.linalg.norm(v, axis=1, keepdims=True) for v in (a, b))
    norm_a, norm_b = np.maximum(norm_a, 1e-12), np.maximum(norm_b, 1e-12)
    angle = np.arccos(np.clip((a / norm_a * (b / norm_b)).sum(1, keepdims=True), -1, 1))
    sine, share = np.sin(angle), share[:, None]
    arc = (sine > 1e-4) & (np.minimum(norm_a, norm_b) > 1e-12)  # not the same direction, not opposite ones, not zero
    norms = norm_a * (1 - share) + norm_b * share
    safe = np.where(arc, sine, 1.0)
    on_arc = a * (np.sin((1 - share) * angle) / safe * (norms / norm_a))
    on_arc += b * (np.sin(share * angle) / safe * (norms / norm_b))
    return np.where(arc, on_arc, lerp(a, b, share[:, 0]))


def step(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Stay, then jump: [F, D], [F, D], [F] -> [F, D]."""
    return np.where(share[:, None] < 1, a, b)


PATH: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "slerp": slerp,
    "lerp": lerp,
    "step": step,
}


@dataclass(frozen=True)
class Track:
    """A walk laid out in time: its waypoints z [K, D] and, for each frame, how many it has passed, float64 [F]."""

    waypoints: np.ndarray
    places: np.ndarray
    path: str = "slerp"
    ease: str = "linear"
    loop: bool = True

    def at(self, start: int, stop: int) -> np.ndarray:
        """z of frames [start, stop), float64 [n, D]."""
        count = len(self.waypoints)
        places = self.places[start:stop] if self.loop else np.clip(self.places[start:stop], 0, count - 1)
        first, share = eased(places, self.ease)
        ends = [(first + side) % count if self.loop else np.minimum(first + side, count - 1) for side in (0, 1)]
        return PATH[self.path](self.waypoints[ends[0]], self.waypoints[ends[1]], share)


def steady_places(walk: Walk, line: Timeline, recipe: Recipe) -> np.ndarray:
    """Waypoints passed at each frame at speed 1, float64 [F], rising."""
    if walk.at is None:
        return line.steps(walk.every or DEFAULT_STEP)
    times = np.array([line.moment_s(time) for time in walk.at])
    falls = np.flatnonzero(np.diff(times) <= 0)
    if falls.size:
        index = int(falls[0]) + 1
        raise recipe.error(("walk", "at", index), f"the times must rise, but this is not after {walk.at[index - 1]}")
    last = times[-1] - times[-2] if len(times) > 1 else line.length_s(DEFAULT_STEP)
    lap = [*times, times[-1] + last]  # the way back to the first takes as long as the last step
    now = line.clock.times
    inside = np.interp(now, lap, np.arange(len(lap)))
    # Later laps repeat the steps of the first; before the first time the walk waits there.
    laps, within = np.divmod(np.maximum(now - times[0], 0), lap[-1] - times[0])
    return np.where(laps > 0, laps * len(times) + np.interp(within + times[0], lap, np.arange(len(lap))), inside)


def travel(places: np.ndarray, speed: np.ndarray) -> np.ndarray:
    """The integral of speed along the steady places (trapezoids): float64 [F], starting where they start."""
    strides = (speed[1:] + speed[:-1]) / 2 * np.diff(places)
    return np.cumsum(np.concatenate([places[:1], strides]))


def closed(places: np.ndarray, end: float, lap: int) -> np.ndarray:
    """Fit places so that the film's end (where they would be ``end``) is a whole number of laps after its beginning.

    They are stretched. A walk that turns round and ends less than half a lap from where it began is led back instead.
    """
    way = end - places[0]
    laps = np.floor(abs(way) / lap + 0.5) * np.sign(way)
    strides = np.diff(places)
    if laps == 0 and strides.min() < 0 < strides.max():
        return places - way * np.arange(len(places)) / len(places)
    return places[0] + (places - places[0]) * ((laps or np.sign(way)) * lap / way) if way else places
