"""The network of a StyleGAN as a list of what to compute, inferred from shapes and attributes. Loads no torch.

The family's own names are those of ``stylegan2`` as far as the networks are alike: ``mapping.fc0`` ... , ``w_avg`` and
``embed`` (whose biases are 0), ``synthesis.b4.const`` and, for each resolution,

- ``conv0`` and ``conv1``: ``weight`` [O, I, 3, 3] as torch's convolutions read it, ``bias`` [O], ``noise_const``
  [H, W], ``noise_strength`` [O], ``affine`` [2 O, D'] (scales, whose biases have the 1 in them, then shifts). The
  first of all has no weight: what it styles is the constant;
- ``torgb``: ``weight`` [C, I, 1, 1] and ``bias``; only the last resolution must have one.

``synthesis.lod`` [] is how many resolutions are not grown yet (Karras et al. 2018, figure 2). Equalised learning rates
are those of the original (2019, appendix C): sqrt(2) for what a rectifier follows, 1 for styles and colours, 0.01 in
the mapping network.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gandream.models.checkpoint import Network
from gandream.models.checkpoint.records import DamagedError
from gandream.models.style.reader import LEARNING_RATE, Dense, MappingPlan, Reader

READ = ("activation", "normalised", "blur", "bias_first", "epsilon", "pixel_norm", "instance_norm")
"""Attributes of ``mapping`` and ``synthesis`` that shape the picture; gandream's own files carry these."""
OPTIONAL = ("mapping.w_avg", "synthesis.lod")
RECTIFIERS = ("lrelu", "relu")
BLUR = (1.0, 2.0, 1.0)
"""The low-pass after up-sampling (Karras et al. 2019, table 1: "bilinear up/down-sampling")."""
MAX_BLOCKS = 12
"""4 pixels to 8192."""
MAX_TAPS = 16


@dataclass(frozen=True)
class Conv:
    """A 3 x 3 convolution, or at first the constant, with noise, bias, rectifier, AdaIN (figure 1b)."""

    key: str
    row: int
    """Which row of w [L, D'] is its style."""
    affine: Dense
    outputs: int
    gain: float | None
    """Multiplies the stored weights; None: there are none, only the constant."""
    up: bool
    size: tuple[int, int]
    """(height, width) of what it gives."""
    noise: bool


@dataclass(frozen=True)
class Block:
    """What happens at one resolution."""

    key: str
    convs: tuple[Conv, ...]
    colours: float | None
    """Gain of toRGB's weights; None where there is none."""


@dataclass(frozen=True)
class Plan:
    """A whole generator."""

    mapping: MappingPlan
    channels: int
    size: tuple[int, int]
    blocks: tuple[Block, ...]
    activation: str
    blur: tuple[float, ...]
    """The low-pass after up-sampling, which sums to 1; empty: none."""
    bias_first: bool
    """Whether the bias comes before the low-pass, which sees nothing beyond the edges."""
    epsilon: float
    """Added to the variance that instances are normalised by."""
    instance_norm: bool
    pixel_norm: bool

    @property
    def summary(self) -> str:
        """Its configuration, in a line for people."""
        channels = " ".join(str(block.convs[-1].outputs) for block in self.blocks)
        return f"{len(self.mapping.layers)} mapping layers, channels {channels}"


def block_names(names: Collection[str]) -> list[str]:
    """``b4``, ``b8`` ... as far as there are any."""
    found = {int(match[1]) for name in names if (match := re.match(r"synthesis\.b(\d{1,5})\.", name))}
    return [f"b{number}" for number in sorted(found)[:MAX_BLOCKS]]


def _mapping_layers(names: Collection[str]) -> int:
    found = {int(match[1]) for name in names if (match := re.match(r"mapping\.fc(\d{1,3})\.", name))}
    return max(found, default=0) + 1


def expected(names: Collection[str]) -> list[str]:
    """Names of the tensors that a network with these must have."""
    blocks = block_names(names) or ["b4", "b8"]
    keys = [f"mapping.fc{n}" for n in range(_mapping_layers(names))]
    if any(name.startswith("mapping.embed.") for name in names):
        keys.append("mapping.embed")
    wanted, noise = [f"synthesis.{blocks[0]}.const"], any(".noise_" in name for name in names)
    for block in blocks:
        for layer in ("conv0", "conv1"):
            key = f"synthesis.{block}.{layer}"
            wanted += [f"{key}.bias"] + ([f"{key}.noise_const", f"{key}.noise_strength"] if noise else [])
            wanted += [f"{key}.weight"] if (block, layer) != (blocks[0], "conv0") else []
            keys.append(f"{key}.affine")
        if block == blocks[-1] or any(name.startswith(f"synthesis.{block}.torgb.") for name in names):
            keys.append(f"synthesis.{block}.torgb")
    return [f"{key}.{part}" for key in keys for part in ("weight", "bias")] + wanted


