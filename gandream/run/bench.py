"""How fast each stage of a render is on this machine, measured in turns, and what the whole costs beside them."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from gandream.base import ffmpeg
from gandream.effects.chain import Chain
from gandream.recipe.recipe import Recipe
from gandream.rendering.device import DeviceWord, Kind, torch_version
from gandream.rendering.graphs import replayed
from gandream.rendering.plan import SEGMENT_S
from gandream.rendering.reel import Reel
from gandream.run.device import Note, on_device
from gandream.run.frames import frame_range
from gandream.run.manifest import peak_memory_mb
from gandream.run.prepare import prepare

if TYPE_CHECKING:
    import numpy as np

    from gandream.rendering.projector import Load

Progress = Callable[[str, int, int], None]

ROUNDS = 3
SEGMENTS = 2
"""How many are measured unless frames are asked for, from the middle of the film, where most is going on."""


@dataclass(frozen=True)
class Stage:
    """One stage: milliseconds a frame, median of the rounds."""

    name: str
    ms: float

    @property
    def rate(self) -> float:
        """Frames per second of this stage alone."""
        return 1000 / self.ms if self.ms > 0 else float("inf")


@dataclass(frozen=True)
class Bench:
    """What was measured."""

    recipe: str
    model: str
    size: str
    fps: str
    codec: str
    device: str
    frames: tuple[int, int]
    rounds: int
    stages: tuple[Stage, ...]
    """Generator, effects, colours, encoder: each alone."""
    whole: Stage
    """All of them together, as a render does it."""
    machine: str
    versions: str
    peak_memory_mb: int | None

    @property
    def bottleneck(self) -> Stage:
        """The stage that takes longest."""
        return max(self.stages, key=lambda stage: stage.ms)

    @property
    def bound(self) -> Stage:
        """What the whole may take: the slower of painting and encoding, which run at once; on a CPU, which they
        share, their sum.
        """
        painting = sum(stage.ms for stage in self.stages[:-1])
        encoding = self.stages[-1].ms
        if self.device == "cpu":
            return Stage("the stages' sum", painting + encoding)
        return Stage("the slower of painting and encoding", max(painting, encoding))

    @property
    def ratio(self) -> float:
        """The whole over its bound."""
        return self.whole.ms / self.bound.ms


def bench(
    recipe: Recipe,
    *,
    device: DeviceWord = "auto",
    frames: tuple[int | None, int | None] | None = None,
    rounds: int = ROUNDS,
    progress: Progress = lambda stage, done, total: None,
    note: Note = lambda words: None,
) -> Bench:
    """Measure a recipe's stages on this machine; nothing is kept, and the store is neither read nor written."""
    return on_device(device, lambda kind: _bench(recipe, kind, frames, rounds, progress), note)


def _bench(
    recipe: Recipe, kind: Kind, frames: tuple[int | None, int | None] | None, rounds: int, progress: Progress
) -> Bench:
    with tempfile.TemporaryDirectory(prefix="gandream-bench-") as folder:
        progress("listening", 0, 0)
        prepared = prepare(recipe, Path(folder), device=kind)
        whole = prepared.reel(kind)
        asked = frame_range(recipe, frames, prepared) or _middle(whole)
        reel = prepared.reel(kind, asked)
        progress("loading", 0, 0)
        measured = _rounds(reel, _kept(prepared.load(kind)), Path(folder), rounds, progress)
    return Bench(
        Path(recipe.document.file or "recipe").name,
        f"{prepared.spec.name} ({prepared.spec.family})",
        f"{reel.fmt.width}x{reel.fmt.height}",
        str(reel.fmt.fps),
        reel.fmt.codec,
        kind,
        asked,
        rounds,
        tuple(Stage(name, median(times) / reel.frames * 1000) for name, times in measured.items() if name != "whole"),
        Stage("the whole", median(measured["whole"]) / reel.frames * 1000),
        machine(kind),
        f"torch {torch_version()}, {ffmpeg.build().split(' [')[0]}",
        peak_memory_mb(),
    )


