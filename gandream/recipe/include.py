"""``include``: recipes that a recipe builds on. Mappings are merged, everything else is replaced, the includer wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic_core import PydanticCustomError

from gandream.base.errors import RecipeError
from gandream.recipe.fields import existing_file
from gandream.recipe.reader import Document, Mark, Path_, read_document
from gandream.recipe.text import Text

MOST_DEEP, MOST_FILES = 8, 32


def with_includes(document: Document) -> Document:
    """The document with what it includes merged under it; names are relative to the file that includes."""
    if "include" not in document.tree:
        return document
    reading = _Reading()
    tree, marks = reading.merged(document, (Path(document.file).resolve(),))
    return Document(tree, marks, document.text, document.file, document.overrides, merged=True)


def included(file: Path) -> list[Path]:
    """The files that a recipe's file includes, and those that they do, whether they are there; what can't be read
    includes nothing.
    """
    found: list[Path] = []
    waiting = [file]
    while waiting and len(found) < MOST_FILES:
        try:
            document = read_document(waiting.pop())
            names = _names(document) if "include" in document.tree else []
            below = [name.folder / Path(name).expanduser() for name in names]
        except (RecipeError, RuntimeError):  # RuntimeError: no such user's folder
            continue
        new = [path for path in below if path not in found and path != file]
        found, waiting = [*found, *new], [*waiting, *new]
    return found[:MOST_FILES]


class _Reading:
    """One recipe's includes: how many files were read."""

    def __init__(self) -> None:
        self.files = 0

    def merged(self, document: Document, open_files: tuple[Path, ...]) -> tuple[dict[Any, Any], dict[Path_, Mark]]:
        tree: dict[Any, Any] = {}
        marks: dict[Path_, Mark] = {}
        for index, name in enumerate(_names(document)):
            where = document.mark(("include", index)).at()
            try:
                path = existing_file(name, "a recipe file").path
            except PydanticCustomError as error:
                context = error.context or {}
                raise RecipeError(f"{where}  include = {name[:60]}", context["problem"], context["hint"]) from None
            self.files += 1
            if path.resolve() in open_files:
                raise RecipeError(f"{where}  include", f"{name} includes itself", "Take it out of one of the two.")
            if len(open_files) > MOST_DEEP or self.files > MOST_FILES:
                raise RecipeError(
                    f"{where}  include",
                    f"at most {MOST_FILES} files are included, {MOST_DEEP} deep",
                    "Put some together.",
                )
            below = read_document(path)
            _lay_over(tree, marks, *self.merged(below, (*open_files, path.resolve())))
        own = {key: value for key, value in document.tree.items() if key != "include"}
        own_marks = {path: mark for path, mark in document.marks.items() if path[:1] != ("include",)}
        _lay_over(tree, marks, own, own_marks)
        return tree, marks


def _names(document: Document) -> list[Text]:
    written = document.tree.get("include", [])
    names = written if isinstance(written, list) else [written]
    for index, name in enumerate(names):
        if not isinstance(name, Text) or not name or "\0" in name:
            place = document.mark(("include", index)).at()
            raise RecipeError(f"{place}  include", "wanted the name of a recipe file, or a list of them")
    return names


def _lay_over(
    tree: dict[Any, Any], marks: dict[Path_, Mark], above: dict[Any, Any], above_marks: dict[Path_, Mark]
) -> None:
    """Lay one tree over another, in place: mappings meet, everything else is replaced."""
    _merge(tree, above, (), marks)
    marks.update(above_marks)


def _merge(tree: dict[Any, Any], above: dict[Any, Any], path: Path_, marks: dict[Path_, Mark]) -> None:
    for key, value in above.items():
        here = (*path, key)
        if isinstance(value, dict) and isinstance(tree.get(key), dict):
            _merge(tree[key], value, here, marks)
            continue
        if key in tree:
            for old in [old for old in marks if old[: len(here)] == here]:
                del marks[old]
        tree[key] = value
