"""All films of a batch: each recipe with each combination of what varies, and the name that its film gets."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from glob import has_magic
from itertools import product
from pathlib import Path
from typing import Any

from gandream.base.assets import BUNDLED
from gandream.base.errors import RecipeError
from gandream.recipe.overrides import Assignment
from gandream.recipe.reader import MAX_BYTES, Path_
from gandream.run.batch.file import Batch, Entry
from gandream.run.batch.matrix import MOST, Axis, assignment, axis_of, axis_said, files, stem
from gandream.run.batch.template import Template

ALWAYS = ("recipe", "folder", "batch", "number")
"""Fields of a name that there are in every batch."""


@dataclass(frozen=True)
class Said:
    """What the command line says of recipes, which goes before the file."""

    assignments: Sequence[str] = ()
    varied: Sequence[str] = ()
    out: str | None = None
    folder: Path = field(default_factory=Path.cwd)


@dataclass(frozen=True)
class Wanted:
    """A film that is wanted."""

    name: str
    """Its own in the batch."""
    recipe: Path
    assignments: tuple[str, ...]
    out: Path
    """Without a suffix where nobody said one."""
    varied: Mapping[str, str]
    """What was varied, as it is called in names."""
    where: str
    """Of the recipe in the batch."""


def expanded(batch: Batch, name: str, said: Said | None = None) -> list[Wanted]:
    """All films in the order of the file; RecipeError where a matrix is empty or a name can't be made."""
    said, found = said or Said(), list[Wanted]()
    taken = dict[str, int]()
    for at, entry in enumerate(batch.recipes):
        axes, fixed = _axes(batch, at, entry, said)
        template = _template(batch, at, entry, said, axes)
        recipes = list(_recipes(batch, at, entry))
        if len(found) + len(recipes) * math.prod(len(axis.values) for axis in axes) > MOST:
            raise batch.error(("vary",), f"these are more than {MOST} films", "Vary less.")
        for recipe, where in recipes:
            called = entry.name or stem(recipe.name)
            for values in product(*(axis.assignments() for axis in axes)):
                varied = {axis.key: shown for axis, (_, shown) in zip(axes, values, strict=True)}
                own = "-".join([called, *varied.values()])
                taken[own] = taken.get(own, 0) + 1
                fields = _fields({**{key: shown for key, (_, shown) in fixed.items()}, **varied})
                fields |= {"recipe": called, "folder": stem(recipe.absolute().parent.name), "batch": name}
                fields["number"] = str(len(found) + 1)
                words = (*(one for one, _ in fixed.values()), *(one for one, _ in values), *said.assignments)
                found.append(
                    Wanted(
                        own if taken[own] == 1 else f"{own} ({taken[own]})",
                        recipe,
                        words,
                        template[1] / template[0].filled(fields),
                        varied,
                        where,
                    )
                )
    return found


def _axes(batch: Batch, at: int, entry: Entry, said: Said) -> tuple[list[Axis], dict[str, tuple[Assignment, str]]]:
    """What varies in an entry, and what is set."""
    axes = {key: axis_of(key, value, where, batch.folder) for key, value, where in _words(batch, at, entry, "vary")}
    for one in said.varied:
        axis = axis_said(one, said.folder)
        axes[axis.key] = axis
    fixed = {key: assignment(key, value, where, batch.folder) for key, value, where in _words(batch, at, entry, "set")}
    for key in {one.partition("=")[0].strip() for one in said.assignments}:
        axes.pop(key, None)
        fixed.pop(key, None)
    if both := next((key for key in axes if key in fixed), None):
        if both in [one.partition("=")[0].strip() for one in said.varied]:
            fixed.pop(both)
        else:
            raise RecipeError(axes[both].where, f"{both} is varied, and set too", "Keep one of the two.")
    return list(axes.values()), fixed


def _words(batch: Batch, at: int, entry: Entry, word: str) -> Iterator[tuple[str, Any, str]]:
    """The batch's ``set`` or ``vary`` with those of an entry laid over it: keys, values, places."""
    whole, own = (batch.set_, entry.set_) if word == "set" else (batch.vary, entry.vary)
    other = entry.vary if word == "set" else entry.set_
    # What is set later goes over what was set before; what varies keeps its place in the names.
    left = [key for key in whole if key not in other and not (word == "set" and key in own)]
    places: dict[str, tuple[Any, Path_]] = {key: (whole[key], (word, key)) for key in left}
    places |= {key: (own[key], ("recipes", at, word, key)) for key in own}
    for key, (value, path) in places.items():
        yield str(key), value, batch.where(path)


def _template(batch: Batch, at: int, entry: Entry, said: Said, axes: Sequence[Axis]) -> tuple[Template, Path]:
    """How films are named, and the folder that names start from."""
    usual = "outputs/" + "-".join(["{recipe}", *(f"{{{axis.key}}}" for axis in axes)])
    if said.out is not None:
        text, where, folder = said.out, f"--out {said.out[:80]}", said.folder
    elif entry.out is not None:
        text, where, folder = entry.out, batch.where(("recipes", at, "out")), batch.folder
    elif batch.out is not None:
        text, where, folder = batch.out, batch.where(("out",)), batch.folder
    else:
        text, where, folder = usual, "outputs", said.folder
    known = {axis.key: "" for axis in axes}
    known |= {key: "" for key, _, _ in _words(batch, at, entry, "set")}
    template = Template(text, where).checked([*ALWAYS, *_fields(known)])
    if not text.strip() or re.search(r"[/\\]$", text.strip()):
        raise RecipeError(where, "wanted the name of a film, not that of a folder", "For instance films/{recipe}.mp4.")
    return template, folder


def _fields(words: Mapping[str, str]) -> dict[str, str]:
    """Fields by key, ``{video.size}``, and by its last word, ``{size}``, where no other key has that."""
    lasts = [key.rpartition(".")[2] for key in words]
    short = {last: shown for last, shown in zip(lasts, words.values(), strict=True) if lasts.count(last) == 1}
    return {**{last: shown for last, shown in short.items() if last not in ALWAYS}, **words}


def _recipes(batch: Batch, at: int, entry: Entry) -> Iterator[tuple[Path, str]]:
    """The files of an entry, with where it stands; batch files among those of a pattern are none of them."""
    where = batch.where(("recipes", at, "recipe"))
    for name in entry.recipe:
        if name.startswith(BUNDLED):
            yield Path(name), where
            continue
        if has_magic(name) and not (batch.folder / name).exists():
            found = [batch.folder / one for one in files(name, batch.folder, where)]
            recipes = [path for path in found if not _is_batch(path)]
            if not recipes:
                raise RecipeError(where, f"all files {name[:80]} are batch files", "Wanted recipes.")
            yield from ((_near(path), where) for path in recipes)
            continue
        try:
            yield _near(batch.folder / Path(name).expanduser()), where
        except RuntimeError:
            raise RecipeError(where, f"there is no user {name.split('/')[0]}") from None


def _is_batch(path: Path) -> bool:
    """Whether a file has the word that recipes haven't."""
    try:
        return bool(re.search(rb"^recipes[ \t]*:", path.read_bytes()[:MAX_BYTES], re.MULTILINE))
    except OSError:
        return False


def _near(path: Path) -> Path:
    """As seen from here, if it is below."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path
