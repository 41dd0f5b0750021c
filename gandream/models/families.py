"""How a file's family is found: each family says what tensors it needs, and this asks them one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gandream.base.errors import CheckpointError, listed
from gandream.models.checkpoint import Checkpoint, Network
from gandream.models.spec import Generator, Spec

if TYPE_CHECKING:
    import torch


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

    It may also have ``LAYOUTS``, a tuple of ``Layout``, and ``BESIDE``, the name of a configuration beside the file.
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
    ("StyleGAN-XL", r"mapping\.embed_proj\.weight"),
    ("StyleGAN3", r"synthesis\.input\.freqs"),
    ("StyleGAN2 in rosinality's layout", r"convs\.0\.conv\.modulation\.weight"),
    (
        "BigGAN",
        r"blocks\.0\.0\.conv1\.weight(_orig)?",
    ),
    ("TensorFlow's ProGAN", r"4x4/Dense/weight"),
    ("TensorFlow's StyleGAN", r"4x4/Const/const|4x4/Const/Noise/weight|noise0"),
)
"""Families that are known by name, but can't be run here."""
DISCRIMINATOR = (
    r".*fromrgb.*|fromRGBLayers\..*|b4\.out\.weight|.*from_rgb.*|final_linear\..*|.*minibatch.*|classifier\..*"
    r"|fc\.weight"
)
_ENDS = "is this a discriminator, or a training state without its generator?"


def recognise(checkpoint: Checkpoint, families: Mapping[str, FileFamily]) -> tuple[FileFamily, Network]:
    """The family that takes a file, and the network of it; CheckpointError with the nearest one where none does."""
    for network in checkpoint.networks:
        for family in families.values():
            for form in _forms(network, family):
                if all(name in form.tensors for name in family.expected(form.tensors)):
                    return family, form
    raise _unknown(checkpoint, families)


def _forms(network: Network, family: FileFamily) -> Iterator[Network]:
    """A network as a family may take it: as it is, or translated from one of the family's other layouts."""
    if all(condition.holds(network) for condition in family.SIGNATURE):
        yield network
    for layout in getattr(family, "LAYOUTS", ()):
        if all(condition.holds(network) for condition in layout.signature):
            yield layout.read(network)


def _unknown(checkpoint: Checkpoint, families: Mapping[str, FileFamily]) -> CheckpointError:
    """The error for a file of no family: what it holds, and how near it came to which family."""
    known = f"Families that are read from files: {listed(families)}."
    if not any(network.tensors for network in checkpoint.networks):
        return CheckpointError(
            str(checkpoint.path), f"no known family takes this file: a {checkpoint.container} without tensors", known
        )
    names = [name for network in checkpoint.networks for name in network.tensors]
    for family, pattern in ELSEWHERE:
        if any(re.fullmatch(pattern, name) for name in names):
            return CheckpointError(str(checkpoint.path), f"this is a {family} model, which can't be read yet", known)
    best: tuple[float, str] = (0, "")
    for network in checkpoint.networks:
        for name, family in families.items():
            expected = family.expected(network.tensors)
            missing = [key for key in expected if key not in network.tensors]
            share = 1 - len(missing) / max(len(expected), 1)
            if share > best[0]:
                have = f"{len(expected) - len(missing)} of {len(expected)} keys"
                lacks = f"; missing {listed(missing, 3)}" if missing else ", but of other shapes"
                place = f" in {network.where}" if network.where else ""
                best = (share, f"nearest: {name} — {have}{place}{lacks}; ")
    kinds = {network.class_name for network in checkpoint.networks}
    judged = any("Discriminator" in kind for kind in kinds) or any(re.fullmatch(DISCRIMINATOR, name) for name in names)
    ending = "this is a discriminator, which judges pictures and makes none." if judged else _ENDS
    return CheckpointError(
        str(checkpoint.path),
        f"{len(set(names))} tensors, no known family takes this file",
        f"{best[1]}{ending} {known}",
    )


def class_names(count: int, given: tuple[str, ...]) -> tuple[str, ...]:
    """Names of C classes: as given, else their numbers."""
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
