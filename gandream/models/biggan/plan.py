"""The network of a BigGAN as what to compute, inferred from shapes and the configuration. Loads no torch.

Names of tensors are those of Brock's PyTorch code. What shapes can't tell:

- the epsilons of norms and of spectral norm. They stand in ``state_dict.pth`` beside the file; without one they are
  those of the published training (1e-5 and 1e-6), or those of TensorFlow Hub's models (1e-4 both) where the network
  is one of these by its sizes and has no logs of singular values (``sv0``), which their conversions lack;
- how many of the deep variant's blocks make a stage, whose last one doubles the size. Stages are where channels are
  dropped and attention sits, so it is what divides all these places; where no channels are dropped, the only
  published size is 32 x 32, with three stages.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from gandream.models.biggan.names import (
    ATTENTION,
    COLOURS,
    LAST_NORM,
    START,
    counter,
    expected,
    is_deep,
    is_shared,
    norms,
    statistics,
)
from gandream.models.biggan.names import keys as block_keys
from gandream.models.checkpoint import Network
from gandream.models.checkpoint.records import DamagedError

EPSILONS = (1e-5, 1e-6)
"""In the square root of norms, and the least norm that spectral norm divides by: those of the published training."""
HUB_EPSILONS = (1e-4, 1e-4)
"""The same of TensorFlow Hub's models."""
HUB = (1000, 128, 1536)
"""Classes, size of their embedding, and first channels of TensorFlow Hub's models."""
MAX_SIZE = 8192


@dataclass(frozen=True)
class Block:
    """A residual block, and the non-local one after it."""

    key: str
    inputs: int
    outputs: int
    hidden: int
    """Channels between its convolutions."""
    up: bool
    size: int
    """Side of what comes out, in pixels."""
    attention: bool

    @property
    def after(self) -> str:
        """Name of the non-local block."""
        return f"{self.key.rpartition('.')[0]}.1"


@dataclass(frozen=True)
class Plan:
    """A whole generator."""

    latent: int
    """D, of z."""
    chunk: int
    """Of z's part of a row of w: one of its chunks where z is hierarchical, else all of it."""
    embed: int
    """Of the class's part of a row of w: the shared embedding, or weights of the classes where there is none."""
    classes: int
    """C; a single one is none."""
    shared: bool
    """Whether the classes are embedded once for all; else each norm has a gain and a bias for each class."""
    deep: bool
    """Whether its blocks are bottlenecks."""
    bottom: int
    """Side of the first features."""
    blocks: tuple[Block, ...]
    channels: int
    """Of the picture."""
    stage: int
    """Blocks of each resolution."""
    epsilon: float
    """In the square root of the blocks' norms."""
    least: float
    """What spectral norm divides by at least."""

    @property
    def hierarchical(self) -> bool:
        """Whether each layer has a chunk of z of its own."""
        return self.chunk != self.latent

    @property
    def size(self) -> int:
        """Side of the picture, in pixels."""
        return self.blocks[-1].size

    @property
    def configuration(self) -> dict[str, Any]:
        """What shapes don't say, by the names of the published code, so that a saved file says it again."""
        return {"BN_eps": self.epsilon, "SN_eps": self.least} | ({"G_depth": self.stage} if self.deep else {})

    @property
    def summary(self) -> str:
        """Its configuration, in a line for people."""
        kind = "bottlenecks" if self.deep else "blocks"
        sizes = [str(block.size) for block in self.blocks if block.attention]
        parts = [
            f"{len(self.blocks)} {kind}, {self.blocks[0].inputs} to {self.blocks[-1].outputs} channels",
            f"non-local at {', '.join(sizes)}" if sizes else "",
            "hierarchical z" if self.hierarchical else "",
            "" if self.shared else "gains for each class",
        ]
        return ", ".join(part for part in parts if part)


