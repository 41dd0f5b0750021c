"""A file's numbers, folded: weights over their spectral norms; statistics, gains and biases as one matrix a block."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gandream.models.biggan.names import (
    ATTENTION,
    COLOURS,
    LAST_NORM,
    START,
    convs,
    counter,
    norms,
    statistics,
)
from gandream.models.biggan.plan import Block, Plan
from gandream.models.checkpoint.records import DamagedError
from gandream.models.convolution import Convolution
from gandream.models.reduced import computed_in
from gandream.models.reduced_block import ReducedBlock

Arrays = dict[str, np.ndarray]
LAST_EPSILON = 1e-5
"""In the square root of the last norm: the published code has no setting for it."""


@dataclass(frozen=True)
class Folded:
    """A block's weights, ready for use."""

    block: Block
    modulation: tuple[Tensor, Tensor]
    """From the condition [N, K] to the scales of all its norms and then their shifts: matrix and constant."""
    sizes: tuple[int, ...]
    """Channels of the norms."""
    convs: tuple[Convolution, ...] | ReducedBlock
    """On the long way. What is made has a bias; those in between are in the shifts. Or both ways in half precision."""
    centres: tuple[Tensor, ...]
    """The means that the norms take away, each [C]."""
    skip: Convolution | None
    """On the short way."""
    attention: tuple[Tensor, ...]
    """The non-local block's weights, gamma in the last of them; empty where there is none."""


