"""A style-based ``Generator`` whose synthesis starts from a learned constant: what StyleGAN and StyleGAN2 share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from gandream.models.arguments import exact, only_native, w_of
from gandream.models.bending import bent
from gandream.models.noise import LayerNoise
from gandream.models.spec import Inputs, Spec
from gandream.models.style.extend import Grounds, centre
from gandream.models.style.generator import StyleBased


class FromConstant(StyleBased):
    """From w to pictures by a synthesis network, of any size; a family's own class says which ``network``."""

    network: ClassVar[type[Any]]
    """Made of (plan, tensors, device, type that its convolutions compute in)."""

    def __init__(
        self,
        spec: Spec,
        plan: Any,
        tensors: dict[str, np.ndarray],
        attributes: dict[str, dict[str, Any]],
        device: torch.device,
        dtype: torch.dtype | None = None,
    ):
        super().__init__(spec, plan.mapping, tensors, attributes, device, dtype)
        with torch.no_grad():
            self.synthesis = self.network(plan, tensors, device, self.dtype)
            self._grounds = Grounds(self.synthesis.ground, partial(self.synthesis.maps, "fixed"), device)

    @torch.no_grad()
    def synthesise(
        self,
        inputs: Inputs | Tensor,
        *,
        noise: str | LayerNoise = "fixed",
        size: tuple[int, int] | None = None,
        transform: Tensor | None = None,
        bend: Sequence[object] = (),
        layer: int | None = None,
    ) -> Tensor:
        """Pictures float32 [N, C, H, W] in about [-1, 1] of ``inputs`` (w [N, L, D']).

        ``noise`` is a word, or a function that gives each layer's (``gandream.models.noise.LayerNoise``). Of a larger
        ``size`` than the native one, they go on beyond the edges of the native ones (``style.extend``); of a smaller
        one, they are their middle. With ``layer``, the activations of that layer instead, of the same part.
        """
        only_native(self.spec, noise, size, transform, layer)
        w = w_of(self.spec, inputs, self.w_avg)
        with exact(self.device):
            ground, fixed = self._grounds.of(size)
            maps = fixed if noise == "fixed" else self.synthesis.maps(noise, ground)
            fed = (w, maps, ground, bent(self.spec, bend, len(w)), *self.more(inputs))
            made = self.synthesis(*fed) if layer is None else self.synthesis.activations(*fed, layer)
        return made if size is None else centre(made, size, ground.size).contiguous()

    def more(self, inputs: Inputs | Tensor) -> tuple[Any, ...]:
        """What else of the inputs a family's synthesis is given."""
        return ()
