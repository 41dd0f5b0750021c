"""Any model's file as gandream's own: safetensors in the family's own layout, with the same pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from gandream.base.errors import CheckpointError, OutputError
from gandream.base.files import writable_folder
from gandream.models.files import NOT_LEARNED, Savable, save_native
from gandream.models.registry import describe, load_generator, sha256_of, training_of

if TYPE_CHECKING:
    from gandream.models.spec import Generator

Precision = Literal["float32", "float16"]
SEEDS = (0, 1, 2, 3)
"""Whose pictures are compared."""
ANY_SIZE = (256, 256)
"""Height and width of pictures of a model that has any size."""


class Halved(Mapping[str, np.ndarray]):
    """Tensors as they are written in half precision, one at a time: what was learned and has two axes or more.

    Biases, averages and statistics stay float32: they are a hundredth of a model, and pictures depend on them most.
    """

    def __init__(self, tensors: Mapping[str, np.ndarray], where: str):
        self.tensors, self.where = tensors, where

    def __getitem__(self, name: str) -> np.ndarray:
        array = self.tensors[name]
        if array.dtype != np.float32 or array.ndim < 2 or NOT_LEARNED.fullmatch(name):
            return array
        with np.errstate(over="ignore"):
            half = array.astype(np.float16)
        if not np.isfinite(half).all():
            problem = f"{name} holds numbers up to {np.abs(array).max():.3g}, and float16 ends at 65504"
            raise CheckpointError(self.where, problem, "Keep float32.")
        return half

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)


def convert(
    source: str, out: Path, *, base: Path | None = None, precision: Precision = "float32", force: bool = False
) -> Generator:
    """Write a model as one of gandream's own files, whole or not at all, and give the generator it was made of."""
    if out.suffix != ".safetensors":
        raise OutputError(str(out), "gandream's own models are .safetensors files", "Give it a name that ends so.")
    if out.exists() and not force:
        raise OutputError(str(out), "a file is here already", "Choose another name, or overwrite it with --force.")
    if sha256_of(source, base) is None:
        spec = describe(source, base)
        raise CheckpointError(
            source, f"{spec.family} is drawn from a seed: there is no file to convert", "It needs none."
        )
    spec = describe(source, base)
    generator = load_generator(source, "cpu", base=base)
    tensors = cast(Savable, generator).tensors
    writable_folder(out.absolute().parent, "Choose another place for it.")
    save_native(
        cast(Savable, generator),
        out,
        name=spec.name if spec.name != Path(source).name else Path(source).stem,
        licence=spec.licence,
        training=training_of(source, base) or None,
        tensors=Halved(tensors, source) if precision == "float16" else None,
    )
    return generator


def difference(first: Generator, second: Generator) -> int:
    """The largest difference between display values, 0 to 255, of pictures of four seeds that two models make."""
    return max(int(np.abs(display(first, seed) - display(second, seed)).max()) for seed in SEEDS)


def display(generator: Generator, seed: int) -> np.ndarray:
    """Display values of a seed's picture, int16 [C, H, W]; of class ``seed`` (or the last) where there are classes."""
    return displays(generator, [seed])[0]


def displays(generator: Generator, seeds: Sequence[int]) -> np.ndarray:
    """The same of a batch of seeds, int16 [N, C, H, W]."""
    import torch

    size: Any = {"size": ANY_SIZE} if generator.spec.size is None else {}
    z = torch.as_tensor(generator.spec.latents(seeds), dtype=torch.float32)
    count = len(generator.spec.classes)
    classes = torch.tensor([min(seed, count - 1) for seed in seeds]) if count else None
    pictures = generator.synthesise(generator.map(z.to(generator.device), classes), **size)
    return (pictures.float() * 127.5 + 127.5).round().clamp(0, 255).to(torch.int16).cpu().numpy()
