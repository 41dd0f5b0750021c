"""Models that live in files: recognised, described, loaded; and gandream's own files, written."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from gandream.base.errors import CheckpointError, listed
from gandream.base.hashing import content_key, file_fingerprint
from gandream.models import labels
from gandream.models.checkpoint import Checkpoint, Network, read_checkpoint
from gandream.models.checkpoint.container import BROKEN
from gandream.models.checkpoint.records import DamagedError, RefusedError
from gandream.models.checkpoint.safe_tensors import METADATA_KEY, write_safetensors
from gandream.models.checkpoint.values import odd_values
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
NOT_LEARNED = re.compile(
    r"(.*\.)?(running_(mean|var)s?|stored_(mean|var)|num_batches_tracked|accumulation_counter|.*weight_[uv]|s?[uv]v?0"
    r"|noise_const|resample_filter|(up|down)_filter|w_avg|magnitude_ema|freqs|phases|transform)"
)
"""Names of tensors that were measured or made, and don't count as parameters."""


@dataclass(frozen=True)
class Facts:
    """What there is to say of a model's file, besides what its generator is (``spec``)."""

    spec: Spec
    container: str
    """The kind of file."""
    layout: str
    """Whose way of writing the family's tensors it is; empty for the family's own."""
    size: int
    """Bytes."""
    sha256: str
    parameters: int
    """Learned numbers of the generator alone."""
    precision: dict[str, int]
    """Types of the generator's numbers, and how many are of each."""
    training: dict[str, Any]
    """How it came to be, from gandream's own metadata."""


def describe_file(path: Path, families: Mapping[str, Family], sha256: str | None = None) -> Spec:
    """Facts about the model in a file: its structure is read, its numbers only to take the file's fingerprint.

    ``sha256`` is the file's, where that was found already.
    """
    return _open(path, families, sha256)[3]


def facts(path: Path, families: Mapping[str, Family], sha256: str | None = None) -> Facts:
    """Everything that can be said of the model in a file without running it; ``sha256`` as in ``describe_file``."""
    checkpoint, family, network, spec = _open(path, families, sha256)
    used = {name: network.tensors[name] for name in family.expected(network.tensors)}
    precision: Counter[str] = Counter()
    for tensor in used.values():
        precision[tensor.dtype] += tensor.count
    return Facts(
        spec=spec,
        container=checkpoint.container,
        layout=network.layout,
        size=checkpoint.size,
        sha256=sha256 or file_fingerprint(path),
        parameters=sum(tensor.count for name, tensor in used.items() if not NOT_LEARNED.fullmatch(name)),
        precision=dict(precision.most_common()),
        training=training_of(path),
    )


def load_file(
    path: Path,
    families: Mapping[str, Family],
    device: torch.device,
    dtype: torch.dtype | None = None,
    sha256: str | None = None,
) -> Generator:
    """The generator in a file; ``sha256`` as in ``describe_file``."""
    checkpoint, family, network, spec = _open(path, families, sha256)
    try:
        return family.build(checkpoint, network, spec, device, dtype)
    except (DamagedError, RefusedError) as error:
        raise checkpoint.broken(error, family.FAMILY) from error


def training_of(path: Path) -> dict[str, Any]:
    """How a model came to be, from gandream's own metadata; empty where there are none."""
    checkpoint = read_checkpoint(path)
    try:
        found = _native(checkpoint).get("training")
    except (RefusedError, *BROKEN) as error:
        raise checkpoint.broken(error) from error
    return found if isinstance(found, dict) else {}


def _open(
    path: Path, families: Mapping[str, Family], sha256: str | None = None
) -> tuple[Checkpoint, FileFamily, Network, Spec]:
    checkpoint = read_checkpoint(path)
    modules = {name: cast(FileFamily, family.open()) for name, family in families.items()}
    family: FileFamily | None = None
    try:
        native = _native(checkpoint)
        if native:
            checkpoint, modules = _as_native(checkpoint, native, modules)
        family, network, found = recognise(checkpoint, modules)
        sha256 = sha256 or file_fingerprint(path)
        if not native:
            bare, network = network, _with_config(network, checkpoint.path, getattr(family, "BESIDE", ""))
            if network is not bare:
                sha256 = content_key(sha256, network.attributes[""]["config"])
        spec = family.describe_network(network, identity(checkpoint, sha256, native))
        warnings = _warnings(spec.name, found, checkpoint.limit)
        spec = replace(spec, classes=labels.class_names(spec.classes, path), warnings=warnings)
    except (RefusedError, *BROKEN) as error:
        raise checkpoint.broken(error, family.FAMILY if family else "") from error
    return checkpoint, family, network, spec


def _warnings(name: str, network: Network, limit: int) -> tuple[str, ...]:
    """What is wrong with a network's numbers, in a sentence, if anything is."""
    odd = odd_values(network.tensors, limit)
    if odd is None:
        return ()
    first = "".join(letter if letter.isprintable() else "?" for letter in odd.first[:80])
    where = first if odd.tensors == 1 else f"{odd.tensors} tensors, the first of which is {first}"
    return (
        f"model: {name} has {odd.values} values that are infinite or no numbers, in {where}: expect spoilt pictures",
    )


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
    if beside is None or beside == path or not beside.is_file():
        return network
    found = _read_config(beside) if beside.suffix == ".json" else _pickled_config(beside)
    if found is None:
        return network
    attributes = network.attributes | {"": network.attributes.get("", {}) | {"config": found}}
    return replace(network, attributes=attributes)


def _read_config(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        text = file.read(MAX_CONFIG + 1)
    try:
        found = json.loads(text.decode("utf-8")) if len(text) <= MAX_CONFIG else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise CheckpointError(str(path), "this is no configuration of a model", "Put the model's own beside it.")
    return found


def _pickled_config(path: Path) -> dict[str, Any] | None:
    """The numbers and words of what a training state holds as ``config``; None where it holds none."""
    contents = read_checkpoint(path).contents
    held = contents.get("config") if isinstance(contents, dict) else None
    if not isinstance(held, dict):
        return None
    return {key: value for key, value in held.items() if isinstance(value, bool | int | float | str)}


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


def save_native(
    generator: Savable,
    path: Path | str,
    *,
    name: str = "",
    licence: str | None = None,
    training: Mapping[str, Any] | None = None,
    tensors: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write a model as gandream's own: safetensors, with everything else that is known of it in the metadata.

    Saving what was loaded and loading what was saved give the same pictures. ``tensors`` are written instead of the
    generator's own, of the same names and shapes: in another precision.
    """
    spec = generator.spec
    write_native(
        Path(path),
        generator.tensors if tensors is None else tensors,
        family=spec.family,
        name=name or spec.name,
        licence=spec.licence if licence is None else licence,
        classes=spec.classes,
        size=spec.size,
        configuration=generator.configuration,
        training=training,
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
