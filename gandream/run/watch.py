"""A recipe watched while it is written: each time that it is saved, what changed is said and rendered again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gandream.base.errors import GandreamError, OutputError
from gandream.recipe.load import load_recipe
from gandream.recipe.recipe import Recipe
from gandream.rendering.apple import CantError, asked
from gandream.rendering.device import DeviceWord, pick
from gandream.rendering.device import Kind as Device
from gandream.run.changes import Change, changes, words
from gandream.run.film import Film, Progress, made_film, ready
from gandream.run.outputs import outputs
from gandream.run.prepare import Prepared, draft_of, precision_of, prepare
from gandream.run.preview import Part, preview_file
from gandream.run.targets import targets
from gandream.run.watched import LOOK_S, Watched

if TYPE_CHECKING:
    from gandream.models.spec import Generator

RETRY_S = 2.0
"""How often a recipe that can't be read is tried again: what it lacks may come without an edit."""

Kind = Literal["watching", "saved", "changed", "unseen", "rendered", "moved", "error", "again"]


@dataclass(frozen=True)
class Event:
    """Something that happened."""

    kind: Kind
    said: str
    film: Film | None = None
    changes: tuple[Change, ...] = ()
    error: GandreamError | None = None


@dataclass(frozen=True)
class Wanted:
    """What is rendered at each save: the film's draft, or a part of it, or the ``full`` film."""

    part: Part | None = None
    full: bool = False
    out: Path | None = None
    device: DeviceWord = "auto"


class EditedError(Exception):
    """The recipe was saved while it was rendered."""


def watch(
    path: Path, overrides: Sequence[str] = (), wanted: Wanted | None = None, progress: Progress = lambda *stage: None
) -> Iterator[Event]:
    """Render a recipe, and again at each save; gives what happens, without end. What didn't change isn't rendered.

    A recipe that is wrong is told so, and the last film stays. Only before the first film it is an error: if there is
    no such file, and if what is wrong stands in an option, where no edit of the recipe would mend it.
    """
    if not path.is_file():
        load_recipe(path, overrides)  # which says it
    if wanted is not None and wanted.part is not None:
        wanted.part.checked()  # no edit of the recipe would mend it
    session, files, told = _Session(wanted or Wanted(), progress), Watched(path), ""
    while True:
        seen, recipe = files.state(), None
        try:
            recipe = load_recipe(path, overrides)
            files.follow(recipe)
            seen = {**files.state(), **seen}
            if session.film is None:
                yield Event("watching", _watching(files))
            yield from session.render(recipe, _unless_saved(progress, files, seen))
            told = ""
        except EditedError:
            yield Event("again", "saved again: starting over")
        except GandreamError as error:
            if session.film is None and _of_the_command(error):
                raise
            files.follow(recipe)
            seen = {**files.state(), **seen}
            if str(error) != told:
                yield Event("error", "the last film stays" if session.film else "waiting for it", error=error)
            told = str(error)
        saved: list[Path] = []
        while not saved:
            saved = files.wait(seen, None if recipe else RETRY_S)
            if recipe is None:
                break
        if saved:
            yield Event("saved", f"saved: {', '.join(file.name for file in saved)}")


def _of_the_command(error: GandreamError) -> bool:
    """Whether it is about what stands on the command line: where the film goes, or a word that is set there."""
    return isinstance(error, OutputError) or error.where.startswith("--set ")


def _watching(files: Watched) -> str:
    others = len(files.files) - 1
    more = f" and {others} more file{'s' * (others > 1)}" if others else ""
    return f"watching {files.recipe}{more}; Ctrl-C ends it"


def _unless_saved(progress: Progress, files: Watched, seen: dict[Path, str | None]) -> Progress:
    """A progress that ends the render as soon as the files are other than they were."""
    looked = time.monotonic()

    def told(stage: str, done: int, total: int) -> None:
        nonlocal looked
        progress(stage, done, total)
        if stage in ("rendering", "loading") and time.monotonic() - looked > LOOK_S:
            looked = time.monotonic()
            if files.saved(seen):
                raise EditedError

    return told


