"""The table of families: from what a recipe calls its model to a Spec, or to a Generator. Loads no torch by itself.

A family is one folder beside this file and one row here.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from gandream.base.errors import CheckpointError, did_you_mean, listed
from gandream.models.spec import Generator, Spec

if TYPE_CHECKING:
    import torch


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


def describe(source: str, base: Path | None = None) -> Spec:
    """Facts about a model without running it; ``base`` is the folder that a relative path starts from."""
    family, word = resolve(source, base)
    return family.open().describe(word)


def load_generator(
    source: str,
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
    *,
    base: Path | None = None,
) -> Generator:
    """Load a model: ``cppn#7``. ``device`` None is CUDA where there is one, else the CPU."""
    family, word = resolve(source, base)
    import torch

    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return family.open().load(word, torch.device(device), dtype)


def resolve(source: str, base: Path | None = None) -> tuple[Family, str]:
    """Find the family of ``name#seed`` and the word after the #, or say why there is none."""
    name, _, word = source.partition("#")
    if name in BUILT_IN:
        return BUILT_IN[name], word
    known = f"Families that are here: {listed(f'{family.name} ({family.about})' for family in BUILT_IN.values())}."
    path = (base or Path()) / source
    if path.is_file():
        raise CheckpointError(str(path), "no known family takes this file", known)
    if path.is_dir():
        raise CheckpointError(str(path), "this is a folder, and a model is a file or a family", known)
    hint = did_you_mean(name, BUILT_IN)
    looks_like_path = "/" in source or "\\" in source or (Path(source).suffix and "#" not in source)
    if looks_like_path:
        raise CheckpointError(str(path), "no such file", hint or known)
    raise CheckpointError(source, "no such file, and no family of this name", f"{hint} {known}".strip())
