"""The network of a StyleGAN2 as a list of what to compute, inferred from shapes and attributes. Loads no torch.

Names of tensors are those of NVIDIA's torch checkpoints. Attributes are what each module had resolved when it was
saved (``conv_clamp``, ``weight_gain`` ...); where a file has none, as a bare state dict, the papers' values hold.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gandream.models.checkpoint import Network
from gandream.models.checkpoint.records import DamagedError
from gandream.models.style.reader import ACTIVATIONS, Dense, MappingPlan, Reader, mapping_names, mapping_plan

READ = ("up", "activation", "conv_clamp", "act_gain", "weight_gain", "bias_gain", "norm")
"""Attributes of modules that shape the picture; gandream's own files carry these."""
NORMS = ("each", "whole", "none")
"""What the mapping normalises: z and the class's embedding each for itself, both together, or nothing."""
MAX_BLOCKS = 12
"""4 pixels to 8192."""
MAX_TAPS = 64
"""Of a resampling filter, on a side."""


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

    mapping: MappingPlan
    channels: int
    size: tuple[int, int]
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
        return f"{kind} architecture, {len(self.mapping.layers)} mapping layers, channels {channels}{clamped}"


def block_names(names: Collection[str]) -> list[str]:
    """``b4``, ``b8`` ... as far as there are any."""
    found = {int(match[1]) for name in names if (match := re.match(r"synthesis\.b(\d{1,5})\.", name))}
    return [f"b{number}" for number in sorted(found)[:MAX_BLOCKS]]


OPTIONAL = r"mapping\.w_avg|synthesis\.b\d+\.((conv0|skip)\.)?resample_filter"
"""Tensors that can be made up where a file has none."""


def expected(names: Collection[str]) -> list[str]:
    """Names of the tensors that a network with these must have."""
    blocks = block_names(names) or ["b4", "b8"]
    keys = mapping_names(names)
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


def _conv(reader: Reader, key: str, row: int, w: int, inputs: int, size: tuple[int, int], up: int) -> Conv:
    """A modulated convolution that gives pictures of ``size``."""
    outputs, _, kernel, _ = reader.shape(f"{key}.weight", None, inputs, None, None)
    reader.shape(f"{key}.weight", outputs, inputs, kernel, kernel)
    if kernel % 2 == 0:
        raise DamagedError(f"{key}.weight has an even kernel")
    reader.shape(f"{key}.bias", outputs)
    if reader.sure(key, "up", up) != up:
        raise DamagedError(f"{key} scales by {reader.sure(key, 'up', up)}, and {up} is wanted")
    noise = f"{key}.noise_strength" in reader.network.tensors
    if noise:
        reader.shape(f"{key}.noise_const", *size)
        reader.shape(f"{key}.noise_strength")
    affine = reader.dense(f"{key}.affine", w, "linear")
    reader.shape(f"{key}.affine.bias", inputs)
    name = reader.activation(key, "lrelu")
    gain = reader.sure(key, "act_gain", ACTIVATIONS[name])
    clamp = reader.number(key, "conv_clamp", None)
    return Conv(key, row, affine, outputs, kernel, up, size, noise, name, gain, clamp)


def plan(network: Network) -> Plan:
    """Infer everything; DamagedError where tensors contradict each other."""
    reader = Reader(network)
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
            convs.append(_conv(reader, f"{key}.{layer}", row, w, channels, (height, width), up))
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
    if colours is None or blocks[-1].torgb is None:
        raise DamagedError("it has no colours at its last resolution")
    norm = network.attributes.get("mapping", {}).get("norm", "each")
    if norm not in NORMS:
        raise DamagedError(f"its mapping has the normalisation {norm!r}, which is not known")
    return Plan(replace(mapping_plan(reader, w), norm=norm), colours, (height, width), tuple(blocks))


def configuration(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The attributes that shape the picture, for gandream's own files."""
    kept = {module: {name: found[name] for name in READ if name in found} for module, found in attributes.items()}
    return {module: found for module, found in kept.items() if found}
