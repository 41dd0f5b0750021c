"""Every film of a batch is checked before the first is rendered."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gandream.base.errors import GandreamError, OutputError, did_you_mean
from gandream.base.hashing import content_key, file_fingerprint
from gandream.recipe.load import load_recipe
from gandream.recipe.overrides import Assignment
from gandream.recipe.recipe import Recipe
from gandream.rendering.device import DeviceWord
from gandream.run import manifest
from gandream.run.batch.entries import Wanted
from gandream.run.batch.file import HERE
from gandream.run.jobs.records import Task
from gandream.run.prepare import describe_model, draft_of
from gandream.run.targets import suffix_of, targets
from gandream.run.validity import mistakes
from gandream.run.watched import files_of

REVISION = 1
"""Raised when the same task becomes another film."""
BROKEN = "broken"
"""The group of what can't be rendered."""
_SUFFIX = re.compile(r"\.(mp4|mov|webm|mkv|gif|apng|png|webp)$", re.IGNORECASE)


@dataclass(frozen=True)
class How:
    """How all films of a batch are rendered."""

    device: DeviceWord = "auto"
    draft: bool = False
    force: bool = False
    retries: int = 1
    timeout_s: float | None = None
    options: tuple[tuple[str, Any], ...] = ()
    """More of a task's options."""


@dataclass(frozen=True)
class Checked:
    """A film of a batch, and what is wrong with it."""

    wanted: Wanted
    task: Task
    outputs: tuple[Path, ...] = ()
    reads: tuple[Path, ...] = ()
    """The files that it is made of."""
    mistake: str = ""
    """In words; none if it can be rendered."""


def checked(
    films: Sequence[Wanted], how: How, seen: Callable[[int, int], None] = lambda done, total: None
) -> list[Checked]:
    """Check every film, in order; those that can't be rendered say why. ``seen`` is told how many are done.

    RecipeError or OutputError where two films have one name, or a film that of a file it is made of: the names are the
    batch's mistake, and nothing of it is rendered.
    """
    found: list[Checked] = []
    for wanted in films:
        seen(len(found), len(films))
        found.append(_checked(wanted, how))
    seen(len(films), len(films))
    _refuse_equal(found)
    _refuse_sources(found)
    return found


def by_model(films: Sequence[Checked]) -> list[Checked]:
    """In an order in which films of one model come one after the other; else as they are."""
    groups = list(dict.fromkeys(film.task.group for film in films))
    return sorted(films, key=lambda film: groups.index(film.task.group))


def load_task(task: Task) -> Recipe:
    """The recipe of a task, with its words in it."""
    said = task.options.get("said") or [["", ""]] * len(task.overrides)
    words = [
        Assignment(text, place, Path(folder)) if place else text
        for text, (place, folder) in zip(task.overrides, said, strict=True)
    ]
    return load_recipe(task.recipe, words)


def key_of(recipe: Recipe, options: Mapping[str, Any]) -> str:
    """Content key of all that a task depends on: words, files, model, how it is rendered."""
    files = [file_fingerprint(path) for path in sorted(files_of(recipe))]
    models = [describe_model(part).fingerprint for part in (recipe, *recipe.told_scenes())]
    how = [str(options.get(word)) for word in ("device", "draft")]
    return content_key("task", REVISION, _version(), recipe.document.text, recipe.document.tree, files, models, how)