class _Shapes:
    """A network's shapes, and the ones that they ought to have."""

    def __init__(self, network: Network):
        self.known = {name: network.tensors[name].shape for name in expected(network.tensors)}

    def of(self, name: str, dimensions: int) -> tuple[int, ...]:
        shape = self.known[name]
        if len(shape) != dimensions or min(shape) < 1:
            raise DamagedError(f"{name} has shape {list(shape)}, which can't be")
        return shape

    def fits(self, name: str, *wanted: int) -> None:
        if self.known[name] != wanted:
            raise DamagedError(f"{name} has shape {list(self.known[name])}, and {list(wanted)} is wanted")

    def number(self, name: str) -> None:
        if name in self.known and math.prod(self.known[name]) != 1:
            raise DamagedError(f"{name} is more than a number")

    def weight(self, key: str, *wanted: int, bias: bool = True) -> None:
        self.fits(f"{key}.weight", *wanted)
        if bias:
            self.fits(f"{key}.bias", wanted[0])
        if f"{key}.u0" in self.known and math.prod(self.known[f"{key}.u0"]) != wanted[0]:
            self.fits(f"{key}.u0", 1, wanted[0])

    def norm(self, key: str, channels: int) -> None:
        for name in statistics(self.known, key):
            self.fits(name, channels)
        self.number(counter(key))


