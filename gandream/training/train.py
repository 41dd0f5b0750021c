"""One training from its first step, or from where it was stopped, to its last: what is kept, shown and measured."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gandream.base.errors import CheckpointError, RenderError
from gandream.base.files import disk_errors, writable_folder
from gandream.training import growth, quality, state, watch
from gandream.training.data import Data
from gandream.training.export import export, exported, settled
from gandream.training.learner import Learner
from gandream.training.settings import Settings
from gandream.training.swd import Descriptors

FIRST = 1000
"""Images after which a model is kept for comparison: what a network makes that has learnt next to nothing."""
SAVE_SECONDS = 300
"""The state is saved at least this often, however slowly the images come."""


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
    """Train until the settings' number of images, or until ``stop`` says so.

    With ``resume``, go on from the state in the job's folder; where there is none, begin.
    """
    writable_folder(job.folder)
    writable_folder(job.out.parent)
    found = None
    if job.state.is_file():
        if not resume:
            raise CheckpointError(
                str(job.state),
                "a training of this name has begun already",
                f"Add --resume to go on with it, choose another --out, or remove {job.folder} to begin anew.",
            )
        found = state.load(job.state)
        _check(job, data, found[1])
        job = replace(job, settings=job.settings.grown_as(found[1]["settings"]))
    session = _Session(job, data, Learner(job.settings, device, compiled=job.compiled), progress, stop)
    if found is not None:
        session.resume(*found)
    session.run()
    return session.learner


def _check(job: Job, data: Data, facts: Mapping[str, Any]) -> None:
    """Whether a state is of this very training."""
    different = job.settings.differences(facts["settings"])
    if facts["data"] != data.fingerprint:
        different.append("data: the pictures are other ones")
    if different:
        raise CheckpointError(
            str(job.state), f"this training has another configuration: {'; '.join(different)}",
            "Ask for the same again, or choose another --out for a new one.",
        )  # fmt: skip


class _Asked(Exception):  # noqa: N818 - no error
    """Someone asked to stop in the middle of a measurement."""


class _Session:
    """A training while it runs: what it keeps, shows and measures, and when."""

    def __init__(self, job: Job, data: Data, learner: Learner, progress: Progress, stop: Callable[[], bool]):
        self.job, self.data, self.learner, self.progress, self.stop = job, data, learner, progress, stop
        self.best: dict[str, Any] = {}
        self.swd: float | None = None
        self.seconds = 0.0
        """Of training in all, over all sessions."""
        self.kept_at = -1
        self._images = 0
        self._reference: tuple[int, Descriptors] | None = None
        self._begin()

    def _begin(self) -> None:
        """Start the clocks."""
        self._clock = self._reported = self._saved = time.perf_counter()
        self._images = self.learner.images

    def resume(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Go on from a state."""
        try:
            self.learner.restore(tensors, facts["learner"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise CheckpointError(
                str(self.job.state), f"its tensors don't fit its configuration: {error}", "Train into another file."
            ) from error
        self.best, self.swd, self.seconds = facts["best"], facts["swd"], facts["seconds"]
        self.kept_at = facts.get("kept_at", -1)

    def run(self) -> None:
        """Take all steps that are left."""
        self._begin()
        while self.learner.images < self.job.settings.images and not self.stop():
            self.step()
        if self.learner.images < self.job.settings.images:
            self.save()
        else:
            self.keep(final=True)

    def step(self) -> None:
        """Learn from one batch; keep, show and report what is due."""
        before = self.learner.images
        told = self.learner.step(self.data)
        images, every = self.learner.images, self.job.every
        now = time.perf_counter()
        if now - self._reported >= 1 or images >= self.job.settings.images:
            self.report(told, now)
        if before < FIRST <= images:
            settled(self.learner)
            self._export(self.job.folder / "first.safetensors")
        if images // every > before // every:
            self.keep()
        elif now - self._saved > SAVE_SECONDS:
            self.save()

    def report(self, told: dict[str, Tensor], now: float) -> None:
        """Tell how it goes; a loss that is no number ends the training, with the last good state kept."""
        losses = {name: float(value) for name, value in told.items()}
        if not all(math.isfinite(value) for value in losses.values()):
            raise self._diverged()
        images, at = self.learner.images, self.learner.stage
        rate = (images - self._images) / max(now - self._reported, 1e-9)
        left = growth.seconds_left(self.job.settings, images, rate)
        self.seconds += now - self._clock
        self._reported = self._clock = now
        self._images = images
        self.progress(Report(images, self.job.settings.images, at.resolution, at.alpha, rate, left, losses, self.swd))

    def _diverged(self) -> RenderError:
        return RenderError(
            str(self.job.out),
            f"the training diverged after {self.learner.images} images: there are numbers that are none",
            "The last checkpoint is kept. Try more pictures, another --seed, or --precision float32.",
        )

    def keep(self, final: bool = False) -> None:
        """Write sheet, measure, model and state; the state last, so that nothing is missing that it speaks of."""
        learner, job = self.learner, self.job
        if learner.images == self.kept_at and job.out.exists():
            return
        if not learner.is_finite():
            raise self._diverged()
        self.seconds += time.perf_counter() - self._clock
        settled(learner)
        with disk_errors(job.folder):
            watch.sheet(learner, job.folder / f"sheet-{learner.images:09d}.png", job.name)
            try:
                self.swd = self._measure() if job.samples and learner.stage.alpha >= 1 else None
            except _Asked:
                self.save()
                return
            resolution = exported(learner.stage).resolution
            if self._better(resolution, final):
                self._export(job.out)
                self.best = {"resolution": resolution, "images": learner.images, "swd": self.swd}
            self.kept_at = learner.images
            self._log()
            self.save()
        self._begin()

    def _better(self, resolution: int, final: bool) -> bool:
        """Whether the generator as it is now is to be the model: larger pictures, or a smaller distance."""
        if not self.best or not self.job.out.exists():
            return self.learner.stage.alpha >= 1 or final
        if self.learner.stage.alpha < 1:  # what fades in is worth nothing yet, and the size before it has been kept
            return False
        if resolution > self.best["resolution"] or self.swd is None or self.best["swd"] is None:
            return True
        return self.swd <= self.best["swd"]

    def save(self) -> None:
        """Write the state: what is enough to go on."""
        if not self.learner.is_finite():
            raise self._diverged()
        tensors, facts = self.learner.state()
        state.save(
            self.job.state, tensors,
            {"settings": self.job.settings.plain(), "data": self.data.fingerprint, "learner": facts, "best": self.best,
             "swd": self.swd, "seconds": self.seconds, "kept_at": self.kept_at},
        )  # fmt: skip
        self._saved = time.perf_counter()

    def _log(self) -> None:
        line = {"images": self.learner.images, "resolution": self.learner.stage.resolution, "swd": self.swd,
                "seconds": round(self.seconds, 1), "best": self.best.get("images")}  # fmt: skip
        with open(self.job.folder / "log.jsonl", "a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")

    def _export(self, path: Path) -> None:
        job, more = self.job, {"seconds": round(self.seconds, 1), "swd": self.swd}
        export(self.learner, self.data, path, name=job.name, licence=job.licence, weights=job.weights, more=more)

    def _measure(self) -> float:
        """Distance to held-out pictures."""
        resolution, samples = self.learner.stage.resolution, self.job.samples
        if self._reference is None or self._reference[0] != resolution:
            self._reference = (resolution, quality.of_data(self.data, resolution, samples))
        made = watch.generated(self.learner, self.data, samples, self._leave)
        return quality.compare(made, self._reference[1]).mean

    def _leave(self) -> None:
        if self.stop():
            raise _Asked