def _checked(wanted: Wanted, how: How) -> Checked:
    said = [[one.place, str(one.folder)] if isinstance(one, Assignment) else ["", ""] for one in wanted.assignments]
    options: dict[str, Any] = {"device": how.device, "draft": how.draft, "force": how.force, "said": said}
    options |= dict(how.options)
    task = Task(
        *(wanted.name, os.path.abspath(wanted.recipe) if wanted.recipe.exists() else str(wanted.recipe)),
        tuple(str(one) for one in wanted.assignments),
        *(os.path.abspath(wanted.out), options, "", "", how.retries, how.timeout_s),
    )
    try:
        recipe = load_recipe(wanted.recipe, wanted.assignments)
        if wrong := list(mistakes(recipe)):
            return _broken(wanted, task, "\n\n".join(map(str, wrong)))
        key = key_of(recipe, options)
        made = draft_of(recipe) if how.draft else recipe
        places = targets(made, _with_suffix(wanted.out, made), None)
        for place in places if not how.force else ():
            manifest.refuse_foreign(place, made)
    except GandreamError as error:
        return _broken(wanted, task, _told(error, wanted))
    except OSError as error:
        return _broken(wanted, task, f"{wanted.recipe}\n  {error.strerror or error}")
    except Exception as error:  # nobody wrote words for it; the others are rendered all the same
        return _broken(wanted, task, f"{wanted.recipe}\n  {type(error).__name__}: {error}")
    own = [Path(recipe.document.file), *(Path(mark.file) for mark in recipe.document.marks.values())]
    reads = {path for path in (*own, *files_of(recipe)) if path.is_file()}
    task = replace(task, out=os.path.abspath(places[0]), key=key, group=_group(made, how.device))
    return Checked(wanted, task, tuple(Path(os.path.abspath(place)) for place in places), tuple(sorted(reads)))


def _broken(wanted: Wanted, task: Task, mistake: str) -> Checked:
    return Checked(wanted, replace(task, key=content_key("broken", mistake), group=BROKEN), mistake=mistake)


def _told(error: GandreamError, wanted: Wanted) -> str:
    """A mistake in words; one that names just the recipe's file says where the batch has it."""
    words = str(error)
    near = "" if "Did you mean" in words else _near(wanted.recipe)
    named = "" if wanted.recipe.exists() or wanted.where == HERE else f"\n  {wanted.where}"
    return words + (f"\n  {near}" if near and not wanted.recipe.exists() else "") + named


def _near(recipe: Path) -> str:
    try:
        return did_you_mean(recipe.name, [path.name for path in recipe.parent.iterdir()])
    except OSError:
        return ""


def _with_suffix(out: Path, recipe: Recipe) -> Path:
    """A film's name with the recipe's suffix, where the template said none."""
    suffix = suffix_of(recipe.video)
    part = ".draft" if recipe.drafted and not _SUFFIX.search(out.name) else ""
    return out if not suffix or _SUFFIX.search(out.name) else out.with_name(f"{out.name}{part}{suffix}")


def _group(recipe: Recipe, device: str) -> str:
    """What films share that want the same models."""
    parts = (recipe, *recipe.told_scenes())
    models = sorted({(describe_model(part).fingerprint, part.model.precision) for part in parts})
    return content_key("models", models, device)[:12]


def _refuse_equal(films: Sequence[Checked]) -> None:
    there: dict[str, Checked] = {}
    for film in films:
        for output in film.outputs:
            # Names that differ by their case alone are one file on some systems.
            first = there.setdefault(os.path.normcase(str(output)).lower(), film)
            if first is not film:
                fields = [f"{{{key}}}" for key, value in film.wanted.varied.items() if _differ(key, value, first)]
                lacking = ", ".join(fields) or "{folder} or {number}"
                problem = f"'{first.wanted.name}' and '{film.wanted.name}' would both be this film"
                raise OutputError(_shown(output), problem, f"Put {lacking} into `out`, or name one of them otherwise.")


def _differ(key: str, value: str, first: Checked) -> bool:
    """Whether a film is told from another by a field, on systems too that don't tell cases apart."""
    return value.lower() != first.wanted.varied.get(key, "").lower()


def _refuse_sources(films: Sequence[Checked]) -> None:
    outputs = {os.path.realpath(output): film for film in films for output in film.outputs}
    for film in films:
        for path in film.reads:
            if maker := outputs.get(os.path.realpath(path)):
                problem = f"the film of '{maker.wanted.name}' would take the place of a file that '{film.wanted.name}'"
                raise OutputError(_shown(path), f"{problem} is made of", "Choose another `out`.")


def _shown(path: Path) -> str:
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _version() -> str:
    try:
        return version("gandream")
    except PackageNotFoundError:
        return ""
