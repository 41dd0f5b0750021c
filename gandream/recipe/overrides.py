"""``--set key=value`` and ``vars``: changes to the plain tree before it is checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gandream.base.errors import RecipeError, did_you_mean, listed
from gandream.recipe.reader import MAX_DEPTH, MAX_VALUES, Document, Key, Mark, Path_, read_text

_KEY = re.compile(r"[^.\[\]]+(?:\.[^.\[\]]+|\[-?\d{1,9}\])*", re.ASCII)
_STEP = re.compile(r"([^.\[\]]+)|\[(-?\d+)\]", re.ASCII)


class Assignment(str):
    """``key=value`` that stands elsewhere than on the command line: its place, and the folder that files start from."""

    __slots__ = ("folder", "place")
    folder: Path
    place: str

    def __new__(cls, text: str, place: str, folder: Path) -> Assignment:
        """Attach the place and the folder to the text."""
        made = super().__new__(cls, text)
        made.place, made.folder = place, folder
        return made


def set_values(document: Document, assignments: Sequence[str]) -> Document:
    """Apply ``walk.every=2 bars`` and the like; values are YAML, files in them start from the working directory."""
    for assignment in assignments:
        key, equals, written = assignment.partition("=")
        name, folder = f"--set {assignment if len(assignment) <= 80 else assignment[:77] + '...'}", Path.cwd()
        if isinstance(assignment, Assignment):
            name, folder = assignment.place, assignment.folder
        if not equals or not key.strip():
            raise RecipeError(name, "wanted key=value", "For instance: --set video.crf=23")
        value, marks = read_text(written, name, folder, lines=False)
        path = _assign(document.tree, _path(key.strip(), name), value, name)
        for old in [old for old in document.marks if old[: len(path)] == path]:
            del document.marks[old]
        for end in range(1, len(path) + 1):
            document.marks.setdefault(path[:end], Mark(name))
        document.marks.update({(*path, *below): Mark(name) for below in marks})
    document.overrides = (*document.overrides, *assignments)
    return document


def _path(key: str, name: str) -> list[Key]:
    """The steps of a key: words, and numbers for what stands in square brackets."""
    if not _KEY.fullmatch(key):
        raise RecipeError(name, f"can't read the key '{key[:60]}'", "For instance: walk.through[0]")
    steps = [word.strip() or int(index) for word, index in _STEP.findall(key)]
    if len(steps) > MAX_DEPTH:
        raise RecipeError(name, f"a key has at most {MAX_DEPTH} parts", "Set a shorter one as a whole.")
    return steps


def assign_value(tree: dict[str, Any], key: str, value: Any, name: str) -> Path_:
    """Set a dotted key in a tree, and give its path; ``name`` stands for the place in errors."""
    return _assign(tree, _path(key, name), value, name)


def _assign(tree: Any, steps: list[Key], value: Any, name: str) -> Path_:
    path: list[Key] = []
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        here = dotted(path) or "the recipe"
        if isinstance(tree, list):
            if not re.fullmatch(r"-?\d{1,9}", str(step), re.ASCII) or not -len(tree) <= int(step) < len(tree):
                problem = f"{here} is a list of {len(tree)}; '{step}' is none of its numbers, which start at 0"
                raise RecipeError(name, problem, f"To make it longer, set {here} as a whole.")
            at: Any = int(step) % len(tree)
        elif isinstance(tree, dict):
            at = next((old for old in tree if str(old) == str(step)), step)
            if at not in tree and isinstance(at, int):
                raise RecipeError(name, f"{here} is no list, so [{at}] isn't in it", f"Set {here} as a whole.")
            if not last and tree.get(at) is None:
                tree[at] = {}
        else:
            problem = f"{here} is {_shown(tree)}, which has no '{step}' inside"
            raise RecipeError(name, problem, f"Set {here} as a whole.")
        path.append(at)
        if last:
            tree[at] = value
        else:
            tree = tree[at]
    return tuple(path)


def put_variables(document: Document) -> Document:
    """Replace whole values ``$name`` by what ``vars`` says; variables may use variables."""
    document.tree = _Variables(document).put(document.tree, (), (), ())
    return document


class _Variables:
    def __init__(self, document: Document):
        written = document.tree.get("vars")
        self.known: dict[Any, Any] = written if isinstance(written, dict) else {}
        self.document, self.values = document, 0

    def put(self, value: Any, path: Path_, source: Path_, using: tuple[str, ...]) -> Any:
        """A value for a path, which is written at ``source`` and reached through the variables in ``using``."""
        self.values += 1
        if self.values > MAX_VALUES:
            raise self.error(path, f"variables repeat things into more than {MAX_VALUES} values")
        if len(path) > 2 * MAX_DEPTH or len(using) > MAX_DEPTH:
            raise self.error(path, f"variables are made of variables more than {MAX_DEPTH} deep")
        if using:
            self.note(path, source)
        if isinstance(value, dict):
            return {key: self.put(item, (*path, key), (*source, key), using) for key, item in value.items()}
        if isinstance(value, list):
            return [self.put(item, (*path, index), (*source, index), using) for index, item in enumerate(value)]
        if not isinstance(value, str) or not re.fullmatch(r"\$[A-Za-z_]\w*", value):
            return value
        variable = str(value)[1:]
        if variable not in self.known:
            known = [str(name) for name in self.known]
            hint = did_you_mean(variable, known) or (
                f"Variables: {listed(known)}." if known else "There are no `vars`."
            )
            raise self.error(path, f"there is no variable '{variable[:60]}'", hint)
        if variable in using:
            raise self.error(path, f"the variable '{variable}' is made of itself")
        return self.put(self.known[variable], path, ("vars", variable), (*using, variable))

    def note(self, path: Path_, source: Path_) -> None:
        """A key stays where it is used; the columns of its value are where the variable is written."""
        marks = self.document.marks
        used, written = marks.get(path), marks.get(source)
        if used is None and written is not None:
            marks[path] = written
        elif used is not None and written is not None and written.line and used.file == written.file:
            place = {"value_line": written.value_line, "value_column": written.value_column, "plain": written.plain}
            marks[path] = replace(used, **place)
        elif used is not None:
            marks[path] = replace(used, plain=False)

    def error(self, path: Path_, problem: str, hint: str = "") -> RecipeError:
        return RecipeError(f"{self.document.mark(path).at()}  {dotted(path)}", problem, hint)


def dotted(path: Sequence[Key]) -> str:
    """Write a path as people do: ``walk.through[2]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{str(step)[:60]}"
    text = text.lstrip(".")
    return text if len(text) <= 120 else text[:119] + "…"


def _shown(value: Any) -> str:
    text = str(value)
    return f"'{text[:40]}'" if isinstance(value, str) else text[:40]
