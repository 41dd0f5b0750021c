"""A file's numbers, folded: weights over their spectral norms, biases into the norms after them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gandream.models.biggan_deep.plan import ATTENTION, Block, Plan
from gandream.models.checkpoint.records import DamagedError
from gandream.models.convolution import Convolution
from gandream.models.reduced import computed_in
from gandream.models.reduced_block import ReducedBlock

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Statistics:
    """Tables of a norm: means [R, C], of which the bias of the layer before is taken, and variances [R, C]."""

    means: Tensor
    variances: Tensor


@dataclass(frozen=True)
class Bottleneck:
    """A block's weights: the four convolutions, and all gains and offsets of its norms as one matrix."""

    block: Block
    modulation: Tensor
    """[2 (I + 3 M), K]: gains of the four norms, then their offsets."""
    norms: Statistics
    """Of the four norms in a row, [R, I + 3 M]."""
    convs: tuple[Convolution, ...] | ReducedBlock
    """The last one has a bias; those before are in the norms."""


@dataclass(frozen=True)
class Attention:
    """The non-local block's weights; gamma is in the last of them."""

    block: Block
    convs: tuple[Tensor, ...]


def divided(tensors: Arrays, key: str) -> np.ndarray:
    """A weight over its spectral norm u W v, float64 (Miyato et al. 2018, equation 8); as it is where it has none."""
    if f"{key}.weight" in tensors:
        return tensors[f"{key}.weight"].astype(np.float64)
    held, u, v = (tensors[f"{key}.weight_{part}"].astype(np.float64) for part in ("orig", "u", "v"))
    sigma = float(u @ (held.reshape(len(u), -1) @ v))
    if not abs(sigma) > 1e-12:
        raise DamagedError(f"{key} has a spectral norm of {sigma}")
    return held / sigma


def put(array: np.ndarray, device: torch.device) -> Tensor:
    """Float32 on the device; weights of convolutions with channels last."""
    tensor = torch.as_tensor(np.ascontiguousarray(array), dtype=torch.float32)
    return (tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor).to(device)


def statistics(tensors: Arrays, keys: list[str], biases: list[np.ndarray], device: torch.device) -> Statistics:
    """Tables of some norms in a row."""
    means = [tensors[f"{key}.running_means"].astype(np.float64) - bias for key, bias in zip(keys, biases, strict=True)]
    variances = [np.maximum(tensors[f"{key}.running_vars"].astype(np.float64), 0) for key in keys]
    return Statistics(put(np.concatenate(means, 1), device), put(np.concatenate(variances, 1), device))


def layers(
    plan: Plan, tensors: Arrays, device: torch.device, dtype: torch.dtype = torch.float32
) -> list[Bottleneck | Attention]:
    """All blocks, folded; their convolutions in float32 or in half precision."""
    return [
        _attention(block, tensors, device) if block.attention else _bottleneck(block, tensors, device, dtype)
        for block in plan.layers
    ]


def _bottleneck(block: Block, tensors: Arrays, device: torch.device, dtype: torch.dtype) -> Bottleneck:
    norms = [f"{block.key}.bn_{number}" for number in range(4)]
    convs = [f"{block.key}.conv_{number}" for number in range(4)]
    modulation = [divided(tensors, f"{norm}.{part}") for part in ("scale", "offset") for norm in norms]
    biases = [np.zeros(block.inputs), *(tensors[f"{conv}.bias"] for conv in convs[:3])]
    side = block.size // 2 if block.up else block.size
    weights, bias = [put(divided(tensors, conv), device) for conv in convs], put(tensors[f"{convs[3]}.bias"], device)
    made: tuple[Convolution, ...] | ReducedBlock
    if (dtype := computed_in(dtype, block.size)) == torch.float32:
        made = tuple(
            Convolution(
                weight,
                side if number < 2 else block.size,
                up=block.up and number == 1,
                bias=bias if number == 3 else None,
            )
            for number, weight in enumerate(weights)
        )
    else:
        made = ReducedBlock(weights, bias, None, dtype, size=block.size, doubled=1 if block.up else None)
    return Bottleneck(block, put(np.concatenate(modulation), device), statistics(tensors, norms, biases, device), made)


def _attention(block: Block, tensors: Arrays, device: torch.device) -> Attention:
    weights = [divided(tensors, f"{block.key}.{part}") for part in ATTENTION]
    weights[-1] = weights[-1] * float(tensors[f"{block.key}.gamma"].reshape(-1)[0])
    return Attention(block, tuple(put(weight, device) for weight in weights))
