"""A recipe with everything said: what it includes, its variables and all defaults; and its curves, drawn."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import BaseModel, ValidationError

from gandream.recipe.curve import Constant
from gandream.recipe.fields import FileRef
from gandream.recipe.model import ModelRef
from gandream.recipe.overrides import dotted
from gandream.recipe.recipe import Recipe, curves_in
from gandream.recipe.scene import Labelled, Own
from gandream.recipe.text import Text
from gandream.recipe.walk import Walk
from gandream.run.prepare import Prepared
from gandream.trajectory.evaluate import Curves

MOST_LANES = 40


def explained(recipe: Recipe) -> str:
    """The recipe as YAML with every word said. Saved beside the recipe's file, it makes the same film."""
    folder = Path(recipe.document.file or ".").resolve().parent
    said = _Said(folder).word(_from(recipe, folder))
    said.pop("include", None)
    said["video"] = said["video"][0] if len(recipe.outputs) == 1 else said["video"]
    if recipe.grid is not None and recipe.grid.seeds is not None and "walk" not in recipe.model_fields_set:
        said.pop("walk", None)  # without one, each cell stands at its seed
    said["vars"] = {name: value for name, value in recipe.vars.items() if _is_number(value)}
    said = {name: value for name, value in said.items() if value not in ([], {})}
    return yaml.dump(_plain(said), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


class _Dumper(yaml.SafeDumper):
    """Short lists and groups in one line; text that YAML 1.2 would take for something else in quotes."""

    def __init__(self, *args: Any, **words: Any):
        super().__init__(*args, **{**words, "default_flow_style": None})


_NOT_TEXT = re.compile(
    r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)|~|null|"
    r"Null|NULL|true|True|TRUE|false|False|FALSE"
)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if _NOT_TEXT.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


class _Said:
    """Writes words out, each so that it reads back as the same."""

    def __init__(self, folder: Path):
        self.folder = folder

    def word(self, word: BaseModel) -> Any:
        """A group of words: all of them, or where that can't be written, those that were said."""
        if type(word).__pydantic_decorators__.model_serializers and not isinstance(word, Own):
            written = word.model_dump(mode="json", by_alias=True)  # it has a short form
            brief = {key: one for key, one in written.items() if one is not None} if isinstance(written, dict) else None
            return brief if brief is not None and self._reads_as(word, brief) else written
        said = word.model_fields_set
        names = [name for name in type(word).model_fields if name in said or not isinstance(word, Own)]
        full = {name: self.value(word, name) for name in names if name in said or getattr(word, name) is not None}
        for chosen in (full, {name: value for name, value in full.items() if name in said}):
            written = {type(word).model_fields[name].alias or name: value for name, value in chosen.items()}
            if isinstance(word, Recipe) or self._reads_as(word, written):
                return written
        return word.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def value(self, word: BaseModel, name: str) -> Any:
        """What is written for one word."""
        value = getattr(word, name)
        if isinstance(word, Labelled) and isinstance(value, Walk):  # what it doesn't say is its palette's
            names = {type(value).model_fields[one].alias or one for one in value.model_fields_set}
            return {key: one for key, one in self.word(value).items() if key in names}
        if isinstance(value, BaseModel):
            return self.word(value)
        if isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
            return [self._item(item) for item in value]
        if isinstance(value, dict) and any(isinstance(item, BaseModel | tuple) for item in value.values()):
            return {key: self._item(item) for key, item in value.items()}
        alias = type(word).model_fields[name].alias or name
        return word.model_dump(mode="json", by_alias=True, include={name})[alias]

    def _item(self, item: Any) -> Any:
        if isinstance(item, BaseModel):
            return self.word(item)
        return [self._item(one) for one in item] if isinstance(item, tuple) else item

    def _reads_as(self, word: BaseModel, written: dict[str, Any]) -> bool:
        try:
            read = type(word).model_validate(self._as_read(written))
        except ValidationError:
            return False
        return read.model_dump() == word.model_dump()

    def _as_read(self, value: Any) -> Any:
        """As a reader of the file gives it: text knows its folder."""
        if isinstance(value, dict):
            return {key: self._as_read(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._as_read(item) for item in value]
        return Text(value, self.folder) if isinstance(value, str) else value


def _from(value: Any, folder: Path) -> Any:
    """Words with the names of their files as they are from a folder: what is included may name them from elsewhere."""
    if isinstance(value, BaseModel):
        changed = {
            name: new
            for name in type(value).model_fields
            if (new := _from(old := getattr(value, name), folder)) is not old
        }
        said = value.model_fields_set
        made = value.model_copy(update=changed) if changed else value
        if changed:
            made.__pydantic_fields_set__ = set(said)
        return made
    if isinstance(value, FileRef) and not value.written.startswith("bundled:"):
        return replace(value, written=_name(value.path, folder))
    if isinstance(value, ModelRef) and (file := value.folder / value.written).is_file():
        return replace(value, written=_name(file, folder), folder=folder)
    if isinstance(value, tuple | list):
        new = [_from(item, folder) for item in value]
        same = all(one is other for one, other in zip(new, value, strict=True))
        return value if same else type(value)(new)
    if isinstance(value, dict):
        new = {key: _from(item, folder) for key, item in value.items()}
        return value if all(new[key] is item for key, item in value.items()) else new
    return value


def _name(file: Path, folder: Path) -> str:
    """A file's name from a folder where it is in it or beside it, else its whole path."""
    try:
        name = Path(os.path.relpath(file.resolve(), folder)).as_posix()
    except ValueError:  # another drive
        return file.resolve().as_posix()
    return file.resolve().as_posix() if name.startswith("../../..") else name


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def curves_of(prepared: Prepared) -> dict[str, np.ndarray]:
    """Every curve of a film that moves, by its key path: float64 [F]. Scenes share a line, each while it is there."""
    frames = prepared.score.trajectory.frames
    lanes: dict[str, np.ndarray] = {}
    for recipe, curves, start, stop in _spans(prepared):
        for path, curve in curves_in(recipe):
            if not isinstance(curve, Constant) or dotted(path) in lanes:
                lane = lanes.setdefault(dotted(path), np.zeros(frames))
                lane[start:stop] = curves.values(curve, path)[start:stop]
    return dict(list(lanes.items())[:MOST_LANES])


def _spans(prepared: Prepared) -> Iterator[tuple[Recipe, Curves, int, int]]:
    """The recipe and its curves, and from when to when they hold."""
    if not prepared.cuts:
        yield prepared.recipe, prepared.score.curves, 0, prepared.score.trajectory.frames
    starts = [*(cut.start for cut in prepared.cuts), prepared.score.trajectory.frames]
    for cut, stop in zip(prepared.cuts, starts[1:], strict=True):
        yield cut.recipe, Curves(cut.recipe, cut.trajectory.timeline, prepared.score.curves.signals), cut.start, stop


def plot(recipe: Path, assignments: tuple[str, ...], prepared: Prepared, target: Path, cache: Path) -> None:
    """Draw every curve of the recipe that moves against its music, as a PNG; ``drawings.png_target`` gave its place."""
    from gandream.run.drawings import save_png
    from gandream.run.listen import hear
    from gandream.run.plot import draw

    heard = hear(recipe, cache, assignments)
    line = replace(heard.line, clock=prepared.score.trajectory.timeline.clock)
    lanes = {name if len(name) <= 16 else "…" + name[-15:]: lane for name, lane in curves_of(prepared).items()}
    save_png(draw(replace(heard, line=line, signals=lanes, bands={})), target, recipe)
