"""The StyleGAN as a ``Generator``."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from gandream.models.arguments import computed
from gandream.models.spec import Spec
from gandream.models.style.from_constant import FromConstant
from gandream.models.style.mapping import MappingNetwork
from gandream.models.stylegan1.plan import Plan
from gandream.models.stylegan1.synthesis import SynthesisNetwork


class StyleGAN1(FromConstant):
    """A StyleGAN of any size."""

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
            synthesis = SynthesisNetwork(plan, tensors, device, computed(spec, dtype))
            super().__init__(spec, mapping, synthesis, tensors, attributes, device, dtype)
