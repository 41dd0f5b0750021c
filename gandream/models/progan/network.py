"""The ProGAN as a ``Generator``: z, with the labels of classes appended to it, is what synthesis is fed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.arguments import class_weights, exact, only_float32, only_native, w_of, z_of
from gandream.models.bending import Bends, bent
from gandream.models.progan.plan import FIRST, Plan
from gandream.models.spec import Inputs, Spec
from gandream.models.upsampling import doubling

EPSILON = 1e-8
"""In the square root of the normalisation (Karras et al. 2018, section 4.2)."""


class ProGAN:
    """A ProGAN of any size, in float32, with everything folded that is constant in a finished network."""

    def __init__(
        self,
        spec: Spec,
        plan: Plan,
        tensors: dict[str, np.ndarray],
        attributes: dict[str, dict[str, Any]],
        device: torch.device,
        dtype: torch.dtype | None = None,
    ):
        only_float32(spec, dtype)
        self.spec, self.plan, self.device = spec, plan, device
        self.tensors, self.configuration = tensors, {"attributes": attributes}
        """As in the file: what ``save_native`` writes."""
        scales = range(len(plan.depths) - 1)
        self.dense = self._folded(tensors, "formatLayer")
        self.first = self._folded(tensors, "groupScale0.0")
        blocks = [
            (
                _doubling(*self._folded(tensors, f"scaleLayers.{scale}.0")),
                self._folded(tensors, f"scaleLayers.{scale}.1"),
            )
            for scale in scales
        ]
        self.body, self.last = blocks[:-1], blocks[-1] if blocks else None
        last = len(plan.depths) - 1
        self.colours = self._folded(tensors, f"toRGBLayers.{last}", 1 - plan.fading)
        self.fading = self._folded(tensors, f"toRGBLayers.{last - 1}", plan.fading) if plan.fading else None
        # On a CPU the first blocks work on the whole batch, whose pictures share the weights; the rest go one by one,
        # while their activations are still in the cache.
        self.shared = len(blocks)
        while device.type == "cpu" and self.shared and _small(blocks[self.shared - 1], FIRST << self.shared):
            self.shared -= 1
        labels = torch.zeros(len(plan.classes), plan.labels)
        for row, (_, columns) in enumerate(plan.classes):
            labels[row, list(columns)] = 1
        self._labels = labels.to(device)  # [C, labels]
        centre = labels.mean(dim=0) if plan.classes else labels.sum(dim=0)
        self.w_avg = torch.cat([torch.zeros(spec.latent_size), centre])[None].to(device)
        """z = 0 with the mean of all classes; truncation leaves the class: see ``Spec.class_size``."""
        self.class_centres: Tensor | None = None

    def latents(self, seeds: Sequence[int]) -> Tensor:
        """z of each seed, float32 [N, D]."""
        return torch.as_tensor(self.spec.latents(seeds), dtype=torch.float32).to(self.device)

    def map(self, z: Tensor, classes: Tensor | None = None, psi: float | Tensor = 1.0) -> Inputs:
        """Give psi z and the labels of the classes, [N, 1, D'], of z [N, D], classes [N] or weights [N, C].

        The network normalises its inputs: psi, a number or [N], says how much z weighs beside the class, and where
        there are no classes, none above 0 changes anything.
        """
        z = z_of(self.spec, z, self.device)
        weights = class_weights(self.spec, classes, z)
        psi = torch.as_tensor(psi, dtype=torch.float32, device=self.device).expand(z.shape[0])
        z = z * psi[:, None]
        return Inputs((z if weights is None else torch.cat([z, weights @ self._labels], dim=1))[:, None], psi)

    @torch.no_grad()
    def synthesise(
        self,
        inputs: Inputs | Tensor,
        *,
        noise: object = "fixed",
        size: tuple[int, int] | None = None,
        transform: Tensor | None = None,
        bend: Sequence[object] = (),
        layer: int | None = None,
    ) -> Tensor:
        """Pictures float32 [N, C, H, W] in about [-1, 1] of ``inputs`` (z, labels: [N, 1, D']).

        With ``layer``, what that resolution gives instead, normalised.
        """
        only_native(self.spec, noise, size, transform, layer)
        x = w_of(self.spec, inputs, self.w_avg)[:, 0]
        with exact(self.device):
            bends, x = bent(self.spec, bend, len(x)), self._start(x)
            if layer is not None:
                return self._activations(x, layer, bends)
            return self._bent(x, bends) if bends else self._pictures(x)

    def _start(self, x: Tensor) -> Tensor:
        """The first resolution of inputs [N, D'], not normalised yet."""
        if self.plan.normalised_inputs:
            x = x * _inverse(x)
        x = F.leaky_relu_(F.linear(x, *self.dense), self.plan.slope).unflatten(1, (self.plan.depths[0], FIRST, FIRST))
        x = self._normalise(x.contiguous(memory_format=torch.channels_last))
        return F.leaky_relu_(F.conv2d(x, *self.first, padding=1), self.plan.slope)

    def _activations(self, x: Tensor, layer: int, bends: Bends) -> Tensor:
        """What a resolution gives, [N, C, H, W], of the first one's."""
        x = bends(0, self._normalise(x))
        for number, block in enumerate(self._blocks[:layer], 1):
            x = bends(number, self._normalise(self._grow(x, block)))
        return x

    @property
    def _blocks(self) -> list[tuple[Layer, Layer]]:
        return self.body if self.last is None else [*self.body, self.last]

    def _bent(self, x: Tensor, bends: Bends) -> Tensor:
        """Pictures of bent resolutions, of the first one's: normalised before they are bent, and not after."""
        last = len(self._blocks)
        older = self._activations(x, max(last - 1, 0), bends)
        old: Tensor | None = None
        if self.fading is not None:
            old = F.interpolate(_painted(older, self.fading), scale_factor=2, mode="nearest")
        x = bends(last, self._normalise(self._grow(older, self._blocks[-1]))) if last else older
        return self._shown(_painted(x, self.colours), old)

    def _pictures(self, x: Tensor) -> Tensor:
        """Of the first resolution, [N, C, H, W]."""
        for block in self.body[: self.shared]:
            x = self._grow(self._normalise(x), block)
        if self.last is None or self.shared > len(self.body):
            return self._finish(x)
        pictures = x.new_empty(x.shape[0], self.plan.channels, self.plan.size, self.plan.size)
        for n in range(x.shape[0]):
            one = x[n : n + 1]
            for block in self.body[self.shared :]:
                one = self._grow(self._normalise(one), block)
            pictures[n] = self._finish(one)[0]
        return pictures

    def _grow(self, x: Tensor, block: tuple[Layer, Layer]) -> Tensor:
        """x [N, C, H, W], normalised, one resolution up, not normalised yet."""
        up, flat = block
        x = self._normalise(F.leaky_relu_(F.conv_transpose2d(x, *up, stride=2, padding=1), self.plan.slope))
        return F.leaky_relu_(F.conv2d(x, *flat, padding=1), self.plan.slope)

    def _finish(self, x: Tensor) -> Tensor:
        """The last resolution and the colours, of x [N, C, H, W], not normalised yet."""
        old: Tensor | None = None
        if self.last is not None:
            if self.fading is not None:
                old = F.interpolate(self._paint(x, self.fading), scale_factor=2, mode="nearest")
            x = self._grow(self._normalise(x), self.last)
        return self._shown(self._paint(x, self.colours), old)

    def _shown(self, picture: Tensor, old: Tensor | None) -> Tensor:
        """As it is given back, with what is left of the resolution before."""
        picture = picture if old is None else picture.add_(old)
        picture = picture.tanh_() if self.plan.tanh else picture
        if self.plan.doublings:
            picture = F.interpolate(picture, scale_factor=1 << self.plan.doublings, mode="nearest")
        return picture.contiguous()

    def _paint(self, x: Tensor, colours: Layer) -> Tensor:
        """toRGB of x [N, C, H, W], which is kept; normalised after it, when only the colours are left to scale."""
        weight, bias = colours
        picture = F.conv2d(x, weight)
        if self.plan.normalised:
            picture = picture.mul_(_inverse(x))
        return picture.add_(bias[:, None, None])

    def _normalise(self, x: Tensor) -> Tensor:
        """In place."""
        return x.mul_(_inverse(x)) if self.plan.normalised else x

    def _folded(self, tensors: Mapping[str, np.ndarray], layer: str, gain: float = 1.0) -> Layer:
        """Weights and biases as they are used: both times sqrt(2 / inputs) (section 4.1), in float64 until the end."""
        weight, bias = (tensors[f"{layer}{self.plan.part}{kind}"] for kind in ("weight", "bias"))
        if self.plan.equalised:
            gain *= math.sqrt(2 / math.prod(weight.shape[1:]))
        return _put(weight.astype(np.float64) * gain, self.device), _put(bias.astype(np.float64) * gain, self.device)


Layer = tuple[Tensor, Tensor]
"""Weights and biases."""


def _painted(x: Tensor, colours: Layer) -> Tensor:
    weight, bias = colours
    return F.conv2d(x, weight, bias)


def _put(array: np.ndarray, device: torch.device) -> Tensor:
    tensor = torch.as_tensor(array, dtype=torch.float32)
    tensor = tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor
    return tensor.to(device)


def _small(block: tuple[Layer, Layer], size: int) -> bool:
    """Whether a block's weights are fewer than the numbers that it reads and writes."""
    outputs, inputs = block[1][0].shape[0], block[0][0].shape[0]
    return block[0][0].numel() + block[1][0].numel() <= (inputs // 4 + 3 * outputs) * size * size


def _inverse(x: Tensor) -> Tensor:
    """1 / root mean square of x [N, C, ...] along C."""
    norm = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    return norm.square_().div_(x.shape[1]).add_(EPSILON).rsqrt_()


def _doubling(weight: Tensor, bias: Tensor) -> Layer:
    """Up-sampling and then a convolution, as one layer."""
    return doubling(weight).contiguous(memory_format=torch.channels_last), bias
