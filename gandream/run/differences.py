"""Which frames of two films are fed otherwise, compared frame by frame in what shapes them, without painting any."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gandream.base.hashing import content_key
from gandream.effects.chain import Chain
from gandream.recipe.recipe import Recipe
from gandream.run.prepare import Prepared, precision_of
from gandream.trajectory.grid import GridTrajectory
from gandream.trajectory.swings import Swing
from gandream.trajectory.trajectory import Trajectory

COARSE_S = 0.5
"""Stretches that are compared as one; where a change begins and ends in them is found to the frame."""


@dataclass(frozen=True)
class _Part:
    """A scene, or the whole film: seen in frames [start, stop), in which are those ``later`` by so many."""

    start: int
    stop: int
    recipe: Recipe
    trajectory: Trajectory
    effects: Chain
    shares: np.ndarray
    later: int = 0


def _walk(one: Trajectory, start: int, stop: int) -> Any:
    return one.track.key(*one.own(start, stop), len(one.spec.classes))


def _pushes(one: Trajectory, start: int, stop: int) -> Any:
    start, stop = one.own(start, stop)
    busy = [shove for shove in one.shoves if isinstance(shove, Swing) or shove.amounts[start:stop].any()]
    return [shove.key(start, stop) for shove in busy]


def _blends(one: Trajectory, start: int, stop: int) -> Any:
    start, stop = one.own(start, stop)
    return [blend.key(start, stop) for blend in one.blends if blend.amounts[start:stop].any()]


def _mixes(one: Trajectory, start: int, stop: int) -> Any:
    start, stop = one.own(start, stop)
    busy = [mix for mix in one.mixes if mix.amounts[start:stop].any()]
    return [mix.key(start, stop, len(one.spec.classes)) for mix in busy]


def _smoothing(one: Trajectory, start: int, stop: int) -> Any:
    return one.smoothing and one.smoothing.kernel


def _truncation(one: Trajectory, start: int, stop: int) -> Any:
    start, stop = one.own(start, stop)
    psi = one.psi[start:stop].astype(np.float32)
    return [psi, one.centre.key(start, stop) if one.centre is not None and (psi != 1).any() else None]


def _noise(one: Trajectory, start: int, stop: int) -> Any:
    return [noise.key(*one.own(start, stop)) for noise in one.noises] if one.spec.noise else []


def _regions(one: Trajectory, start: int, stop: int) -> Any:
    start, stop = one.own(start, stop)
    return [part.key(start, stop, len(one.spec.classes)) for part in one.regions if part.there(start, stop)]


def _bends(one: Trajectory, start: int, stop: int) -> Any:
    start, stop = one.own(start, stop)
    return [bend.key(start, stop) for bend in one.bends if bend.active[start:stop].any()]


def _camera(one: Trajectory, start: int, stop: int) -> Any:
    return one.camera.key(*one.own(start, stop)) if one.camera else []


MADE: dict[str, Callable[[Trajectory, int, int], Any]] = {
    "walk": _walk,
    "push": _pushes,
    "blend": _blends,
    "mix": _mixes,
}
"""What is smoothed over time, if anything is."""
SHOWN: dict[str, Callable[[Trajectory, int, int], Any]] = {
    "model": lambda one, start, stop: one.spec.fingerprint,
    "smooth": _smoothing,
    "truncation": _truncation,
    "noise": _noise,
    "regions": _regions,
    "bend": _bends,
    "camera": _camera,
}


class Inputs:
    """What shapes the frames of a film, by the word that says it; each as a content key of a range of frames."""

    heads = (*SHOWN, *MADE, "effects", "scenes", "grid", "video")

    def __init__(self, prepared: Prepared):
        self.prepared = prepared

    @cached_property
    def _parts(self) -> list[_Part]:
        score, cuts = self.prepared.score, self.prepared.cuts
        if not cuts:
            frames = score.trajectory.frames
            return [_Part(0, frames, self.prepared.recipe, score.trajectory, score.effects, np.zeros(0))]
        parts = [_Part(cut.start, cut.stop, cut.recipe, cut.trajectory, cut.effects, cut.shares) for cut in cuts]
        last = cuts[-1]
        if last.beyond:  # it goes on under the first
            parts.append(_Part(0, last.beyond, last.recipe, last.trajectory, last.effects, np.zeros(0), last.stop))
        return parts

    @cached_property
    def _video(self) -> list[Any]:
        prepared = self.prepared
        fits = [video.fit for video in prepared.recipe.outputs]
        shown = [precision_of(part.recipe, part.trajectory.spec, "cpu") for part in self._parts]
        return [[fmt.key() for fmt in prepared.formats], fits, prepared.layer, shown]

    def key(self, head: str, start: int, stop: int) -> str:
        """Of frames [start, stop), as far as a word shapes them."""
        if head == "video":
            return content_key(self._video)
        seen = [
            (part, max(start, part.start), min(stop, part.stop))
            for part in self._parts
            if part.start < stop and start < part.stop
        ]
        if head == "scenes":
            shares = [
                part.shares[low - part.start : high - part.start].astype(np.float32)
                for part, low, high in seen
                if len(self._parts) > 1
            ]
            edges = [[low - start, high - start] for _, low, high in seen] if len(seen) > 1 else []
            return content_key(edges, [share for share in shares if share.size])
        return content_key(*(_of(head, part, low + part.later, high + part.later) for part, low, high in seen))


def _of(head: str, part: _Part, start: int, stop: int) -> Any:
    """A word's share in frames [start, stop) of a scene."""
    one, effects = part.trajectory, part.effects
    if head == "effects":
        return effects.key(start, stop)
    begin = effects.begin(start, stop)  # effects that remember show earlier pictures too
    if isinstance(one, GridTrajectory):
        if head == "grid":
            return one.layout.key()
        return [_shaped(head, cell, begin, stop) for cell in one.cells]
    return [] if head == "grid" else _shaped(head, one, begin, stop)


