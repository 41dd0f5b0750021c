"""Noise maps that move: a function of (seed, layer, frame), made where they are needed, never stored for the film."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gandream.models.masks import Mask

KEPT = 128
"""Maps that are remembered: four for each layer of the largest generators, and then some."""

_PYRAMID = 1 << 20
"""Numbers from here on are no style layers, but the scales of a pyramid. (A key is two numbers below 2^63.)"""


class Setting(NamedTuple):
    """The noise of some layers in a batch."""

    mode: str
    layers: np.ndarray
    """bool [L]"""
    strengths: np.ndarray
    """[N], or [N, L] by layers"""
    phases: np.ndarray
    """[N]"""
    seed: int = 0
    period: int | None = None
    mask: Mask | None = None
    pyramid: bool = False


class NoiseMaps:
    """White noise by (seed, layer, number, size), the same on every machine and device."""

    def __init__(self, device: torch.device, kept: int = KEPT):
        self.device, self.kept = device, kept
        self._kept: OrderedDict[tuple[int, int, int, int, int], Tensor] = OrderedDict()

    def white(self, seed: int, layer: int, number: int, height: int, width: int) -> Tensor:
        """Standard normal noise [H, W]: a counter-based generator (Philox; Salmon et al. 2011) keyed by its numbers."""
        key = (seed, layer, number, height, width)
        if key not in self._kept:
            stream = np.random.Philox(key=[seed, (layer << 40) + (number & 0xFFFFFFFFFF)])
            values = np.random.Generator(stream).standard_normal((height, width), np.float32)
            self._kept[key] = torch.from_numpy(values).to(self.device)
            while len(self._kept) > self.kept:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _keep(self, key: tuple[int, int, int, int, int], noise: Tensor) -> None:
        self._kept[key] = noise
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def pyramid(self, seed: int, number: int, height: int, width: int) -> Tensor:
        """White noise [H, W] of which every smaller size is a view: the sums of its squares of 2 x 2 pixels, halved.

        Made from coarse to fine: a pixel becomes four that sum to twice it, and differ by noise of their own less its
        mean. So all have variance 1, and none of the larger sizes is needed for a small one.
        """
        if max(height, width) <= 4:
            return self.white(seed, _PYRAMID + height + width, number, height, width)
        key = (seed, _PYRAMID, number, height, width)
        if key not in self._kept:
            coarse = self.pyramid(seed, number, (height + 1) // 2, (width + 1) // 2)
            size = (coarse.shape[0] * 2, coarse.shape[1] * 2)
            own = self.white(seed, _PYRAMID + size[0] + size[1], number, *size)
            squares = own.reshape(coarse.shape[0], 2, coarse.shape[1], 2)
            squares = squares - squares.mean(dim=(1, 3), keepdim=True) + coarse[:, None, :, None] / 2
            self._keep(key, squares.reshape(size)[:height, :width].contiguous())
        self._kept.move_to_end(key)
        return self._kept[key]

    def moving(
        self, seed: int, layer: int, phase: float, period: int | None, height: int, width: int, *, pyramid: bool = False
    ) -> Tensor:
        """Noise [H, W] at a phase: maps weighted by a cubic B-spline, whose squares are made to sum to 1.

        So it is smooth in time, and its variance is 1 at every phase, however few maps a period has.
        """
        number = math.floor(phase)
        weights: dict[int, float] = {}
        for one, weight in zip(range(number - 1, number + 3), _bspline(phase - number), strict=True):
            one = one if period is None else one % period
            weights[one] = weights.get(one, 0.0) + weight
        norm = math.sqrt(sum(weight * weight for weight in weights.values()))
        size = (height, width)
        maps = [self.pyramid(seed, one, *size) if pyramid else self.white(seed, layer, one, *size) for one in weights]
        parts = [one * (weight / norm) for one, weight in zip(maps, weights.values(), strict=True)]
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
        for one in reversed(self.settings):  # the last word on a layer counts
            if one.layers[layer]:
                if one.mode == "off":
                    return None
                strengths = one.strengths if one.strengths.ndim == 1 else one.strengths[:, layer]
                strength = torch.from_numpy(np.array(strengths, np.float32))
                strength = strength.to(self.maps.device, non_blocking=self.maps.device.type == "cuda")
                strength = strength[:, None, None, None]
                if one.mask is not None:
                    strength = strength * one.mask.at(height, width, self.maps.device)
                if one.mode == "fixed":
                    return None if fixed is None else fixed * strength
                stack = [
                    self.maps.moving(one.seed, layer, float(phase), one.period, height, width, pyramid=one.pyramid)
                    for phase in one.phases
                ]
                return torch.stack(stack)[:, None] * strength
        return None if fixed is None else fixed[None, None]
