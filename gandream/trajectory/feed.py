"""A trajectory on a device: what it needs of the generator is mapped once, then any range of frames is expanded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gandream.base.errors import LatentError
from gandream.models.noise import LayerNoise, NoiseMaps
from gandream.models.spec import Generator, Inputs
from gandream.trajectory.classes import Morph
from gandream.trajectory.places import Place
from gandream.trajectory.trajectory import Trajectory
from gandream.trajectory.walks import Track

KEPT = 2048
"""Mapped places that are remembered; a walk may have more."""


class Feed:
    """Gives synthesis its inputs, range by range."""

    def __init__(self, trajectory: Trajectory, generator: Generator):
        self.trajectory, self.generator = trajectory, generator
        self._maps = NoiseMaps(generator.device)
        self._stops: dict[Place, Tensor] = {}
        self._knots: dict[Place, np.ndarray] = {}

    def inputs(self, start: int, stop: int) -> Inputs:
        """What synthesis is fed for frames [start, stop)."""
        trajectory = self.trajectory
        w = self._walk(trajectory.track, start, stop, self._latents(start, stop))
        for blend in trajectory.blends:
            if blend.amounts[start:stop].any():
                source = self._sum(blend.stops, blend.weights[start:stop], start, stop)
                w = self._onto(w, source, blend.amounts[start:stop], blend.layers)
        for mix in trajectory.mixes:
            if mix.amounts[start:stop].any():
                w = self._onto(w, self._walk(mix.track, start, stop), mix.amounts[start:stop], mix.layers)
        psi = self._put(trajectory.psi[start:stop])
        by_layer = psi[:, :, None] if psi.ndim == 2 else psi[:, None, None]
        w = torch.lerp(self._centre(w), w, by_layer)  # at 1 it is w to the last bit
        for shove in trajectory.shoves:
            if shove.in_w and shove.amounts[start:stop].any():
                target = self._one(shove.target, start, stop)
                target = target if shove.toward else target - self._centre(target)
                moved = shove.move(w, target, self._put(shove.amounts[start:stop])[:, None, None])
                w = moved if shove.layers is None else torch.where(self._chosen(shove.layers), moved, w)
        return Inputs(w, psi if psi.ndim == 1 else psi.mean(dim=1))

    def _centre(self, w: Tensor) -> Tensor:
        """What w [..., L, D'] is truncated toward: the centre of all, with its own class where w holds that."""
        centre, own = self.generator.w_avg.expand_as(w), self.generator.spec.class_size
        return torch.cat((centre[..., :-own], w[..., -own:]), dim=-1) if own else centre

    def noise(self, start: int, stop: int) -> LayerNoise | Literal["fixed"]:
        """The noise of frames [start, stop), as ``synthesise`` takes it."""
        if not self.trajectory.noises or not self.trajectory.spec.noise:
            return "fixed"
        part = slice(start, stop)
        settings = [
            (noised.mode, noised.layers, noised.strengths[part], noised.phases[part], noised.seed, noised.period)
            for noised in self.trajectory.noises
        ]
        return LayerNoise(self._maps, settings)

    def _latents(self, start: int, stop: int) -> np.ndarray | None:
        return None if self.trajectory.track.in_w else self.trajectory.latents(start, stop)

    def _walk(self, track: Track, start: int, stop: int, z: np.ndarray | None = None) -> Tensor:
        """w of frames [start, stop) of a walk: [n, L, D']."""
        if track.in_w:
            return self._put(track.through(start, stop, lambda at: self._knot(at, start, stop)))
        z = track.at(start, stop) if z is None else z
        classes = track.classes(start, stop, len(self.trajectory.spec.classes))
        return self.generator.map(self._put(z), None if classes is None else self._put(classes)).w

    def _sum(self, stops: Sequence[Place], weights: np.ndarray, start: int, stop: int) -> Tensor:
        """Sum of places by weights [n, B]: w [n, L, D']."""
        mapped = [self._one(at, start, stop) for at in stops]
        if any(at.moves for at in stops):
            every = torch.stack([w.expand(len(weights), *w.shape[-2:]) for w in mapped])
            return torch.einsum("nb,bnld->nld", self._put(weights), every)
        return torch.einsum("nb,bld->nld", self._put(weights), torch.stack(mapped))

    def _one(self, at: Place, start: int = 0, stop: int = 0) -> Tensor:
        """w of a place [L, D'], mapped once; of one whose class moves, at each of the frames: [n, L, D']."""
        if at.moves:
            return self._moving(at, start, stop)
        if at not in self._stops:
            if len(self._stops) >= KEPT:
                self._stops.clear()
            self._stops[at] = self._map(at)
        return self._stops[at]

    def _moving(self, at: Place, start: int, stop: int) -> Tensor:
        if at.ends is not None:
            first, second = (self._one(end, start, stop) for end in at.ends)
            return first + at.amount * (second - first)
        assert at.z is not None, "only what is mapped has a class"
        assert isinstance(at.class_, Morph), "it moves"
        weights = self._put(at.class_.weights(start, stop))
        return self.generator.map(self._put(at.z[None]).expand(len(weights), -1), weights).w

    def _knot(self, at: Place, start: int, stop: int) -> np.ndarray:
        """As :meth:`_one`, float64 on the host."""
        if at.moves:
            return self._moving(at, start, stop).double().cpu().numpy()
        if at not in self._knots:
            if len(self._knots) >= KEPT:
                self._knots.clear()
            self._knots[at] = self._one(at).double().cpu().numpy()
        return self._knots[at]

    def _map(self, at: Place) -> Tensor:
        w_avg = self.generator.w_avg
        if at.z is not None:
            assert not isinstance(at.class_, Morph), "it doesn't move"
            classes = None if at.class_ is None else torch.tensor([at.class_], device=self.generator.device)
            return self.generator.map(self._put(at.z[None]), classes).w[0]
        if at.w is not None:
            if at.w.shape[1] != w_avg.shape[1]:
                name, wanted = self.trajectory.spec.name, list(w_avg.shape)
                raise LatentError(name, f"a saved latent is {list(at.w.shape)}, but w is {wanted} here")
            return self._put(at.w).expand_as(w_avg)
        if at.ends is not None:
            first, second = (self._one(end) for end in at.ends)
            return first + at.amount * (second - first)
        return w_avg

    def _onto(self, w: Tensor, source: Tensor, amounts: np.ndarray, layers: np.ndarray) -> Tensor:
        """Layers of w moved to a source: at amounts of 0 and 1 it is the one or the other to the last bit."""
        return torch.where(self._chosen(layers), torch.lerp(w, source, self._put(amounts)[:, None, None]), w)

    def _chosen(self, layers: np.ndarray) -> Tensor:
        return torch.as_tensor(layers, device=self.generator.device)[:, None]

    def _put(self, array: np.ndarray) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(array, np.float32), device=self.generator.device)
