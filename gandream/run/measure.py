"""How far a model's pictures are from pictures of a data set: sliced Wasserstein distance, beside its floor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gandream.base.errors import CheckpointError, TrainingError, listed
from gandream.models.registry import describe, load_generator, training_of
from gandream.rendering.device import DeviceWord, Kind
from gandream.run.device import Note, on_device

LEAST = 64
"""Pictures of each side."""


@dataclass(frozen=True)
class Measured:
    """Distances times 1000, by the resolution of the pyramid's levels."""

    model: dict[int, float]
    floor: dict[int, float]
    """Of held-out pictures to other held-out pictures."""
    samples: int


def measure(
    model: str,
    data: str,
    *,
    samples: int,
    device: DeviceWord,
    progress: Callable[[int, int], None] = lambda done, total: None,
    note: Note = lambda words: None,
) -> Measured:
    """Compare ``samples`` pictures of a model with as many held-out ones, and those with as many others."""
    spec = describe(model, Path.cwd())
    size = spec.size[0] if spec.size else 0
    if spec.size is None or spec.size[0] != spec.size[1] or size < 16 or size & (size - 1) or spec.channels != 3:
        raise CheckpointError(
            model, "this is measured on square RGB pictures of 16, 32, 64 ... pixels",
            f"{spec.name} makes {'pictures of any size' if spec.size is None else f'{spec.size[1]}x{size}'}.",
        )  # fmt: skip
    import torch

    from gandream.training import quality
    from gandream.training.data import open_data
    from gandream.training.folder import Folder
    from gandream.training.swd import swd

    pictures = open_data(data, size, seed=_seed(model), cache=Path("outputs") / "training" / Path(model).stem)
    if spec.classes and pictures.classes != spec.classes:
        raise CheckpointError(
            model, f"its classes are {listed(spec.classes)}, and the data's are {listed(pictures.classes) or 'none'}",
            "Measure it against the data that it was trained on.",
        )  # fmt: skip
    if isinstance(pictures, Folder):  # half of them for the model, half for the floor
        samples = min(samples, len(pictures.held_out) // 2)
    if samples < LEAST:
        raise TrainingError(
            data, f"{2 * samples} pictures are held out of training, and {2 * LEAST} are the fewest to measure by",
            "Measure models of some thousand pictures or more.",
        )  # fmt: skip

    def of_model(kind: Kind):
        generator, done = load_generator(model, kind), 0

        def make(first: int, count: int, labels: torch.Tensor | None) -> torch.Tensor:
            nonlocal done
            z = quality.latents(spec.latent_size, first, count).to(generator.device)
            classes = labels.to(generator.device) if spec.classes and labels is not None else None
            made = generator.synthesise(generator.map(z, classes))
            done += count
            progress(done, samples)
            return made.float().mul(127.5).add(127.5).round().clamp(0, 255).to(torch.uint8).cpu()

        return quality.of_generator(make, pictures, size, samples)

    found = on_device(device, of_model, note)
    real, other = (quality.of_data(pictures, size, samples, first) for first in (0, samples))
    return Measured(swd(found, real), swd(other, real), samples)


def _seed(model: str) -> int:
    """The seed that a model was trained with, which says what was held out; 0 where its file doesn't tell."""
    seed = training_of(model, Path.cwd()).get("seed", 0)
    return seed if isinstance(seed, int) else 0
