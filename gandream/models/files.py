"""Models that live in files: recognised, described, loaded; and gandream's own files, written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from gandream.base.errors import CheckpointError, listed
from gandream.base.hashing import file_fingerprint
from gandream.models.checkpoint import Checkpoint, Network, read_checkpoint
from gandream.models.checkpoint.container import BROKEN
from gandream.models.checkpoint.records import DamagedError, RefusedError
from gandream.models.checkpoint.safe_tensors import METADATA_KEY, write_safetensors
from gandream.models.families import FileFamily, identity, recognise
from gandream.models.spec import Generator, Spec

if TYPE_CHECKING:
    import numpy as np
    import torch

    from gandream.models.registry import Family

MAX_CONFIG = 1 << 20
"""Bytes of a configuration beside a model."""
NATIVE = 1
"""Version of the configuration in gandream's own files."""


def describe_file(path: Path, families: Mapping[str, Family]) -> Spec:
    """Facts about the model in a file: its structure is read, its numbers only to take the file's fingerprint."""
    return _open(path, families)[3]


def load_file(
    path: Path, families: Mapping[str, Family], device: torch.device, dtype: torch.dtype | None = None
) -> Generator:
    """The generator in a file."""
    checkpoint, family, network, spec = _open(path, families)
    try:
        return family.build(checkpoint, network, spec, device, dtype)
    except (DamagedError, RefusedError) as error:
        raise checkpoint.broken(error) from error


def training_of(path: Path) -> dict[str, Any]:
    """How a model came to be, from gandream's own metadata; empty where there are none."""
    checkpoint = read_checkpoint(path)
    try:
        found = _native(checkpoint).get("training")
    except (RefusedError, *BROKEN) as error:
        raise checkpoint.broken(error) from error
    return found if isinstance(found, dict) else {}


def _open(path: Path, families: Mapping[str, Family]) -> tuple[Checkpoint, FileFamily, Network, Spec]:
    checkpoint = read_checkpoint(path)
    modules = {name: cast(FileFamily, family.open()) for name, family in families.items()}
    try:
        native = _native(checkpoint)
        if native:
            checkpoint, modules = _as_native(checkpoint, native, modules)
        family, network = recognise(checkpoint, modules)
        if not native:
            network = _with_config(network, checkpoint.path, getattr(family, "BESIDE", ""))
        spec = family.describe_network(network, identity(checkpoint, file_fingerprint(path), native))
    except (RefusedError, *BROKEN) as error:
        raise checkpoint.broken(error) from error
    return checkpoint, family, network, spec


def _native(checkpoint: Checkpoint) -> dict[str, Any]:
    """The configuration in one of gandream's own files; empty in all others."""
    text = checkpoint.metadata.get(METADATA_KEY)
    found = json.loads(text) if text is not None else {}
    if not isinstance(found, dict):
        raise DamagedError("its configuration is no table")
    return found


def _with_config(network: Network, path: Path, name: str) -> Network:
    """Give a network the configuration in the file of this name beside its own, if there is one, as ``config``."""
    beside = path.with_name(name) if name else None
    if beside is None or not beside.is_file():
        return network
    with beside.open("rb") as file:
        text = file.read(MAX_CONFIG + 1)
    try:
        found = json.loads(text.decode("utf-8")) if len(text) <= MAX_CONFIG else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise CheckpointError(str(beside), "this is no configuration of a model", "Put the model's own beside it.")
    attributes = network.attributes | {"": network.attributes.get("", {}) | {"config": found}}
    return replace(network, attributes=attributes)


def _as_native(
    checkpoint: Checkpoint, native: dict[str, Any], modules: dict[str, FileFamily]
) -> tuple[Checkpoint, dict[str, FileFamily]]:
    """Give a file's tensors the attributes that its configuration holds, and take the family it names."""
    name = native.get("family")
    if name not in modules or native.get("gandream") != NATIVE:
        raise CheckpointError(
            str(checkpoint.path),
            f"made for gandream's family {name!r}, version {native.get('gandream')}, which is not known here",
            f"Known are {listed(modules)}, version {NATIVE}. A newer gandream may know more.",
        )
    configuration = native.get("configuration")
    attributes = configuration.get("attributes", {}) if isinstance(configuration, dict) else None
    if not isinstance(attributes, dict) or not all(isinstance(found, dict) for found in attributes.values()):
        raise DamagedError("its configuration is malformed")
    networks = tuple(replace(network, attributes=attributes) for network in checkpoint.networks)
    return replace(checkpoint, networks=networks), {name: modules[name]}


class Savable(Protocol):
    """A generator that can be written: it keeps its tensors, and what else shapes its pictures."""

    tensors: dict[str, np.ndarray]
    configuration: dict[str, Any]

    @property
    def spec(self) -> Spec:
        """Facts about it."""
        ...


def save_native(generator: Savable, path: Path | str, *, name: str = "", licence: str | None = None) -> None:
    """Write a model as gandream's own: safetensors, with everything else that is known of it in the metadata.

    Saving what was loaded and loading what was saved give the same pictures.
    """
    spec = generator.spec
    write_native(
        Path(path),
        generator.tensors,
        family=spec.family,
        name=name or spec.name,
        licence=spec.licence if licence is None else licence,
        classes=spec.classes,
        size=spec.size,
        configuration=generator.configuration,
    )


def write_native(
    path: Path,
    tensors: Mapping[str, np.ndarray],
    *,
    family: str,
    name: str,
    licence: str,
    classes: Sequence[str],
    size: tuple[int, int] | None,
    configuration: Mapping[str, Any],
    training: Mapping[str, Any] | None = None,
) -> None:
    """Write tensors as a model of a family; ``training`` is how it came to be, for those who want to know."""
    native = {
        "gandream": NATIVE,
        "family": family,
        "name": name,
        "licence": licence,
        "classes": list(classes),
        "size": size,
        "configuration": configuration,
    }
    if training is not None:
        native["training"] = training
    text = json.dumps(native, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    write_safetensors(path, tensors, {"format": "pt", METADATA_KEY: text})