def _shaped(head: str, one: Trajectory, start: int, stop: int) -> Any:
    if head in SHOWN:
        return SHOWN[head](one, start, stop)
    if one.smoothing is None:
        return MADE[head](one, start, stop)
    return [MADE[head](one, *part) for part in one.smoothing.ranges(start, stop, one.there)]


def differing(old: Inputs, new: Inputs, head: str, frames: int, gap: int) -> list[tuple[int, int]]:
    """The stretches [start, stop) of the first ``frames`` in which a word shapes two films otherwise.

    Stretches with a ``gap`` of at most so many frames between them are one.
    """
    length = max(1, round(float(old.prepared.fmt.fps) * COARSE_S))

    def alike(start: int, stop: int) -> bool:
        return old.key(head, start, stop) == new.key(head, start, stop)

    found: list[list[int]] = []
    for start, stop in _blocks(alike, 0, frames, length):
        if found and start - found[-1][1] <= gap:
            found[-1][1] = stop
        else:
            found.append([start, stop])
    return [_trimmed(alike, start, stop, length) for start, stop in found]


def _blocks(alike: Callable[[int, int], bool], start: int, stop: int, length: int) -> Iterator[tuple[int, int]]:
    """The blocks of ``length`` frames that aren't alike; halves of what is alike needn't be looked at."""
    if alike(start, stop):
        return
    if stop - start <= length:
        yield start, stop
        return
    middle = start + max(1, (stop - start) // length // 2) * length
    yield from _blocks(alike, start, middle, length)
    yield from _blocks(alike, middle, stop, length)


def _trimmed(alike: Callable[[int, int], bool], start: int, stop: int, length: int) -> tuple[int, int]:
    """Without the frames at both ends that are alike."""
    first = next(at for at in range(start, stop) if at == min(stop, start + length) - 1 or not alike(at, at + 1))
    last = next(at for at in range(stop - 1, -1, -1) if at == max(first, stop - length) or not alike(at, at + 1))
    return first, last + 1