class Folding:
    """Reads the numbers of one file."""

    def __init__(self, plan: Plan, tensors: Arrays, device: torch.device, dtype: torch.dtype = torch.float32):
        self.plan, self.tensors, self.device, self.dtype = plan, tensors, device, dtype
        self.count = self._count()

    def weight(self, key: str) -> np.ndarray:
        """A weight over its spectral norm (Miyato et al. 2018, algorithm 1), float64; as it is where it has none.

        The published code runs one step of the power iteration from the stored vector whenever it makes pictures.
        """
        held = self.tensors[f"{key}.weight"].astype(np.float64)
        if f"{key}.u0" not in self.tensors:
            return held
        matrix = held.reshape(len(held), -1)
        v = self._unit(self.tensors[f"{key}.u0"].reshape(-1).astype(np.float64) @ matrix)
        u = self._unit(matrix @ v)
        sigma = float(u @ matrix @ v)
        if not sigma > 1e-12:
            raise DamagedError(f"{key} has a spectral norm of {sigma}")
        return held / sigma

    def _unit(self, vector: np.ndarray) -> np.ndarray:
        return vector / max(float(np.linalg.norm(vector)), self.plan.least, 1e-300)

    def bias(self, key: str) -> np.ndarray:
        """Of a layer."""
        return self.tensors[f"{key}.bias"].astype(np.float64)

    def start(self) -> tuple[Tensor, Tensor]:
        """Matrix and constant of the first layer, for rows of w: z, or [z, class] in the deep variant."""
        weight = self.weight(START)
        return self.put(self._turned(weight) if self.plan.deep else weight), self.put(self.bias(START))

    def embeddings(self) -> Tensor:
        """The class's part of w for each class, [C, E]: its embedding, or a 1 in its own place."""
        return self.put(self.tensors["shared.weight"] if self.plan.shared else np.eye(self.plan.classes))

    def block(self, block: Block) -> Folded:
        """A block, and the non-local one after it."""
        names = convs(self.plan.deep)
        long = names if self.plan.deep else names[:2]
        side, doubled = block.size // 2 if block.up else block.size, 1 if self.plan.deep else 0
        biases = [self.bias(f"{block.key}.{name}") for name in long]
        last, short = biases[-1], None
        if not self.plan.deep:
            short = self.put(self.weight(f"{block.key}.{names[2]}"))
            last = last + self.bias(f"{block.key}.{names[2]}")
        weights, bias = [self.put(self.weight(f"{block.key}.{name}")) for name in long], self.put(last)
        skip: Convolution | None = None
        made: tuple[Convolution, ...] | ReducedBlock
        if (dtype := computed_in(self.dtype, block.size)) == torch.float32:
            skip = None if short is None else Convolution(short, side)
            made = tuple(
                Convolution(
                    weight,
                    side if number <= doubled else block.size,
                    up=block.up and number == doubled,
                    bias=bias if number == len(long) - 1 else None,
                )
                for number, weight in enumerate(weights)
            )
        else:
            made = ReducedBlock(weights, bias, short, dtype, size=block.size, doubled=doubled if block.up else None)
        attention = [self.weight(f"{block.after}.{part}") for part in ATTENTION] if block.attention else []
        if attention:
            attention[-1] = attention[-1] * float(self.tensors[f"{block.after}.gamma"].reshape(-1)[0])
        modulation, sizes = self._modulation(block, [np.zeros(1), *biases[:-1]])
        centres = (
            self._statistics(f"{block.key}.{name}", self.plan.epsilon)[0] - bias
            for name, bias in zip(norms(self.plan.deep), [np.zeros(1), *biases[:-1]], strict=True)
        )
        return Folded(
            *(block, modulation, sizes, made, tuple(self.put(one) for one in centres), skip),
            tuple(self.put(one) for one in attention),
        )

    def _modulation(self, block: Block, before: list[np.ndarray]) -> tuple[tuple[Tensor, Tensor], tuple[int, ...]]:
        """Scales and shifts of a block's norms as an affine function of its condition.

        A norm is (x - mean) / sigma (1 + G c) + B c, which is x scale + shift with scale = (1 + G c) / sigma and
        shift = B c - mean scale. ``before`` are the biases of the layers before the norms, taken from the means.
        """
        scales, shifts, constants = [], [], []
        for name, bias in zip(norms(self.plan.deep), before, strict=True):
            key = f"{block.key}.{name}"
            mean, inverse = self._statistics(key, self.plan.epsilon)
            mean = mean - bias
            gain, offset = (self._matrix(f"{key}.{kind}") for kind in ("gain", "bias"))
            scales.append(inverse[:, None] * gain)
            shifts.append(offset - (mean * inverse)[:, None] * gain)
            constants.append((inverse, -mean * inverse))
        constant = np.concatenate([part for kind in zip(*constants, strict=True) for part in kind])
        return (self.put(np.concatenate([*scales, *shifts])), self.put(constant)), tuple(len(one) for one in scales)

    def _matrix(self, key: str) -> np.ndarray:
        """From a condition to a gain or a bias, [channels, K], columns in the order of a row of w."""
        return self._turned(self.weight(key)) if self.plan.shared else self.tensors[f"{key}.weight"].T.astype("f8")

    def _turned(self, matrix: np.ndarray) -> np.ndarray:
        """Files have the class before z; rows of w have it after, as all families do."""
        return np.concatenate([matrix[:, self.plan.embed :], matrix[:, : self.plan.embed]], axis=1)

    def last(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Scale and shift of the last norm, [C, 1, 1], and weight and bias of the colours."""
        mean, inverse = self._statistics(LAST_NORM, LAST_EPSILON)
        scale = inverse * self.tensors[f"{LAST_NORM}.gain"]
        shift = self.bias(LAST_NORM) - mean * scale
        affine = self.put(scale[:, None, None]), self.put(shift[:, None, None])
        return *affine, self.put(self.weight(COLOURS)), self.put(self.bias(COLOURS))

    def _statistics(self, key: str, epsilon: float) -> tuple[np.ndarray, np.ndarray]:
        """Mean and 1 / standard deviation of a norm."""
        mean, variance = (self.tensors[name].astype(np.float64) / self.count for name in statistics(self.tensors, key))
        squared = np.maximum(variance, 0) + epsilon
        if not squared.all():
            raise DamagedError(f"{key} has a variance of 0")
        return mean, squared**-0.5

    def _count(self) -> float:
        """What the statistics of norms have to be divided by.

        The published code can gather statistics over some batches before it makes pictures (section 3.1 of the
        paper): they are sums then, beside the number of batches. A file may have been saved just after that; or long
        after it, when training went on with running averages, and the number stayed. The first norm tells: what it
        sees is an affine function of normal numbers and of a random class, whose variance is known.
        """
        key = "blocks.0.0.bn1"
        held = self.tensors.get(counter(key))
        count = 1.0 if held is None else float(held.reshape(-1)[0])
        if count <= 1:
            return 1.0
        weight = self.weight(START)
        embed = self.plan.embed if self.plan.deep else 0
        classes = weight[:, :embed] @ self.tensors["shared.weight"].T if embed else np.zeros((len(weight), 1))
        channels = self.plan.blocks[0].inputs
        spread = ((weight[:, embed:] ** 2).sum(1) + classes.var(1)).reshape(channels, -1).mean(1)
        seen = spread + (self.bias(START) + classes.mean(1)).reshape(channels, -1).var(1)
        stored = self.tensors[statistics(self.tensors, key)[1]].astype(np.float64)
        ratio = float(np.median(np.maximum(stored, 1e-12) / np.maximum(seen, 1e-12)))
        off = abs(math.log(ratio / count))
        return count if off < min(math.log(2), abs(math.log(ratio))) else 1.0

    def put(self, array: np.ndarray) -> Tensor:
        """Float32 on the device; weights of convolutions with channels last."""
        tensor = torch.as_tensor(np.ascontiguousarray(array), dtype=torch.float32)
        return (tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor).to(self.device)
