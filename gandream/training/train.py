"""One training from its first step, or from where it was stopped, to its last: what is kept, shown and measured."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gandream.base.errors import CheckpointError, RenderError
from gandream.base.files import disk_errors, writable_folder
from gandream.training import growth, quality, state
from gandream.training.data import Data
from gandream.training.export import export
from gandream.training.learner import Learner
from gandream.training.settings import Settings
from gandream.training.sheet import save_sheet

FIRST = 1000
"""Images after which a model is kept for comparison: what a network makes that has learnt next to nothing."""
SHEET_ROWS = 8
"""Of the sheet, where there are no classes; with classes there is a row for each."""
SHEET_COLUMNS = 8


@dataclass(frozen=True)
class Job:
    """What to train and where to put what comes of it."""

    settings: Settings
    out: Path
    """The model: the best so far."""
    folder: Path
    """State, sheets, log."""
    name: str
    licence: str = ""
    weights: str = "float32"
    every: int = 20_000
    """Images from one checkpoint, sheet and measurement to the next."""
    samples: int = 2048
    """Pictures that a measurement takes of each side; 0: none."""
    compiled: bool = False
    """Whether torch compiles the discriminator."""

    @property
    def state(self) -> Path:
        """The file it goes on from."""
        return self.folder / "state.safetensors"


@dataclass(frozen=True)
class Report:
    """How a training stands."""

    images: int
    until: int
    resolution: int
    alpha: float
    rate: float
    """Images per second of late."""
    left: float
    """Seconds, about."""
    losses: dict[str, float]
    swd: float | None = None
    """Of the last measurement."""


Progress = Callable[[Report], None]


def train(
    job: Job, data: Data, device: torch.device, *, resume: bool, progress: Progress, stop: Callable[[], bool]
) -> Learner:
    """Train until the settings' number of images, or until ``stop`` says so between two steps."""
    writable_folder(job.folder)
    writable_folder(job.out.parent)
    learner = Learner(job.settings, device, compiled=job.compiled)
    session = _Session(job, data, learner, progress)
    if resume:
        session.resume()
    elif job.state.exists():
        raise CheckpointError(
            str(job.state),
            "a training of this name has begun already",
            f"Add --resume to go on with it, choose another --out, or remove {job.folder} to begin anew.",
        )
    while learner.images < job.settings.images and not stop():
        session.step()
    if stop():
        session.save()
    else:
        session.keep(final=True)
    return learner


