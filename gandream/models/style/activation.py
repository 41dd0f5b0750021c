"""Activations by name, with their gain and clamp, in place where that is possible."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SLOPE = 0.2
"""Of the leaky rectifier (Karras et al. 2018, appendix A)."""
HOMOGENEOUS = ("linear", "relu", "lrelu")
"""act(g x) = g act(x) for g > 0: their gain can be folded into whatever comes before."""


def activate(x: Tensor, name: str, gain: float = 1.0, clamp: float | None = None) -> Tensor:
    """gain * act(x), then clamped; x may be overwritten."""
    if name == "lrelu":
        x = F.leaky_relu_(x, SLOPE)
    elif name == "relu":
        x = x.relu_()
    elif name == "tanh":
        x = x.tanh_()
    elif name == "sigmoid":
        x = x.sigmoid_()
    elif name == "elu":
        x = F.elu_(x)
    elif name == "selu":
        x = torch.selu_(x)
    elif name == "softplus":
        x = F.softplus(x)
    elif name == "swish":
        x = F.silu(x)
    if gain != 1:
        x = x.mul_(gain)
    return x if clamp is None else x.clamp_(-clamp, clamp)
