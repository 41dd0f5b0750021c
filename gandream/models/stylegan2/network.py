"""The StyleGAN2 as a ``Generator``: from w to pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gandream.models.arguments import exact, only_native, w_of
from gandream.models.bending import bent
from gandream.models.regions import Regions
from gandream.models.spec import Inputs, Spec
from gandream.models.style.extend import Grounds, centre
from gandream.models.style.generator import StyleBased
from gandream.models.style.mapping import MappingNetwork
from gandream.models.stylegan2.plan import Plan
from gandream.models.stylegan2.synthesis import Noise, SynthesisNetwork


class StyleGAN2(StyleBased):
    """A StyleGAN2 of any size, in float32."""

    def __init__(
        self,
        spec: Spec,
        plan: Plan,
        tensors: dict[str, np.ndarray],
        attributes: dict[str, dict[str, Any]],
        device: torch.device,
        dtype: torch.dtype | None = None,
    ):
        with torch.no_grad():
            mapping = MappingNetwork(plan.mapping, tensors, device)
            super().__init__(spec, mapping, tensors, attributes, device, dtype)
            self.synthesis = SynthesisNetwork(plan, tensors, device)
            fixed = partial(self.synthesis.maps, "fixed")
            self._grounds = Grounds(self.synthesis.ground, fixed, device)

    @torch.no_grad()
    def synthesise(
        self,
        inputs: Inputs | Tensor,
        *,
        noise: str | Noise = "fixed",
        size: tuple[int, int] | None = None,
        transform: Tensor | None = None,
        bend: Sequence[object] = (),
        layer: int | None = None,
    ) -> Tensor:
        """Pictures float32 [N, C, H, W] in about [-1, 1] of ``inputs`` (w [N, L, D']).

        ``noise`` is a word, or a function that gives each layer's (``gandream.models.noise.LayerNoise``). Of a larger
        ``size`` than the native one, they go on beyond the edges of the native ones (``style.extend``); of a smaller
        one, they are their middle. With ``layer``, the activations of that convolution instead, of the same part.
        """
        only_native(self.spec, noise, size, transform, layer)
        w = w_of(self.spec, inputs, self.w_avg)
        with exact(self.device):
            ground, fixed = self._grounds.of(size)
            maps = fixed if noise == "fixed" else self.synthesis.maps(noise, ground)
            bends = bent(self.spec, bend, len(w))
            regions = Regions(inputs.regions if isinstance(inputs, Inputs) else ())
            if layer is None:
                made = self.synthesis(w, maps, ground, bends, regions)
            else:
                made = self.synthesis.activations(w, maps, ground, bends, regions, layer)
        return made if size is None else centre(made, size, ground.size).contiguous()
