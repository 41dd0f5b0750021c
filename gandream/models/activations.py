"""The activations of a layer as colours: their three principal components, the same in all frames of all films.

Components (Pearson 1901; Hotelling 1933) and the range of each are found from pictures of a fixed set of seeds, so
that they belong to the model and not to a film: a frame is coloured alike wherever it is rendered. A component has no
sign of its own; here what is rare is light, as bright things on a dark ground.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from gandream.models.oklab import linear_channels
from gandream.models.spec import Generator

COMPONENTS = 3
"""The first is lightness, so that what differs most is light and dark; the others are OKLab's two axes of colour."""
MIN_SEEDS, MAX_SEEDS = 8, 64
PLACES = 4096
"""Of a picture that are looked at, about; small layers are seen in more pictures."""
ANY_SIZE = (96, 96)
"""Pixels of the pictures of models that have any size."""
TAIL = 0.01
"""Share of places at each end that a component's range leaves out."""
DARK, LIGHT = 0.1, 0.95
"""Lightness at the ends of the first component's range."""
GAMMA = 2.2
"""Of displays."""
CHROMA = 0.16
"""Colour at the ends of the others', whose mean is grey."""


class LayerColours:
    """From activations [N, C, H, W] of a layer to pictures [N, 3, H, W] in [-1, 1]."""

    @torch.inference_mode()
    def __init__(self, generator: Generator, layer: int):
        seen = torch.cat(list(_samples(generator, layer)))  # [P, C]
        mean, axes = _components(seen)
        places = seen @ axes.float() - (mean @ axes).float()  # [P, 3], of mean 0
        skew = places.double().pow(3).mean(dim=0)
        axes, places = axes * torch.where(skew < 0, -1, 1), places * torch.where(skew < 0, -1, 1)
        low, high = (_quantile(places, at).double() for at in (TAIL, 1 - TAIL))
        widest = torch.maximum(-low, high)
        scale, shift = CHROMA / widest, torch.zeros(COMPONENTS, dtype=torch.float64)
        scale[0] = (LIGHT - DARK) / (high[0] - low[0])
        shift[0] = DARK - low[0] * scale[0]
        flat = widest < 1e-6 * seen.abs().amax().clamp(min=1e-30)  # nothing of that component is there
        scale, shift[0] = torch.where(flat, 0, scale), torch.where(flat[0], 0.5, shift[0])
        weight = (axes * scale).T
        self.weight = weight[:, :, None, None].float().to(generator.device)
        self.bias = (shift - weight @ mean).float().to(generator.device)

    def __call__(self, activations: Tensor) -> Tensor:
        """Colours of activations."""
        lightness, a, b = torch.nn.functional.conv2d(activations.float(), self.weight, self.bias).unbind(dim=1)
        light = torch.stack(linear_channels(lightness, a, b), dim=1).clamp_(0, 1)
        return light.pow_(1 / GAMMA).mul_(2).sub_(1)


def _components(seen: Tensor) -> tuple[Tensor, Tensor]:
    """Mean [C] and principal axes [C, 3] of what was seen [P, C], float64; where C is less than 3, some axes are 0."""
    count, channels = seen.shape
    mean = seen.mean(dim=0, dtype=torch.float64)
    covariance = torch.zeros(channels, channels, dtype=torch.float64)
    for part in seen.split(PLACES):
        off = part.double() - mean
        covariance.addmm_(off.T, off, alpha=1 / count)
    axes = torch.linalg.eigh(covariance)[1].flip(1)[:, :COMPONENTS]  # they come in ascending order
    return mean, torch.nn.functional.pad(axes, (0, COMPONENTS - axes.shape[1]))


def _samples(generator: Generator, layer: int) -> Iterator[Tensor]:
    """Activations [P, C] of each of the model's pictures, on the host."""
    spec, number, seeds = generator.spec, 0, MIN_SEEDS
    while number < seeds:
        classes = torch.tensor([number % len(spec.classes)], device=generator.device) if spec.classes else None
        inputs = generator.map(generator.latents([number]), classes)
        made = generator.synthesise(inputs, layer=layer, size=None if spec.size else ANY_SIZE)
        height, width = made.shape[2:]
        seeds = max(MIN_SEEDS, min(MAX_SEEDS, 4 * PLACES // (height * width)))
        step = max(1, math.isqrt(height * width // PLACES))
        yield made[0, :, ::step, ::step].flatten(1).T.float().cpu()
        number += 1


def _quantile(places: Tensor, at: float) -> Tensor:
    """Of each column; torch.quantile takes no more than 2^24 numbers."""
    rank = round(at * (len(places) - 1))
    return places.sort(dim=0).values[rank]
