"""The network of a StyleGAN2 as a list of what to compute, inferred from shapes and attributes. Loads no torch.

Names of tensors are those of NVIDIA's torch checkpoints. Attributes are what each module had resolved when it was
saved (``conv_clamp``, ``weight_gain`` ...); where a file has none, as a bare state dict, the papers' values hold.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gandream.models.checkpoint import Network
from gandream.models.checkpoint.records import DamagedError

ACTIVATIONS = {
    **dict.fromkeys(("relu", "lrelu", "swish"), math.sqrt(2)),
    **dict.fromkeys(("linear", "tanh", "sigmoid", "elu", "selu", "softplus"), 1.0),
}
"""Activations by name, with the gain that keeps the variance (Karras et al. 2018, section 4.1)."""
READ = ("up", "activation", "conv_clamp", "act_gain", "weight_gain", "bias_gain")
"""Attributes of modules that shape the picture; gandream's own files carry these."""
MAX_BLOCKS = 12
"""4 pixels to 8192."""
MAX_TAPS = 64
"""Of a resampling filter, on a side."""
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


@dataclass(frozen=True)
class Conv:
    """A modulated convolution with noise, bias and activation (Karras et al. 2020a, figure 2d)."""

    key: str
    row: int
    """Which row of w [L, D] is its style."""
    affine: Dense
    outputs: int
    kernel: int
    up: int
    size: tuple[int, int]
    """(height, width) of what it gives."""
    noise: bool
    activation: str
    gain: float
    clamp: float | None


@dataclass(frozen=True)
class ToRGB:
    """A modulated 1 x 1 convolution to colours, without demodulation."""

    key: str
    row: int
    affine: Dense
    gain: float
    """Multiplies the styles."""
    clamp: float | None


@dataclass(frozen=True)
class Block:
    """What happens at one resolution."""

    key: str
    convs: tuple[Conv, ...]
    torgb: ToRGB | None
    skip: float | None
    """Gain of the residual branch's weights; None where the block has none."""


@dataclass(frozen=True)
class Plan:
    """A whole generator."""

    z: int
    w: int
    classes: int
    channels: int
    size: tuple[int, int]
    embed: Dense | None
    mapping: tuple[Dense, ...]
    has_average: bool
    blocks: tuple[Block, ...]

    @property
    def rows(self) -> int:
        """L: one row of w for each convolution, and one for the last toRGB."""
        return sum(len(block.convs) for block in self.blocks) + 1

    @property
    def summary(self) -> str:
        """Its configuration, in a line for people."""
        plain = "plain" if self.blocks[0].torgb is None else "skip"
        kind = "residual" if any(block.skip is not None for block in self.blocks) else plain
        clamps = sorted({conv.clamp for block in self.blocks for conv in block.convs if conv.clamp is not None})
        channels = " ".join(str(block.convs[-1].outputs) for block in self.blocks)
        clamped = f", clamped at {' '.join(f'{clamp:g}' for clamp in clamps)}" if clamps else ""
        return f"{kind} architecture, {len(self.mapping)} mapping layers, channels {channels}{clamped}"


def block_names(names: Collection[str]) -> list[str]:
    """``b4``, ``b8`` ... as far as there are any."""
    found = {int(match[1]) for name in names if (match := re.match(r"synthesis\.b(\d{1,5})\.", name))}
    return [f"b{number}" for number in sorted(found)[:MAX_BLOCKS]]


OPTIONAL = r"mapping\.w_avg|synthesis\.b\d+\.((conv0|skip)\.)?resample_filter"
"""Tensors that can be made up where a file has none."""


def expected(names: Collection[str]) -> list[str]:
    """Names of the tensors that a network with these must have."""
    blocks = block_names(names) or ["b4", "b8"]
    found = {int(match[1]) for name in names if (match := re.match(r"mapping\.fc(\d{1,3})\.", name))}
    keys = [f"mapping.fc{n}.{part}" for n in range(max(found, default=0) + 1) for part in ("weight", "bias")]
    if any(name.startswith("mapping.embed.") for name in names):
        keys += ["mapping.embed.weight", "mapping.embed.bias"]
    residual = any(".skip.weight" in name for name in names)
    plain = residual or not any(name.startswith(f"synthesis.{blocks[0]}.torgb.") for name in names)
    keys.append(f"synthesis.{blocks[0]}.const")
    for number, block in enumerate(blocks):
        layers = ["conv1"] if number == 0 else ["conv0", "conv1"]
        if not plain or block == blocks[-1]:
            layers.append("torgb")
        for layer in layers:
            base = f"synthesis.{block}.{layer}"
            keys += [f"{base}.weight", f"{base}.bias", f"{base}.affine.weight", f"{base}.affine.bias"]
            if any(name.startswith(f"{base}.noise_") for name in names):
                keys += [f"{base}.noise_strength", f"{base}.noise_const"]
        if residual and number:
            keys.append(f"synthesis.{block}.skip.weight")
    return keys


