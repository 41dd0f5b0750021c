"""The synthesis network: from w to pictures (Karras et al. 2019, figure 1b)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.bending import STRAIGHT, Bends
from gandream.models.checkpoint.records import DamagedError
from gandream.models.spec import CONSTANT
from gandream.models.style.extend import Ground, Maps, Noise, drawn
from gandream.models.style.mapping import put
from gandream.models.style.prefix import Prefix, Step, alike
from gandream.models.stylegan1.layer import Layer
from gandream.models.stylegan1.plan import Block, Plan


class Colours:
    """toRGB: a 1 x 1 convolution, here on pixels [H W, I]."""

    def __init__(self, block: Block, weight: float, tensors: Mapping[str, np.ndarray], device: torch.device):
        if block.colours is None:
            raise DamagedError(f"{block.key}.torgb is missing, and its level of detail needs it")
        kernel = put(tensors[f"{block.key}.torgb.weight"], device)
        self.weight = kernel[:, :, 0, 0] * (block.colours * weight)  # [C, I]
        self.bias = put(tensors[f"{block.key}.torgb.bias"], device) * weight

    def __call__(self, x: Tensor) -> Tensor:
        """[N, I, H, W] -> [N, C, H, W]."""
        return F.conv2d(x, self.weight[:, :, None, None], self.bias)

    def after(self, layer: Layer, x: Tensor, style: Tensor, noise: Tensor | None) -> Tensor:
        """Of what a layer's convolution gave, [N, I, H, W], by way of its AdaIN -> [N, C, H, W]."""
        if x.shape[0] != 1 or x.device.type != "cpu":
            return self(layer.adain(x, style, noise))
        pixels, factor, offset = layer.adain.pending(x[0], style[0], None if noise is None else noise[0])
        picture = torch.addmm((self.bias + self.weight @ offset)[:, None], self.weight * factor, pixels.T)
        return picture.view(1, -1, *x.shape[2:])