class _Session:
    """What is kept from render to render."""

    def __init__(self, wanted: Wanted, progress: Progress):
        self.wanted, self.progress = wanted, progress
        self.film: Film | None = None
        self._recipe: Recipe | None = None
        self._prepared: Prepared | None = None
        self._models: dict[tuple[str, ...], Generator] = {}

    def render(self, written: Recipe, progress: Progress) -> Iterator[Event]:
        """Say what changed, and render; on the CPU from now on, where `auto` took an Apple GPU that can't."""
        kind = pick(self.wanted.device)
        try:
            with asked(kind):
                yield from self._render(written, progress, kind)
        except CantError as error:
            if self.wanted.device != "auto":
                raise
            self.wanted = replace(self.wanted, device="cpu")
            yield Event("moved", f"{error.problem}: the CPU makes all of it")
            yield from self._render(written, progress, "cpu")

    def _render(self, written: Recipe, progress: Progress, kind: Device) -> Iterator[Event]:
        began, wanted = time.perf_counter(), self.wanted
        recipe = written if wanted.full else draft_of(written)
        out = wanted.out or (preview_file(recipe) if wanted.part else None)
        places = targets(recipe, out, None)
        cache = ready(places, recipe)
        progress("listening", 0, 0)
        beats = recipe.audio is not None or recipe.tempo.told or (wanted.part is not None and wanted.part.needs_beats)
        prepared = prepare(recipe, cache, beats=beats, device=kind)
        frames = self._frames(prepared)
        yield from self._changes(written, prepared)
        load = self._keeping(prepared, kind)
        self.film = made_film(
            outputs(places, prepared, kind, frames), prepared, cache, progress, load=load, began=began
        )
        self._recipe, self._prepared = written, prepared
        yield Event("rendered", _rendered(self.film), self.film)

    def _frames(self, prepared: Prepared) -> tuple[int, int] | None:
        """The part that is wanted; where nobody said when, it stays where it was found to be at first."""
        part = self.wanted.part
        if part is None:
            return None
        start, stop, _ = part.frames(prepared)
        if part.at is None:
            at = f"{start / float(prepared.fmt.fps):.6f}s"
            self.wanted = replace(self.wanted, part=replace(part, at=at))
        return start, stop

    def _changes(self, written: Recipe, prepared: Prepared) -> Iterator[Event]:
        if self._prepared is None or self._recipe is None:
            return
        found = changes(self._prepared, prepared)
        told = {word for change in found for word in change.words}
        unseen = [word for word in words(self._recipe, written) if word not in told]
        for change in found:
            yield Event("changed", change.said, changes=(change,))
        if unseen:
            yield Event("unseen", f"not seen in the draft: {', '.join(unseen)}")
        elif not found:
            yield Event("unseen", "nothing changes")

    def _keeping(self, prepared: Prepared, device: str) -> Callable[[int], Generator]:
        """Loads models by their numbers; those of the last render are still there."""
        fresh, parts = prepared.load(device), [(cut.recipe, cut.trajectory.spec) for cut in prepared.cuts]
        parts = parts or [(prepared.recipe, prepared.spec)]
        before, self._models = self._models, {}

        def load(number: int) -> Generator:
            recipe, spec = parts[number]
            key = spec.fingerprint, precision_of(recipe, spec, device), device
            model = self._models.get(key) or before.get(key) or fresh(number)
            self._models[key] = model
            return model

        return load


def _rendered(film: Film) -> str:
    every = (film, *film.others)
    total, now = (sum(getattr(one, name) for one in every) for name in ("frames", "rendered"))
    what = f"all {total} frames" if now == total else f"{now} of {total} frames"
    return f"{film.path}: {what} rendered in {film.seconds:.1f} s" if now else f"{film.path} is as it was"
