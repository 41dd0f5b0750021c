"""Walks that need no list of latents: a path as a function of its phase, and how far along it each frame is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from gandream.trajectory.classes import Morph
from gandream.trajectory.interpolate import snapped
from gandream.trajectory.places import Place
from gandream.trajectory.window import ByFrame

ToW = Callable[[np.ndarray, "np.ndarray | None"], np.ndarray]


class Shape(Protocol):
    """A path: phases [n] or [n, 2] to z [n, D] of variance about 1, float64. A pure function of each phase alone.

    One with a method ``key(phases)`` says what shapes it there, for a content key, without working it out.
    """

    def __call__(self, phases: np.ndarray, /) -> np.ndarray:
        """Give the path at these phases."""
        ...


@dataclass(frozen=True)
class Corners:
    """A path that lies between latents which change along it, as a plane of seeds does.

    ``latents`` are z [K, D]; ``numbers`` [n, B] which of them each frame lies between, and ``weights`` [n, B] how near.
    """

    latents: np.ndarray
    numbers: np.ndarray
    weights: np.ndarray

    def sum(self, latents: np.ndarray) -> np.ndarray:
        """The latents (or what they were mapped to, [K, ...]) by their weights: [n, ...]."""
        wide = (slice(None), *[None] * (latents.ndim - 1))
        columns = range(self.numbers.shape[1])
        return sum((latents[self.numbers[:, b]] * self.weights[:, b][wide] for b in columns), np.zeros(()))


@dataclass(frozen=True)
class Roam:
    """A path laid out in time: ``places`` [F] or [F, 2] is its phase at each frame, ``amounts`` [F] how far it goes.

    In z a frame is the centre's z + amount × path. In w it is the centre's w + amount × (what the path is mapped to,
    less the mean). A ``final`` path is w itself, [n, L or 1, D'].
    """

    kind: str
    shape: Shape
    places: ByFrame
    amounts: ByFrame
    centre: Place
    in_w: bool = False
    final: bool = False

    @property
    def stops(self) -> tuple[Place, ...]:
        """The latents that are named."""
        return (self.centre,)

    def path(self, start: int, stop: int) -> np.ndarray:
        """The path alone at frames [start, stop), float64 [n, D]."""
        return self.shape(snapped(self.places[start:stop]))

    def at(self, start: int, stop: int) -> np.ndarray:
        """z of frames [start, stop) of a path in z, float64 [n, D]."""
        assert self.centre.z is not None, "a path in z has its centre there"
        return self.centre.z + self.amounts[start:stop, None] * self.path(start, stop)

    def mapped(self, start: int, stop: int, classes: int, to_w: ToW) -> np.ndarray:
        """What the path alone is mapped to, [n, L, D']; ``to_w`` maps z [K, D] with weights of classes [K, C]."""
        weights = self.classes(start, stop, classes)
        corners = getattr(self.shape, "corners", None)
        if corners is None:
            return to_w(self.path(start, stop), weights)
        found: Corners = corners(snapped(self.places[start:stop]))
        if weights is None or not self.centre.moves:  # each corner has one class, and is mapped once
            return found.sum(to_w(found.latents, weights if weights is None else weights[[0] * len(found.latents)]))
        sides = found.numbers.T
        mapped = [to_w(found.latents[numbers], weights) for numbers in sides]
        return sum((w * near[:, None, None] for w, near in zip(mapped, found.weights.T, strict=True)), np.zeros(()))

    def classes(self, start: int, stop: int, count: int) -> np.ndarray | None:
        """Weights of a model's ``count`` classes at frames [start, stop), float32 [n, C]; None for a model without."""
        class_ = self.centre.class_
        if not count or self.final:
            return None
        if isinstance(class_, Morph):
            return class_.weights(start, stop).astype(np.float32)
        weights = np.zeros((len(self.places[start:stop]), count), np.float32)
        weights[:, class_ or 0] = 1
        return weights

    def key(self, start: int, stop: int, classes: int) -> list[Any]:
        """What shapes frames [start, stop), for a content key."""
        told = getattr(self.shape, "key", None)
        places = snapped(self.places[start:stop])
        path = told(places) if told else self.shape(places).astype(np.float32)
        if self.final:
            return [self.kind, path]
        centre = self.centre.key(start, stop, self.in_w or classes > 0)
        return [self.kind, self.in_w, path, self.amounts[start:stop], centre]