class SynthesisNetwork:
    """w [N, L, D'] to pictures [N, C, H, W]."""

    def __init__(
        self,
        plan: Plan,
        tensors: Mapping[str, np.ndarray],
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ):
        self.device, self.plan = device, plan
        self.layers = [Layer(conv, plan, tensors, device, dtype) for block in plan.blocks for conv in block.convs]
        const = put(tensors[f"{plan.blocks[0].key}.const"], device)[None]
        self.ground = Ground(const, [layer.noise for layer in self.layers], plan.size)
        # A level of detail of 1.3: the last resolution is not used, and the one before it has come in by 0.7.
        missing = float(np.clip(np.nan_to_num(tensors.get("synthesis.lod", 0)), 0, len(plan.blocks) - 1))
        last, fading = len(plan.blocks) - 1 - math.floor(missing), missing % 1
        self.enlarged = 2 ** math.floor(missing)
        self.colours = Colours(plan.blocks[last], 1 - fading, tensors, device)
        self.older = Colours(plan.blocks[last - 1], fading, tensors, device) if fading else None
        self.used = 2 * (last + 1)
        # On a CPU the first layers work on the whole batch, whose pictures share the weights; the rest go one by one,
        # while their activations are still in the cache. The last resolution always does.
        self.shared = self.used - 2 if device.type == "cpu" else 0
        while self.shared and self.layers[self.shared - 1].weights_are_small:
            self.shared -= 1
        self._prefix: Prefix[Tensor] = Prefix()

    def _steps(self, noise: Maps, bends: Bends) -> list[Step[Tensor]]:
        """The first layers that make the same of the same w, and the colours after all: nothing of them is bent."""
        found: list[Step[Tensor]] = []
        if self.device.type != "cpu" or bends.reach(CONSTANT):
            return found
        last = self.used - (1 if self.older is None else 2)  # what makes the colours together
        for row in range(self.used):
            if bends.reach(row) or not alike(noise[row]):
                return found
            own = None if (made := noise[row]) is None else made[:1]
            if row < last:
                found.append(Step(partial(self._taken, self.layers[row], own), row + 1, (own,)))
        mine: Maps = [None if one is None else one[:1] for one in noise[: self.used]]
        return [*found, Step(partial(self._coloured, mine, last), self.used, mine[last:])]

    def _taken(self, layer: Layer, noise: Tensor | None, x: Tensor, w: Tensor) -> Tensor:
        return layer.adain(layer(x), layer.affine(w[:, layer.row]), noise)

    def _coloured(self, noise: Maps, first: int, x: Tensor, w: Tensor) -> Tensor:
        return self._finish(x, self._styles(w), noise, STRAIGHT, first)

    def _styles(self, w: Tensor) -> list[Tensor]:
        """Of each layer, [N, 2 O]."""
        return [layer.affine(w[:, layer.row]) for layer in self.layers[: self.used]]

    def maps(self, noise: str | Noise, ground: Ground) -> Maps:
        """The noise of each layer: "fixed", "off", or what a function of the layer gives."""
        found: Maps = []
        for layer, own in zip(self.layers, ground.noise, strict=True):
            heard = layer.adain.strength is not None and layer.row < self.used
            found.append(drawn(noise, layer.row, own) if heard else None)
        return found

    def activations(self, w: Tensor, noise: Maps, ground: Ground, bends: Bends, last: int) -> Tensor:
        """What a layer gives, after its style: float32 [N, C, H, W]."""
        x = bends(CONSTANT, self._begin(ground, w.shape[0]))
        for layer, own in zip(self.layers[: last + 1], noise, strict=False):
            x = bends(layer.row, layer.adain(layer(x), layer.affine(w[:, layer.row]), own))
        return x

    def _begin(self, ground: Ground, count: int) -> Tensor:
        return ground.const.expand(count, *ground.const.shape[1:]).contiguous(memory_format=torch.channels_last)

    def __call__(self, w: Tensor, noise: Maps, ground: Ground, bends: Bends = STRAIGHT) -> Tensor:
        """Pictures, float32."""
        count = w.shape[0]
        steps = self._steps(noise, bends)
        done, state = self._prefix(steps, w, partial(self._begin, ground, 1), ground)
        if state is not None and done == len(steps) and steps[-1].rows == self.used:  # these are the pictures
            return state.expand(count, -1, -1, -1).clone(memory_format=torch.contiguous_format)
        styles, shared = self._styles(w), max(self.shared, done)
        if state is None:
            x = bends(CONSTANT, self._begin(ground, count))
        else:
            x = state.expand(count, -1, -1, -1)
            x = x.contiguous(memory_format=torch.channels_last) if done < shared else x
        for row in range(done, shared):
            x = bends(row, self.layers[row].adain(self.layers[row](x), styles[row], noise[row]))
        if self.device.type != "cpu":
            return self._finish(x, styles, noise, bends, shared).contiguous()
        pictures = w.new_empty(count, self.plan.channels, *ground.size)
        for n in range(count):
            one = slice(n, n + 1)
            mine: Maps = [part if part is None or part.shape[0] == 1 else part[one] for part in noise]
            pictures[n] = self._finish(x[one], [style[one] for style in styles], mine, bends.of(n), shared)[0]
        return pictures

    def _finish(self, x: Tensor, styles: list[Tensor], noise: Maps, bends: Bends, first: int) -> Tensor:
        """From what the layers before ``first`` gave to pictures."""
        old: Tensor | None = None
        for row in range(first, self.used - 1):
            if self.older is not None and row == self.used - 2:
                old = F.interpolate(self.older(x), scale_factor=2, mode="nearest")
            x = bends(row, self.layers[row].adain(self.layers[row](x), styles[row], noise[row]))
        last = self.used - 1
        x = self.layers[last](x)
        if bends.reach(last):
            picture = self.colours(bends(last, self.layers[last].adain(x, styles[last], noise[last])))
        else:
            picture = self.colours.after(self.layers[last], x, styles[last], noise[last])
        if old is not None:
            picture = picture.add_(old)
        return picture if self.enlarged == 1 else F.interpolate(picture, scale_factor=self.enlarged, mode="nearest")
