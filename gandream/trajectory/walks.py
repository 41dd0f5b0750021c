"""Walks: where on the path each frame is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from gandream.recipe.classes import Classes
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.recipe.times import Time
from gandream.recipe.walk import Walk
from gandream.trajectory.classes import Morph
from gandream.trajectory.ease import EASE, eased
from gandream.trajectory.interpolate import PATH, lerp, snapped, step
from gandream.trajectory.places import Place
from gandream.trajectory.timeline import Timeline
from gandream.trajectory.window import ByFrame

DEFAULT_STEP = Time.seconds(4)
NEAR = 0.01
"""Share of a curve's range by which its end may miss its beginning."""


@dataclass(frozen=True)
class Track:
    """A walk laid out in time: its latents, and for each frame how many of them it has passed, float64 [F].

    ``waypoints`` are z [K, D]; a walk in w (``in_w``) has its latents in ``stops``, which only the generator can map.
    ``spans`` [K] is how long each step takes, in any unit; None: all the same. A ``path`` or an ``ease`` may be a list
    with one for each step; shorter ones begin again.
    """

    waypoints: np.ndarray
    places: ByFrame
    path: str | tuple[str, ...] = "slerp"
    ease: str | tuple[str, ...] = "linear"
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
        return self._between(self.waypoints[knots], knots, share)

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
        return self._between(chosen, knots, share)

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
        weights = lerp(a, b, share)
        for path, frames in self._paths_at(knots):
            if path == "step":
                weights[frames] = step(a[frames], b[frames], share[frames])
        moving = 0 if morph is None else weights[:, -1:] * morph.weights(start, stop)
        return (weights[:, :-1] + moving).astype(np.float32)

    def key(self, start: int, stop: int, classes: int) -> list[Any]:
        """What shapes frames [start, stop), for a content key: the latents near them, and where between they are.

        ``classes`` is how many the model has; a walk in z is in none, if they are not asked for.
        """
        knots, share = self._knots(start, stop)
        paths, near, shares = self._paths_at(knots), knots.copy(), share.copy()
        for path, frames in paths:  # without what makes no difference
            if path == "step":
                near[:, frames] = np.where(share[frames] < 1, knots[1, frames], knots[2, frames])
                shares[frames] = 0
            elif path != "spline":
                last = np.where(share[frames] == 0, knots[1, frames], knots[2, frames])
                near[:, frames] = np.stack([knots[1, frames]] * 2 + [last] * 2)
        splines = any(path == "spline" for path, _ in paths)
        spans = self._spans_at(knots) if splines and self.spans is not None else None
        needed, numbers = np.unique(near, return_inverse=True)
        held = self.in_w or classes > 0
        stops = [self.stops[at].key(start, stop, held) if self.stops else self.waypoints[at] for at in needed.tolist()]
        among = [[path, frames] for path, frames in paths] if len(paths) > 1 else [path for path, _ in paths]
        return [among, self.in_w, stops, numbers.reshape(near.shape), shares, spans]

    def straight(self) -> Track:
        """The walk with straight ways where it has arcs."""
        paths = (self.path,) if isinstance(self.path, str) else self.path
        return replace(self, path=tuple("lerp" if path == "slerp" else path for path in paths))

    def _between(self, latents: np.ndarray, knots: np.ndarray, share: np.ndarray) -> np.ndarray:
        """What lies between latents [4, n, ...]: [n, ...]."""
        spans, paths = self._spans_at(knots), self._paths_at(knots)
        if len(paths) == 1:
            return PATH[paths[0][0]](latents, share, spans)
        found = np.empty_like(latents[1])
        for path, frames in paths:
            found[frames] = PATH[path](latents[:, frames], share[frames], spans[:, frames])
        return found

    def _paths_at(self, knots: np.ndarray) -> list[tuple[str, np.ndarray]]:
        """Which paths there are, and which of the frames go along each."""
        if isinstance(self.path, str):
            return [(self.path, np.arange(knots.shape[1]))]
        which = knots[1] % len(self.path)
        words = np.array(self.path)[which]
        return [(str(path), np.flatnonzero(words == path)) for path in dict.fromkeys(words.tolist())] or [
            (self.path[0], np.arange(0))
        ]

    def _knots(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """The four latents around each frame of [start, stop), [4, n], and how far it is between the middle two."""
        places = snapped(self.places[start:stop])
        places = places if self.loop else np.clip(places, 0, self.count - 1)
        if isinstance(self.ease, str):
            first, share = eased(places, self.ease)
        else:
            first, share = eased(places, "linear")
            which = self._index(first) % len(self.ease)
            for word in dict.fromkeys(self.ease):
                frames = np.array(self.ease)[which] == word
                share[frames] = EASE[word](share[frames])
        return np.stack([self._index(first + side) for side in (-1, 0, 1, 2)]), share

    def _spans_at(self, knots: np.ndarray) -> np.ndarray:
        return np.ones((3, knots.shape[1])) if self.spans is None else self.spans[knots[:3]]

    def _index(self, steps: np.ndarray) -> np.ndarray:
        return steps % self.count if self.loop else np.clip(steps, 0, self.count - 1)


def steady_places(
    walk: Walk | Classes, line: Timeline, recipe: Recipe, path: Path_ = ("walk",), count: int | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Waypoints passed at each frame at speed 1, float64 [F], rising; the seconds of each step [K] if they differ.

    ``count`` is K, where the walk's words alone don't say it.
    """
    if walk.at is None:
        every = walk.every if isinstance(walk.every, tuple) else (walk.every or DEFAULT_STEP,)
        if len(every) == 1:
            return line.steps(every[0]), None
        return _uneven(every, count or len(walk.through), line, recipe, path)
    times = np.array([line.moment_s(time) for time in walk.at])
    if count is not None and count != len(times):
        problem = f"`at` has {len(times)} times for {count} latents"
        raise recipe.error((*path, "at"), problem, "Give one time for each latent, in the order in which they come.")
    falls = np.flatnonzero(np.diff(times) <= 0)
    if falls.size:
        index = int(falls[0]) + 1
        raise recipe.error((*path, "at", index), f"the times must rise, but this is not after {walk.at[index - 1]}")
    last = times[-1] - times[-2] if len(times) > 1 else line.length_s(DEFAULT_STEP)
    lap = np.array([*times, times[-1] + last])  # the way back to the first takes as long as the last step
    now = line.clock.times
    inside = np.interp(now, lap, np.arange(len(lap)))
    # Later laps repeat the steps of the first; before the first time the walk waits there.
    later = _laps(np.maximum(now - times[0], 0), lap - times[0])
    return np.where(now - times[0] >= lap[-1] - times[0], later, inside), np.diff(lap)


def _laps(now: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Steps passed at times from 0 on, of a lap whose steps end at edges [K + 1], which repeats."""
    laps, within = np.divmod(now, edges[-1])
    return laps * (len(edges) - 1) + np.interp(within, edges, np.arange(len(edges)))


def _uneven(
    every: tuple[Time, ...], count: int, line: Timeline, recipe: Recipe, path: Path_
) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`steady_places`, of steps with a length for each; fewer lengths than steps begin again."""
    if len(every) > count:
        problem = f"`every` has {len(every)} lengths for {count} steps"
        raise recipe.error((*path, "every"), problem, "Give one for each step, or fewer: they begin again.")
    each = [every[number % len(every)] for number in range(count)]
    seconds = np.array([line.length_s(time) for time in each])
    if all(time.unit in ("beats", "bars") for time in each):  # as they are played
        bar = line.length_s(Time(Fraction(1), "bars")) / line.length_s(Time(Fraction(1), "beats"))
        beats = [float(time.amount) * (bar if time.unit == "bars" else 1) for time in each]
        return _laps(line.steps(Time(Fraction(1), "beats")), np.cumsum([0, *beats])), seconds
    return _laps(line.clock.times, np.cumsum([0, *seconds])), seconds


def travel(places: np.ndarray, speed: np.ndarray) -> np.ndarray:
    """The integral of speed along the steady places (trapezoids): float64 [F], starting where they start."""
    strides = (speed[1:] + speed[:-1]) / 2 * np.diff(places)
    return np.cumsum(np.concatenate([places[:1], strides]))


def closed(places: np.ndarray, end: float, lap: float) -> np.ndarray:
    """Fit places so that the film's end (where they would be ``end``) is a whole number of laps after its beginning.

    They are stretched. A walk that turns round and ends less than half a lap from where it began is led back instead.
    """
    way = end - places[0]
    laps = np.floor(abs(way) / lap + 0.5) * np.sign(way)
    strides = np.diff(places)
    if laps == 0 and strides.min() < 0 < strides.max():
        return places - way * np.arange(len(places)) / len(places)
    return places[0] + (places - places[0]) * ((laps or np.sign(way)) * lap / way) if way else places


def closing(places: np.ndarray, lap: float, recipe: Recipe) -> np.ndarray:
    """Places that end whole laps after their beginning, if the recipe's film is to close."""
    if not recipe.video.loop or len(places) < 2:
        return places
    return closed(places, after_last(places), lap)


def after_last(places: np.ndarray) -> float:
    """Where the frame after the last would be."""
    return float(places[-1] + (places[-1] - places[-2]))


def closes(values: np.ndarray) -> bool:
    """Whether values [F] end where they begin, but for how much they bend from frame to frame."""
    bend = float(np.abs(np.diff(values, n=2)).max(initial=0))
    return abs(after_last(values) - values[0]) <= NEAR * np.ptp(values) + bend