def _conv(reader: Reader, key: str, row: int, inputs: int, w: int, size: tuple[int, int], first: bool) -> Conv:
    """A layer that gives pictures of ``size``."""
    outputs = inputs if first else reader.shape(f"{key}.weight", None, inputs, 3, 3)[0]
    reader.shape(f"{key}.bias", outputs)
    noise = f"{key}.noise_strength" in reader.network.tensors
    if noise:
        reader.shape(f"{key}.noise_const", *size)
        reader.shape(f"{key}.noise_strength", outputs)
    reader.shape(f"{key}.affine.weight", 2 * outputs, w)
    reader.shape(f"{key}.affine.bias", 2 * outputs)
    affine = Dense(f"{key}.affine", w, 2 * outputs, 1 / math.sqrt(w), 1, "linear")
    gain = None if first else math.sqrt(2 / (inputs * 9))
    return Conv(key, row, affine, outputs, gain, row > 1 and row % 2 == 0, size, noise)


def plan(network: Network) -> Plan:
    """Infer everything; DamagedError where tensors contradict each other."""
    reader = Reader(network)
    names = block_names(network.tensors)
    channels, *const = reader.shape(f"synthesis.{names[0]}.const", None, None, None)
    w = reader.shape(f"synthesis.{names[0]}.conv0.affine.weight", 2 * channels, None)[1]
    height, width = const
    blocks: list[Block] = []
    colours, gain = None, None
    for number, name in enumerate(names):
        key, convs, size = f"synthesis.{name}", [], (height << number, width << number)
        for layer in (0, 1):
            first = not number and not layer
            convs.append(_conv(reader, f"{key}.conv{layer}", 2 * number + layer, channels, w, size, first))
            channels = convs[-1].outputs
        gain = None
        if f"{key}.torgb.weight" in network.tensors:
            colours = reader.shape(f"{key}.torgb.weight", colours, channels, 1, 1)[0]
            reader.shape(f"{key}.torgb.bias", colours)
            gain = 1 / math.sqrt(channels)
        blocks.append(Block(key, tuple(convs), gain))
    if colours is None or gain is None:
        raise DamagedError("it has no colours at its last resolution")
    if "synthesis.lod" in network.tensors:
        reader.shape("synthesis.lod")
    return Plan(
        mapping=_mapping(reader, w),
        channels=colours,
        size=blocks[-1].convs[-1].size,
        blocks=tuple(blocks),
        activation=_rectifier(reader, "synthesis"),
        blur=_blur(reader),
        bias_first=_flag(reader, "synthesis", "bias_first", False),
        epsilon=reader.sure("synthesis", "epsilon", 1e-8),
        instance_norm=_flag(reader, "synthesis", "instance_norm", True),
        pixel_norm=_flag(reader, "synthesis", "pixel_norm", False),
    )


def _mapping(reader: Reader, w: int) -> MappingPlan:
    """The mapping network: the gain of a rectifier is within its weights and not its biases, unlike StyleGAN2's."""
    tensors, activation = reader.network.tensors, _rectifier(reader, "mapping")
    embed, layers = None, []
    if "mapping.embed.weight" in tensors:
        outputs, classes = reader.shape("mapping.embed.weight", None, None)
        reader.shape("mapping.embed.bias", outputs)
        embed = Dense("mapping.embed", classes, outputs, 1, 1, "linear")
    width: int | None = None
    for number in range(_mapping_layers(tensors)):
        key = f"mapping.fc{number}"
        outputs, inputs = reader.shape(f"{key}.weight", None, width)
        reader.shape(f"{key}.bias", outputs)
        gain = LEARNING_RATE / math.sqrt(inputs)
        layers.append(Dense(key, inputs, outputs, gain, LEARNING_RATE / math.sqrt(2), activation))
        width = outputs
    z = layers[0].inputs - (embed.outputs if embed else 0)
    if width != w or z < 1:
        raise DamagedError("its mapping and synthesis don't fit each other")
    if has_average := "mapping.w_avg" in tensors:
        reader.shape("mapping.w_avg", w)
    norm = "whole" if _flag(reader, "mapping", "normalised", True) else "none"
    return MappingPlan(z, w, embed.inputs if embed else 0, embed, tuple(layers), has_average, norm=norm)


def _rectifier(reader: Reader, module: str) -> str:
    found = reader.activation(module, "lrelu")
    if found not in RECTIFIERS:
        raise DamagedError(f"{module} has the activation {found!r}, which is no rectifier")
    return found


def _flag(reader: Reader, module: str, name: str, default: bool) -> bool:
    value = reader.network.attributes.get(module, {}).get(name, default)
    if not isinstance(value, bool):
        raise DamagedError(f"{module}.{name} is neither true nor false")
    return value


def _blur(reader: Reader) -> tuple[float, ...]:
    taps: Any = reader.network.attributes.get("synthesis", {}).get("blur", BLUR)
    if not isinstance(taps, list | tuple) or len(taps) > MAX_TAPS:
        raise DamagedError("synthesis.blur is no filter")
    if not all(isinstance(tap, int | float) and math.isfinite(tap) for tap in taps) or (taps and not sum(taps)):
        raise DamagedError("synthesis.blur is no filter")
    return tuple(tap / sum(taps) for tap in taps)


def configuration(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The attributes that shape the picture, for gandream's own files."""
    kept = {module: {name: found[name] for name in READ if name in found} for module, found in attributes.items()}
    return {module: found for module, found in kept.items() if found and module in ("mapping", "synthesis")}
