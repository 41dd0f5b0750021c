"""DCGAN, from files in the layout of PyTorch's example: ``main.N.*``, transposed convolutions and batch norms.

Radford, Metz & Chintala 2016, "Unsupervised representation learning with deep convolutional generative adversarial
networks", section 3; the layout is that of the PyTorch tutorial (BSD): after every transposed convolution but the
last comes a batch norm, then a rectifier; the last one's output goes through tanh. This part loads no torch.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gandream.base.hashing import content_key
from gandream.models.checkpoint import Checkpoint, Network
from gandream.models.checkpoint.records import DamagedError
from gandream.models.families import Condition, Identity
from gandream.models.spec import Layer, Spec

if TYPE_CHECKING:
    import torch

    from gandream.models.dcgan.network import DCGAN

FAMILY = "dcgan"
VERSION = 1
"""Goes up whenever a change in this folder changes the pictures."""
SIGNATURE = (
    Condition(r"main\.0\.weight", 4),
    Condition(r"main\.1\.running_var", 1),
    Condition(r"main\.3\.weight", 4),
)
"""The discriminator of the same layout has no batch norm after its first convolution."""
EPSILON = 1e-5
"""In the square root of batch norms."""


@dataclass(frozen=True)
class Stage:
    """One transposed convolution: where it is, what comes after it, how it scales."""

    weight: str
    norm: str | None
    stride: int
    padding: int


def expected(names: Collection[str]) -> list[str]:
    """Names of all tensors that a network with these would have."""
    numbers = sorted(int(match[1]) for name in names if (match := re.fullmatch(r"main\.(\d{1,3})\.weight", name)))
    norms = [n for n in numbers if f"main.{n}.running_var" in names]
    keys = [f"main.{n}.weight" for n in numbers] or ["main.0.weight", "main.1.weight", "main.3.weight"]
    for n in norms or [1]:
        keys += [f"main.{n}.{part}" for part in ("bias", "running_mean", "running_var")]
    return keys


def stages(network: Network) -> tuple[list[Stage], list[tuple[int, ...]]]:
    """The convolutions in order, and their shapes [in, out, k, k]; DamagedError where they don't chain.

    The first one makes a k x k picture of a point. Strides and paddings of the rest are not in the file: a kernel of
    4 doubles the size (stride 2, padding 1), as everywhere in this layout, unless the file is a pickled module.
    """
    numbers = [
        int(match[1])
        for name, tensor in network.tensors.items()
        if (match := re.fullmatch(r"main\.(\d{1,3})\.weight", name)) and len(tensor.shape) == 4
    ]
    found, shapes = [], []
    for order, number in enumerate(sorted(numbers)):
        shape = network.tensors[f"main.{number}.weight"].shape
        known = network.attributes.get(f"main.{number}", {})
        stride, padding = (
            known.get("stride", [1 if order == 0 else 2]),
            known.get("padding", [0 if order == 0 else None]),
        )
        step, edge = stride[0], padding[0]
        if edge is None:
            edge = (shape[2] - step + 1) // 2
        norm = f"main.{number + 1}"
        has_norm = f"{norm}.running_var" in network.tensors
        if shape[2] != shape[3] or (shapes and shapes[-1][1] != shape[0]) or min(shape) < 1:
            wanted = f"[{shapes[-1][1] if shapes else 'any'}, any, {shape[2]}, {shape[2]}]"
            raise DamagedError(f"main.{number}.weight has shape {list(shape)}, and {wanted} is wanted")
        if type(step) is not int or type(edge) is not int or not (1 <= step <= 8 and 0 <= edge <= 16):
            raise DamagedError(f"main.{number} has an impossible stride or padding")
        for part in ("weight", "bias", "running_mean", "running_var") if has_norm else ():
            if (there := network.tensors[f"{norm}.{part}"].shape) != (shape[1],):
                raise DamagedError(f"{norm}.{part} has shape {list(there)}, and [{shape[1]}] is wanted")
        found.append(Stage(f"main.{number}", norm if has_norm else None, step, edge))
        shapes.append(shape)
    if len(found) < 2:
        raise DamagedError("it has too few convolutions for a generator")
    return found, shapes


def describe_network(network: Network, identity: Identity) -> Spec:
    """Facts about a network."""
    chain, shapes = stages(network)
    size, shown = 1, []
    for stage, shape in zip(chain, shapes, strict=True):
        size = (size - 1) * stage.stride - 2 * stage.padding + shape[2]
        shown.append(Layer(stage.weight, size, shape[1]))
    channels = shapes[-1][1]
    if not 1 <= size <= 8192 or channels not in (1, 3, 4):
        raise DamagedError(f"it makes pictures of {size} x {size} with {channels} channels")
    return Spec(
        family=FAMILY,
        name=identity.name,
        fingerprint=content_key(FAMILY, VERSION, identity.sha256),
        latent_size=shapes[0][0],
        layers=(Layer("z", size),),
        size=(size, size),
        channels=channels,
        shown=tuple(shown[:-1]),
        licence=identity.licence,
        configuration=f"{len(chain)} convolutions, channels {' '.join(str(shape[1]) for shape in shapes)}",
    )


def build(
    checkpoint: Checkpoint, network: Network, spec: Spec, device: torch.device, dtype: torch.dtype | None
) -> DCGAN:
    """Read the tensors and make the generator."""
    from gandream.models.dcgan.network import DCGAN

    chain, _ = stages(network)
    names = [f"{stage.weight}.weight" for stage in chain]
    names += [f"{stage.weight}.bias" for stage in chain if f"{stage.weight}.bias" in network.tensors]
    for stage in chain:
        if stage.norm:
            names += [f"{stage.norm}.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
    return DCGAN(spec, chain, checkpoint.arrays(network, names), device, dtype)
