"""Pushes that turn round in a box: the drift of lucid-sonic-dreams and of deep-music-visualizer.

Each number of z has a sign of its own, which is turned where z comes near a wall; so what it does next depends on all
that came before. It is done on steps of its own, RATE to a second from the film's first frame on, and read off at the
frames: the look doesn't change with fps, and at the RATE that both tools have it is theirs, step for step. What it
knows at every CHUNK steps is kept, so that any range of frames expands alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from gandream.base.clock import Clock
from gandream.base.hashing import content_key
from gandream.base.seeds import named_seed
from gandream.recipe.motion import Bounced, Push
from gandream.recipe.reader import Path_
from gandream.trajectory.heard_classes import RATE, sampled_at, steps_of
from gandream.trajectory.laying import Ground
from gandream.trajectory.paths.drawn import coins
from gandream.trajectory.pushes import Shove
from gandream.trajectory.roam import Roam
from gandream.trajectory.walks import Track
from gandream.trajectory.window import ByFrame, OnSteps

CHUNK = 128
VERSION = 1
"""Raised when the same words push otherwise."""
KEPT = 8
"""Chunks that are remembered: ranges that follow each other need the same."""


class InZ(Protocol):
    """A push in z, which knows what it makes of places [n, D] of frames (or steps) [start, stop)."""

    def moved(self, places: np.ndarray, start: int, stop: int) -> np.ndarray:
        """Push them."""
        ...

    def key(self, start: int, stop: int) -> list[Any]:
        """What shapes that, for a content key."""
        ...


def followed(amounts: np.ndarray, clock: Clock, seconds: float) -> np.ndarray:
    """Amounts [F] with inertia: y[s] = k y[s - 1] + (1 - k) x[s] at each step s, k = exp(-1 / RATE / seconds)."""
    if seconds <= 0:
        return amounts
    fps, kept, now = float(clock.fps), kept_in_a_step(seconds), 0.0
    values = []
    for x in sampled_at(amounts, fps, steps_of(clock)).tolist():
        now = kept * now + (1 - kept) * x
        values.append(now)
    return sampled_at(np.array(values), float(RATE), clock.times)


def kept_in_a_step(seconds: float) -> float:
    """What is left after a step of something that fades with a time constant."""
    return math.exp(-1 / float(RATE) / seconds) if seconds > 0 else 0.0


def resampled(walk: Track | Roam, clock: Clock) -> Track | Roam:
    """A walk that is laid out on frames, on the steps of this module instead."""
    fps, times = float(clock.fps), steps_of(clock)
    places = sampled_at(walk.places, fps, times)
    if isinstance(walk, Roam):
        return replace(walk, places=places, amounts=sampled_at(walk.amounts, fps, times))
    return replace(walk, places=places)


def pushed_on_steps(push: Shove | Swing, clock: Clock) -> Shove | Swing:
    """A push that is laid out on frames, on steps."""
    times = steps_of(clock)
    if isinstance(push, Swing):
        return replace(push, places=np.arange(len(times), dtype=np.float64))
    return replace(push, amounts=sampled_at(push.amounts, float(clock.fps), times))


@dataclass(frozen=True)
class Walked:
    """The walk with the pushes before, on steps."""

    track: Track | Roam
    pushes: tuple[InZ, ...]

    def key(self, start: int, stop: int) -> list[Any]:
        """What shapes steps [start, stop), for a content key."""
        return [self.track.key(start, stop, 0), [push.key(start, stop) for push in self.pushes]]

    def __call__(self, start: int, stop: int) -> np.ndarray:
        """z at steps [start, stop), float64 [n, D]."""
        z = self.track.at(start, stop)
        for push in self.pushes:
            z = push.moved(z, start, stop)
        return z


@dataclass(frozen=True)
class Swing:
    """A push that turns round in a box. ``places`` [F] are the steps passed at each frame.

    ``strides`` [S] is how far everything would go in each step, ``kept`` how much of its pace it keeps from step to
    step; ``width`` steps have the same numbers slower, by the share ``randomness``.
    """

    walked: OnSteps[Walked]
    places: ByFrame
    strides: np.ndarray
    seed: int
    box: float = 2.0
    margin: float = 0.0
    randomness: float = 0.5
    width: int = 172
    inward: bool = False
    kept: float = 0.0
    _states: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list, compare=False, repr=False)
    _chunks: dict[int, np.ndarray] = field(default_factory=dict, compare=False, repr=False)
    _digests: list[str] = field(default_factory=list, compare=False, repr=False)

    def key(self, start: int, stop: int) -> list[Any]:
        """What it does to frames [start, stop), for a content key: all that was before them, chunk by chunk."""
        _, right = self._steps(self.places[start:stop])
        last = int(right.max()) + 1 if len(right) else 0
        begin = last // CHUNK
        while len(self._digests) <= begin:
            number, before = len(self._digests), self._digests[-1:]
            made = self._made_of((number - 1) * CHUNK, number * CHUNK) if number else self._fixed()
            self._digests.append(content_key(before, made))
        return [self._digests[begin], self._made_of(begin * CHUNK, last), self.places[start:stop]]

    def _fixed(self) -> list[Any]:
        return [VERSION, self.seed, self.box, self.margin, self.randomness, self.width, self.inward, self.kept]

    def _made_of(self, start: int, stop: int) -> list[Any]:
        """What shapes steps [start, stop) once the state before them is known."""
        return [self.walked.key(start, stop), self.strides[start:stop]]

    def _steps(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The steps before and after each of places [n], ints [n]."""
        left, last = np.floor(at).astype(np.int64), len(self.strides) - 1
        return np.minimum(left, last), np.minimum(left + 1, last)

    def moved(self, places: np.ndarray, start: int, stop: int) -> np.ndarray:
        """Push z [n, D] of frames [start, stop)."""
        at = self.places[start:stop]
        if not len(at):
            return places
        # A scene may go on from the film's end to its beginning.
        runs = np.split(at, np.flatnonzero(np.diff(at) < 0) + 1)
        return places + np.concatenate([self._pushed(run) for run in runs])

    def _pushed(self, at: np.ndarray) -> np.ndarray:
        """How far it has pushed at places [n] that rise: float64 [n, D]."""
        left, right = self._steps(at)
        first, share = int(left[0]), (at - left)[:, None]
        offsets = self._offsets(first, int(right[-1]) + 1)
        low, high = offsets[left - first], offsets[right - first]
        return low + (high - low) * np.clip(share, 0, 1)

    def _offsets(self, start: int, stop: int) -> np.ndarray:
        """How far it has pushed at steps [start, stop): float64 [n, D]."""
        first, last = start // CHUNK, (stop - 1) // CHUNK
        for number in range(len(self._states) - 1, last + 1):
            if number < first and number >= 0:
                self._chunk(number)
        joined = np.concatenate([self._chunk(number) for number in range(first, last + 1)])
        return joined[start - first * CHUNK : stop - first * CHUNK]

    def _chunk(self, number: int) -> np.ndarray:
        """The offsets of a chunk of steps [CHUNK, D], once the state at its beginning is known."""
        if number in self._chunks:
            return self._chunks[number]
        start, stop = number * CHUNK, min((number + 1) * CHUNK, len(self.strides))
        z = self.walked(start, stop)
        if not self._states:
            self._states.append((np.zeros(z.shape[1]), np.zeros(z.shape[1]), self._signs(z[0])))
        offset, pace, signs = (part.copy() for part in self._states[number])
        made, ways = np.empty_like(z), self._ways(start, len(offset))
        for index, step in enumerate(range(start, stop)):
            if step % self.width == 0:
                ways = self._ways(step, len(offset))
            pace = self.kept * pace + self.strides[step] * ways * signs
            offset = offset + pace
            made[index] = offset
            reached = z[index] + offset
            signs = np.where(reached + self.margin >= self.box, -1.0, signs)
            signs = np.where(reached - self.margin < -self.box, 1.0, signs)
        if len(self._states) == number + 1:
            self._states.append((offset, pace, signs))
        if len(self._chunks) >= KEPT:
            self._chunks.clear()
        self._chunks[number] = made
        return made

    def _ways(self, step: int, size: int) -> np.ndarray:
        """What share of a stride each number of z takes at a step: float64 [D]."""
        slower = coins(self.seed, step // self.width, size)
        return (1 - self.kept) * np.where(slower, 1 - self.randomness, 1.0)

    def _signs(self, z: np.ndarray) -> np.ndarray:
        up = z < 0 if self.inward else coins(self.seed, None, len(z))
        return np.where(up, 1.0, -1.0)


def lay_swing(
    push: Push, words: Bounced, path: Path_, ground: Ground, walk: Track | Roam, before: Sequence[Shove | Swing]
) -> Swing:
    """Lay out a push with `bounce`, after the walk and the pushes before it."""
    line = ground.curves.timeline
    clock, steps = line.clock, steps_of(line.clock)
    by = sampled_at(ground.curves.values(push.by, (*path, "by")), float(clock.fps), steps)
    in_z = [one for one in before if isinstance(one, Swing) or not one.in_w]
    walked = Walked(resampled(walk, clock), tuple(pushed_on_steps(one, clock) for one in in_z))
    here = f"push.{path[1]}.bounce"
    return Swing(
        walked=walked,
        places=nearly(clock.times * float(RATE)),
        strides=by / float(RATE),
        seed=named_seed(ground.recipe.seed, here) if words.seed is None else words.seed,
        box=words.box,
        margin=words.margin,
        randomness=words.randomness,
        width=max(1, round(line.length_s(words.redraw) * RATE)),
        inward=words.begin == "inward",
        kept=kept_in_a_step(line.length_s(push.inertia)),
    )


def nearly(places: np.ndarray) -> np.ndarray:
    """Places with what is a whole number but for rounding made one."""
    nearest = np.round(places)
    return np.where(np.abs(places - nearest) < 1e-6, nearest, places)
