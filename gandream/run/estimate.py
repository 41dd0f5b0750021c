"""What a render will be and take, before it is begun: from two short stretches of it that are really made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gandream.base.files import writable_folder
from gandream.recipe.recipe import Recipe
from gandream.rendering.device import DeviceWord, Kind
from gandream.rendering.plan import Segment
from gandream.rendering.store import ELSEWHERE, Store, store_folder
from gandream.run.device import Note, failed_before, on_device
from gandream.run.film import Progress
from gandream.run.frames import frame_range
from gandream.run.needs import SOUND_BITS, Needs, Output, needs
from gandream.run.outputs import FilmOutput, outputs
from gandream.run.prepare import prepare
from gandream.run.probe import Between, Probe, probed
from gandream.run.targets import targets

START_S, SOUND_SPEED = 1.0, 100.0
"""Of a process, until it loads a model; and how many seconds of sound are encoded in one."""


@dataclass(frozen=True)
class OutputPlan:
    """One output of a render."""

    file: Path
    width: int
    height: int
    fps: str
    codec: str
    """Of the file, or the kind of its pictures."""
    frames: int
    segments: int
    there: int
    """How many of its segments are in the store, or in its folder, already."""
    missing: int
    """Frames that are to be rendered."""
    bytes: Between | None = None
    """Of the file, where that was measured."""


@dataclass(frozen=True)
class FilmPlan:
    """What a render will make, and what it takes."""

    recipe: str
    model: str
    device: str
    seconds: float
    """The film's length."""
    outputs: tuple[OutputPlan, ...]
    needs: Needs
    takes_s: Between | None
    """Seconds of the render, where that was measured."""
    probed: tuple[int, ...] = ()
    """The first frame of each stretch that was made."""
    probed_frames: int = 0
    """How many frames were made."""
    warnings: tuple[str, ...] = ()


def plan_film(
    recipe: Recipe,
    out: str | Path | None = None,
    *,
    device: DeviceWord = "auto",
    frames: tuple[int | None, int | None] | None = None,
    probe: bool = True,
    progress: Progress = lambda stage, done, total: None,
    note: Note = lambda words: None,
) -> FilmPlan:
    """Plan a render. Without ``probe`` nothing is rendered; with it, nothing of that is kept."""
    places = targets(recipe, out, frames)
    cache = writable_folder(store_folder(places[0].parent), ELSEWHERE)

    def make(kind: Kind) -> FilmPlan:
        return _plan_film(recipe, places, cache, kind, frames, probe, progress)

    return on_device(device, make, note, failed_before(cache, recipe))


def _plan_film(
    recipe: Recipe,
    places: list[Path],
    cache: Path,
    kind: Kind,
    frames: tuple[int | None, int | None] | None,
    probe: bool,
    progress: Progress,
) -> FilmPlan:
    progress("listening", 0, 0)
    prepared = prepare(recipe, cache, device=kind)
    made = outputs(places, prepared, kind, frame_range(recipe, frames, prepared))
    store = Store(cache)
    there = [output.there() for output in made]
    missing = [{} if whole else output.missing(store) for output, whole in zip(made, there, strict=True)]
    found = probed(prepared, made, missing, progress) if probe and any(missing) else None
    plans = tuple(
        _output_plan(output, parts, found.frame_bytes[number] if found else None)
        for number, (output, parts) in enumerate(zip(made, missing, strict=True))
    )
    return FilmPlan(
        Path(recipe.document.file or "recipe").name,
        f"{prepared.spec.name} ({prepared.spec.family})",
        kind,
        float(made[0].frames / made[0].reel.fmt.fps),
        plans,
        needs(made, missing, 0 if all(there) else _disk(made, plans, found) if found else None),
        _takes(made, plans, found) if found else None if any(missing) else Between(0.0, START_S),
        found.starts if found else (),
        found.frames if found else 0,
        prepared.warnings,
    )


def _output_plan(output: Output, missing: Mapping[Segment, range], each: Between | None) -> OutputPlan:
    fmt, coding, count = output.reel.fmt, output.recipe.video.coding, len(output.reel.segments)
    length = None
    if not missing and isinstance(output, FilmOutput) and output.there():
        length = Between(*[float(output.target.stat().st_size)] * 2)
    elif each is not None and not (isinstance(output, FilmOutput) and output.animated):
        sound = _sound_bytes(output)
        length = Between(each.low * output.frames + sound, each.high * output.frames + sound)
    left = sum(len(frames) for frames in missing.values())
    about = fmt.width, fmt.height, str(fmt.fps), coding.codec or coding.file
    return OutputPlan(output.target, *about, output.frames, count, count - len(missing), left, length)


def _sound_bytes(output: Output) -> float:
    silent = output.recipe.audio is None or not isinstance(output, FilmOutput) or output.animated
    return 0.0 if silent else SOUND_BITS / 8 * float(output.frames / output.reel.fmt.fps)


def _disk(made: Sequence[Output], plans: Sequence[OutputPlan], found: Probe) -> int:
    """Bytes at most: of the segments that are missing, and of the files that are joined from all."""
    segments = [plan.missing * each.high for plan, each in zip(plans, found.frame_bytes, strict=True)]
    joined = [
        plan.frames * each.high + _sound_bytes(output)
        for output, plan, each in zip(made, plans, found.frame_bytes, strict=True)
        if isinstance(output, FilmOutput) and plan.missing
    ]
    return round(sum(segments) + sum(joined))


def _takes(made: Sequence[Output], plans: Sequence[OutputPlan], found: Probe) -> Between:
    """Seconds of the render: loading, painting and encoding, and the sound."""
    left, sound = max(plan.missing for plan in plans), any(_sound_bytes(output) for output in made)
    once = START_S + found.load_s + (float(made[0].frames / made[0].reel.fmt.fps) / SOUND_SPEED if sound else 0)
    return Between(once + left * found.frame_s.low, once + left * found.frame_s.high)
