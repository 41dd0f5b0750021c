"""A training as a person asks for it: data opened, settings resolved, device and places chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gandream.base.errors import OutputError, TrainingError, did_you_mean, listed
from gandream.base.files import writable_folder
from gandream.rendering.device import DeviceWord, NoDeviceError, pick
from gandream.training.presets import Asked, settings

if TYPE_CHECKING:
    import torch

    from gandream.training.data import Data
    from gandream.training.train import Job, Progress, Report

PRECISIONS = ("auto", "bfloat16", "float32")
LEAST_SAMPLES = 64
WEIGHTS = ("float32", "float16")


@dataclass(frozen=True)
class Wanted:
    """The words of the command."""

    data: str
    out: Path
    family: str = "stylegan2"
    resolution: int = 64
    config: str = "auto"
    images: int = 200_000
    seed: int = 0
    augmentation: str = ""
    precision: str = "auto"
    weights: str = "float32"
    every: int = 20_000
    licence: str = ""
    samples: int = 2048
    compiled: bool = False
    flip: bool = False
    device: DeviceWord = "auto"


@dataclass(frozen=True)
class Prepared:
    """All that a training needs."""

    job: Job
    data: Data
    device: torch.device
    notes: tuple[str, ...] = ()


def prepare(wanted: Wanted, progress: Callable[[int, int], None] | None = None) -> Prepared:
    """Check everything that can be checked before the first step; ``progress`` is told of pictures read."""
    if wanted.out.is_dir():
        raise OutputError(f"--out {wanted.out}", "this is a folder, and a model is a file", "Write another name.")
    if wanted.out.suffix != ".safetensors":
        raise OutputError(
            f"--out {wanted.out}", "a model is written as .safetensors", f"Write {wanted.out.stem}.safetensors."
        )
    for option, word, known in (("--precision", wanted.precision, PRECISIONS), ("--weights", wanted.weights, WEIGHTS)):
        if word not in known:
            raise TrainingError(f"{option} {word}", f"wanted one of {', '.join(known)}", did_you_mean(word, known))
    asked = Asked(wanted.family, wanted.resolution, (), wanted.images, wanted.config, wanted.seed, wanted.augmentation)
    settings(asked)  # a wrong word is told before a folder is read
    import torch

    from gandream.training.data import open_data
    from gandream.training.precision import chosen
    from gandream.training.train import Job

    kind = pick(wanted.device)
    if wanted.device == "mps":
        problem = "training wants numbers that Apple's GPUs don't have (float64); they render"
        raise NoDeviceError("--device mps", problem, "Use --device cpu.")
    device = torch.device("cpu" if kind == "mps" else kind)
    folder = Path("outputs") / "training" / wanted.out.stem
    writable_folder(wanted.out.parent)
    data = open_data(
        wanted.data, wanted.resolution, seed=wanted.seed, cache=folder, device=device.type, flip=wanted.flip,
        progress=progress,
    )  # fmt: skip
    resolved = settings(
        asked._replace(
            classes=data.classes, pictures=data.count,
            precision=chosen(wanted.precision, device), gpu=device.type == "cuda",
        )
    )  # fmt: skip
    licence = wanted.licence or data.provenance.get("licence", "")
    samples = _samples(data, wanted.samples)
    job = Job(
        resolved,
        wanted.out,
        folder,
        wanted.out.stem,
        licence,
        wanted.weights,
        wanted.every,
        samples,
        wanted.compiled,
    )
    return Prepared(job, data, device, _notes(data, wanted))


def _samples(data: Data, wanted: int) -> int:
    """How many pictures a measurement takes: not more than are held out, and none where those are too few to judge."""
    from gandream.training.folder import Folder

    there = min(wanted, len(data.held_out)) if isinstance(data, Folder) else wanted
    return there if there >= LEAST_SAMPLES else 0


def _notes(data: Data, wanted: Wanted) -> tuple[str, ...]:
    """What a person should know of their pictures."""
    from gandream.training.folder import Folder

    if not isinstance(data, Folder):
        return ("--flip is for folders, and changes nothing here",) if wanted.flip else ()
    notes = list(data.provenance["notes"])
    if not _samples(data, LEAST_SAMPLES):
        few = f"{len(data.held_out)} held-out pictures are too few to measure by"
        notes.append(f"{few}: the model will be the newest, not the best, and its sheets are the judge")
    if data.skipped:
        named = listed([f"{path} ({why})" for path, why in data.skipped], 5)
        total = len(data.skipped) + data.provenance["pictures"]
        notes.insert(0, f"{len(data.skipped)} of {total} pictures can't be read and are left out: {named}")
    return tuple(notes)


def with_tensorboard(folder: Path, progress: Progress) -> Progress:
    """A ``progress`` that is also written for TensorBoard, which is an extra."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise TrainingError(
            "--tensorboard", "TensorBoard isn't installed", "pip install tensorboard, or leave --tensorboard out."
        ) from None
    writer = SummaryWriter(str(folder / "tensorboard"))

    def both(report: Report) -> None:
        progress(report)
        for name, value in (*report.losses.items(), ("images per second", report.rate), ("swd", report.swd)):
            if value is not None:
                writer.add_scalar(name, value, report.images)

    return both


def run(prepared: Prepared, *, resume: bool, progress: Progress, stop: Callable[[], bool]) -> int:
    """Train; how many images were shown in all."""
    from gandream.training.ahead import Ahead
    from gandream.training.train import train

    data: Data = prepared.data
    if prepared.device.type == "cuda" and data.count is not None:
        data = Ahead(data, pin=True)
    done = train(prepared.job, data, prepared.device, resume=resume, progress=progress, stop=stop)
    return done.images