def plan(network: Network) -> Plan:
    """What to compute; DamagedError where shapes or the configuration don't fit each other."""
    shapes = _Shapes(network)
    config = network.attributes.get("", {}).get("config")
    held = config if isinstance(config, dict) else {}
    deep, shared, keys = is_deep(shapes.known), is_shared(shapes.known), block_keys(shapes.known)
    first, columns = shapes.of(f"{START}.weight", 2)
    gain = shapes.of("blocks.0.0.bn1.gain.weight", 2)
    classes, embed = shapes.of("shared.weight", 2) if shared else (gain[0], gain[0])
    channels = gain[0] if shared else gain[1]
    condition = gain[1] if shared else classes
    bottom = math.isqrt(first // channels)
    if first != channels * bottom**2 or bottom < 1:
        raise DamagedError(f"{START}.weight has {first} rows, which make no square of {channels} channels")
    shapes.weight(START, first, columns)
    latent, chunk = _latent(deep, shared, columns, condition, embed, len(keys) + 1)
    stage = _stage(held, shapes, keys) if deep else 1
    size, blocks = bottom, []
    for number, key in enumerate(keys):
        up = (number + 1) % stage == 0
        size *= 2 if up else 1
        outputs, hidden = _convolutions(shapes, key, channels, deep)
        for part, made in zip(norms(deep), (channels, hidden, hidden, hidden), strict=False):
            shapes.norm(f"{key}.{part}", made)
            for kind in ("gain", "bias"):
                wanted = (made, condition) if shared else (classes, made)
                shapes.weight(f"{key}.{part}.{kind}", *wanted, bias=False)
        block = Block(key, channels, outputs, hidden, up, size, f"{key[:-1]}1.gamma" in shapes.known)
        if block.attention:
            _non_local(shapes, block)
        blocks.append(block)
        channels = outputs
    shapes.norm(LAST_NORM, channels)
    shapes.fits(f"{LAST_NORM}.gain", channels)
    shapes.fits(f"{LAST_NORM}.bias", channels)
    colours = shapes.of(f"{COLOURS}.weight", 4)[0]
    shapes.weight(COLOURS, colours, channels, 3, 3)
    if colours > 4 or size > MAX_SIZE:
        raise DamagedError(f"it makes pictures of {size} x {size} with {colours} channels")
    if held.get("resolution", size) != size:
        raise DamagedError(f"it makes pictures of {size} x {size}, but its configuration says {held['resolution']!r}")
    if held.get("norm_style", "bn") != "bn":
        raise DamagedError(f"its norms are {str(held['norm_style'])[:40]!r}, and only 'bn' is known")
    hub = (classes, embed, blocks[0].inputs) == HUB and not any(name.endswith(".sv0") for name in network.tensors)
    epsilon, least = _epsilons(held, HUB_EPSILONS if hub else EPSILONS)
    return Plan(latent, chunk, embed, classes, shared, deep, bottom, tuple(blocks), colours, stage, epsilon, least)


def _latent(deep: bool, shared: bool, columns: int, condition: int, embed: int, rows: int) -> tuple[int, int]:
    """Sizes of z and of its part of a row of w, from what the first layer and the norms are fed."""
    if deep:
        if not shared or condition != columns or columns <= embed:
            raise DamagedError(f"{START}.weight takes {columns} numbers, the norms {condition}, the classes {embed}")
        return columns - embed, columns - embed
    if shared and condition == embed + columns:
        return columns * rows, columns
    if condition != embed:
        raise DamagedError(
            f"the norms take {condition} numbers, which is neither the class's {embed} nor {embed} and a chunk of"
            f" {columns}"
        )
    return columns, columns


def _convolutions(shapes: _Shapes, key: str, inputs: int, deep: bool) -> tuple[int, int]:
    """How many channels a block makes, and has in between."""
    hidden = shapes.of(f"{key}.conv1.weight", 4)[0]
    if not deep:
        shapes.weight(f"{key}.conv1", hidden, inputs, 3, 3)
        shapes.weight(f"{key}.conv2", hidden, hidden, 3, 3)
        shapes.weight(f"{key}.conv_sc", hidden, inputs, 1, 1)
        return hidden, hidden
    outputs = shapes.of(f"{key}.conv4.weight", 4)[0]
    if outputs > inputs:
        raise DamagedError(f"{key} makes {outputs} channels of {inputs}")
    shapes.weight(f"{key}.conv1", hidden, inputs, 1, 1)
    shapes.weight(f"{key}.conv2", hidden, hidden, 3, 3)
    shapes.weight(f"{key}.conv3", hidden, hidden, 3, 3)
    shapes.weight(f"{key}.conv4", outputs, hidden, 1, 1)
    return outputs, hidden


def _non_local(shapes: _Shapes, block: Block) -> None:
    channels = block.outputs
    eighth, half = (shapes.of(f"{block.after}.{part}.weight", 4)[0] for part in ("theta", "g"))
    for part, outputs, inputs in zip(
        ATTENTION, (eighth, eighth, half, channels), (channels, channels, channels, half), strict=True
    ):
        shapes.weight(f"{block.after}.{part}", outputs, inputs, 1, 1, bias=False)
    if block.size % 2:
        raise DamagedError(f"{block.after} is non-local at an odd size of {block.size}")
    shapes.number(f"{block.after}.gamma")


def _stage(held: Mapping[str, Any], shapes: _Shapes, keys: list[str]) -> int:
    """How many bottlenecks there are for each resolution."""
    count = len(keys)
    said = held.get("G_depth")
    if said is not None:
        if type(said) is not int or said < 1 or count % said:
            raise DamagedError(f"its configuration has G_depth = {str(said)[:40]!r} for {count} blocks")
        return said
    widths = [shapes.of(f"{key}.conv1.weight", 4)[1] for key in keys]
    widths.append(shapes.of(f"{keys[-1]}.conv4.weight", 4)[0])
    dropped = [number + 1 for number, (before, after) in enumerate(pairwise(widths)) if before != after]
    attended = [number + 1 for number, key in enumerate(keys) if f"{key[:-1]}1.gamma" in shapes.known]
    if dropped:
        return math.gcd(count, *dropped, *attended)
    if count % 3:
        raise DamagedError(f"which of its {count} blocks double the size isn't known without its state_dict.pth")
    return count // 3


def _epsilons(held: Mapping[str, Any], usual: tuple[float, float]) -> tuple[float, float]:
    """Of norms and of spectral norm."""
    found = []
    for name, value in zip(("BN_eps", "SN_eps"), usual, strict=True):
        epsilon = held.get(name, value)
        if isinstance(epsilon, bool) or not isinstance(epsilon, float | int) or not 0 <= epsilon < 1:
            raise DamagedError(f"its configuration has {name} = {str(epsilon)[:40]!r}")
        found.append(float(epsilon))
    return found[0], found[1]
