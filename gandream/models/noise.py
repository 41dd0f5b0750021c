"""Noise maps that move: a function of (seed, layer, frame), made where they are needed, never stored for the film."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

KEPT = 128
"""Maps that are remembered: four for each layer of the largest generators, and then some."""

Setting = tuple[str, np.ndarray, np.ndarray, np.ndarray, int, "int | None"]
"""Mode, layers bool [L], strengths [N], phases [N], seed, period."""


class NoiseMaps:
    """White noise by (seed, layer, number, size), the same on every machine and device."""

    def __init__(self, device: torch.device):
        self.device = device
        self._kept: OrderedDict[tuple[int, int, int, int, int], Tensor] = OrderedDict()

    def white(self, seed: int, layer: int, number: int, height: int, width: int) -> Tensor:
        """Standard normal noise [H, W]: a counter-based generator (Philox; Salmon et al. 2011) keyed by its numbers."""
        key = (seed, layer, number, height, width)
        if key not in self._kept:
            stream = np.random.Philox(key=[seed, (layer << 40) + (number & 0xFFFFFFFFFF)])
            values = np.random.Generator(stream).standard_normal((height, width), np.float32)
            self._kept[key] = torch.from_numpy(values).to(self.device)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def moving(self, seed: int, layer: int, phase: float, period: int | None, height: int, width: int) -> Tensor:
        """Noise [H, W] at a phase: maps weighted by a cubic B-spline, whose squares are made to sum to 1.

        So it is smooth in time, and its variance is 1 at every phase, however few maps a period has.
        """
        number = math.floor(phase)
        weights: dict[int, float] = {}
        for one, weight in zip(range(number - 1, number + 3), _bspline(phase - number), strict=True):
            one = one if period is None else one % period
            weights[one] = weights.get(one, 0.0) + weight
        norm = math.sqrt(sum(weight * weight for weight in weights.values()))
        parts = [self.white(seed, layer, one, height, width) * (weight / norm) for one, weight in weights.items()]
        return sum(parts[1:], parts[0])


def _bspline(x: float) -> tuple[float, float, float, float]:
    """Weights of the four maps around a place x in [0, 1) between the second and the third (de Boor 1978)."""
    y = 1 - x
    return y**3 / 6, (3 * x**3 - 6 * x**2 + 4) / 6, (3 * y**3 - 6 * y**2 + 4) / 6, x**3 / 6


class LayerNoise:
    """What ``synthesise`` asks for the noise of each layer of a batch."""

    def __init__(self, maps: NoiseMaps, settings: Sequence[Setting]):
        self.maps, self.settings = maps, settings

    def __call__(self, layer: int, height: int, width: int, fixed: Tensor | None) -> Tensor | None:
        """Noise [N or 1, 1, H, W] of a style layer, or None for none; ``fixed`` is the model's own [H, W]."""
        for mode, layers, strengths, phases, seed, period in reversed(self.settings):  # the last word on a layer counts
            if layers[layer]:
                if mode == "off":
                    return None
                strength = torch.as_tensor(strengths, dtype=torch.float32, device=self.maps.device)[:, None, None, None]
                if mode == "fixed":
                    return None if fixed is None else fixed * strength
                stack = [self.maps.moving(seed, layer, float(phase), period, height, width) for phase in phases]
                return torch.stack(stack)[:, None] * strength
        return None if fixed is None else fixed[None, None]
