"""Two recipes, films, stills or manifests held against each other: words, parts of the film, and how they were made."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from gandream.base.errors import GandreamError, RecipeError, RenderError
from gandream.base.hashing import file_fingerprint
from gandream.recipe.load import load_recipe, recipe_of_text
from gandream.recipe.overrides import dotted
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.rendering.store import store_folder
from gandream.run.changes import Change, changes, paths
from gandream.run.prepare import Prepared, prepare
from gandream.run.recipe_of import MANIFEST, RECIPES, Carried, carried
from gandream.video.boxes import NotWholeError
from gandream.video.facts import read_back

FILMS = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
"""Files that are read as films."""
SUM, _SUM = "sha256", re.compile("[0-9a-f]{32,64}")
MOST = 60
"""Characters of a value that are shown."""
FACTS: Mapping[str, tuple[str, ...]] = {
    "model's fingerprint": ("model", "fingerprint"),
    "model's family": ("model", "family"),
    "music's sha256": ("audio", "sha256"),
    "tempo": ("tempo", "bpm"),
    "frames": ("video", "frames"),
    "first frame": ("video", "first_frame"),
    "size": ("video", "size"),
    "fps": ("video", "fps"),
    "codec": ("video", "codec"),
    "encoder": ("video", "encoder"),
    "crf": ("video", "crf"),
    "preset": ("video", "preset"),
    "depth": ("video", "depth"),
    "subsampling": ("video", "subsampling"),
    "alpha": ("video", "alpha"),
    "device": ("device",),
    "batch": ("batch",),
}
"""What is told of how films were made, and where their manifests say it."""


@dataclass(frozen=True)
class Differs:
    """One thing that differs; None where it isn't there."""

    name: str
    before: Any
    after: Any

    @property
    def shown(self) -> tuple[str, str]:
        """Both values, each in a line."""
        return _shown(self.before), _shown(self.after)


@dataclass(frozen=True)
class Difference:
    """What differs between two files."""

    words: tuple[Differs, ...]
    """Of the recipes, by key path."""
    parts: tuple[Change, ...]
    """Where in the film the pictures' inputs differ."""
    made: tuple[Differs, ...]
    """Of how the films were made."""
    notes: tuple[str, ...] = ()
    """What couldn't be compared, and why."""

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not (self.words or self.parts or self.made)


@dataclass
class Side:
    """One of the two files."""

    path: Path
    recipe: Recipe | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    kind: str = ""
    """The suffix of what was made: files of different kinds are never the same bytes."""
    problem: str = ""
    """Why its recipe can't be read."""

    @cached_property
    def prepared(self) -> Prepared | str:
        """The recipe held against its music and model, or why that can't be."""
        if self.recipe is None:
            return self.problem
        try:
            with _cache() as cache:
                return prepare(self.recipe, cache)
        except GandreamError as error:
            return f"{error.where}: {error.problem}"


def diff(before: Path, after: Path) -> Difference:
    """Hold two files against each other; RecipeError where one isn't there, or isn't anything that has a recipe."""
    old, new = side(before), side(after)
    notes = [f"{one.path}: its recipe can't be read: {one.problem}" for one in (old, new) if one.problem]
    words: list[Differs] = []
    parts: tuple[Change, ...] = ()
    if old.recipe is not None and new.recipe is not None:
        words = _words(old.recipe, new.recipe)
        problems = [one for one in (old.prepared, new.prepared) if isinstance(one, str)]
        if problems and words:
            notes.append(f"where in the film can't be told: {problems[0]}")
        if isinstance(old.prepared, Prepared) and isinstance(new.prepared, Prepared):
            parts = changes(old.prepared, new.prepared)
    names = [name for name in old.facts if name in new.facts and (name != SUM or old.kind == new.kind)]
    made = [Differs(name, old.facts[name], new.facts[name]) for name in names if old.facts[name] != new.facts[name]]
    odd = next((one for one in (old, new) if one.problem), None)
    if odd is not None and not made and not (old.kind == new.kind and old.facts.get(SUM, 0) == new.facts.get(SUM, 1)):
        problem = f"its recipe can't be read: {odd.problem}"
        raise RecipeError(str(odd.path), problem, "There is nothing else to compare.")
    return Difference(tuple(words), parts, tuple(made), tuple(notes))


