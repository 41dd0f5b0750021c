"""The StyleGAN-XL as a ``Generator``: a StyleGAN3 whose mapping knows classes by features of a classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from gandream.models.spec import Spec
from gandream.models.stylegan3.network import StyleGAN3
from gandream.models.stylegan3.plan import Plan
from gandream.models.stylegan_xl.mapping import folded


class StyleGANXL(StyleGAN3):
    """A StyleGAN-XL of any size; truncation goes toward the centre of the class."""

    def __init__(
        self,
        spec: Spec,
        plan: Plan,
        tensors: dict[str, np.ndarray],
        attributes: dict[str, dict[str, Any]],
        device: torch.device,
        dtype: torch.dtype | None = None,
    ):
        super().__init__(spec, plan, folded(tensors, plan), attributes, device, dtype)
        self.tensors = tensors
