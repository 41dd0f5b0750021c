"""The synthesis network: waves, modulated convolutions with activations between filters, colours."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.bending import STRAIGHT, Bends
from gandream.models.checkpoint.records import DamagedError
from gandream.models.style.mapping import FullyConnected
from gandream.models.stylegan3.fourier import FourierInput
from gandream.models.stylegan3.plan import Convolution, Lowpass, SynthesisPlan
from gandream.models.stylegan3.resample import Resampled, Side

EPSILON = 1e-8
GAIN = math.sqrt(2)
"""Of the leaky rectifier. It commutes with everything between the convolution and the clamp."""


class Modulated:
    """The modulated convolution and its bias (Karras et al. 2021, appendix C.2; 2020a, equations 1 to 3).

    Weights have a mean square of 1 for each output, styles for each picture. The published network takes the mean
    over the whole batch, which cancels in demodulation but for its epsilon; so pictures don't depend on each other.
    """

    def __init__(
        self, plan: Convolution, crop: tuple[slice, slice], tensors: Mapping[str, np.ndarray], device: torch.device
    ):
        def put(part: str) -> Tensor:
            return torch.as_tensor(tensors[f"{plan.key}.{part}"], dtype=torch.float32).to(device)

        self.row, self.demodulates = plan.row, not plan.colours
        weight, self.bias = put("weight"), put("bias")
        self.gain = float(put("magnitude_ema").rsqrt())
        self.style = FullyConnected(
            plan.affine, tensors, device, 1 / math.sqrt(weight[0].numel()) if plan.colours else 1
        )
        if self.demodulates:
            weight = weight * weight.square().mean(dim=(1, 2, 3), keepdim=True).rsqrt()
            self.gain, self.bias = self.gain * GAIN, self.bias * GAIN
        self.squares = weight.square().sum(dim=(2, 3))  # [O, I]
        channels_last = device.type == "cpu"
        self.weight = weight.contiguous(memory_format=torch.channels_last) if channels_last else weight
        self.inside, self.padding, self.cut = zip(
            *(_cropped(side, plan.kernel, part) for side, part in zip(plan.before, crop, strict=True)), strict=True
        )
        height, width = plan.before
        self.weights_are_small = weight.numel() <= (plan.affine.outputs + plan.outputs) * height * width

    def __call__(self, x: Tensor, w: Tensor) -> Tensor:
        """x [N, I, H, W], which may be overwritten, and w [N, L, D] -> [N, O, H', W']."""
        style = self.style(w[:, self.row])  # [N, I]
        scale = torch.full_like(style[:, :1], self.gain).expand(-1, self.squares.shape[0])  # [N, O]
        if self.demodulates:
            style = style * style.square().mean(dim=1, keepdim=True).clamp(min=1e-30).rsqrt()
            scale = torch.rsqrt(F.linear(style.square(), self.squares) + EPSILON) * self.gain
        x = x[:, :, self.inside[0], self.inside[1]]
        if x.shape[0] == 1 and self.weights_are_small:
            weight = self.weight * (scale[0, :, None] * style[0])[:, :, None, None]
            y = F.conv2d(x, weight, self.bias, padding=self.padding)
            return y[:, :, self.cut[0], self.cut[1]]
        y = F.conv2d(x * style[:, :, None, None], self.weight, padding=self.padding)
        y = y[:, :, self.cut[0], self.cut[1]]
        return y.mul_(scale[:, :, None, None]).add_(self.bias[:, None, None])


def _cropped(side: int, kernel: int, part: slice) -> tuple[slice, int, slice]:
    """To get a part of a convolution padded by kernel - 1: what to take of its input, its padding, what to keep."""
    low, high = max(kernel - 1 - part.start, 0), max(part.stop - side, 0)
    padding = max(low, high)
    inside = slice(max(part.start - kernel + 1, 0), min(part.stop, side))
    return inside, padding, slice(padding - low, padding - low + part.stop - part.start)


class Layer:
    """A modulated convolution, and the activation between two filters (Karras et al. 2021, figure 4b)."""

    def __init__(self, plan: Convolution, tensors: Mapping[str, np.ndarray], device: torch.device):
        self.plan = plan
        taps = [_taps(lowpass, tensors) for lowpass in (plan.up_filter, plan.down_filter)]
        lows, axes = (plan.padding[2], plan.padding[0]), (0, -1)
        sides = []
        for before, low, after, axis in zip(plan.before, lows, plan.size, axes, strict=True):
            up, down = (1 if each is None else each.shape[axis] for each in taps)
            sides.append(Side(before + plan.kernel - 1, low, plan.up, plan.down, up, down, after))
        # Convolve no more than what the filters will see.
        parts = [side.exists(0, side.fine) for side in sides]
        sides = [
            Side(last - first, side.low + first * side.up, side.up, side.down, side.up_taps, side.down_taps, side.after)
            for side, (first, last) in zip(sides, parts, strict=True)
        ]
        crop = (slice(*parts[0]), slice(*parts[1]))
        self.convolution = Modulated(plan, crop, tensors, device)
        self.resampled = None
        if not plan.colours:
            self.resampled = Resampled((sides[0], sides[1]), (taps[0], taps[1]), plan.outputs, plan.clamp, device)

    def __call__(self, x: Tensor, w: Tensor) -> Tensor:
        """[N, I, H, W] and w [N, L, D] -> [N, O, H', W']."""
        x = self.convolution(x, w)
        if self.resampled is not None:
            return self.resampled(x)
        return x if self.plan.clamp is None else x.clamp_(-self.plan.clamp, self.plan.clamp)


def _taps(lowpass: Lowpass | None, tensors: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """A filter, from the file or made."""
    if lowpass is None:
        return None
    if lowpass.design:
        return lowpass.design.make()
    if not np.isfinite(tensors[lowpass.key]).all():
        raise DamagedError(f"{lowpass.key} holds values that are not finite")
    return tensors[lowpass.key]


class SynthesisNetwork:
    """w [N, L, D] to pictures [N, C, H, W]."""

    def __init__(self, plan: SynthesisPlan, tensors: Mapping[str, np.ndarray], device: torch.device):
        self.plan = plan
        self.input = FourierInput(plan.input, tensors, device)
        self.layers = [Layer(layer, tensors, device) for layer in plan.layers]
        # On a CPU the first layers work on the whole batch, whose pictures share the weights; the rest go one by one.
        self.shared = len(self.layers)
        while device.type == "cpu" and self.shared and self.layers[self.shared - 1].convolution.weights_are_small:
            self.shared -= 1

    def __call__(self, w: Tensor, transform: Tensor | None = None, bends: Bends = STRAIGHT) -> Tensor:
        """Pictures, float32; ``transform`` [N or 1, 3, 3] takes the place of the file's own."""
        x = bends(0, self.input(w[:, 0], transform))
        for number, layer in enumerate(self.layers[: self.shared], 1):
            x = bends(number, layer(x, w))
        if self.shared == len(self.layers):
            return (x * self.plan.scale).contiguous()
        pictures = torch.empty(w.shape[0], self.plan.channels, *self.plan.size, device=w.device)
        for n in range(w.shape[0]):
            one, mine = x[n : n + 1], bends.of(n)
            for number, layer in enumerate(self.layers[self.shared :], self.shared + 1):
                one = mine(number, layer(one, w[n : n + 1]))
            pictures[n] = one[0]
        return pictures.mul_(self.plan.scale)