def side(path: Path) -> Side:
    """Read one file: a recipe, or something that carries one."""
    if path.suffix.lower() in RECIPES:
        return Side(path, load_recipe(path))
    found = carried(path)
    name = found.told.get("film")
    kind = Path(name).suffix if isinstance(name, str) else path.suffix
    made = Side(path, facts=facts_of(path, found), kind=kind.lower())
    try:
        made.recipe = recipe_of_text(found.text, found.file or found.folder / "recipe.yaml")
    except GandreamError as error:
        made.problem = f"{error.where}: {error.problem}"
    return made


def facts_of(path: Path, found: Carried) -> dict[str, Any]:
    """How a film was made, as far as its manifest says it; and what the file itself is."""
    told = found.told
    facts: dict[str, Any] = {}
    video = told.get("video")
    if isinstance(video, dict) and "width" in video:
        told = {**told, "video": {**video, "size": f"{video['width']}x{video.get('height')}"}}
    for name, place in FACTS.items():
        value: Any = told
        for step in place:
            value = value.get(step) if isinstance(value, dict) else None
        if value is not None:
            facts[name] = value
    versions = told.get("versions")
    facts |= {
        f"version of {name}": version for name, version in (versions if isinstance(versions, dict) else {}).items()
    }
    if found.moment:
        facts["moment"] = found.moment
    if not told and path.suffix.lower() in FILMS:
        facts |= _measured(path)
    if path.is_file() and not path.name.endswith(MANIFEST):
        facts[SUM] = file_fingerprint(path)
    elif isinstance(told.get("sha256"), str):
        facts[SUM] = told["sha256"]
    return facts


def _measured(path: Path) -> dict[str, Any]:
    """Of a film without its manifest."""
    try:
        found = read_back(path)
    except (RenderError, NotWholeError, LookupError):
        return {}
    rate = found.fps
    size = {"frames": found.frames, "size": f"{found.width}x{found.height}"}
    return {**size, "codec": found.codec, **({"fps": str(rate)} if rate else {})}


def _words(before: Recipe, after: Recipe) -> list[Differs]:
    plain = [one.model_dump(mode="json", by_alias=True) for one in (before, after)]
    found = dict.fromkeys(path[:-1] if path[-2:-1] == ("size",) else path for path in paths(before, after))
    return [Differs(dotted(path), *(_at(tree, path) for tree in plain)) for path in found]


def _at(tree: Any, path: Path_) -> Any:
    """What a recipe has at a path; None where nothing is."""
    value = tree
    for step in path:
        if isinstance(value, list) and not isinstance(step, int) and value:
            value = value[0]  # of the only output, whose words are written without its number
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list):
            value = value[step] if isinstance(step, int) and step < len(value) else None
        elif step != 0:  # a list of one is written without its brackets
            return None
    return value


def _shown(value: Any) -> str:
    """A value in a line: groups without what they leave out, sums by their first digits."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        value = {key: one for key, one in value.items() if one is not None}
    text = value if isinstance(value, str) else yaml.safe_dump(value, default_flow_style=True, width=10**6).strip()
    text = " ".join(text.removesuffix("...").split())
    if _SUM.fullmatch(text):
        return f"{text[:12]}…"
    return text if len(text) <= MOST else text[: MOST - 1] + "…"


@contextmanager
def _cache() -> Iterator[Path]:
    """The films' store where there is one, for what was heard in the music; comparing makes none."""
    there = store_folder(Path("outputs"))
    if there.is_dir():
        yield there
        return
    with tempfile.TemporaryDirectory(prefix="gandream-") as folder:
        yield Path(folder)