def _middle(reel: Reel) -> tuple[int, int]:
    """The segments in the middle of a film."""
    length = max(1, round(SEGMENT_S * reel.fmt.fps)) * SEGMENTS
    start = max(0, (reel.frames - length) // 2)
    return reel.start + start, reel.start + min(reel.frames, start + length)


def _kept(load: Load) -> Load:
    """Loads each model once, however often a projector asks for it."""
    models = {}

    def kept(number: int):
        if number not in models:
            models[number] = replayed(load(number))  # else each projector would record anew
        return models[number]

    return kept


def _rounds(reel: Reel, load: Load, folder: Path, rounds: int, progress: Progress) -> dict[str, list[float]]:
    """Seconds of each stage by round. Stages take turns, so that a busy neighbour slows all of them alike."""
    bare = replace(reel, shots=tuple(replace(shot, plan=replace(shot.plan, effects=Chain())) for shot in reel.shots))
    found: dict[str, list[float]] = {"generator": [], "effects": [], "colours": [], "encoder": [], "whole": []}
    progress("measuring", 0, rounds)
    for number in range(-1, rounds):
        if number < 0:  # what is done once, such as choosing kernels, belongs to no frame
            _painted(replace(bare, segments=bare.segments[:1]), load)
            continue
        generator, _, _ = _painted(bare, load)
        pictures, colours, planes = _painted(reel, load)
        found["generator"].append(generator)
        found["effects"].append(max(0.0, pictures - generator))
        found["colours"].append(colours)
        found["encoder"].append(_encoded(reel, planes, folder))
        found["whole"].append(_rendered(reel, load, folder))
        progress("measuring", number + 1, rounds)
    return found


def _painted(reel: Reel, load: Load) -> tuple[float, float, list[np.ndarray]]:
    """Seconds of painting and of converting, and what the encoder gets."""
    from gandream.rendering.projector import Projector
    from gandream.video.colour import planes
    from gandream.video.handover import host_copy

    projector, painting, converting, made = Projector(reel, load), 0.0, 0.0, []
    fmt = reel.fmt
    for segment in reel.segments:
        stream = projector.pictures(segment.start, segment.stop)
        while True:
            began = time.perf_counter()
            images = next(stream, None)
            _wait(reel)
            painting += time.perf_counter() - began
            if images is None:
                break
            began = time.perf_counter()
            made.append(host_copy(planes(images, fmt.subsampling, fmt.depth, fmt.alpha))())
            converting += time.perf_counter() - began
    return painting, converting, made


def _encoded(reel: Reel, planes: list[np.ndarray], folder: Path) -> float:
    """Seconds of encoding, checking and publishing the segments."""
    from gandream.video.encode import SegmentWriter
    from gandream.video.segments import publish_with_digest

    with tempfile.TemporaryDirectory(dir=folder) as store:
        place, began = Path(store), time.perf_counter()
        frames = _by_segment(reel, planes)
        with SegmentWriter(reel.fmt) as writer:
            for segment in reel.segments:
                key = segment.key
                writer.begin(place, segment.frames, lambda part, key=key: publish_with_digest(part, place, key))
                for _ in range(segment.frames):
                    writer.write(next(frames))
        return time.perf_counter() - began


def _by_segment(reel: Reel, planes: list[np.ndarray]) -> Iterator[np.ndarray]:
    for batch in planes:
        for index in range(len(batch)):
            yield batch[index : index + 1]


def _rendered(reel: Reel, load: Load, folder: Path) -> float:
    """Seconds of rendering all segments as a film does."""
    from gandream.rendering.segments import render_segments
    from gandream.rendering.store import Store

    with tempfile.TemporaryDirectory(dir=folder) as store:
        place, began = Store(Path(store)), time.perf_counter()
        render_segments(reel, reel.segments, load, place, lambda count: None)
        return time.perf_counter() - began


def _wait(reel: Reel) -> None:
    """A GPU answers before it is done."""
    if reel.device != "cpu":
        import torch

        (torch.cuda if reel.device == "cuda" else torch.mps).synchronize()


def machine(device: Kind) -> str:
    """The processors that did it, in words."""
    import torch

    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    words = f"{name}, {os.cpu_count()} cores, {torch.get_num_threads()} torch threads"
    if device == "mps":
        return f"Apple's GPU; {words}"
    return f"{torch.cuda.get_device_name()}; {words}" if device == "cuda" else words
