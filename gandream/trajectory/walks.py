"""Walks: where on the path each frame is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gandream.recipe.classes import Classes
from gandream.recipe.motion import Walk
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.recipe.times import Time
from gandream.trajectory.classes import Morph
from gandream.trajectory.ease import eased
from gandream.trajectory.interpolate import PATH, lerp, step
from gandream.trajectory.places import Place
from gandream.trajectory.timeline import Timeline

DEFAULT_STEP = Time.seconds(4)


@dataclass(frozen=True)
class Track:
    """A walk laid out in time: its latents, and for each frame how many of them it has passed, float64 [F].

    ``waypoints`` are z [K, D]; a walk in w (``in_w``) has its latents in ``stops``, which only the generator can map.
    ``spans`` [K] is how long each step takes, in any unit; None: all the same.
    """

    waypoints: np.ndarray
    places: np.ndarray
    path: str = "slerp"
    ease: str = "linear"
    loop: bool = True
    stops: tuple[Place, ...] = ()
    in_w: bool = False
    spans: np.ndarray | None = None

    @classmethod
    def standing(cls, at: Place, frames: int) -> Track:
        """A walk that stays at one place."""
        return cls(np.zeros((1, 0)), np.zeros(frames), "lerp", stops=(at,), in_w=True)

    @property
    def count(self) -> int:
        """K, its latents."""
        return len(self.stops) or len(self.waypoints)

    def at(self, start: int, stop: int) -> np.ndarray:
        """z of frames [start, stop) of a walk in z, float64 [n, D]."""
        knots, share = self._knots(start, stop)
        return PATH[self.path](self.waypoints[knots], share, self._spans_at(knots))

    def through(self, start: int, stop: int, mapped: Callable[[Place], np.ndarray]) -> np.ndarray:
        """As :meth:`at`, of a walk in w: only the latents near these frames are mapped, each to [..., D].

        One whose class moves is mapped for each of the frames, to [n, ..., D].
        """
        knots, share = self._knots(start, stop)
        near, numbers = np.unique(knots, return_inverse=True)
        numbers, waypoints = numbers.reshape(knots.shape), [mapped(self.stops[index]) for index in near]
        moves = [self.stops[index].moves for index in near]
        if any(moves):
            shape = (knots.shape[1], *waypoints[moves.index(True)].shape[1:])
            chosen = np.stack([np.broadcast_to(w, shape) for w in waypoints])[numbers, np.arange(shape[0])]
        else:
            chosen = np.stack(waypoints)[numbers]
        return PATH[self.path](chosen, share, self._spans_at(knots))

    def classes(self, start: int, stop: int, count: int) -> np.ndarray | None:
        """Weights of a model's ``count`` classes at frames [start, stop), float32 [n, C]; None for a model without.

        On the way between a latent with a class of its own and one whose class moves, they go with the walk from that
        class to the one of the moment.
        """
        if not count or not self.stops:
            return None
        knots, share = self._knots(start, stop)
        near, numbers = np.unique(knots[1:3], return_inverse=True)
        rows, morph = np.zeros((len(near), count + 1)), None  # the last column: how much of the class that moves
        for row, index in zip(rows, near, strict=True):
            class_ = self.stops[index].class_
            if isinstance(class_, Morph):
                morph, row[-1] = class_, 1
            else:
                row[class_ or 0] = 1
        a, b = rows[numbers.reshape(2, -1)]
        weights = (step if self.path == "step" else lerp)(a, b, share)
        moving = 0 if morph is None else weights[:, -1:] * morph.weights(start, stop)
        return (weights[:, :-1] + moving).astype(np.float32)

    def key(self, start: int, stop: int, classes: int) -> list[Any]:
        """What shapes frames [start, stop), for a content key: of a walk in w, the latents near them and the places."""
        if not self.in_w:
            return [self.at(start, stop).astype(np.float32), self.classes(start, stop, classes)]
        knots, share = self._knots(start, stop)
        spans = self._spans_at(knots) if self.path == "spline" and self.spans is not None else None
        if self.path == "step":
            knots, share = np.where(share < 1, knots[1], knots[2]), np.zeros(0)
        elif self.path != "spline":
            knots = knots[1:3]
        near, numbers = np.unique(knots, return_inverse=True)
        stops = [self.stops[index].key(start, stop) for index in near]
        return [self.path, stops, numbers.reshape(knots.shape), share, spans]

    def _knots(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """The four latents around each frame of [start, stop), [4, n], and how far it is between the middle two."""
        places = self.places[start:stop]
        first, share = eased(places if self.loop else np.clip(places, 0, self.count - 1), self.ease)
        return np.stack([self._index(first + side) for side in (-1, 0, 1, 2)]), share

    def _spans_at(self, knots: np.ndarray) -> np.ndarray:
        return np.ones((3, knots.shape[1])) if self.spans is None else self.spans[knots[:3]]

    def _index(self, steps: np.ndarray) -> np.ndarray:
        return steps % self.count if self.loop else np.clip(steps, 0, self.count - 1)


def steady_places(
    walk: Walk | Classes, line: Timeline, recipe: Recipe, path: Path_ = ("walk",)
) -> tuple[np.ndarray, np.ndarray | None]:
    """Waypoints passed at each frame at speed 1, float64 [F], rising; the seconds of each step [K] if they differ."""
    if walk.at is None:
        return line.steps(walk.every or DEFAULT_STEP), None
    times = np.array([line.moment_s(time) for time in walk.at])
    falls = np.flatnonzero(np.diff(times) <= 0)
    if falls.size:
        index = int(falls[0]) + 1
        raise recipe.error((*path, "at", index), f"the times must rise, but this is not after {walk.at[index - 1]}")
    last = times[-1] - times[-2] if len(times) > 1 else line.length_s(DEFAULT_STEP)
    lap = [*times, times[-1] + last]  # the way back to the first takes as long as the last step
    now = line.clock.times
    inside = np.interp(now, lap, np.arange(len(lap)))
    # Later laps repeat the steps of the first; before the first time the walk waits there.
    laps, within = np.divmod(np.maximum(now - times[0], 0), lap[-1] - times[0])
    later = laps * len(times) + np.interp(within + times[0], lap, np.arange(len(lap)))
    return np.where(laps > 0, later, inside), np.diff(lap)


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
