"""Two short stretches of a film, really painted and encoded: how long a frame takes here, and how large it becomes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gandream.base.files import temporary_folder
from gandream.rendering.device import Kind
from gandream.rendering.plan import Segment
from gandream.rendering.projector import Load
from gandream.rendering.store import Store
from gandream.rendering.together import Job, render_together
from gandream.run.film import Progress
from gandream.run.needs import Output
from gandream.run.outputs import FilmOutput, outputs
from gandream.run.prepare import Prepared

if TYPE_CHECKING:
    from gandream.models.spec import Generator

STRETCH_S = 3.0
"""A stretch is as long as can be made in so many seconds, but has a batch at least, and a segment at most."""
PLACES = (0.3, 0.7)
"""Where in what is missing the stretches are taken."""
SLACK = 1.2
"""By how much a film may be slower, or larger, than the slower of two stretches, and faster than the faster."""
FIRST = 4.0
"""How much larger the first frame of a stretch may be than those that follow, where a stretch is one batch."""


@dataclass(frozen=True)
class Between:
    """A number that is known to lie between two."""

    low: float
    high: float

    @classmethod
    def of(cls, low: float, high: float) -> Between:
        """With some slack on both sides."""
        return cls(max(0.0, low) / SLACK, high * SLACK)


@dataclass(frozen=True)
class Probe:
    """What was measured."""

    load_s: float
    """Until the model was there, torch included."""
    frame_s: Between
    """Of each frame."""
    frame_bytes: tuple[Between, ...]
    """By output, of each encoded frame."""
    starts: tuple[int, ...]
    frames: int
    """How many frames were made, from these on."""


@dataclass(frozen=True)
class _Made:
    """A stretch: how many frames, how long it took, and the bytes of each output."""

    frames: int
    seconds: float
    bytes: tuple[int, ...]


def probed(
    prepared: Prepared, made: Sequence[Output], missing: Sequence[Mapping[Segment, range]], progress: Progress
) -> Probe:
    """Make a few frames from two places of what is missing, into a folder that is thrown away."""
    segments = sorted((one for parts in missing for one in parts), key=lambda one: one.start)
    places = list(dict.fromkeys(segments[int(len(segments) * share)] for share in PLACES))
    device, batch = made[0].reel.device, max(output.reel.batch for output in made)
    whole, least = places[0].frames, min(batch, min(place.frames for place in places))
    models: dict[int, Generator] = {}
    began, fresh = time.perf_counter(), prepared.load(device)
    progress("loading", 0, 0)

    def load(number: int) -> Generator:
        if number not in models:
            models[number] = fresh(number)
        return models[number]

    def stretch(place: Segment, frames: int) -> _Made:
        names = [output.target.name for output in made]
        return _stretch(prepared, names, device, (place.start, place.start + frames), load)

    load(made[0].reel.models(places[0])[0])
    load_s = time.perf_counter() - began
    progress("measuring", 0, 0)
    short = stretch(places[0], least)
    count, total = least, least
    if short.seconds < 2 * STRETCH_S:  # what is done once, such as choosing kernels, belongs to no frame
        short = stretch(places[0], least)
        rate = least / max(short.seconds, 1e-3)
        fits = max(least, int(STRETCH_S * rate) // least * least)
        count, total = min(whole, fits), 2 * least
    longer = [
        short if count == least and place is places[0] else stretch(place, min(count, place.frames)) for place in places
    ]
    total += sum(one.frames for one in longer if one is not short)
    return Probe(
        load_s,
        _frame_s(short, longer, whole),
        tuple(_frame_bytes(short, longer, whole, number) for number in range(len(made))),
        tuple(place.start for place in places),
        total,
    )


def _stretch(prepared: Prepared, names: Sequence[str], device: Kind, frames: tuple[int, int], load: Load) -> _Made:
    """Make frames [start, stop) of all outputs."""
    with temporary_folder("gandream-plan-") as root:
        places = [root / str(number) / name for number, name in enumerate(names)]
        for place in places:
            place.parent.mkdir()
        made, store = outputs(places, prepared, device, frames), Store(root / "store")
        jobs = [Job(output.reel, output.missing(store), output.sink(store)) for output in made]
        began = time.perf_counter()
        for output in made:
            output.begin()
        render_together(jobs, load, lambda count: None)
        seconds = time.perf_counter() - began
        return _Made(frames[1] - frames[0], seconds, tuple(_bytes(output, store) for output in made))


def _bytes(output: Output, store: Store) -> int:
    if isinstance(output, FilmOutput):
        found = store.find_all(segment.key for segment in output.reel.segments)
        return sum(path.stat().st_size for path in found.values())
    return sum(path.stat().st_size for path in output.target.iterdir() if not path.name.startswith("."))


def _frame_s(short: _Made, longer: Sequence[_Made], whole: int) -> Between:
    """Seconds of a frame in a segment of ``whole`` frames: what every frame takes, and perhaps the encoder's start."""
    low, high = [], []
    for one in longer:
        if one.frames > short.frames:
            each = max((one.seconds - short.seconds) / (one.frames - short.frames), one.seconds / one.frames / 2)
            start = max(0.0, short.seconds - short.frames * each)
        else:
            each, start = one.seconds / one.frames, 0.0
        low.append(each)
        high.append(each + start / whole)
    return Between.of(min(low), max(high))


def _frame_bytes(short: _Made, longer: Sequence[_Made], whole: int, number: int) -> Between:
    """Bytes of a frame of one output, of a segment of ``whole`` frames whose first alone stands for itself."""
    first, found = longer[0], short.bytes[number]
    if first.frames > short.frames:
        each = max(0.0, (first.bytes[number] - found) / (first.frames - short.frames))
        alone = max(each, found - (short.frames - 1) * each)
        share = (alone + (whole - 1) * each) / whole / max(1.0, first.bytes[number])
        sizes = [one.bytes[number] * first.frames / one.frames * share for one in longer]
        return Between.of(min(sizes), max(sizes))
    sizes = [one.bytes[number] / one.frames for one in longer]
    return Between.of(min(sizes) / (FIRST if whole > first.frames else 1), max(sizes))
