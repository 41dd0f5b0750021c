"""One render, end to end: recipe in, film and manifest out."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gandream.base.errors import GandreamError, OutputError
from gandream.base.files import writable_folder
from gandream.recipe.recipe import Recipe
from gandream.rendering import films
from gandream.rendering.batches import TooManyError, remember, smaller
from gandream.rendering.device import DeviceWord, Kind
from gandream.rendering.plan import Segment
from gandream.rendering.projector import Load
from gandream.rendering.store import ELSEWHERE, Store, store_folder, sweep
from gandream.rendering.together import Job, render_together
from gandream.run import manifest
from gandream.run.ahead import load_torch, sounds_of
from gandream.run.device import failed_before, on_device
from gandream.run.flaws import Flaw
from gandream.run.frames import frame_range
from gandream.run.needs import refuse_impossible, refuse_too_large
from gandream.run.outputs import FilmOutput, PictureOutput, outputs
from gandream.run.prepare import LoadModel, Prepared, draft_of, load_model, prepare
from gandream.run.targets import targets

if TYPE_CHECKING:
    from gandream.run.cluster.cluster import Cluster

Progress = Callable[[str, int, int], None]
"""Told the stage, how many frames are there, and how many there will be."""

Note = Callable[[str], None]
"""Told what should be known before the first frame."""

Fill = Callable[[Sequence[Job], Load, Callable[[int], None], Callable[[], None]], list[int]]
"""Renders what jobs lack, as ``rendering.together.render_together`` does in this process."""

ATTEMPTS = 3
"""How often what vanishes from the store while a film is made is rendered again."""


@dataclass(frozen=True)
class Film:
    """A finished film."""

    path: Path
    manifest: Path
    frames: int
    rendered: int
    """How many of the frames were rendered now; the others were in the store."""
    seconds: float
    """How long it took."""
    warnings: tuple[str, ...] = ()
    flaws: tuple[Flaw, ...] = ()
    """What the quality gates have found."""
    others: tuple[Film, ...] = ()
    """The other outputs of the same render."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of all outputs, once each: the warnings, then the flaws."""
        flaws = (flaw.said for one in (self, *self.others) for flaw in one.flaws)
        return tuple(dict.fromkeys((*self.warnings, *flaws)))


def render(
    recipe: Recipe,
    out: str | Path | None = None,
    *,
    device: DeviceWord = "auto",
    frames: tuple[int | None, int | None] | None = None,
    force: bool = False,
    draft: bool = False,
    progress: Progress = lambda stage, done, total: None,
    note: Note = lambda words: None,
    models: LoadModel = load_model,
    on: Cluster | None = None,
) -> Film:
    """Render a recipe to a film with its sound, and ``<film>.manifest.json`` beside it; or to each of its outputs.

    ``out`` is ``outputs/<recipe>.mp4`` unless given; it names the first output, and the others after it. ``frames``
    renders only [start, stop). A film of another recipe is not overwritten without ``force``. A render that was killed
    goes on with the segments that were finished. A ``draft`` is half as large, has a third of the frames, and goes to
    ``outputs/<recipe>.draft.mp4``. ``models`` loads a recipe's model, or has it already. Segments are
    rendered ``on`` the workers of a cluster, where one is given, and here else.
    """
    began = time.perf_counter()
    recipe = draft_of(recipe) if draft else recipe
    places = targets(recipe, out, frames)
    cache = ready(places, recipe, force)
    if on is None and not any(place.exists() for place in places):
        load_torch()

    def make(kind: Kind) -> Film:
        progress("listening", 0, 0)
        prepared = prepare(recipe, cache, device="auto" if on else kind)
        progress("planning", 0, 0)
        made = outputs(places, prepared, kind, frame_range(recipe, frames, prepared))
        load, fill = prepared.load(kind, models), on.fill(prepared, cache) if on else None
        return made_film(made, prepared, cache, progress, note, load=load, began=began, fill=fill)

    if on is not None:
        return make(on.device(device))
    return on_device(device, make, note, failed_before(cache, recipe))


def ready(places: list[Path], recipe: Recipe, force: bool = False) -> Path:
    """The store for films at these places; OutputError where one is another recipe's, or nothing can be written."""
    for target in places:
        writable_folder(target.parent)
        if not force:
            manifest.refuse_foreign(target, recipe)
    return writable_folder(store_folder(places[0].parent), ELSEWHERE)


def made_film(
    made: list[FilmOutput | PictureOutput],
    prepared: Prepared,
    cache: Path,
    progress: Progress,
    note: Note = lambda words: None,
    *,
    load: Load | None = None,
    began: float | None = None,
    fill: Fill | None = None,
) -> Film:
    """Make the outputs of a prepared recipe; what is there already stays. ``load`` gives models by their numbers;
    ``fill`` renders elsewhere than in this process.

    What surely can't fit into memory or on the disk is refused before anything is loaded. Where a batch turns out to be
    too large, it is halved for the whole film, and that is remembered (``rendering.batches``).
    """
    began = time.perf_counter() if began is None else began
    while True:
        try:
            return _made_film(made, prepared, cache, progress, note, load, began, fill)
        except TooManyError as error:
            most = error.batch // 2
            note(f"{error.problem}: it goes on with {most}, from the film's first frame")
        made = [_remembered(output, cache, most) for output in made]


