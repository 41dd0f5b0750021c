"""The network as a function of the plane: folded into plain matrices once per batch, then evaluated tile by tile.

Every hidden layer computes act(scale * normalise(W h) + shift), where scale and shift come from the layer's w
(adaptive instance normalisation: Huang & Belongie 2017, eq. 8; in generators, Karras et al. 2019, eq. 1). The mean
and deviation of W h are taken over a fixed grid of points in the centred square, not over the picture, so that a
picture does not depend on its size, its aspect, its tiles or the camera; and since they are known before the first
pixel, all of it folds into W' = W * scale / deviation and a bias: one matrix product per layer and tile.

The fields that make the picture are read from several depths, as in the skip generator of Karras et al. 2020
(section 4.1): large masses first, fine detail on top, with amplitudes that fall with frequency as in nature.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gandream.models.cppn.palette import colours, levels
from gandream.models.cppn.weights import FIELDS, GAUSS, INPUTS, SINE, TANH, UNITS

PROBE = 32
"""Points on a side of the grid that the statistics are taken over."""
GAINS = (1.2, 0.95, 0.95, 1.05, 1.25, 1.6, 2.2)
"""Deviation of what goes into each hidden layer's activations: the first sets the size of shapes, later ones detail."""
TAPS = {
    1: (1.0, 1.0, 1.0, 1.0, 0.4),
    3: (0.5, 0.5, 0.7, 0.8, 1.0),
    5: (0.2, 0.2, 0.4, 0.7, 0.4),
    6: (0.1, 0.1, 0.25, 0.55, 0.1),
}
"""Hidden layers that the fields are read from, and what part of each field comes from there."""
SCALE = 0.7
"""How far a style moves the scale of a unit, in log, at most."""
SHIFTS = (0.6, 0.55, 0.5, 0.4, 0.4, 0.4, 0.4)
"""How far a style moves the shift of a unit in each layer, per deviation of w: coarse layers move the composition."""
EPSILON = 0.05
ROUNDING = 0.02
"""Radius and mirror distance are sqrt(d^2 + this): without it there would be a tip and a crease."""


@dataclass(frozen=True)
class Folded:
    """One frame's network as matrices; the last column of each is the bias."""

    layers: list[Tensor]  # [UNITS, INPUTS + 1], then [UNITS, UNITS + 1] each
    taps: dict[int, Tensor]  # [FIELDS, UNITS + 1] by hidden layer
    colours: Tensor  # [3, FIELDS + 1]


@dataclass(frozen=True)
class Scratch:
    """Room for a tile of P points. Last rows stay 1, and carry the biases."""

    seen: Tensor  # [INPUTS + 1, P]
    here: Tensor  # [UNITS + 1, P]
    there: Tensor  # [UNITS + 1, P]
    fields: Tensor  # [FIELDS + 1, P]
    zero: Tensor  # [GAUSS, 1]

    @classmethod
    def make(cls, points: int, device: torch.device) -> Scratch:
        """Allocate for ``points`` points."""

        def ones(rows: int) -> Tensor:
            return torch.ones(rows, points, device=device)

        zero = torch.zeros(GAUSS, 1, device=device)
        return cls(ones(INPUTS + 1), ones(UNITS + 1), ones(UNITS + 1), ones(FIELDS + 1), zero)

    def part(self, points: int) -> Scratch:
        """The first ``points`` points of this."""
        if points == self.here.shape[1]:
            return self
        seen, here, there, fields = (t[:, :points] for t in (self.seen, self.here, self.there, self.fields))
        return Scratch(seen, here, there, fields, self.zero)


