"""The modulated convolution in half precision. Everything else stays in float32: filters would lose too much."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.reduced import Packed
from gandream.models.stylegan3.modulated import Modulated
from gandream.models.stylegan3.plan import Convolution


class ReducedModulated(Modulated):
    """Float32 in and out. What is multiplied is scaled so that sums stay in the range of float16."""

    def __init__(
        self,
        plan: Convolution,
        crop: tuple[slice, slice],
        tensors: Mapping[str, np.ndarray],
        device: torch.device,
        dtype: torch.dtype,
    ):
        super().__init__(plan, crop, tensors, device)
        self.dtype, self.root = dtype, math.sqrt(self.weight[0].numel())
        self.convolve = Packed((self.weight / self.root).to(dtype), self.padding)

    def _one(self, x: Tensor, style: Tensor, scale: Tensor) -> Tensor:
        weight = (self.weight * (scale[:, None] * style)[:, :, None, None]).to(self.dtype)
        return F.conv2d(x.to(self.dtype), weight, self.bias.to(self.dtype), padding=self.padding).float()

    def _many(self, x: Tensor, style: Tensor) -> Tensor:
        return self.convolve((x * style[:, :, None, None]).to(self.dtype), None).float().mul_(self.root)
