"""The BigGAN as a ``Generator``: z and classes to conditions, conditions to pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.arguments import class_weights, computed, exact, only_native, w_of, z_of
from gandream.models.attention import attended
from gandream.models.bending import Bends, bent
from gandream.models.biggan.folding import Folded, Folding
from gandream.models.biggan.plan import Plan
from gandream.models.reduced import painter
from gandream.models.reduced_block import ReducedBlock
from gandream.models.regions import Regions
from gandream.models.spec import Inputs, Spec


class BigGAN:
    """A BigGAN of any size."""

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
        folding = Folding(plan, tensors, device, self.dtype)
        self.start, self.start_bias = folding.start()
        self.embeddings = folding.embeddings()
        self.blocks = [folding.block(block) for block in plan.blocks]
        self.scale, self.shift, colours, bias = folding.last()
        self.colours = painter(colours, bias, self.dtype)
        centre = torch.cat((torch.zeros(plan.chunk, device=device), self.embeddings.mean(0)))
        self.w_avg = centre.expand(len(spec.layers), -1).contiguous()
        """z = 0 with the mean of all classes; truncation leaves the class: see ``Spec.class_size``."""
        self.class_centres: Tensor | None = None

    def latents(self, seeds: Sequence[int]) -> Tensor:
        """z of each seed, float32 [N, D]: normal numbers within -2 and 2."""
        return torch.as_tensor(self.spec.latents(seeds), dtype=torch.float32).to(self.device)

    @torch.no_grad()
    def map(self, z: Tensor, classes: Tensor | None = None, psi: float | Tensor = 1.0) -> Inputs:
        """Give each layer [psi z, class]: w [N, L, D'] of z [N, D], classes [N] or [N, C], and psi, one or [N].

        Where z is hierarchical, each layer has its own chunk of it.
        """
        z = z_of(self.spec, z, self.device)
        weights = class_weights(self.spec, classes, z)
        embedded = self.embeddings[:1].expand(len(z), -1) if weights is None else weights @ self.embeddings
        psi = torch.as_tensor(psi, dtype=torch.float32, device=self.device).expand(len(z))
        z, rows = z * psi[:, None], len(self.spec.layers)
        chunks = z.unflatten(1, (rows, -1)) if self.plan.hierarchical else z[:, None].expand(-1, rows, -1)
        return Inputs(torch.cat((chunks, embedded[:, None].expand(-1, rows, -1)), dim=2), psi)

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
        """Pictures float32 [N, C, H, W] in [-1, 1] of ``inputs`` (w [N, L, D']); with ``layer``, its activations."""
        only_native(self.spec, noise, size, transform, layer)
        w = w_of(self.spec, inputs, self.w_avg)
        with exact(self.device):
            regions = Regions(inputs.regions if isinstance(inputs, Inputs) else ())
            return self._pictures(w, bent(self.spec, bend, len(w)), regions, layer)

    def _pictures(self, w: Tensor, bends: Bends, regions: Regions, layer: int | None = None) -> Tensor:
        x = regions(self._first, w)
        x = bends(0, x.contiguous(memory_format=torch.channels_last))
        for number, block in enumerate(self.blocks, 1):
            if layer is not None and layer < number:
                break
            x = bends(number, regions(partial(self._layer, x, block, number), w))
        if layer is not None:
            return x.contiguous()
        x = torch.addcmul(self.shift, x, self.scale).relu_()
        return self.colours(x).tanh_().contiguous()

    def _first(self, w: Tensor) -> Tensor:
        bottom = self.plan.bottom
        x = F.linear(w[:, 0, : self.start.shape[1]], self.start, self.start_bias)
        return x.view(len(w), len(self.start) // bottom**2, bottom, bottom)

    def _layer(self, x: Tensor, block: Folded, number: int, w: Tensor) -> Tensor:
        # The class comes last in a row of w, and is all that blocks take where z is not hierarchical.
        return self._block(x, block, w[:, number, -block.modulation[0].shape[1] :])

    def _block(self, x: Tensor, folded: Folded, condition: Tensor) -> Tensor:
        scales, shifts = F.linear(condition, *folded.modulation).chunk(2, dim=1)
        parts = list(zip(scales.split(folded.sizes, dim=1), shifts.split(folded.sizes, dim=1), strict=True))
        if isinstance(folded.convs, ReducedBlock):
            norms = [
                (scale, mean.expand_as(scale), shift + mean * scale)
                for (scale, shift), mean in zip(parts, folded.centres, strict=True)
            ]
            return self._attended(folded.convs(x, norms), folded)
        h = x
        for conv, (scale, shift) in zip(folded.convs, parts, strict=True):
            h = conv(torch.addcmul(shift[:, :, None, None], h, scale[:, :, None, None]).relu_())
        # A 1 x 1 convolution of up-sampled features is the features of that convolution, up-sampled.
        x = x[:, : h.shape[1]] if folded.skip is None else folded.skip(x)
        h = h.add_(F.interpolate(x, scale_factor=2, mode="nearest") if folded.block.up else x)
        return self._attended(h, folded)

    def _attended(self, h: Tensor, folded: Folded) -> Tensor:
        return attended(h, folded.attention, self.dtype) if folded.attention else h
