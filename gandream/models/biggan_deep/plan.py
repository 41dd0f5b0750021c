"""The network of a BigGAN-deep as what to compute, inferred from shapes and the configuration. Loads no torch.

Names of tensors are those of the published PyTorch conversion. What shapes can't tell is which blocks double the size:
that stands in the configuration, and without one it is every second block, as in all published sizes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import cycle, pairwise
from typing import Any

from gandream.models.checkpoint import Network
from gandream.models.checkpoint.records import DamagedError

FIRST = 4
"""Side of the first features."""
EPSILON = 1e-4
"""In the square root of norms, where no configuration says otherwise."""
MAX_SIZE = 8192
ATTENTION = ("snconv1x1_theta", "snconv1x1_phi", "snconv1x1_g", "snconv1x1_o_conv")


@dataclass(frozen=True)
class Block:
    """A bottleneck, or the non-local block (``attention``), which has no norms and changes nothing in shape."""

    key: str
    inputs: int
    outputs: int
    up: bool
    size: int
    """Side of what comes out, in pixels."""
    attention: bool = False


@dataclass(frozen=True)
class Plan:
    """A whole generator."""

    latent: int
    """D, of z."""
    embed: int
    """Of a class."""
    classes: int
    """C; a single one is none."""
    rows: int
    """Of the tables of statistics."""
    layers: tuple[Block, ...]
    """Blocks in order, the non-local one among them."""
    epsilon: float
    linear: bool
    """Whether statistics between two rows lie between them in order; the published code swaps the two weights."""

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The bottlenecks."""
        return tuple(block for block in self.layers if not block.attention)

    @property
    def size(self) -> int:
        """Side of the picture, in pixels."""
        return self.layers[-1].size

    @property
    def configuration(self) -> dict[str, Any]:
        """What shapes don't say, as ``config.json`` has it, so that a saved file says it again."""
        width = math.gcd(*(block.inputs for block in self.blocks), self.layers[-1].outputs)
        return {
            "layers": [[block.up, block.inputs // width, block.outputs // width] for block in self.blocks],
            "channel_width": width,
            "eps": self.epsilon,
            "interpolation": "linear" if self.linear else "swapped",
        }

    @property
    def summary(self) -> str:
        """Its configuration, in a line for people."""
        widths = [self.layers[0].inputs, *(block.outputs for block in self.blocks)]
        non_local = next((f", non-local at {block.size}" for block in self.layers if block.attention), "")
        return f"{len(self.blocks)} blocks, {widths[0]} to {widths[-1]} channels{non_local}"


def weight(names: Collection[str] | Mapping[str, Any], key: str) -> str:
    """Name of a weight: as it is, or before its spectral norm."""
    return f"{key}.weight" if f"{key}.weight" in names else f"{key}.weight_orig"


def _normed(names: Collection[str], key: str) -> list[str]:
    name = weight(names, key)
    return [name] if name.endswith("weight") else [name, f"{key}.weight_u", f"{key}.weight_v"]


def _layers(names: Collection[str]) -> list[tuple[str, bool]]:
    """Blocks of a network with tensors of these names, and which are non-local."""
    numbers = [int(match[1]) for name in names if (match := re.match(r"generator\.layers\.(\d{1,2})\.", name))]
    keys = [f"generator.layers.{number}" for number in range(max(numbers, default=0) + 1)]
    return [(key, f"{key}.gamma" in names) for key in keys]


def expected(names: Collection[str]) -> list[str]:
    """Names of all tensors that a network with these would have."""
    known = set(names)
    found = ["embeddings.weight", *_normed(known, "generator.gen_z"), "generator.gen_z.bias"]
    for key, attention in _layers(known):
        if attention:
            found.append(f"{key}.gamma")
            for part in ATTENTION:
                found += _normed(known, f"{key}.{part}")
            continue
        for number in range(4):
            norm, conv = f"{key}.bn_{number}", f"{key}.conv_{number}"
            found += [f"{norm}.running_means", f"{norm}.running_vars"]
            found += [*_normed(known, f"{norm}.scale"), *_normed(known, f"{norm}.offset")]
            found += [*_normed(known, conv), f"{conv}.bias"]
    found += [f"generator.bn.{part}" for part in ("weight", "bias", "running_means", "running_vars")]
    return [*found, *_normed(known, "generator.conv_to_rgb"), "generator.conv_to_rgb.bias"]


def plan(network: Network) -> Plan:
    """What to compute; DamagedError where shapes or the configuration don't fit each other."""
    shapes = {name: network.tensors[name].shape for name in expected(network.tensors)}

    def fits(name: str, *wanted: int) -> None:
        if shapes[name] != wanted:
            raise DamagedError(f"{name} has shape {list(shapes[name])}, and {list(wanted)} is wanted")

    def matrix(key: str, *wanted: int) -> None:
        name = weight(shapes, key)
        fits(name, *wanted)
        if name.endswith("_orig"):
            fits(f"{key}.weight_u", wanted[0])
            fits(f"{key}.weight_v", math.prod(wanted[1:]))

    def norm(key: str, channels: int) -> None:
        fits(f"{key}.running_means", rows, channels)
        fits(f"{key}.running_vars", rows, channels)

    embed, classes = _sizes(shapes, "embeddings.weight", 2)
    first, condition = _sizes(shapes, weight(shapes, "generator.gen_z"), 2)
    rows, channels = _sizes(shapes, "generator.layers.0.bn_0.running_means", 2)
    if first != channels * FIRST**2 or condition <= embed or channels % 4 or rows < 2:
        raise DamagedError(f"{first} first numbers for {channels} channels, {condition} inputs, {rows} statistics")
    matrix("generator.gen_z", first, condition)
    fits("generator.gen_z.bias", first)
    held = network.attributes.get("", {}).get("config")
    held = held if isinstance(held, dict) else {}
    keys = _layers(shapes)
    bottlenecks = [key for key, attention in keys if not attention]
    made = [channels, *(_sizes(shapes, weight(shapes, f"{key}.conv_3"), 4)[0] for key in bottlenecks)]
    doubles = _doubles(held, [before != after for before, after in pairwise(made)])
    size, layers = FIRST, []
    for key, attention in keys:
        if attention:
            half, eighth = channels // 2, _sizes(shapes, weight(shapes, f"{key}.{ATTENTION[0]}"), 4)[0]
            for part, outputs, inputs in zip(
                ATTENTION, (eighth, eighth, half, channels), (channels, channels, channels, half), strict=True
            ):
                matrix(f"{key}.{part}", outputs, inputs, 1, 1)
            if math.prod(shapes[f"{key}.gamma"]) != 1:
                raise DamagedError(f"{key}.gamma is more than a number")
            layers.append(Block(key, channels, channels, False, size, attention=True))
            continue
        middle, outputs = channels // 4, _sizes(shapes, weight(shapes, f"{key}.conv_3"), 4)[0]
        if outputs > channels or outputs % 4:
            raise DamagedError(f"{key} makes {outputs} channels of {channels}")
        for number, (inputs, made, kernel) in enumerate(
            ((channels, middle, 1), (middle, middle, 3), (middle, middle, 3), (middle, outputs, 1))
        ):
            norm(f"{key}.bn_{number}", inputs)
            matrix(f"{key}.bn_{number}.scale", inputs, condition)
            matrix(f"{key}.bn_{number}.offset", inputs, condition)
            matrix(f"{key}.conv_{number}", made, inputs, kernel, kernel)
            fits(f"{key}.conv_{number}.bias", made)
        up = doubles[len([one for one in layers if not one.attention])]
        size *= 2 if up else 1
        layers.append(Block(key, channels, outputs, up, size))
        channels = outputs
    norm("generator.bn", channels)
    fits("generator.bn.weight", channels)
    fits("generator.bn.bias", channels)
    colours = _sizes(shapes, weight(shapes, "generator.conv_to_rgb"), 4)[0]
    matrix("generator.conv_to_rgb", colours, channels, 3, 3)
    fits("generator.conv_to_rgb.bias", colours)
    if colours < 3 or not FIRST <= size <= MAX_SIZE or held.get("output_dim", size) != size:
        raise DamagedError(f"it makes pictures of {size} x {size} with {colours} channels")
    epsilon = held.get("eps", EPSILON)
    if isinstance(epsilon, bool) or not isinstance(epsilon, float | int) or not 0 <= epsilon < 1:
        raise DamagedError(f"its configuration has eps = {str(epsilon)[:40]!r}")
    linear = held.get("interpolation") == "linear"
    return Plan(condition - embed, embed, classes, rows, tuple(layers), float(epsilon), linear)


def _sizes(shapes: Mapping[str, tuple[int, ...]], name: str, dimensions: int) -> tuple[int, ...]:
    shape = shapes[name]
    if len(shape) != dimensions or min(shape) < 1:
        raise DamagedError(f"{name} has shape {list(shape)}, which can't be")
    return shape


def _doubles(held: Mapping[str, Any], drops: list[bool]) -> list[bool]:
    """Which blocks double the size; ``drops`` says which ones make fewer channels, as only those do that double it."""
    layers, blocks = held.get("layers"), len(drops)
    if layers is None:
        if blocks % 2 or any(drops[::2]):
            raise DamagedError(f"which of its {blocks} blocks double the size isn't known without its config.json")
        return [up for up, _ in zip(cycle((False, True)), range(blocks), strict=False)]
    known = isinstance(layers, list) and all(isinstance(layer, list) and len(layer) == 3 for layer in layers)
    if not known or len(layers) != blocks or not all(isinstance(layer[0], bool) for layer in layers):
        raise DamagedError(f"its configuration doesn't say of {blocks} blocks which double the size")
    return [layer[0] for layer in layers]
