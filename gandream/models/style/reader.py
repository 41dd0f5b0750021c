"""Shapes and attributes of a network's layers, checked as they are asked for. Loads no torch.

Attributes are what each module had resolved when it was saved (``weight_gain``, ``activation`` ...); where a file has
none, as a bare state dict, the papers' values hold.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from gandream.models.checkpoint import Network
from gandream.models.checkpoint.records import DamagedError

ACTIVATIONS = {
    **dict.fromkeys(("relu", "lrelu", "swish"), math.sqrt(2)),
    **dict.fromkeys(("linear", "tanh", "sigmoid", "elu", "selu", "softplus"), 1.0),
}
"""Activations by name, with the gain that keeps the variance (Karras et al. 2018, section 4.1)."""
LEARNING_RATE = 0.01
"""Of the mapping network, relative to the rest; stored weights are divided by it (Karras et al. 2019, section C)."""


@dataclass(frozen=True)
class Dense:
    """A fully connected layer; the weights to use are the stored ones times ``gain``."""

    key: str
    inputs: int
    outputs: int
    gain: float
    bias_gain: float
    activation: str


class Reader:
    """Shapes and attributes of a network, checked as they are asked for."""

    def __init__(self, network: Network):
        self.network = network

    def shape(self, key: str, *wanted: int | None) -> tuple[int, ...]:
        """The shape of a tensor, which must be ``wanted`` (None: any size above 0)."""
        tensor = self.network.tensors.get(key)
        if tensor is None:
            raise DamagedError(f"{key} is missing")
        pairs = zip(tensor.shape, wanted, strict=False)
        if len(tensor.shape) != len(wanted) or any(n != m if m is not None else n < 1 for n, m in pairs):
            shown = ", ".join("any" if n is None else str(n) for n in wanted)
            raise DamagedError(f"{key} has shape {list(tensor.shape)}, and [{shown}] is wanted")
        return tensor.shape

    def number(self, module: str, name: str, default: float | None) -> float | None:
        """A number among a module's attributes."""
        value: Any = self.network.attributes.get(module, {}).get(name, default)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise DamagedError(f"{module}.{name} is no number")
        if value is not None and not math.isfinite(value):
            raise DamagedError(f"{module}.{name} is not finite")
        return None if value is None else float(value)

    def sure(self, module: str, name: str, default: float) -> float:
        """A number that can't be None."""
        value = self.number(module, name, default)
        return default if value is None else value

    def activation(self, module: str, default: str) -> str:
        """The name of a module's activation."""
        value = self.network.attributes.get(module, {}).get("activation", default)
        if value not in ACTIVATIONS:
            raise DamagedError(f"{module} has the activation {value!r}, which is not known")
        return value

    def dense(self, key: str, inputs: int | None, activation: str, rate: float = 1) -> Dense:
        """A fully connected layer."""
        outputs, inputs = self.shape(f"{key}.weight", None, inputs)
        self.shape(f"{key}.bias", outputs)
        gain = self.sure(key, "weight_gain", rate / math.sqrt(inputs))
        return Dense(key, inputs, outputs, gain, self.sure(key, "bias_gain", rate), self.activation(key, activation))


@dataclass(frozen=True)
class MappingPlan:
    """A mapping network: z [N, z] and weights of classes [N, classes] to w [N, w]."""

    z: int
    w: int
    classes: int
    embed: Dense | None
    layers: tuple[Dense, ...]
    has_average: bool
    """Whether the file has ``mapping.w_avg``."""
    by_class: bool = False
    """Whether that has a row for each class (StyleGAN-XL: Sauer et al. 2022)."""
    norm: str = "each"
    """What is scaled to a mean square of 1: "each" of z and the class's embedding, both as a "whole", or "none"."""


def mapping_plan(reader: Reader, w: int) -> MappingPlan:
    """The mapping network by the names of NVIDIA's torch checkpoints: ``mapping.fc0``, ``mapping.embed`` ..."""
    embeds = "mapping.embed.weight" in reader.network.tensors
    return mapping_after(reader, reader.dense("mapping.embed", None, "linear") if embeds else None, w)


def mapping_after(reader: Reader, embed: Dense | None, w: int) -> MappingPlan:
    """The mapping network after its embedding, which is a layer from weights of classes, or None without classes."""
    tensors = reader.network.tensors
    layers: list[Dense] = []
    width: int | None = None
    for number in range(sum(1 for name in tensors if re.fullmatch(r"mapping\.fc\d+\.weight", name))):
        layers.append(reader.dense(f"mapping.fc{number}", width, "lrelu", LEARNING_RATE))
        width = layers[-1].outputs
    z = layers[0].inputs - (embed.outputs if embed else 0) if layers else -1
    has_average, by_class = "mapping.w_avg" in tensors, False
    if has_average:
        by_class = embed is not None and len(tensors["mapping.w_avg"].shape) == 2
        reader.shape("mapping.w_avg", *((embed.inputs,) if embed and by_class else ()), w)
    if width != w or z < 0:
        raise DamagedError("its mapping and synthesis don't fit each other")
    return MappingPlan(z, w, embed.inputs if embed else 0, embed, tuple(layers), has_average, by_class)


def mapping_names(names: Collection[str]) -> list[str]:
    """Names of the tensors that a mapping network must have, judging from the ones there are; not ``w_avg``."""
    found = {int(match[1]) for name in names if (match := re.match(r"mapping\.fc(\d{1,3})\.", name))}
    keys = [f"mapping.fc{n}.{part}" for n in range(max(found, default=0) + 1) for part in ("weight", "bias")]
    if any(name.startswith("mapping.embed.") for name in names):
        keys += ["mapping.embed.weight", "mapping.embed.bias"]
    return keys
