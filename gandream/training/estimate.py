"""What a training would be, before it begins: networks, stages, memory and time, measured on a few small steps."""

from __future__ import annotations

import math
import os
import sys
import time
from dataclasses import replace

import torch

from gandream.base.clock import duration
from gandream.training import growth
from gandream.training.data import Data
from gandream.training.learner import Learner
from gandream.training.settings import Settings

PROBE = 1 << 18
"""Pixels in a measured step, at most: large pictures must not fill the memory of a question."""
STEPS = 3


def estimate(settings: Settings, data: Data, device: torch.device) -> str:
    """Say in lines what ``settings`` come to on this machine."""
    probe = {side: max(4, min(batch, PROBE // int(side) ** 2)) for side, batch in settings.batch.items()}
    small = replace(settings, batch=probe)
    learner = Learner(small, device)
    sizes = [sum(one.numel() for one in net.parameters()) for net in (learner.generator, learner.discriminator)]
    lines = [
        f"{settings.family}, {settings.resolution}x{settings.resolution}, "
        + (
            f"{len(settings.classes)} classes: {', '.join(settings.classes[:12])}" if settings.classes else "no classes"
        ),
        f"data: {data.name}, " + ("endless" if data.count is None else f"{data.count} pictures"),
        f"generator {sizes[0] / 1e6:.2f} M parameters, discriminator {sizes[1] / 1e6:.2f} M; "
        f"{settings.precision} on {device.type}",
        f"network: {', '.join(f'{name} {value}' for name, value in settings.network.items()) or 'as in its paper'}",
        f"loss {settings.loss}, penalty {settings.penalty}" + (_penalty(settings) if settings.penalty_weight else ""),
        f"rates {settings.rate_generator:g} and {settings.rate_discriminator:g}"
        + (f", falling in the last {settings.cooling:.0%}" if settings.cooling else "")
        + f"; augmentation {settings.augmentation}",
        "",
        f"{'stage':<12}{'images':>10}{'batch':>8}{'images/s':>10}{'time':>12}",
    ]
    seconds, start, memory = 0.0, 0, 0.0
    # Weights, averages, two moments each, and the gradients of both networks.
    fixed = 4.0 * (5 * sizes[0] + 4 * sizes[1])
    for resolution, images in growth.stages(settings):
        learner.images = start + images - 1 if images else start
        rate, grown = _measured(learner, data, device)
        batch = settings.batch_at(resolution)
        memory = max(memory, fixed + grown * batch / small.batch_at(resolution))
        seconds += images / rate
        start += images
        lines.append(
            f"{f'{resolution}x{resolution}':<12}{images:>10}{batch:>8}{rate:>10.1f}{duration(images / rate):>12}"
        )
    there = _memory(device)
    lines.append(f"{'in all':<12}{settings.images:>10}{'':>18}{duration(seconds):>12}")
    lines.append(f"memory: about {memory / 2**30:.1f} GiB of {there / 2**30:.0f} GiB")
    if memory > there:
        lines.append("That does not fit: ask for a smaller --resolution, or --config small.")
    return "\n".join(lines)


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
