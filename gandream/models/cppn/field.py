"""The network as a function of the plane: folded into plain matrices once per frame, then evaluated tile by tile.

Every hidden layer computes act(scale * normalise(W h) + shift), where scale and shift come from the layer's w
(adaptive instance normalisation: Huang & Belongie 2017, eq. 8; in generators, Karras et al. 2019, eq. 1). The mean
and deviation of W h are taken over a fixed grid of points in the centred square, not over the picture, so that a
picture does not depend on its size, its aspect, its tiles or the camera; and since they are known before the first
pixel, all of it folds into W' = W * scale / deviation and a bias: one matrix product per layer and tile.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gandream.models.cppn.palette import anchors, light_levels
from gandream.models.cppn.weights import GAUSS, INPUTS, LIGHTS, SINE, TANH, UNITS

PROBE = 32
"""Points on a side of the grid that the statistics are taken over."""
GAINS = (1.1, 0.85, 0.85, 0.9, 1.0, 1.2, 1.5)
"""Deviation of what goes into each hidden layer's activations: the first sets the size of shapes, later ones detail."""
SCALE, SHIFT = 0.35, 0.55
"""How far a style moves the scale (in log) and the shift of a unit, for one deviation of w."""
EPSILON = 0.05
TAPS = {1: 1.0, 3: 0.7, 5: 0.45, 6: 0.3}
"""Hidden layers that the lights are read from, and their share: large masses of light first, fine detail on top
(the skip generator of Karras et al. 2020, section 4.1; amplitudes fall with frequency as in nature)."""
NORM = sum(share**2 for share in TAPS.values()) ** 0.5


class Folded:
    """One frame's network: matrices whose last column is the bias."""

    def __init__(self, layers: list[Tensor], readouts: dict[int, Tensor], colours: Tensor):
        self.layers = layers  # [UNITS, INPUTS + 1], then [UNITS, UNITS + 1] each
        self.readouts = readouts  # [LIGHTS, UNITS + 1] for each tapped layer
        self.colours = colours  # [3, LIGHTS], linear RGB of each light


def activate(h: Tensor) -> None:
    """Apply sine, tanh and Gaussian to their blocks of rows of h [UNITS, P], in place."""
    h[:SINE].sin_()
    h[SINE : SINE + TANH].tanh_()
    bumps = h[SINE + TANH : UNITS]
    bumps.mul_(bumps).neg_().exp_()


def normalised(weights: Tensor, h: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Fold scale * (W h - mean) / deviation + shift into one matrix [out, in + 1]; statistics over h's points."""
    a = torch.mm(weights, h)
    mean = a.mean(dim=1)
    gain = scale / (a.var(dim=1, unbiased=False) + EPSILON**2).sqrt()
    return torch.cat([weights * gain[:, None], (shift - mean * gain)[:, None]], dim=1).contiguous()


def inputs_of(x: Tensor, y: Tensor, mirror: tuple[float, float], out: Tensor) -> None:
    """Write what the first layer sees of the points x, y [P] into out [INPUTS + 1, P]."""
    out[0], out[1] = x, y
    torch.addcmul(x * x + 0.02, y, y, out=out[2])
    out[2].sqrt_()
    torch.add(x * mirror[0], y, alpha=mirror[1], out=out[3])
    out[3].square_().add_(0.02).sqrt_()
    out[4] = 1


class Field:
    """A network's matrices on a device, and what can be done with them."""

    def __init__(self, first: Tensor, hidden: Tensor, readout: Tensor, mirror: tuple[float, float]):
        self.first, self.hidden, self.readout, self.mirror = first, hidden, readout, mirror
        axis = (torch.arange(PROBE, device=first.device, dtype=torch.float32) + 0.5) * (2 / PROBE) - 1
        y, x = torch.meshgrid(axis, axis, indexing="ij")
        self.probe = torch.empty(INPUTS + 1, PROBE * PROBE, device=first.device)
        inputs_of(x.reshape(-1), y.reshape(-1), mirror, self.probe)

    def fold(self, style: Tensor, energy: Tensor) -> Folded:
        """Fold a frame's style [L, STYLE] and energy [L] (1 at a typical latent, less near the mean)."""
        h, layers, taps = self.probe, [], {}
        for index, gain in enumerate(GAINS):
            weights = self.first if index == 0 else self.hidden[index - 1]
            scale = gain * energy[index] * torch.exp(SCALE * style[index, :UNITS])
            matrix = normalised(weights, h[:-1], scale, SHIFT * style[index, UNITS:])
            h = torch.cat([torch.mm(matrix, h), torch.ones_like(h[:1])])
            activate(h)
            layers.append(matrix)
            if index in TAPS:
                taps[index] = h
        contrast, level = light_levels(style[-2])
        parts = {index: normalised(self.readout[index], h[:-1], contrast * TAPS[index] / NORM, level / len(TAPS)) for index, h in taps.items()}
        return Folded(layers, parts, anchors(style[-1]))

    def scratch(self, points: int) -> tuple[Tensor, Tensor]:
        """Room for a tile: two buffers [UNITS + 1, P] whose last row stays 1, which carries the bias."""
        pair = torch.empty(2, UNITS + 1, points, device=self.first.device)
        pair[:, UNITS] = 1
        return pair[0], pair[1]

    def evaluate(self, frame: Folded, x: Tensor, y: Tensor, scratch: tuple[Tensor, Tensor]) -> Tensor:
        """Log-intensities of the lights at the points x, y [P] -> [LIGHTS, P], a view of the scratch."""
        points = x.shape[0]
        here, there = (buffer[:, :points] for buffer in scratch)
        seen = torch.empty(INPUTS + 1, points, device=x.device)
        inputs_of(x, y, self.mirror, seen)
        torch.mm(frame.layers[0], seen, out=here[:UNITS])
        activate(here)
        logs = torch.zeros(LIGHTS, points, device=x.device)
        for index, matrix in enumerate(frame.layers[1:], start=1):
            torch.mm(matrix, here, out=there[:UNITS])
            activate(there)
            here, there = there, here
            if index in TAPS:
                logs.addmm_(frame.readouts[index], here)
        return logs
