"""The mapping network: from z and classes to w (Karras et al. 2019, section 2; with classes: 2020b, appendix D)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.style.activation import activate
from gandream.models.style.reader import ACTIVATIONS, Dense, MappingPlan

SAMPLES = 4096
"""Latents that the centre of w is estimated from, where a file has none."""
WEIGHTS = 1 << 24
"""Weights of classes that are given to the network together as it is estimated."""


def put(array: np.ndarray, device: torch.device) -> Tensor:
    """A float32 tensor on a device."""
    return torch.as_tensor(array, dtype=torch.float32).to(device)


class FullyConnected:
    """y = act(W x + b), with the equalised learning rate folded in (Karras et al. 2018, section 4.1)."""

    def __init__(self, dense: Dense, tensors: Mapping[str, np.ndarray], device: torch.device, scale: float = 1):
        self.weight, self.bias = (
            put(tensors[f"{dense.key}.{part}"], device) * (gain * scale)
            for part, gain in (("weight", dense.gain), ("bias", dense.bias_gain))
        )
        self.activation, self.gain = dense.activation, ACTIVATIONS[dense.activation]

    def __call__(self, x: Tensor) -> Tensor:
        """[N, inputs] -> [N, outputs]."""
        return activate(F.linear(x, self.weight, self.bias), self.activation, self.gain)


class MappingNetwork:
    """z [N, D] and weights of classes [N, C] to w [N, D']."""

    def __init__(self, plan: MappingPlan, tensors: Mapping[str, np.ndarray], device: torch.device):
        self.embed = FullyConnected(plan.embed, tensors, device) if plan.embed else None
        self.norm = plan.norm
        self.layers = [FullyConnected(dense, tensors, device) for dense in plan.layers]
        if plan.has_average:
            # [D'], or [C, D'] where each class has its own.
            self.average = put(tensors["mapping.w_avg"], device)
        else:
            self.average = self._estimate(plan, device)

    def __call__(self, z: Tensor, classes: Tensor | None) -> Tensor:
        """w of each latent."""
        parts = [z] if self.embed is None or classes is None else [z, self.embed(classes)]
        if self.norm == "each":
            parts = [_unit_rms(part) for part in parts]
        x = torch.cat(parts, dim=1)
        if self.norm == "whole":
            x = _unit_rms(x)
        for layer in self.layers:
            x = layer(x)
        return x

    def _estimate(self, plan: MappingPlan, device: torch.device) -> Tensor:
        """The mean of w over latents and classes; the same on every machine, up to rounding."""
        random = np.random.RandomState(0)
        z = torch.as_tensor(random.randn(SAMPLES, plan.z), dtype=torch.float32).to(device)
        if not plan.classes:
            return self(z, None).mean(dim=0)
        numbers = torch.arange(SAMPLES, device=device) % plan.classes
        rows = max(1, WEIGHTS // plan.classes)
        parts = [
            self(some, F.one_hot(one, plan.classes).to(torch.float32))
            for some, one in zip(z.split(rows), numbers.split(rows), strict=True)
        ]
        return torch.cat(parts).mean(dim=0)


def _unit_rms(x: Tensor) -> Tensor:
    """Each row scaled to a mean square of 1."""
    return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-8)
