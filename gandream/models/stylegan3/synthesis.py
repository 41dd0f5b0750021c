"""The synthesis network: waves, modulated convolutions with activations between filters, colours."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from gandream.models.bending import STRAIGHT, Bends
from gandream.models.checkpoint.records import DamagedError
from gandream.models.style.prefix import Prefix, Step
from gandream.models.stylegan3.fourier import FourierInput
from gandream.models.stylegan3.modulated import Modulated
from gandream.models.stylegan3.plan import Convolution, Lowpass, SynthesisPlan
from gandream.models.stylegan3.reduced import ReducedModulated
from gandream.models.stylegan3.resample import COARSE_RANK, RANK, Resampled, Side


class Layer:
    """A modulated convolution, and the activation between two filters (Karras et al. 2021, figure 4b)."""

    def __init__(self, plan: Convolution, tensors: Mapping[str, np.ndarray], device: torch.device, dtype: torch.dtype):
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
        exact = plan.colours or dtype == torch.float32
        given = (plan, crop, tensors, device)
        self.convolution = Modulated(*given) if exact else ReducedModulated(*given, dtype)
        self.resampled = None
        if not plan.colours:
            least = RANK if exact else COARSE_RANK
            filters = (taps[0], taps[1])
            self.resampled = Resampled((sides[0], sides[1]), filters, plan.outputs, plan.clamp, device, least)

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

    def __init__(
        self,
        plan: SynthesisPlan,
        tensors: Mapping[str, np.ndarray],
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ):
        self.plan, self.device = plan, device
        self.input = FourierInput(plan.input, tensors, device)
        self.layers = [Layer(layer, tensors, device, dtype) for layer in plan.layers]
        # On a CPU the first layers work on the whole batch, whose pictures share the weights; the rest go one by one.
        self.shared = len(self.layers)
        while device.type == "cpu" and self.shared and self.layers[self.shared - 1].convolution.weights_are_small:
            self.shared -= 1
        self._prefix: Prefix[Tensor] = Prefix()

    def _steps(self, transform: Tensor | None, bends: Bends) -> list[Step[Tensor]]:
        """The input and the first layers that make the same of the same w: where nothing is bent."""
        if self.device.type != "cpu" or bends.reach(0):
            return []
        if transform is not None and not bool((transform == transform[:1]).all()):
            return []
        moved = None if transform is None else transform[:1].clone()  # who asked may write into theirs
        found: list[Step[Tensor]] = [Step(lambda _, w: self.input(w[:, 0], moved), 1, (moved,))]
        for number, layer in enumerate(self.layers, 1):
            if bends.reach(number):
                break
            found.append(Step(layer, layer.plan.row + 1))
        return found

    def __call__(self, w: Tensor, transform: Tensor | None = None, bends: Bends = STRAIGHT) -> Tensor:
        """Pictures, float32; ``transform`` [N or 1, 3, 3] takes the place of the file's own."""
        done, state = self._prefix(self._steps(transform, bends), w, lambda: w.new_empty(0))
        if state is None:
            x = bends(0, self.input(w[:, 0], transform))
        else:
            x, done = state.expand(len(w), -1, -1, -1), done - 1
        shared = max(self.shared, done)
        for number, layer in enumerate(self.layers[done:shared], done + 1):
            x = bends(number, layer(x, w))
        if shared == len(self.layers):
            return (x * self.plan.scale).contiguous()
        pictures = w.new_empty(w.shape[0], self.plan.channels, *self.plan.size)
        for n in range(w.shape[0]):
            one, mine = x[n : n + 1], bends.of(n)
            for number, layer in enumerate(self.layers[shared:], shared + 1):
                one = mine(number, layer(one, w[n : n + 1]))
            pictures[n] = one[0]
        return pictures.mul_(self.plan.scale)
