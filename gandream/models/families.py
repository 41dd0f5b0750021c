"""How a file's family is found: each family says what tensors it needs, and this asks them one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gandream.base.errors import CheckpointError
from gandream.models.checkpoint import Checkpoint, Network
from gandream.models.checkpoint.container import CONTRADICTS
from gandream.models.checkpoint.records import DamagedError
from gandream.models.spec import Generator, Spec
from gandream.models.unknown import unknown

if TYPE_CHECKING:
    import torch


MAX_CLASSES = 1 << 16
"""Of a model; ImageNet's whole collection has 21 841."""


@dataclass(frozen=True)
class Condition:
    """A tensor that must be there (or must not), by the pattern of its name and the number of its dimensions."""

    pattern: str
    dimensions: int | None = None
    absent: bool = False

    def holds(self, network: Network) -> bool:
        """Whether a network fulfils this."""
        found = any(
            re.fullmatch(self.pattern, name) and self.dimensions in (None, len(tensor.shape))
            for name, tensor in network.tensors.items()
        )
        return found is not self.absent


@dataclass(frozen=True)
class Identity:
    """What a file says of its model besides the network: from gandream's own metadata, else nothing."""

    name: str
    sha256: str
    classes: tuple[str, ...] = ()
    licence: str = ""


@dataclass(frozen=True)
class Layout:
    """Another way in which files name and arrange a family's tensors."""

    name: str
    """Whose it is, as in "rosinality"."""
    signature: tuple[Condition, ...]
    translate: Callable[[Network], Network]
    """To the family's own names and shapes (``checkpoint.derived`` changes tensors without reading them).

    What it can't find it leaves out; DamagedError where tensors contradict each other.
    """

    def read(self, network: Network) -> Network:
        """The network in the family's own layout."""
        return replace(self.translate(network), layout=self.name)


class FileFamily(Protocol):
    """What the module of a family that lives in files offers. None of it but ``build`` loads torch.

    It may also have ``LAYOUTS``, a tuple of ``Layout``, ``BESIDE``, the name of a configuration beside the file,
    and ``EXTENDS``, whether it makes pictures of other shapes than its own.
    """

    FAMILY: str
    SIGNATURE: tuple[Condition, ...]

    def expected(self, names: Collection[str]) -> list[str]:
        """Names of all tensors that a network of this family would have, judging from the ones it has."""
        ...

    def describe_network(self, network: Network, identity: Identity) -> Spec:
        """Facts, from shapes and attributes; DamagedError where they contradict each other."""
        ...

    def build(
        self, checkpoint: Checkpoint, network: Network, spec: Spec, device: torch.device, dtype: torch.dtype | None
    ) -> Generator:
        """Read the tensors and make the generator."""
        ...


ELSEWHERE = (
    ("FastGAN", r"(.*\.)?feat_8\.\d+\.weight(_orig)?"),
    ("StyleGAN2 of lucidrains' code", r"(GAN\.)?(S|G|GE)\.blocks\.\d+\.to_style1\.weight"),
    ("VQGAN", r"(.*\.)?quantize\.embedding\.weight"),
    ("CycleGAN or pix2pix", r"(.*\.)?model\.\d+\.conv_block\.1\.weight"),
)
"""Families that are known by name and a tensor's, but can't be run here."""


class Match(NamedTuple):
    """What a file was recognised as."""

    family: FileFamily
    network: Network
    """In the family's own layout."""
    found: Network
    """The same as it is in the file."""


def recognise(checkpoint: Checkpoint, families: Mapping[str, FileFamily]) -> Match:
    """The family that takes a file, and the network of it; CheckpointError with the nearest one where none does."""
    broken: list[CheckpointError] = []
    for network in checkpoint.networks:
        for name, family in families.items():
            for layout in (None, *getattr(family, "LAYOUTS", ())):
                signature = family.SIGNATURE if layout is None else layout.signature
                if not all(condition.holds(network) for condition in signature):
                    continue
                try:
                    form = network if layout is None else layout.read(network)
                except DamagedError as error:
                    what = f"this is {name} in {layout.name}'s layout, but {error}" if layout else str(error)
                    broken.append(CheckpointError(str(checkpoint.path), what, CONTRADICTS))
                    continue
                if all(key in form.tensors for key in family.expected(form.tensors)):
                    return Match(family, form, network)
    raise broken[0] if broken else unknown(checkpoint, families, ELSEWHERE)


def class_names(count: int, given: tuple[str, ...]) -> tuple[str, ...]:
    """Names of C classes: as given, else their numbers; DamagedError where there are too many."""
    if count > MAX_CLASSES:
        raise DamagedError(f"it has {count} classes, and no model has more than {MAX_CLASSES}")
    return given if len(given) == count else tuple(str(number) for number in range(count))


def identity(checkpoint: Checkpoint, sha256: str, native: Mapping[str, Any]) -> Identity:
    """Who a file's model is."""
    classes = native.get("classes")
    name, licence = native.get("name"), native.get("licence")
    return Identity(
        name if isinstance(name, str) and name else Path(checkpoint.path).name,
        sha256,
        tuple(str(label) for label in classes) if isinstance(classes, list) else (),
        licence if isinstance(licence, str) else "",
    )
