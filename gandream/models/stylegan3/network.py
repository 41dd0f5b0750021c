"""The StyleGAN3 as a ``Generator``: from w to pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gandream.models.arguments import exact, only_native, w_of, wide
from gandream.models.bending import bent
from gandream.models.spec import Inputs, Spec
from gandream.models.style.extend import centre
from gandream.models.style.generator import StyleBased
from gandream.models.stylegan3.extend import factors, wider
from gandream.models.stylegan3.plan import Plan
from gandream.models.stylegan3.synthesis import SynthesisNetwork


class StyleGAN3(StyleBased):
    """A StyleGAN3 of any size."""

    def __init__(
        self,
        spec: Spec,
        plan: Plan,
        tensors: dict[str, np.ndarray],
        attributes: dict[str, dict[str, Any]],
        device: torch.device,
        dtype: torch.dtype | None = None,
    ):
        super().__init__(spec, plan.mapping, tensors, attributes, device, dtype)
        with torch.no_grad():
            self.synthesis = SynthesisNetwork(plan.synthesis, tensors, device, self.dtype)
        self._folded, self._wider = tensors, self.synthesis
        """What the network was made of, and the last one of another size."""

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
        """Pictures float32 [N, C, H, W] in about [-1, 1] of ``inputs`` (w [N, L, D']).

        Of a larger ``size`` than the native one, they go on beyond the edges of the native ones; of a smaller one, they
        are their middle. With ``layer``, what that layer gives of the same part instead; 0 is the input.

        ``transform`` [N, 3, 3] (or [3, 3]) is an affine map of the plane: the picture shows at p what is at T p, as
        with the checkpoints' own ``transform``, whose place it takes. p = (x, y) is centred, x to the right, y down,
        and 1 is the side of the picture. So a translation in T moves the picture the other way: T is the inverse of
        the motion that is seen. Noise has no effect here.
        """
        only_native(self.spec, noise, size, None, layer)
        w = w_of(self.spec, inputs, self.w_avg)
        with exact(self.device):
            network, moved = self._network(size), placement(transform, w)
            bends = bent(self.spec, bend, len(w))
            if layer is None:
                made = network(w, moved, bends)
                return made if size is None else centre(made, size, network.plan.size).contiguous()
            x = bends(0, network.input(w[:, 0], moved))
            for number, one in enumerate(network.layers[:layer], 1):
                x = bends(number, one(x, w))
            # Without the margins, of which there are as many pixels in all layers.
            scale = factors(network.plan)
            pixel = float(scale[-1] / scale[layer])
            return centre(x, size or network.plan.size, (x.shape[2] * pixel, x.shape[3] * pixel)).contiguous()

    def _network(self, size: tuple[int, int] | None) -> SynthesisNetwork:
        plan = self.synthesis.plan if size is None else wider(self.synthesis.plan, size)
        if plan == self.synthesis.plan:
            return self.synthesis
        if plan != self._wider.plan:
            self._wider = SynthesisNetwork(plan, self._folded, self.device, self.dtype)
        return self._wider


def placement(transform: Tensor | None, w: Tensor) -> Tensor | None:
    """What the user asks for as [N or 1, 3, 3], checked."""
    if transform is None:
        return None
    count = w.shape[0]
    transform = torch.as_tensor(transform).to(wide(w.device), torch.float64)
    if (
        transform.shape[-2:] != (3, 3)
        or transform.ndim > 3
        or (transform.ndim == 3 and len(transform) not in (1, count))
    ):
        raise ValueError(f"transform has shape {list(transform.shape)}, and [{count}, 3, 3] is wanted")
    if not torch.isfinite(transform).all():
        raise ValueError("transform has values that are not finite")
    return transform.reshape(-1, 3, 3)
