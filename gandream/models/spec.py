"""What a generator is, whatever its family. Letters for shapes, here and everywhere in the project:

F frames, N batch, L style layers, D latent size, C classes, H W pixels, S samples, K waypoints.
Images are float [N, 3, H, W] in [-1, 1]. This module loads no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from gandream.models.noise import LayerNoise
    from gandream.models.regions import LatentRegion


BOUND = 2.0
"""Where the normal distribution of truncated latents is cut."""


CONSTANT = -1
"""The number of what synthesis begins with, where that is a constant, among the layers that can be bent."""


@dataclass(frozen=True)
class Layer:
    """One style layer: its name, and the picture size it works at in pixels (0: any)."""

    name: str
    resolution: int = 0
    channels: int = field(default=0, compare=False)
    """Of what it gives; 0 where that isn't known."""


@dataclass(frozen=True)
class Spec:
    """Facts about a generator that can be known without running it."""

    family: str
    name: str
    fingerprint: str
    """Hash of everything that shapes its pictures: weights, configuration, version of the network's code."""
    latent_size: int
    """D, of z."""
    layers: tuple[Layer, ...]
    """The L style layers, coarse to fine."""
    size: tuple[int, int] | None = None
    """Native (height, width) in pixels; None: any size is native."""
    channels: int = 3
    classes: tuple[str, ...] = ()
    licence: str = ""
    w_size: int = 0
    """D', of w; 0: the same as D."""
    class_size: int = 0
    """Of the class's part of w, which is its last columns: truncation leaves it. 0: it has none."""
    class_centres: bool = False
    """Whether each class has a centre of w of its own, which is what truncation goes toward."""
    truncated: bool = False
    """Whether z is drawn from a normal distribution cut at -2 and 2, as for BigGANs."""
    noise: bool = False
    """Whether synthesis has noise maps."""
    transform: bool = False
    """Whether its input can be moved and turned."""
    drifts: bool = False
    """Whether the first row of w moves and turns its picture."""
    constant: bool = False
    """Whether synthesis begins with a constant of several pixels, which can be bent."""
    regional: bool = False
    """Whether it blends latents that differ between regions of the picture in its layers."""
    extends: bool = False
    """Whether it makes pictures of other sizes than its own, by continuing them beyond their edges."""
    reducible: bool = False
    """Whether half precision makes it faster, with pictures that look the same."""
    rough: bool = False
    """Whether it makes pictures of finer points between fewer ones when asked, for drafts, on a CPU."""
    shown: tuple[Layer, ...] = ()
    """The layers whose activations it can give, by number."""
    configuration: str = ""
    """What else there is to say of its network, in a line for people."""
    warnings: tuple[str, ...] = ()
    """What a person should know before they render with it, in sentences."""

    def unit(self, size: tuple[int, int]) -> float:
        """Pixels of a picture of this (height, width) that are 1 in the plane which ``transform`` maps.

        Of a model that has a size, its side, whatever more is shown of the plane; else half of the smaller side.
        """
        return float(min(self.size)) if self.size else min(size) / 2

    def latents(self, seeds: Sequence[int]) -> np.ndarray:
        """z of each seed as the published tools give it, float64 [N, D]: RandomState(seed).randn(1, D).

        Where z is truncated, it is the inverse of the normal distribution function at RandomState(seed).rand(D),
        scaled to between its values at -2 and 2.
        """
        draw = _truncated if self.truncated else _normal
        rows = [draw(np.random.RandomState(seed), self.latent_size) for seed in seeds]
        return np.stack(rows) if rows else np.zeros((0, self.latent_size))


def _normal(random: np.random.RandomState, count: int) -> np.ndarray:
    return random.randn(1, count)[0]


def _truncated(random: np.random.RandomState, count: int) -> np.ndarray:
    from scipy.special import ndtr, ndtri

    low, high = ndtr(-BOUND), ndtr(BOUND)
    return ndtri(low + random.uniform(size=count) * (high - low))


@dataclass(frozen=True)
class Inputs:
    """What synthesis is fed: the condition of each layer, and the truncation it was made with.

    ``w`` is [N, L, D'], where D' is the size of w (which may differ from that of z); ``psi`` is [N] or None.
    """

    w: Tensor
    psi: Tensor | None = None
    regions: tuple[LatentRegion, ...] = ()
    """Other w in parts of the picture, for models that blend them inside (``Spec.regional``)."""


class Generator(Protocol):
    """One call convention for every family."""

    spec: Spec
    """Facts about it."""
    device: torch.device
    """Where its pictures are made."""
    w_avg: Tensor
    """The centre of w, that truncation goes toward: [L, D']. Where classes have centres of their own, their mean."""
    class_centres: Tensor | None
    """The centre of w of each class, [C, D'], the same in all layers; None where there is one for all."""

    def latents(self, seeds: Sequence[int]) -> Tensor:
        """z of each seed, [N, D] on the generator's device."""
        ...

    def map(self, z: Tensor, classes: Tensor | None = None, psi: float | Tensor = 1.0) -> Inputs:
        """Map z [N, D] to the inputs of each layer; psi (a number or [N]) truncates toward the centre of w."""
        ...

    def synthesise(
        self,
        inputs: Inputs | Tensor,
        *,
        noise: Literal["fixed", "off"] | LayerNoise = "fixed",
        size: tuple[int, int] | None = None,
        transform: Tensor | None = None,
        bend: Sequence[object] = (),
        layer: int | None = None,
    ) -> Tensor:
        """Pictures [N, C, H, W] in about [-1, 1]. ``size`` is (height, width); None is the native one.

        With ``layer``, a number in ``spec.shown``, the activations [N, C', H', W'] of that layer instead.
        """
        ...
