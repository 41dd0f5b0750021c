"""The table of families: from what a recipe calls its model to a Spec, or to a Generator. Loads no torch by itself.

A family is one folder beside this file and one row here: with those that are drawn from a seed, or with those that
live in files.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gandream.base.assets import bundled
from gandream.base.errors import CheckpointError, did_you_mean, listed
from gandream.base.hashing import file_fingerprint
from gandream.models import catalogue
from gandream.models.catalogue import Added
from gandream.models.spec import Generator, Spec

if TYPE_CHECKING:
    import torch

    from gandream.models.files import Facts


@dataclass(frozen=True)
class Family:
    """A row of the table: a module with ``describe(word)`` (without torch) and ``load(word, device, dtype)``."""

    name: str
    module: str
    about: str

    def open(self) -> ModuleType:
        """Import the family's torch-free part."""
        return importlib.import_module(self.module)


BUILT_IN = {
    family.name: family
    for family in (Family("cppn", "gandream.models.cppn", "pattern networks, drawn from a seed: cppn#7"),)
}
"""Families that need no file, written ``name#seed``."""

FROM_FILES = {
    family.name: family
    for family in (
        Family("stylegan2", "gandream.models.stylegan2", "StyleGAN2 and StyleGAN2-ADA, NVIDIA's or rosinality's"),
        Family("stylegan_xl", "gandream.models.stylegan_xl", "StyleGAN-XL, its stem or with super-resolution"),
        Family("stylegan3", "gandream.models.stylegan3", "StyleGAN3, T and R, in NVIDIA's layout"),
        Family("stylegan1", "gandream.models.stylegan1", "StyleGAN, the first, and its ports to torch"),
        Family("dcgan", "gandream.models.dcgan", "DCGAN, in the layout of PyTorch's example"),
        Family("biggan_deep", "gandream.models.biggan_deep", "BigGAN-deep, in the layout of its PyTorch conversion"),
        Family("biggan", "gandream.models.biggan", "BigGAN, in the layout of Brock's PyTorch code (G_ema.pth)"),
        Family("progan", "gandream.models.progan", "ProGAN, the original or pytorch_GAN_zoo's"),
    )
}
"""Families that live in files, in the order in which they are asked; each module is a ``families.FileFamily``."""


def describe(source: str, base: Path | None = None) -> Spec:
    """Facts about a model without running it; ``base`` is the folder that a relative path starts from."""
    path, shelved = _file(source, base)
    if path is not None:
        spec = _files().describe_file(path, FROM_FILES, shelved.sha256 if shelved else None)
        return spec if shelved is None else _as_added(spec, shelved)
    family, word = resolve(source, base)
    return family.open().describe(word)


def facts(source: str, base: Path | None = None) -> Facts | None:
    """Everything that can be said of a model's file; None for what is drawn from a seed."""
    path, shelved = _file(source, base)
    if path is None:
        return None
    found: Facts = _files().facts(path, FROM_FILES, shelved.sha256 if shelved else None)
    return found if shelved is None else replace(found, spec=_as_added(found.spec, shelved))


def file_of(source: str, base: Path | None = None) -> Path | None:
    """A model's file; None for what is drawn from a seed."""
    return _file(source, base)[0]


def sha256_of(source: str, base: Path | None = None) -> str | None:
    """The SHA-256 of a model's file; None for what is drawn from a seed."""
    path, shelved = _file(source, base)
    return shelved.sha256 if shelved else file_fingerprint(path) if path else None


def _as_added(spec: Spec, shelved: Added) -> Spec:
    return replace(spec, name=shelved.name, licence=shelved.licence or spec.licence)


def extending() -> list[str]:
    """Names of the families that make pictures of other shapes than their own."""
    return [family.name for family in (*FROM_FILES.values(), *BUILT_IN.values()) if _extends(family.open())]


def _extends(module: ModuleType) -> bool:
    return getattr(module, "EXTENDS", False)


def training_of(source: str, base: Path | None = None) -> dict[str, Any]:
    """What a model's file says of how it was trained; empty where it says nothing."""
    path, _ = _file(source, base)
    return _files().training_of(path) if path is not None else {}


def load_generator(
    source: str,
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
    *,
    base: Path | None = None,
) -> Generator:
    """Load a model: ``cppn#7``, or a file. ``device`` None is a GPU where torch has one, else the CPU.

    ``dtype`` None is float32. bfloat16 and float16 are what convolutions compute in (``gandream.models.precision`` says
    where that pays); pictures are float32 all the same.
    """
    path, shelved = _file(source, base)
    family, word = (None, "") if path is not None else resolve(source, base)
    import torch

    if device is None:
        gpus = {"cuda": torch.cuda, "mps": torch.backends.mps}
        device = next((name for name, gpu in gpus.items() if gpu.is_available()), "cpu")
    if path is not None:
        sha256 = shelved.sha256 if shelved else None
        return _files().load_file(path, FROM_FILES, torch.device(device), dtype, sha256)
    assert family is not None
    return family.open().load(word, torch.device(device), dtype)


def _file(source: str, base: Path | None) -> tuple[Path | None, Added | None]:
    """The file that is meant, if one is, and what is known of it if it was added by name. Built-in names come first.

    A file beside the recipe wins over a shipped model of the same name, and that over one that was added.
    """
    if not source or source.partition("#")[0] in BUILT_IN:
        return None, None
    path = (base or Path()) / source
    if not catalogue.remote(source) and path.is_file():
        return path, None
    if (ours := shipped().get(source.removeprefix("bundled:"))) is not None:
        return ours, None
    shelved = catalogue.find(source)
    return (shelved.path, shelved) if shelved else (None, None)


def shipped() -> dict[str, Path]:
    """Trained models that come with gandream, by name."""
    return bundled("models", (".safetensors",))


def _files() -> ModuleType:
    """What reads files, imported when the first one is read."""
    return importlib.import_module("gandream.models.files")


def resolve(source: str, base: Path | None = None) -> tuple[Family, str]:
    """Find the family of ``name#seed`` and the word after the #, or say why there is none."""
    name, _, word = source.partition("#")
    if name in BUILT_IN:
        return BUILT_IN[name], word
    if source in catalogue.KNOWN or catalogue.remote(source):
        problem = "this model isn't here yet, and nothing is fetched unasked"
        raise CheckpointError(source, problem, catalogue.how_to_get(source))
    here = [*_built_in(), *shipped(), *(one.name for one in catalogue.added())]
    known = f"Models that are here: {listed(here)}."
    path = (base or Path()) / source
    if path.is_dir():
        raise CheckpointError(str(path), "this is a folder, and a model is a file or a name", known)
    hint = did_you_mean(name.removeprefix("bundled:"), [*BUILT_IN, *shipped()]) or catalogue.how_to_get(name)
    looks_like_path = "/" in source or "\\" in source or (Path(source).suffix and "#" not in source)
    if looks_like_path:
        raise CheckpointError(str(path), "no such file", hint or known)
    raise CheckpointError(source, "no such file, and no model of this name", f"{hint} {known}".strip())


def _built_in() -> list[str]:
    return [f"{family.name} ({family.about})" for family in BUILT_IN.values()]
