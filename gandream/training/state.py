"""The running state of a training: one safetensors file, written whole, from which the next step is the same step."""

from __future__ import annotations

import json
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gandream.base.errors import CheckpointError
from gandream.models.checkpoint.records import DamagedError
from gandream.models.checkpoint.safe_tensors import read_safetensors, write_safetensors

KEY = "gandream_training"
VERSION = 1
ROOTS = 1024.0
"""Roots of second moments are stored times this: gradients are small, and half precision ends at 6e-8."""
MOMENTS = ("exp_avg", "exp_avg_sq")


def moments(optimiser: torch.optim.Adam, network: nn.Module, prefix: str) -> tuple[dict[str, Tensor], dict[str, int]]:
    """Adam's moments by the names of parameters, and how many steps each parameter has taken."""
    tensors, steps = {}, {}
    for name, parameter in network.named_parameters():
        found = optimiser.state.get(parameter)
        if found:
            tensors.update({f"{prefix}.{kind}.{name}": found[kind] for kind in MOMENTS})
            steps[name] = int(found["step"])
    return tensors, steps


def restore_moments(
    optimiser: torch.optim.Adam,
    network: nn.Module,
    prefix: str,
    tensors: Mapping[str, Tensor],
    steps: Mapping[str, int],
) -> None:
    """Put back what ``moments`` gave."""
    for name, parameter in network.named_parameters():
        if name in steps:
            optimiser.state[parameter] = {
                "step": torch.tensor(float(steps[name]), device=parameter.device),
                **{kind: tensors[f"{prefix}.{kind}.{name}"].to(parameter.device) for kind in MOMENTS},
            }


def compacted(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state in less than half of the room, to be carried elsewhere: it goes on, though not with the very same steps.

    Half precision; of Adam's moments only the second, as its root, which fits half precision (the first is the last
    gradient where beta 1 is 0, as in all small configurations).
    """
    found = {}
    for name, tensor in tensors.items():
        kind = name.split(".")[1] if "." in name else ""
        if kind == "exp_avg":
            continue
        if kind == "exp_avg_sq":
            found[name] = tensor.sqrt().mul(ROOTS).clamp_max(6e4).half()
        else:
            found[name] = tensor.half() if tensor.is_floating_point() else tensor
    return found


def _expanded(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What ``compacted`` gave, in the form of a whole state."""
    found = {}
    for name, tensor in tensors.items():
        tensor = tensor.float() if tensor.dtype == torch.float16 else tensor
        kind = name.split(".")[1] if "." in name else ""
        if kind == "exp_avg_sq":
            found[name.replace("exp_avg_sq", "exp_avg", 1)] = torch.zeros_like(tensor)
            tensor = (tensor / ROOTS).square()
        found[name] = tensor
    return found


def save(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write a state, whole or not at all: the last good one stays where the disk is full."""
    arrays = {name: tensor.detach().to("cpu", copy=False).contiguous().numpy() for name, tensor in tensors.items()}
    text = json.dumps({"version": VERSION, **facts}, sort_keys=True, ensure_ascii=False)
    write_safetensors(path, arrays, {KEY: text})


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and facts of a state; CheckpointError where the file isn't one."""
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            stored, metadata = read_safetensors(memoryview(data))
            facts = json.loads(metadata[KEY])
            arrays = {name: one.array() for name, one in stored.items()}
            del stored
            if facts["version"] != VERSION:
                raise DamagedError(f"it is of version {facts['version']}, and {VERSION} is known")
    except (DamagedError, ValueError, KeyError, TypeError, OSError) as error:
        why = "it holds no training" if isinstance(error, KeyError) else str(error)
        raise CheckpointError(
            str(path), f"this is no state of a training that can go on: {why}", "Start anew without --resume."
        ) from error
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    return _expanded(tensors) if facts.get("compact") else tensors, facts