def _remembered(output: FilmOutput | PictureOutput, cache: Path, most: int) -> FilmOutput | PictureOutput:
    remember(cache / "batches", output.reel.shots, most)
    return replace(output, reel=smaller(output.reel, most))


def _made_film(
    made: list[FilmOutput | PictureOutput],
    prepared: Prepared,
    cache: Path,
    progress: Progress,
    note: Note,
    load: Load | None,
    began: float,
    fill: Fill | None,
) -> Film:
    recipe = prepared.recipe
    for output in made:
        films.note(cache, output.target, Path(recipe.document.file or "recipe"), output.segments)
    # What was another recipe's, and is overwritten, has to say whose it is now.
    lacking = [output for output in made if not (output.there() and manifest.is_of(output.target, recipe))]
    total, done = sum(output.frames for output in made), dict.fromkeys((output.target for output in made), 0)
    flaws: dict[Path, tuple[Flaw, ...]] = {}
    if lacking:
        store = Store(cache)
        for folder in {output.target.parent for output in lacking}:
            sweep(folder)
        load = load or prepared.load(made[0].reel.device)
        with sounds_of(lacking) as sound_of:
            counts, render_seconds = _filled(lacking, total, load, store, progress, note, fill)
            progress("joining", total, total)
            for output, count in zip(lacking, counts, strict=True):
                output.finish(store, sound_of(output))
                done[output.target] = count
                found = gated(output, store, note)
                _write(output, count, render_seconds, time.perf_counter() - began, found)
                flaws[output.target] = found or ()
    else:
        progress("there already", total, total)
    warnings = (*prepared.warnings, *(words for output in made for words in output.warnings()))
    seconds = time.perf_counter() - began
    each = [
        Film(path, manifest.path_of(path), output.frames, done[path], seconds, warnings, found)
        for output in made
        for path in (output.target,)
        for found in (flaws[path] if path in flaws else _flaws(output, cache, note),)
    ]
    return replace(each[0], others=tuple(each[1:]))


def _filled(
    made: list[FilmOutput | PictureOutput],
    total: int,
    load: Load,
    store: Store,
    progress: Progress,
    note: Note,
    fill: Fill | None,
) -> tuple[list[int], float]:
    """Render what the outputs lack; gives the frames of each that were rendered here, and the seconds that took."""
    counts, began = [0] * len(made), time.perf_counter()
    for attempt in range(ATTEMPTS):
        missing = [output.missing(store) for output in made]
        if not any(missing):
            return counts, time.perf_counter() - began if any(counts) else 0.0
        if not attempt:
            refuse = refuse_too_large if fill else refuse_impossible  # of the memory of others nothing is known here
            refuse(made, missing, note)
        found = _rendered(made, missing, total, load, store, progress, fill or render_together)
        counts = [before + now for before, now in zip(counts, found, strict=True)]
    raise OutputError(
        str(store.segments),
        "segments vanish as soon as they are made",
        "Is something else cleaning up here? Run the same command again.",
    )


def _rendered(
    made: list[FilmOutput | PictureOutput],
    missing: list[dict[Segment, range]],
    total: int,
    load: Load,
    store: Store,
    progress: Progress,
    fill: Fill,
) -> list[int]:
    """Render segments; gives how many frames of each output were rendered here, and not by another process."""
    done = total - sum(len(frames) for parts in missing for frames in parts.values())

    def advance(count: int) -> None:
        nonlocal done
        done += count
        progress("rendering", done, total)

    def wait() -> None:
        progress("another render is finishing", done, total)

    progress("loading", done, total)
    jobs = []
    for output, parts in zip(made, missing, strict=True):
        output.begin()
        jobs.append(Job(output.reel, parts, output.sink(store)))
    lacking = [number for number, parts in enumerate(missing) if parts]
    found = fill([jobs[at] for at in lacking], load, advance, wait)
    counts = dict(zip(lacking, found, strict=True))
    return [counts.get(number, 0) for number in range(len(made))]


def gated(output: FilmOutput | PictureOutput, store: Store, note: Note) -> tuple[Flaw, ...] | None:
    """What the quality gates find in an output that is finished; None where they can't look at it."""
    from gandream.run.gates import flaws_of  # where nothing changed nobody waits for them

    try:
        return flaws_of(output, store)
    except Exception as error:  # the film is there, and good; no mistake of theirs may take it away
        why = error.problem if isinstance(error, GandreamError) else f"{type(error).__name__}: {error}"
        note(f"{output.target} was not looked at for flaws: {why}")
        return None


def _flaws(output: FilmOutput | PictureOutput, cache: Path, note: Note) -> tuple[Flaw, ...]:
    """What they have found; in a film from before there were any they look now, and once."""
    found = manifest.flaws_of(output.target)
    if found is None and (found := gated(output, Store(cache), note)) is not None:
        with contextlib.suppress(OSError, GandreamError):  # they will look again
            manifest.add_flaws(output.target, found)
    return found or ()


def _write(
    output: FilmOutput | PictureOutput,
    rendered: int,
    render_seconds: float,
    seconds: float,
    flaws: tuple[Flaw, ...] | None,
) -> None:
    figures = {
        "frames_rendered": rendered,
        "seconds": round(seconds, 3),
        "render_seconds": round(render_seconds if rendered else 0.0, 3),
    }
    frames = range(output.first, output.first + output.frames)
    manifest.write(output.target, output.prepared, output.reel, frames, output.key, output.digest(), figures, flaws)
