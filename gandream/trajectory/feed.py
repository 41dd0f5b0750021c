"""A trajectory on a device: what it needs of the generator is mapped once, then any range of frames is expanded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gandream.base.errors import LatentError
from gandream.models.arguments import centre_of, double
from gandream.models.bending import Bend
from gandream.models.masks import Mask
from gandream.models.noise import LayerNoise, NoiseMaps, Setting
from gandream.models.regions import LatentRegion
from gandream.models.spec import Generator, Inputs
from gandream.trajectory.classes import Morph
from gandream.trajectory.noise import Region
from gandream.trajectory.places import Place
from gandream.trajectory.regions import Regional
from gandream.trajectory.roam import Roam
from gandream.trajectory.trajectory import Trajectory
from gandream.trajectory.walks import Track

KEPT = 2048
"""Mapped places that are remembered; a walk may have more."""
BEND_MAPS = 8
"""Noise maps of bends that are remembered: they are as large as all of a layer."""
MEASURED = 1024
"""Latents by which the mean of a class is measured."""


class Feed:
    """Gives synthesis its inputs, range by range."""

    def __init__(self, trajectory: Trajectory, generator: Generator):
        self.trajectory, self.generator = trajectory, generator
        self._maps = NoiseMaps(generator.device)
        self._bend_maps = NoiseMaps(generator.device, BEND_MAPS)
        self._stops: dict[Place, Tensor] = {}
        self._knots: dict[Place, np.ndarray] = {}

    def inputs(self, start: int, stop: int) -> Inputs:
        """What synthesis is fed for frames [start, stop)."""
        trajectory = self.trajectory
        w = self._made(start, stop) if trajectory.smoothing is None else self._smoothed(start, stop)
        start, stop = trajectory.own(start, stop)
        regions = [self._region(one, w, start, stop) for one in trajectory.regions if one.there(start, stop)]
        w, psi = self._finished(w, start, stop)
        return Inputs(w, psi if psi.ndim == 1 else psi.mean(dim=1), tuple(regions))

    def _smoothed(self, start: int, stop: int) -> Tensor:
        """As :meth:`_made`, smoothed over time."""
        smoothing, frames = self.trajectory.smoothing, self.trajectory.there
        assert smoothing is not None, "asked before"
        needed, there = smoothing.needed(start, stop, frames)
        ranges = smoothing.ranges(start, stop, frames)
        every = double(torch.cat([self._made(*one) for one in ranges]))
        numbers = np.concatenate([np.arange(*one) for one in ranges])
        rows = torch.as_tensor(np.searchsorted(numbers, needed), device=every.device)
        # One tap after the other, so that a frame is summed in the same order whatever range it is in.
        total = torch.zeros((stop - start, *every.shape[1:]), dtype=torch.float64, device=every.device)
        for tap, weights in enumerate(smoothing.weights(there)):
            counted = torch.as_tensor(weights, device=every.device)[:, None, None]
            total += counted * every[rows[tap : tap + stop - start]]
        return total.float().to(self.generator.device)

    def _made(self, start: int, stop: int) -> Tensor:
        """w of the film's frames [start, stop) after walk, blends and mixes: [n, L, D']."""
        trajectory, z = self.trajectory, self._latents(start, stop)
        start, stop = trajectory.own(start, stop)
        w = self._walk(trajectory.track, start, stop, z)
        for blend in trajectory.blends:
            if blend.amounts[start:stop].any():
                source = self._sum(blend.stops, blend.weights[start:stop], start, stop)
                w = self._onto(w, source, blend.amounts[start:stop], blend.layers)
        for mix in trajectory.mixes:
            if mix.amounts[start:stop].any():
                w = self._onto(w, self._walk(mix.track, start, stop), mix.amounts[start:stop], mix.layers)
        return w

    def _region(self, region: Regional, w: Tensor, start: int, stop: int) -> LatentRegion:
        """A region of frames [start, stop), whose w is otherwise that of the whole picture [n, L, D']."""
        mixed, n = region.mixed, stop - start
        w = self._onto(w, self._walk(mixed.track, start, stop), np.ones(n), mixed.layers)
        mask = _mask(region.where, start, stop)
        return LatentRegion(self._finished(w, start, stop)[0], mask, self._put(mixed.amounts[start:stop]))

    def _finished(self, w: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """w [n, L, D'] of frames [start, stop) truncated, pushed and anchored, and psi [n] or [n, L]."""
        trajectory = self.trajectory
        psi = self._put(trajectory.psi[start:stop])
        by_layer = psi[:, :, None] if psi.ndim == 2 else psi[:, None, None]
        if (trajectory.psi[start:stop] != 1).any():
            centre = self._centre(w, self._toward(w, start, stop))
            w = torch.lerp(centre, w, by_layer)  # at 1 it is w to the last bit
        for shove in trajectory.pushed_in_w:
            if shove.amounts[start:stop].any():
                target = self._one(shove.target, start, stop)
                if not (shove.toward or shove.bare):
                    target = target - self._centre(target, self._own(shove.target, start, stop, self._centres))
                moved = shove.move(w, target, self._put(shove.amounts[start:stop])[:, None, None])
                w = moved if shove.layers is None else torch.where(self._chosen(shove.layers), moved, w)
        if trajectory.camera is not None and trajectory.camera.anchored:
            w = torch.cat((self.generator.w_avg[:1].expand(len(w), 1, -1), w[:, 1:]), dim=1)
        if trajectory.centre is not None and trajectory.centre.stops:
            psi = torch.ones_like(psi)  # at psi 0 it is the latent that is gone toward, as it is without truncation
        return w, psi

    def bends(self, start: int, stop: int) -> list[Bend]:
        """The bends of frames [start, stop) that do anything, as ``synthesise`` takes them."""
        part = slice(*self.trajectory.own(start, stop))
        return [
            Bend(
                name=bend.name,
                layers=bend.layers,
                values={word: value[part] for word, value in bend.values.items()},
                amounts=bend.amounts[part],
                active=bend.active[part],
                channels=bend.channels.share or bend.channels.spans or None,
                seed=bend.seed,
                choices=bend.choices,
                maps=self._bend_maps,
            )
            for bend in self.trajectory.bends
            if bend.active[part].any()
        ]

    def _toward(self, w: Tensor, start: int, stop: int) -> Tensor:
        """What w [n, L, D'] of frames [start, stop) is truncated toward: [n, L, D'], or [L, D'] for all."""
        trajectory, centre = self.trajectory, self.trajectory.centre
        if centre is None:
            return self._middle(trajectory.track, start, stop, self._centres)
        if centre.of_class:
            return self._middle(trajectory.track, start, stop, self._measured)
        stops = [self._one(at, start, stop) for at in centre.stops]
        if len(stops) == 1:
            return stops[0]
        every = double(torch.stack([at.expand_as(w) for at in stops]))  # [K, n, L, D']
        far = (every - double(w)).pow(2).mean(dim=(2, 3))
        apart = 2 / (len(stops) - 1) * (every - every.mean(dim=0)).pow(2).mean(dim=(2, 3)).sum(dim=0)
        weights = (-far / (centre.softness * apart).clamp(min=1e-12)).softmax(dim=0)
        return torch.einsum("kn,knld->nld", weights, every).float().to(w.device)

    @cached_property
    def _measured(self) -> Tensor:
        """The mean of w over each class that the film has [C, D'], of a model that doesn't know it itself."""
        generator, found = self.generator, set[int]()
        for at in self.trajectory.places():
            for end in at.parts():
                found.update(end.class_.numbers.tolist() if isinstance(end.class_, Morph) else [end.class_ or 0])
        z, means = (
            generator.latents(range(MEASURED)),
            torch.zeros(len(generator.spec.classes), generator.w_avg.shape[1]),
        )
        for number in sorted(found):
            classes = torch.full((MEASURED,), number, device=generator.device)
            means[number] = generator.map(z, classes).w[:, 0].mean(dim=0)  # the same in all layers
        return means.to(generator.device)

    def _centre(self, w: Tensor, middle: Tensor) -> Tensor:
        """What w [..., L, D'] is truncated toward: a centre of w, with its own class where w holds that."""
        centre, own = middle.expand_as(w), self.generator.spec.class_size
        return torch.cat((centre[..., :-own], w[..., -own:]), dim=-1) if own else centre

    @cached_property
    def _centres(self) -> Tensor | None:
        """The centre of w of each class [C, D'], where the model knows them."""
        return self.generator.class_centres if self.generator.spec.class_centres else None

    def _middle(self, track: Track | Roam, start: int, stop: int, centres: Tensor | None) -> Tensor:
        """The centre of w of frames [start, stop) of a walk, by the classes of each: [n, L, D'], or [L, D'] for all."""
        w_avg = self.generator.w_avg
        if centres is None:
            return w_avg
        if not track.in_w:
            classes = track.classes(start, stop, len(self.generator.spec.classes))
            return centre_of(w_avg, centres, None if classes is None else self._put(shared(classes)))
        if isinstance(track, Roam):
            return self._own(track.centre, start, stop, centres)
        # As the walk itself, so that it makes no difference whether latents are truncated before or after.
        return self._put(track.straight().through(start, stop, lambda at: _exact(self._own(at, start, stop, centres))))

    def _own(self, at: Place, start: int, stop: int, centres: Tensor | None) -> Tensor:
        """The centre of w of a place's class [L, D']; of one whose class moves, at each of the frames: [n, L, D']."""
        w_avg = self.generator.w_avg
        if centres is None:
            return w_avg
        if at.ends is not None:
            first, second = (self._own(end, start, stop, centres) for end in at.ends)
            return first + at.amount * (second - first)
        if isinstance(at.class_, Morph):
            return centre_of(w_avg, centres, self._put(shared(at.class_.weights(start, stop))))
        return w_avg if at.class_ is None else centres[at.class_].expand_as(w_avg)

    def noise(self, start: int, stop: int) -> LayerNoise | Literal["fixed"]:
        """The noise of frames [start, stop), as ``synthesise`` takes it."""
        if not self.trajectory.noises or not self.trajectory.spec.noise:
            return "fixed"
        start, stop = self.trajectory.own(start, stop)
        part, settings = slice(start, stop), []
        for noised in self.trajectory.noises:
            mask = None if noised.where is None else _mask(noised.where, start, stop)
            strengths, phases = noised.strengths[part], noised.phases[part]
            settings.append(
                Setting(noised.mode, noised.layers, strengths, phases, noised.seed, noised.period, mask, noised.pyramid)
            )
        return LayerNoise(self._maps, settings)

    def _latents(self, start: int, stop: int) -> np.ndarray | None:
        return None if self.trajectory.track.in_w else self.trajectory.latents(start, stop)

    def _walk(self, track: Track | Roam, start: int, stop: int, z: np.ndarray | None = None) -> Tensor:
        """w of frames [start, stop) of a walk: [n, L, D']."""
        if track.in_w and isinstance(track, Roam):
            return self._roam(track, start, stop)
        if track.in_w and isinstance(track, Track):
            return self._put(track.through(start, stop, lambda at: self._knot(at, start, stop)))
        z = track.at(start, stop) if z is None else z
        classes = track.classes(start, stop, len(self.trajectory.spec.classes))
        return self.generator.map(self._put(z), None if classes is None else self._put(classes)).w

    def _roam(self, roam: Roam, start: int, stop: int) -> Tensor:
        """w of frames [start, stop) of a path around a place in w, or of one that was saved in w: [n, L, D']."""
        if roam.final:
            return self._put(roam.path(start, stop)).expand(-1, *self.generator.w_avg.shape)

        def to_w(z: np.ndarray, classes: np.ndarray | None) -> np.ndarray:
            return _exact(self.generator.map(self._put(z), None if classes is None else self._put(classes)).w)

        path = self._put(roam.mapped(start, stop, len(self.generator.spec.classes), to_w))
        amounts = self._put(roam.amounts[start:stop])[:, None, None]
        middle = self._centre(path, self._own(roam.centre, start, stop, self._centres))
        return self._one(roam.centre, start, stop) + amounts * (path - middle)

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
        if at.z is None:
            still = self._own(at, start, stop, self._centres) if at.w is None else self._map(at)
            return still.expand(stop - start, *still.shape[-2:])
        assert isinstance(at.class_, Morph), "it moves"
        weights = self._put(at.class_.weights(start, stop))
        return self.generator.map(self._put(at.z[None]).expand(len(weights), -1), weights).w

    def _knot(self, at: Place, start: int, stop: int) -> np.ndarray:
        """As :meth:`_one`, float64 on the host."""
        if at.moves:
            return _exact(self._moving(at, start, stop))
        if at not in self._knots:
            if len(self._knots) >= KEPT:
                self._knots.clear()
            self._knots[at] = _exact(self._one(at))
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
                raise LatentError(
                    name,
                    f"a saved latent is {list(at.w.shape)}, but w is {wanted} here",
                    "It was saved for another model.",
                )
            return self._put(at.w).expand_as(w_avg)
        if at.ends is not None:
            first, second = (self._one(end) for end in at.ends)
            return first + at.amount * (second - first)
        return self._own(at, 0, 0, self._centres)

    def _onto(self, w: Tensor, source: Tensor, amounts: np.ndarray, layers: np.ndarray) -> Tensor:
        """Layers of w moved to a source: at amounts of 0 and 1 it is the one or the other to the last bit."""
        return torch.where(self._chosen(layers), torch.lerp(w, source, self._put(amounts)[:, None, None]), w)

    def _chosen(self, layers: np.ndarray) -> Tensor:
        return torch.as_tensor(layers, device=self.generator.device)[:, None]

    def _put(self, array: np.ndarray) -> Tensor:
        host = torch.from_numpy(np.array(array, np.float32, order="C"))
        device = self.generator.device
        if device.type != "cuda":
            return host.to(device)
        return host.pin_memory().to(device, non_blocking=True)  # what isn't pinned waits for all that was launched


def shared(classes: np.ndarray) -> np.ndarray:
    """Weights of classes [n, C] made to sum to 1, as those of a centre must, where they have a sum."""
    total = classes.sum(axis=1, keepdims=True)
    return np.divide(classes, total, out=classes.copy(), where=np.abs(total) > 1e-6)


def _mask(where: Region, start: int, stop: int) -> Mask:
    """A part of the picture in frames [start, stop)."""
    return Mask(where.part, where.image, None if where.spots is None else where.spots[start:stop])


def _exact(tensor: Tensor) -> np.ndarray:
    """As float64 on the host."""
    return double(tensor).cpu().numpy()
