"""The DCGAN as a ``Generator``: z is what synthesis is fed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.arguments import class_weights, exact, only_float32, only_native, w_of, z_of
from gandream.models.bending import bent
from gandream.models.dcgan import EPSILON, Stage
from gandream.models.spec import Inputs, Spec


class DCGAN:
    """A chain of transposed convolutions, with the batch norms folded into them."""

    def __init__(
        self,
        spec: Spec,
        chain: Sequence[Stage],
        tensors: dict[str, np.ndarray],
        device: torch.device,
        dtype: torch.dtype | None = None,
    ):
        only_float32(spec, dtype)
        self.spec, self.device, self.tensors = spec, device, tensors
        attributes = {stage.weight: {"stride": [stage.stride], "padding": [stage.padding]} for stage in chain}
        self.configuration: dict[str, Any] = {"attributes": attributes}
        self.stages = [(stage, *_folded(stage, tensors, device)) for stage in chain]
        self.w_avg = torch.zeros(1, spec.latent_size, device=device)
        self.class_centres: Tensor | None = None

    def latents(self, seeds: Sequence[int]) -> Tensor:
        """z of each seed, float32 [N, D]."""
        return torch.as_tensor(self.spec.latents(seeds), dtype=torch.float32).to(self.device)

    def map(self, z: Tensor, classes: Tensor | None = None, psi: float | Tensor = 1.0) -> Inputs:
        """Give z [N, D] as [N, 1, D], scaled by psi, a number or [N]."""
        z = z_of(self.spec, z, self.device)
        class_weights(self.spec, classes, z)
        psi = torch.as_tensor(psi, dtype=torch.float32, device=self.device).expand(z.shape[0])
        return Inputs((z * psi[:, None])[:, None], psi)

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
        """Pictures float32 [N, C, H, W] in [-1, 1] of ``inputs`` (z [N, 1, D]), or the activations of a ``layer``."""
        only_native(self.spec, noise, size, transform, layer)
        x = w_of(self.spec, inputs, self.w_avg)[:, 0, :, None, None]
        bends = bent(self.spec, bend, len(x))
        with exact(self.device):
            for number, (stage, weight, bias) in enumerate(self.stages):
                x = F.conv_transpose2d(x, weight, bias, stride=stage.stride, padding=stage.padding)
                x = bends(number, x.relu_()) if stage is not self.stages[-1][0] else x.tanh_()
                if number == layer:
                    break
        return x.contiguous()


def _folded(stage: Stage, tensors: dict[str, np.ndarray], device: torch.device) -> tuple[Tensor, Tensor]:
    """Weights [in, out, k, k] and bias [out] of a convolution with the batch norm after it, in float64 until the end.

    In evaluation a batch norm is gain (x - mean) / sqrt(variance + e) + shift, which is affine for each channel.
    """
    weight = tensors[f"{stage.weight}.weight"].astype(np.float64)
    bias = tensors.get(f"{stage.weight}.bias", np.zeros(weight.shape[1])).astype(np.float64)
    if stage.norm:
        gain, shift, mean, variance = (
            tensors[f"{stage.norm}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gain / np.sqrt(np.maximum(variance, 0) + EPSILON)
        weight, bias = weight * scale[:, None, None], (bias - mean) * scale + shift
    channels_last = torch.as_tensor(weight, dtype=torch.float32).contiguous(memory_format=torch.channels_last)
    return channels_last.to(device), torch.as_tensor(bias, dtype=torch.float32).to(device)
