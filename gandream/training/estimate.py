"""What a training would be, before it begins: networks, stages, memory and time, measured on a few small steps."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from gandream.base.clock import duration
from gandream.training import growth
from gandream.training.data import Data
from gandream.training.learner import Learner
from gandream.training.settings import Settings

PROBE = 1 << 18
"""Pixels in a measured step, at most: large pictures must not fill the memory of a question."""
STEPS = 3


@dataclass(frozen=True)
class Stage:
    """A part of a training at one resolution."""

    resolution: int
    images: int
    batch: int
    images_per_second: float
    seconds: float


@dataclass(frozen=True)
class Estimate:
    """What a training would be."""

    settings: Settings
    data: str
    pictures: int | None
    """How many there are; None where the stream is endless."""
    device: str
    generator: int
    discriminator: int
    """Parameters of the two networks."""
    stages: tuple[Stage, ...]
    seconds: float
    memory: float
    """Bytes that it needs, about."""
    there: float
    """Bytes of memory that the device has."""

    @property
    def fits(self) -> bool:
        """Whether that is enough."""
        return self.memory <= self.there


def estimate(settings: Settings, data: Data, device: torch.device) -> Estimate:
    """Measure what ``settings`` come to on this machine."""
    probe = {side: max(4, min(batch, PROBE // int(side) ** 2)) for side, batch in settings.batch.items()}
    small = replace(settings, batch=probe)
    learner = Learner(small, device)
    sizes = [sum(one.numel() for one in net.parameters()) for net in (learner.generator, learner.discriminator)]
    # Weights, averages, two moments each, and the gradients of both networks.
    fixed = 4.0 * (5 * sizes[0] + 4 * sizes[1])
    stages: list[Stage] = []
    start, memory = 0, 0.0
    for resolution, images in growth.stages(settings):
        learner.images = start + images - 1 if images else start
        rate, grown = _measured(learner, data, device)
        batch = settings.batch_at(resolution)
        memory = max(memory, fixed + grown * batch / small.batch_at(resolution))
        start += images
        stages.append(Stage(resolution, images, batch, rate, images / rate))
    seconds = sum(stage.seconds for stage in stages)
    return Estimate(
        settings,
        data.name,
        data.count,
        device.type,
        sizes[0],
        sizes[1],
        tuple(stages),
        seconds,
        memory,
        _memory(device),
    )


def lines(found: Estimate) -> Iterator[str]:
    """The same for people."""
    settings = found.settings
    classes = settings.classes
    named = f"{len(classes)} classes: {', '.join(classes[:12])}" if classes else "no classes"
    yield f"{settings.family}, {settings.resolution}x{settings.resolution}, {named}"
    yield f"data: {found.data}, " + ("endless" if found.pictures is None else f"{found.pictures} pictures")
    sizes = f"generator {found.generator / 1e6:.2f} M parameters, discriminator {found.discriminator / 1e6:.2f} M"
    yield f"{sizes}; {settings.precision} on {found.device}"
    yield f"network: {', '.join(f'{name} {value}' for name, value in settings.network.items()) or 'as in its paper'}"
    yield f"loss {settings.loss}, penalty {settings.penalty}" + (_penalty(settings) if settings.penalty_weight else "")
    cooling = f", falling in the last {settings.cooling:.0%}" if settings.cooling else ""
    rates = f"rates {settings.rate_generator:g} and {settings.rate_discriminator:g}"
    yield f"{rates}{cooling}; augmentation {settings.augmentation}"
    yield ""
    yield f"{'stage':<12}{'images':>10}{'batch':>8}{'images/s':>10}{'time':>12}"
    for one in found.stages:
        stage = f"{one.resolution}x{one.resolution}"
        yield f"{stage:<12}{one.images:>10}{one.batch:>8}{one.images_per_second:>10.1f}{duration(one.seconds):>12}"
    yield f"{'in all':<12}{settings.images:>10}{'':>18}{duration(found.seconds):>12}"
    yield f"memory: about {found.memory / 2**30:.1f} GiB of {found.there / 2**30:.0f} GiB"
    if not found.fits:
        yield "That does not fit: ask for a smaller --resolution, or --config small."


def _measured(learner: Learner, data: Data, device: torch.device) -> tuple[float, float]:
    """Images per second and bytes that a step takes at a stage; the median leaves out the lazy regularisers."""
    images, before = learner.images, _used(device)
    times = []
    for _ in range(STEPS):
        learner.images = images
        begun = time.perf_counter()
        learner.step(data)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - begun)
    shown = learner.images - images  # by the last step: more than a batch where the discriminator takes several
    return shown / sorted(times)[STEPS // 2], max(_used(device) - before, 1.0)


def _used(device: torch.device) -> float:
    """The most bytes that were in use so far."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device))
    if sys.platform == "win32":
        return 0.0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(most if sys.platform == "darwin" else most * 1024)


def _memory(device: torch.device) -> float:
    """Bytes of memory that the device has."""
    if device.type == "cuda":
        return float(torch.cuda.get_device_properties(device).total_memory)
    if not hasattr(os, "sysconf"):
        return math.inf
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def _penalty(settings: Settings) -> str:
    last = f" ({settings.last_penalty_weight:g} at last)" if settings.last_penalty_weight is not None else ""
    return f" x {settings.penalty_weight:g}{last} every {settings.penalty_every} steps"