class _Reader:
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

    def conv(self, key: str, row: int, w: int, inputs: int, size: tuple[int, int], up: int) -> Conv:
        """A modulated convolution that gives pictures of ``size``."""
        outputs, _, kernel, _ = self.shape(f"{key}.weight", None, inputs, None, None)
        self.shape(f"{key}.weight", outputs, inputs, kernel, kernel)
        if kernel % 2 == 0:
            raise DamagedError(f"{key}.weight has an even kernel")
        self.shape(f"{key}.bias", outputs)
        if self.sure(key, "up", up) != up:
            raise DamagedError(f"{key} scales by {self.sure(key, 'up', up)}, and {up} is wanted")
        noise = f"{key}.noise_strength" in self.network.tensors
        if noise:
            self.shape(f"{key}.noise_const", *size)
            self.shape(f"{key}.noise_strength")
        affine = self.dense(f"{key}.affine", w, "linear")
        self.shape(f"{key}.affine.bias", inputs)
        name = self.activation(key, "lrelu")
        gain = self.sure(key, "act_gain", ACTIVATIONS[name])
        clamp = self.number(key, "conv_clamp", None)
        return Conv(key, row, affine, outputs, kernel, up, size, noise, name, gain, clamp)


def plan(network: Network) -> Plan:
    """Infer everything; DamagedError where tensors contradict each other."""
    reader = _Reader(network)
    for name, tensor in network.tensors.items():
        if name.endswith("resample_filter") and not (0 < len(tensor.shape) <= 2 and max(tensor.shape) <= MAX_TAPS):
            raise DamagedError(f"{name} has shape {list(tensor.shape)}, which is no filter's")
    names = block_names(network.tensors)
    first = f"synthesis.{names[0]}.const"
    channels, *size = reader.shape(first, None, None, None)
    height, width = size
    w = reader.shape(f"synthesis.{names[0]}.conv1.affine.weight", channels, None)[1]
    blocks: list[Block] = []
    row, colours = 0, None
    for number, name in enumerate(names):
        key = f"synthesis.{name}"
        if number:
            height, width = 2 * height, 2 * width
        inputs, convs = channels, []
        for layer, up in (("conv0", 2), ("conv1", 1))[0 if number else 1 :]:
            convs.append(reader.conv(f"{key}.{layer}", row, w, channels, (height, width), up))
            channels = convs[-1].outputs
            row += 1
        torgb = skip = None
        if f"{key}.torgb.weight" in network.tensors:
            colours, _, kernel, _ = reader.shape(f"{key}.torgb.weight", colours, channels, 1, 1)
            reader.shape(f"{key}.torgb.bias", colours)
            affine = reader.dense(f"{key}.torgb.affine", w, "linear")
            reader.shape(f"{key}.torgb.affine.bias", channels)
            gain = reader.sure(f"{key}.torgb", "weight_gain", 1 / math.sqrt(channels * kernel * kernel))
            torgb = ToRGB(f"{key}.torgb", row, affine, gain, reader.number(f"{key}.torgb", "conv_clamp", None))
        if f"{key}.skip.weight" in network.tensors:
            reader.shape(f"{key}.skip.weight", channels, inputs, 1, 1)
            skip = reader.sure(f"{key}.skip", "weight_gain", 1 / math.sqrt(inputs))
        blocks.append(Block(key, tuple(convs), torgb, skip))
    embed = None
    if "mapping.embed.weight" in network.tensors:
        embed = reader.dense("mapping.embed", None, "linear")
    layers, width_in = [], None
    count = sum(1 for name in network.tensors if re.fullmatch(r"mapping\.fc\d+\.weight", name))
    for number in range(count):
        layers.append(reader.dense(f"mapping.fc{number}", width_in, "lrelu", LEARNING_RATE))
        width_in = layers[-1].outputs
    z = layers[0].inputs - (embed.outputs if embed else 0)
    has_average = "mapping.w_avg" in network.tensors
    if has_average:
        reader.shape("mapping.w_avg", w)
    if width_in != w or z < 0 or colours is None or blocks[-1].torgb is None:
        raise DamagedError("its mapping and synthesis don't fit each other")
    classes = embed.inputs if embed else 0
    return Plan(z, w, classes, colours, (height, width), embed, tuple(layers), has_average, tuple(blocks))


def configuration(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The attributes that shape the picture, for gandream's own files."""
    kept = {module: {name: found[name] for name in READ if name in found} for module, found in attributes.items()}
    return {module: found for module, found in kept.items() if found}
