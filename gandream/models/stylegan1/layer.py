"""One layer of a StyleGAN up to its style: the constant or a convolution (Karras et al. 2019, figure 1b).

Every weight is the same for all pictures, so gains fold into it when it is loaded, and up-sampling into the
convolution after it. The low-pass stays a step of its own: it sees nothing beyond the edges of what the convolution
gave, which no kernel that holds both would do. In half precision only convolutions are computed: a normalisation
follows each, which wants the numbers as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.convolution import AnyConvolution, convolution
from gandream.models.reduced import computed_in
from gandream.models.style.mapping import FullyConnected, put
from gandream.models.stylegan1.adain import AdaIN
from gandream.models.stylegan1.plan import Conv, Plan


class Layer:
    """The constant or a convolution; ``affine`` and ``adain`` are what follows."""

    def __init__(
        self, conv: Conv, plan: Plan, tensors: Mapping[str, np.ndarray], device: torch.device, dtype: torch.dtype
    ):
        self.row, self.size = conv.row, conv.size
        self.affine = FullyConnected(conv.affine, tensors, device)
        strength = put(tensors[f"{conv.key}.noise_strength"], device) if conv.noise else None
        self.adain = AdaIN(plan, strength)
        self.noise = put(tensors[f"{conv.key}.noise_const"], device) if conv.noise else None  # [H, W]
        self.bias = put(tensors[f"{conv.key}.bias"], device)
        self.low: Tensor | None = None
        if conv.up and plan.blur:
            taps = torch.tensor(plan.blur, dtype=torch.float64)
            low = torch.outer(taps, taps).to(device, torch.float32)
            self.low = low.expand(conv.outputs, 1, *low.shape).contiguous()
        self.convolution: AnyConvolution | None = None
        self.weights_are_small = conv.gain is None
        if conv.gain is not None:
            weight = put(tensors[f"{conv.key}.weight"], device) * conv.gain
            inputs, (height, width) = weight.shape[1], conv.size
            self.weights_are_small = weight.numel() <= (inputs + conv.outputs) * height * width
            early = self.bias if plan.bias_first or self.low is None else None
            side = min(conv.size) // (2 if conv.up else 1)
            dtype = computed_in(dtype, min(conv.size))
            self.convolution = convolution(weight, side, dtype, up=conv.up, bias=early)
        self.late = None if plan.bias_first else self.bias
        """The bias where it comes after the low-pass."""

    def __call__(self, x: Tensor) -> Tensor:
        """x [N, I, H, W] -> [N, O, H', W'], with the bias."""
        if self.convolution is None:
            return x + self.bias[:, None, None]
        x = self.convolution(x).float()
        if self.low is None:
            return x
        taps, channels = self.low.shape[2], self.low.shape[0]
        if taps % 2:
            return F.conv2d(x, self.low, self.late, padding=taps // 2, groups=channels)
        x = F.pad(x, (taps // 2 - 1, taps // 2) * 2)  # one more after than before, as the original pads
        return F.conv2d(x, self.low, self.late, groups=channels)
