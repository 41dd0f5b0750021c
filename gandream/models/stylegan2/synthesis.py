"""The synthesis network: from w to pictures, with skip, residual or plain blocks (Karras et al. 2020a, figure 7)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.bending import STRAIGHT, Bends
from gandream.models.reduced import computed_in
from gandream.models.regions import WHOLE, Regions
from gandream.models.spec import CONSTANT
from gandream.models.style.extend import Ground, Maps, Noise, drawn
from gandream.models.style.mapping import put
from gandream.models.style.prefix import Prefix, Step, alike
from gandream.models.stylegan2.convolution import Colours, Modulated, layout
from gandream.models.stylegan2.plan import Block, Plan
from gandream.models.stylegan2.reduced import ReducedColours, ReducedModulated
from gandream.models.stylegan2.resample import Low

State = tuple[Tensor, "Tensor | None"]
"""Activations [N, C, H, W], and the picture so far."""
HALF_POWER = math.sqrt(0.5)
"""Each of the two branches of a residual block, so that their sum keeps the variance (section 4.1)."""


@dataclass
class _Residual:
    """The other branch of a residual block: 1 x 1 to the new channels, then twice the size; both are linear."""

    weight: Tensor
    low: Low

    def __call__(self, x: Tensor) -> Tensor:
        return self.low.double(F.conv2d(x.float(), self.weight))


class _Block:
    """One resolution."""

    def __init__(
        self, block: Block, plan: Plan, tensors: Mapping[str, np.ndarray], device: torch.device, dtype: torch.dtype
    ):
        last, exact = len(block.convs) - 1, computed_in(dtype, min(block.convs[-1].size)) == torch.float32
        extras = [HALF_POWER if block.skip is not None and index == last else 1.0 for index in range(last + 1)]
        self.convs = [
            Modulated(conv, tensors, device, extra) if exact else ReducedModulated(conv, tensors, device, extra, dtype)
            for conv, extra in zip(block.convs, extras, strict=True)
        ]
        painting = Colours if exact else ReducedColours
        self.colours = painting(block.torgb, tensors, device) if block.torgb else None
        self.low = Low(tensors.get(f"{block.key}.resample_filter"), plan.channels, device)
        self.residual: _Residual | None = None
        if block.skip is not None:
            weight = put(tensors[f"{block.key}.skip.weight"], device) * (block.skip * HALF_POWER)
            taps = tensors.get(f"{block.key}.skip.resample_filter")
            self.residual = _Residual(weight, Low(taps, weight.shape[0], device))

    def __call__(
        self, x: Tensor, picture: Tensor | None, w: Tensor, noise: Maps, bends: Bends, regions: Regions
    ) -> tuple[Tensor, Tensor | None]:
        """Activations and the picture so far, one resolution up."""
        shortcut = self.residual(x) if self.residual else None
        for conv in self.convs:
            x = bends(conv.row, regions(partial(conv, x, noise=noise[conv.row]), w))
        if shortcut is not None:
            x = x.add_(shortcut)
        if picture is not None:
            picture = self.low.double(picture)
        if self.colours is not None:
            colours = regions(partial(self.colours, x), w)
            picture = colours if picture is None else picture.add_(colours)
        return x, picture

    @property
    def rows(self) -> int:
        """How many rows of w it looks at, with the blocks before it."""
        return (self.colours or self.convs[-1]).row + 1

    @property
    def weights_are_small(self) -> bool:
        """Whether the pictures of a batch are better made one by one."""
        return all(conv.weights_are_small for conv in self.convs)


def _taken(block: _Block, noise: Maps, state: State, w: Tensor) -> State:
    return block(*state, w, noise, STRAIGHT, WHOLE)


class SynthesisNetwork:
    """w [N, L, D] to pictures [N, C, H, W]."""

    def __init__(
        self,
        plan: Plan,
        tensors: Mapping[str, np.ndarray],
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ):
        self.device, self.plan = device, plan
        self.blocks = [_Block(block, plan, tensors, device, dtype) for block in plan.blocks]
        const = put(tensors[f"{plan.blocks[0].key}.const"], device)[None]
        self.ground = Ground(const, [conv.noise for block in self.blocks for conv in block.convs], plan.size)
        # On a CPU the first blocks work on the whole batch, whose pictures share the weights; the rest go one by one.
        self._prefix: Prefix[State] = Prefix()
        self.shared = len(self.blocks)
        while self.shared and self.blocks[self.shared - 1].weights_are_small:
            self.shared -= 1

    def _steps(self, noise: Maps, bends: Bends, regions: Regions) -> list[Step[State]]:
        """The first blocks that make the same of the same w: their noise is alike in all pictures, nothing is bent."""
        found: list[Step[State]] = []
        if self.device.type != "cpu" or bends.reach(CONSTANT) or regions.regions:
            return found
        for block in self.blocks:
            rows = [conv.row for conv in block.convs]
            own = {row: None if (made := noise[row]) is None else made[:1] for row in rows}
            if any(bends.reach(row) for row in rows) or not all(alike(noise[row]) for row in rows):
                break
            found.append(Step(partial(_taken, block, [own.get(row) for row in range(rows[-1] + 1)]), block.rows,
                              list(own.values())))  # fmt: skip
        return found

    def maps(self, noise: str | Noise, ground: Ground) -> Maps:
        """The noise of each convolution, times its gain: "fixed", "off", or what a function of the layer gives."""
        found: Maps = []
        for conv in (conv for block in self.blocks for conv in block.convs):
            made = drawn(noise, conv.row, ground.noise[conv.row]) if conv.noise_gain else None
            found.append(None if made is None else made * conv.noise_gain)
        return found

    def __call__(
        self, w: Tensor, noise: Maps, ground: Ground, bends: Bends = STRAIGHT, regions: Regions = WHOLE
    ) -> Tensor:
        """Pictures, float32."""
        count = w.shape[0]
        steps = self._steps(noise, bends, regions)
        done, state = self._prefix(steps, w, lambda: (self._begin(ground, 1), None), ground)
        if state is None:
            x, picture = bends(CONSTANT, self._begin(ground, count)), None
        else:
            x = state[0].expand(count, -1, -1, -1)
            x = x.contiguous(memory_format=layout(self.device)) if done < self.shared else x
            picture = None if state[1] is None else state[1].expand(count, -1, -1, -1)
        shared = max(self.shared, done)
        x, picture = self._run(self.blocks[done:shared], x, picture, w, noise, bends, regions)
        if shared == len(self.blocks) and picture is not None:
            if done == shared and count == 1:  # what is kept is nobody's to write into
                return picture.clone(memory_format=torch.contiguous_format)
            return picture.contiguous()
        pictures = w.new_empty(count, self.plan.channels, *ground.size)
        for n in range(count):
            one = slice(n, n + 1)
            mine: Maps = [part if part is None or part.shape[0] == 1 else part[one] for part in noise]
            _, made = self._run(
                self.blocks[shared:],
                x[one],
                None if picture is None else picture[one],
                w[one],
                mine,
                bends.of(n),
                regions.of(n),
            )
            assert made is not None
            pictures[n] = made[0]
        return pictures

    def activations(self, w: Tensor, noise: Maps, ground: Ground, bends: Bends, regions: Regions, layer: int) -> Tensor:
        """What the convolution of a style layer gives, after its activation: float32 [N, C, H, W]."""
        x = bends(CONSTANT, self._begin(ground, w.shape[0]))
        for block in self.blocks:
            if layer > block.convs[-1].row:
                x, _ = block(x, None, w, noise, bends, regions)
                continue
            for conv in block.convs:
                x = bends(conv.row, regions(partial(conv, x, noise=noise[conv.row]), w))
                if conv.row == layer:
                    return x.float()
        raise ValueError(f"{layer = }: there is no such convolution")

    def _begin(self, ground: Ground, count: int) -> Tensor:
        return ground.const.expand(count, *ground.const.shape[1:]).contiguous(memory_format=layout(self.device))

    def _run(
        self,
        blocks: list[_Block],
        x: Tensor,
        picture: Tensor | None,
        w: Tensor,
        noise: Maps,
        bends: Bends,
        regions: Regions,
    ) -> tuple[Tensor, Tensor | None]:
        for block in blocks:
            x, picture = block(x, picture, w, noise, bends, regions)
        return x, picture