class _Session:
    """A training while it runs: what it measures and when."""

    def __init__(self, job: Job, data: Data, learner: Learner, progress: Progress):
        self.job, self.data, self.learner, self.progress = job, data, learner, progress
        self.best: dict[str, Any] = {}
        self.swd: float | None = None
        self.seconds = 0.0
        """Of training in all, over all sessions."""
        self.kept_at = -1
        self._clock = self._reported = time.perf_counter()
        self._images = 0
        self._reference: tuple[int, quality.swd.Descriptors] | None = None

    def resume(self) -> None:
        """Go on from the state in the folder."""
        path = self.job.state
        if not path.is_file():
            raise CheckpointError(
                str(path), "there is no training here that could go on", "Leave --resume away to begin one."
            )
        tensors, facts = state.load(path)
        different = self.job.settings.differences(facts["settings"])
        if facts["data"] != self.data.fingerprint:
            different.append("data: the pictures are other ones")
        if different:
            raise CheckpointError(
                str(path), f"this training has another configuration: {'; '.join(different)}",
                "Ask for the same again, or choose another --out for a new one.",
            )  # fmt: skip
        try:
            self.learner.restore(tensors, facts["learner"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise CheckpointError(str(path), f"its tensors don't fit its configuration: {error}") from error
        self.best, self.swd, self.seconds = facts["best"], facts["swd"], facts["seconds"]
        self.kept_at = self._images = self.learner.images

    def step(self) -> None:
        """Learn from one batch; keep, show and report what is due."""
        before = self.learner.images
        told = self.learner.step(self.data)
        images, every = self.learner.images, self.job.every
        now = time.perf_counter()
        if now - self._reported >= 1 or images >= self.job.settings.images:
            self.report(told, now)
        if before < FIRST <= images:
            self._export(self.job.folder / "first.safetensors")
        if images // every > before // every:
            self.keep()

    def report(self, told: dict[str, Tensor], now: float) -> None:
        """Tell how it goes; a loss that is no number ends the training, with the last good state kept."""
        losses = {name: float(value) for name, value in told.items()}
        if not all(math.isfinite(value) for value in losses.values()):
            raise RenderError(
                str(self.job.out), f"the training diverged after {self.learner.images} images: {losses}",
                "The last checkpoint is kept. Try a larger data set, another --seed, or --precision float32.",
            )  # fmt: skip
        images, at = self.learner.images, self.learner.stage
        rate = (images - self._images) / max(now - self._reported, 1e-9)
        left = growth.seconds_left(self.job.settings, images, rate)
        self.seconds += now - self._clock
        self._reported = self._clock = now
        self._images = images
        self.progress(Report(images, self.job.settings.images, at.resolution, at.alpha, rate, left, losses, self.swd))

    def keep(self, final: bool = False) -> None:
        """Write sheet, measure, model and state; the state last, so that nothing is missing that it speaks of."""
        learner, job = self.learner, self.job
        if learner.images == self.kept_at:
            return
        self.seconds += time.perf_counter() - self._clock
        at = learner.stage
        with disk_errors(job.folder):
            self._sheet(job.folder / f"sheet-{learner.images:09d}.png")
            self.swd = self._measure() if job.samples and at.alpha >= 1 else None
            if (at.alpha >= 1 or final) and self._better(at.resolution):
                self._export(job.out)
                self.best = {"resolution": at.resolution, "images": learner.images, "swd": self.swd}
            self._log()
            self.save()
        self.kept_at = learner.images
        self._clock = self._reported = time.perf_counter()
        self._images = learner.images

    def _better(self, resolution: int) -> bool:
        """Whether the generator as it is now is to be the model: larger pictures, or a smaller distance."""
        if not self.best or resolution > self.best["resolution"] or self.swd is None or self.best["swd"] is None:
            return True
        return self.swd <= self.best["swd"]

    def save(self) -> None:
        """Write the state: what is enough to go on."""
        tensors, facts = self.learner.state()
        state.save(
            self.job.state, tensors,
            {"settings": self.job.settings.plain(), "data": self.data.fingerprint, "learner": facts,
             "best": self.best, "swd": self.swd, "seconds": self.seconds},
        )  # fmt: skip

    def _log(self) -> None:
        line = {"images": self.learner.images, "resolution": self.learner.stage.resolution, "swd": self.swd,
                "seconds": round(self.seconds, 1), "best": self.best.get("images")}  # fmt: skip
        with open(self.job.folder / "log.jsonl", "a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")

    def _export(self, path: Path) -> None:
        more = {"seconds": round(self.seconds, 1), "swd": self.swd}
        export(
            self.learner,
            self.data,
            path,
            name=self.job.name,
            licence=self.job.licence,
            weights=self.job.weights,
            more=more,
        )

    def _sheet(self, path: Path) -> None:
        """The same latents in every sheet: a row for each class, or eight rows."""
        classes = self.job.settings.classes[:16]
        rows = len(classes) or SHEET_ROWS
        seeds = range(rows * SHEET_COLUMNS)
        size = self.learner.generator.latent_size
        z = torch.from_numpy(np.stack([np.random.RandomState(seed).randn(size) for seed in seeds])).float()
        labels = torch.arange(rows).repeat_interleave(SHEET_COLUMNS) if classes else None
        caption = f"{self.job.name}: {self.learner.images} images"
        save_sheet(path, self.learner.samples(z, labels), SHEET_COLUMNS, labels=classes or None, caption=caption)

    def _measure(self) -> float:
        """Distance to held-out pictures."""
        at, samples = self.learner.stage, self.job.samples
        if self._reference is None or self._reference[0] != at.resolution:
            self._reference = (at.resolution, quality.of_data(self.data, at.resolution, samples))
        size = self.learner.generator.latent_size

        def make(first: int, count: int, labels: Tensor | None) -> Tensor:
            wanted = labels if self.job.settings.classes else None
            return self.learner.samples(quality.latents(size, first, count), wanted)

        made = quality.of_generator(make, self.data, at.resolution, samples)
        return quality.compare(made, self._reference[1]).mean
