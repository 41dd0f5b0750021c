"""The BigGAN-deep as a ``Generator``: z and classes to conditions, conditions to pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.arguments import class_weights, computed, double, exact, only_native, w_of, z_of
from gandream.models.attention import attended
from gandream.models.bending import Bends, bent
from gandream.models.biggan_deep.folding import Attention, Bottleneck, Statistics, divided, layers, put, statistics
from gandream.models.biggan_deep.plan import FIRST, Plan
from gandream.models.reduced import painter
from gandream.models.reduced_block import ReducedBlock
from gandream.models.regions import Regions
from gandream.models.spec import Inputs, Spec

LEAST = 0.02
"""The smallest truncation whose statistics are used: the published tables begin there."""
DECIMALS = 6
"""Of a truncation that choose its statistics: psi is float32, and rows lie at round numbers."""


class BigGANDeep:
    """A BigGAN-deep of any size."""

    def __init__(
        self,
        spec: Spec,
        plan: Plan,
        tensors: dict[str, np.ndarray],
        device: torch.device,
        dtype: torch.dtype | None = None,
    ):
        self.dtype = computed(spec, dtype)
        self.spec, self.plan, self.device, self.tensors = spec, plan, device, tensors
        self.configuration: dict[str, Any] = {"attributes": {"": {"config": plan.configuration}}}
        """What ``save_native`` writes beside the tensors."""
        self.embeddings = put(tensors["embeddings.weight"].T, device)
        start = divided(tensors, "generator.gen_z").reshape(FIRST, FIRST, plan.layers[0].inputs, -1)
        self.start = put(start.transpose(2, 0, 1, 3).reshape(-1, start.shape[-1]), device)
        bias = tensors["generator.gen_z.bias"].reshape(FIRST, FIRST, -1)
        self.start_bias = put(bias.transpose(2, 0, 1).reshape(-1), device)
        self.layers = layers(plan, tensors, device, self.dtype)
        self.last = statistics(tensors, ["generator.bn"], [np.zeros(1)], device)
        self.gain, self.offset = (put(tensors[f"generator.bn.{part}"], device) for part in ("weight", "bias"))
        colours = put(divided(tensors, "generator.conv_to_rgb")[:3], device)
        self.colours = painter(colours, put(tensors["generator.conv_to_rgb.bias"][:3], device), self.dtype)
        centre = torch.cat((torch.zeros(plan.latent, device=device), self.embeddings.mean(0)))
        self.w_avg = centre.expand(len(spec.layers), -1).contiguous()
        """z = 0 with the mean of all classes; truncation leaves the class: see ``Spec.class_size``."""
        self.class_centres: Tensor | None = None

    def latents(self, seeds: Sequence[int]) -> Tensor:
        """z of each seed, float32 [N, D]: normal numbers within -2 and 2."""
        return torch.as_tensor(self.spec.latents(seeds), dtype=torch.float32).to(self.device)

    @torch.no_grad()
    def map(self, z: Tensor, classes: Tensor | None = None, psi: float | Tensor = 1.0) -> Inputs:
        """Give each layer [psi z, embedding]: w [N, L, D'] of z [N, D], classes [N] or [N, C], and psi, one or [N]."""
        z = z_of(self.spec, z, self.device)
        weights = class_weights(self.spec, classes, z)
        embedded = self.embeddings[:1].expand(len(z), -1) if weights is None else weights @ self.embeddings
        psi = torch.as_tensor(psi, dtype=torch.float32, device=self.device).expand(len(z))
        w = torch.cat((z * psi[:, None], embedded), dim=1)
        return Inputs(w[:, None].expand(-1, len(self.spec.layers), -1), psi)

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
        """Pictures float32 [N, 3, H, W] in [-1, 1] of ``inputs`` (w [N, L, D']), with the statistics of their psi.

        With ``layer``, the activations of that block instead: 0 are those of the linear layer.
        """
        only_native(self.spec, noise, size, transform, layer)
        w = w_of(self.spec, inputs, self.w_avg)
        psi = inputs.psi if isinstance(inputs, Inputs) else None
        psi = torch.ones(len(w), device=self.device) if psi is None else psi.to(self.device, torch.float32)
        with exact(self.device):
            regions = Regions(inputs.regions if isinstance(inputs, Inputs) else ())
            return self._pictures(w, self._rows(psi.expand(len(w))), bent(self.spec, bend, len(w)), regions, layer)

    def _pictures(
        self, w: Tensor, rows: tuple[Tensor, Tensor, Tensor], bends: Bends, regions: Regions, shown: int | None
    ) -> Tensor:
        x = regions(self._first, w)
        x = bends(0, x.contiguous(memory_format=torch.channels_last))
        used = 1
        for layer in self.layers:
            if used - 1 == shown:
                return x
            if isinstance(layer, Attention):
                x = attended(x, layer.convs, self.dtype)
            else:
                block = partial(self._layer, x, layer, used, rows)
                x = bends(used, regions(block, w))
                used += 1
        if used - 1 == shown:
            return x
        scale, shift = self._affine(self.last, rows, self.gain, self.offset)
        return self.colours(_rectified(x, scale, shift)).tanh_().contiguous()

    def _first(self, w: Tensor) -> Tensor:
        x = F.linear(w[:, 0], self.start, self.start_bias)
        return x.view(len(w), len(self.start) // FIRST**2, FIRST, FIRST)

    def _layer(
        self, x: Tensor, layer: Bottleneck, number: int, rows: tuple[Tensor, Tensor, Tensor], w: Tensor
    ) -> Tensor:
        return self._block(x, layer, w[:, number], rows)

    def _block(self, x: Tensor, layer: Bottleneck, condition: Tensor, rows: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        gains, offsets = F.linear(condition, layer.modulation).chunk(2, dim=1)
        block, middle, h = layer.block, layer.block.inputs // 4, x
        sizes = [block.inputs, middle, middle, middle]
        if isinstance(layer.convs, ReducedBlock):
            means, variances = self._statistics(layer.norms, rows)
            scales = (1 + gains) * (variances + self.plan.epsilon).rsqrt()
            norms = zip(*(part.split(sizes, dim=1) for part in (scales, means, offsets)), strict=True)
            return layer.convs(x, list(norms))
        scales, shifts = self._affine(layer.norms, rows, 1 + gains, offsets)
        parts = zip(layer.convs, scales.split(sizes, dim=1), shifts.split(sizes, dim=1), strict=True)
        for conv, scale, shift in parts:
            h = conv(_rectified(h, scale, shift))
        x = x[:, : block.outputs]
        x = F.interpolate(x, scale_factor=2, mode="nearest") if block.up else x
        return h.add_(x)

    def _rows(self, psi: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The two rows of the tables for each psi [N], and the weight of the upper one.

        The published code gives the nearer row the smaller weight between two rows. Pictures of its models have to
        be like its own, down to which row the quotient of two round numbers falls on.
        """
        place = double(psi).abs().clamp(LEAST, 1).round(decimals=DECIMALS) / (1 / (self.plan.rows - 1))
        lower = place.floor().clamp(max=self.plan.rows - 1)
        share = (place - lower).clamp(max=1)
        weight = share if self.plan.linear else torch.where(share > 0, 1 - share, share)
        found = lower.long(), (lower.long() + 1).clamp(max=self.plan.rows - 1), weight[:, None].float()
        return found[0].to(psi.device), found[1].to(psi.device), found[2].to(psi.device)

    def _affine(
        self, tables: Statistics, rows: tuple[Tensor, Tensor, Tensor], gain: Tensor, offset: Tensor
    ) -> tuple[Tensor, Tensor]:
        """A norm with its gain and offset ([N, C] or [C]) as one scale and one shift, both [N, C]."""
        mean, variance = self._statistics(tables, rows)
        scale = gain * (variance + self.plan.epsilon).rsqrt()
        return scale, offset - mean * scale

    def _statistics(self, tables: Statistics, rows: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Means and variances of each picture, [N, C]."""
        lower, upper, weight = rows
        mean = torch.lerp(tables.means[lower], tables.means[upper], weight)
        return mean, torch.lerp(tables.variances[lower], tables.variances[upper], weight)


def _rectified(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return torch.addcmul(shift[:, :, None, None], x, scale[:, :, None, None]).relu_()