class Field:
    """A network's matrices on a device, and what can be done with them."""

    def __init__(self, first: Tensor, hidden: Tensor, readout: Tensor, mirror: Tensor, hue: float):
        self.first, self.hidden, self.readout, self.hue = first, hidden, readout, hue
        device = first.device
        # Rows of `place`: x, y, distance from the mirror line, 1, of a point (x, y, 1).
        self.place = torch.zeros(4, 3, device=device)
        self.place[0, 0] = self.place[1, 1] = self.place[3, 2] = 1
        self.place[2, :2] = mirror
        # From their squares: radius^2 and mirror distance^2, rounded.
        self.distances = torch.tensor([[1, 1, 0, ROUNDING], [0, 0, 1, ROUNDING]], dtype=torch.float32, device=device)
        axis = (torch.arange(PROBE, device=device, dtype=torch.float32) + 0.5) * (2 / PROBE) - 1
        y, x = torch.meshgrid(axis, axis, indexing="ij")
        grid = torch.stack([x.reshape(-1), y.reshape(-1), torch.ones(PROBE * PROBE, device=device)])
        self.probe = Scratch.make(PROBE * PROBE, device)
        self.look(self.place, grid, self.probe.seen)

    def look(self, place: Tensor, plane: Tensor, seen: Tensor) -> None:
        """Write what the first layer sees of points ``plane`` [3, P] at ``place`` [4, 3] into ``seen``."""
        torch.mm(place, plane, out=seen[2:])
        torch.mm(self.distances, seen[2:].square(), out=seen[:2])
        seen[:2].sqrt_()

    def fold(self, styles: Tensor, energies: Tensor) -> list[Folded]:
        """Fold frames' styles [N, L, STYLE] and energies [N, L] (1 at a typical latent, less near the mean)."""
        N = len(styles)
        seen = h = self.probe.seen.expand(N, -1, -1)
        layers: list[Tensor] = []
        taps: dict[int, Tensor] = {}
        contrast, level = (torch.stack(each) for each in zip(*(levels(style[-2]) for style in styles), strict=True))
        norm = contrast.new_tensor(list(TAPS.values())).square().sum(dim=0).sqrt()
        for index, gain in enumerate(GAINS):
            weights, style = self.first if index == 0 else self.hidden[index - 1], styles[:, index]
            scale = gain * energies[:, index, None] * torch.exp(SCALE * torch.tanh(0.45 * style[:, :UNITS]))
            layers.append(_normalised(weights, h, scale, SHIFTS[index] * style[:, UNITS:]))
            h = torch.cat([torch.bmm(layers[-1], h), torch.ones_like(seen[:, :1])], dim=1)
            _activate(h, self.probe.zero)
            if index in TAPS:
                share = contrast.new_tensor(TAPS[index]) / norm
                taps[index] = _normalised(self.readout[index], h, contrast * share, level / len(TAPS))
        return [
            Folded([one[n] for one in layers], {at: one[n] for at, one in taps.items()}, colours(style[-1], self.hue))
            for n, style in enumerate(styles)
        ]

    def evaluate(
        self,
        frame: Folded,
        place: Tensor,
        plane: Tensor,
        scratch: Scratch,
        layer: int | None = None,
        bend: Callable[[int, Tensor], None] | None = None,
    ) -> Tensor:
        """Fields [FIELDS + 1, P], in the scratch, of the points ``plane`` [3, P] seen from ``place`` [4, 3].

        With ``layer``, what that hidden layer gives instead, [UNITS, P]. ``bend`` is given each hidden layer's number
        and what it gives, to write into; it wants to see the whole picture.
        """
        here, there, fields = scratch.here, scratch.there, scratch.fields
        self.look(place, plane, scratch.seen)
        torch.mm(frame.layers[0], scratch.seen, out=here[:UNITS])
        _activate(here, scratch.zero)
        if bend is not None:
            bend(0, here[:UNITS])
        if layer == 0:
            return here[:UNITS]
        fields[:FIELDS] = 0
        for index, matrix in enumerate(frame.layers[1:], start=1):
            torch.mm(matrix, here, out=there[:UNITS])
            _activate(there, scratch.zero)
            here, there = there, here
            if bend is not None:
                bend(index, here[:UNITS])
            if index == layer:
                return here[:UNITS]
            if index in TAPS:
                fields[:FIELDS].addmm_(frame.taps[index], here)
        return fields


def _activate(h: Tensor, zero: Tensor) -> None:
    """Apply sine, tanh and Gaussian to their blocks of rows of h [..., UNITS + 1, P], in place."""
    h[..., :SINE, :].sin_()
    h[..., SINE : SINE + TANH, :].tanh_()
    bumps = h[..., SINE + TANH : UNITS, :]
    torch.addcmul(zero, bumps, bumps, value=-1, out=bumps).exp_()


def _normalised(weights: Tensor, h: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Fold scale * (W h - mean) / deviation + shift into matrices [N, out, in + 1], for h [N, in + 1, P] with its ones.

    W is [out, in], scale and shift are [N, out].
    """
    weights = weights.expand(len(h), -1, -1)
    a = torch.bmm(weights, h[:, :-1])
    mean = a.mean(dim=2)
    variance = a.sub_(mean[..., None]).square_().mean(dim=2)  # Tensor.var takes ten times as long
    gain = scale / (variance + EPSILON**2).sqrt()
    return torch.cat([weights * gain[..., None], (shift - mean * gain)[..., None]], dim=2)
