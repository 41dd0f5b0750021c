"""``--set key=value`` and ``vars``: changes to the plain tree before it is checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gandream.base.errors import RecipeError, did_you_mean, listed
from gandream.recipe.reader import MAX_VALUES, Document, Key, Mark, Path_, read_text

_STEP = re.compile(r"([^.\[\]]+)|\[(-?\d+)\]")


def set_values(document: Document, assignments: Sequence[str]) -> Document:
    """Apply ``walk.every=2 bars`` and the like; the values are YAML, file names in them start from the working directory."""
    for assignment in assignments:
        key, equals, written = assignment.partition("=")
        name = f"--set {assignment if len(assignment) <= 80 else assignment[:77] + '...'}"
        if not equals or not key.strip():
            raise RecipeError(name, "wanted key=value", "For instance: --set video.crf=23")
        value, marks = read_text(written, name, Path.cwd())
        path = _assign(document.tree, _path(key.strip(), name), value, name)
        for old in [old for old in document.marks if old[: len(path)] == path]:
            del document.marks[old]
        document.marks.update({(*path, *below): Mark(name) for below in marks} or {path: Mark(name)})
    document.overrides = (*document.overrides, *assignments)
    return document


def _path(key: str, name: str) -> list[str]:
    steps = [word or index for word, index in _STEP.findall(key)]
    if "".join(steps) != re.sub(r"[.\[\]]", "", key):
        raise RecipeError(name, f"can't read the key '{key}'", "For instance: walk.through[0]")
    return steps


def _assign(tree: Any, steps: list[str], value: Any, name: str) -> Path_:
    path: list[Key] = []
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        here = ".".join(map(str, path)) or "the recipe"
        if isinstance(tree, list):
            if not re.fullmatch(r"-?\d{1,9}", step) or not -len(tree) <= int(step) < len(tree):
                raise RecipeError(
                    name,
                    f"{here} is a list of {len(tree)}; '{step}' is none of its numbers, which start at 0",
                )
            at: Any = int(step) % len(tree)
        elif isinstance(tree, dict):
            at = next((old for old in tree if str(old) == step), step)
            if not last and tree.get(at) is None:
                tree[at] = {}
        else:
            raise RecipeError(
                name, f"{here} is {_shown(tree)}, which has no '{step}' inside", f"Set {here} as a whole."
            )
        path.append(at)
        if last:
            tree[at] = value
        else:
            tree = tree[at]
    return tuple(path)


def put_variables(document: Document) -> Document:
    """Replace whole values ``$name`` by what ``vars`` says; variables may use variables."""
    variables = document.tree.get("vars")
    variables = variables if isinstance(variables, dict) else {}
    budget = MAX_VALUES

    def put(value: Any, path: Path_, using: tuple[str, ...]) -> Any:
        nonlocal budget
        budget -= 1
        if budget < 0:
            raise RecipeError(document.file, f"variables repeat things into more than {MAX_VALUES} values")
        if isinstance(value, dict):
            return {key: put(item, (*path, key), using) for key, item in value.items()}
        if isinstance(value, list):
            return [put(item, (*path, index), using) for index, item in enumerate(value)]
        if not isinstance(value, str) or not re.fullmatch(r"\$[A-Za-z_]\w*", value):
            return value
        variable = str(value)[1:]
        if variable not in variables:
            hint = did_you_mean(variable, map(str, variables)) or (
                f"Variables: {listed(variables)}." if variables else "There are no `vars`."
            )
            raise RecipeError(
                f"{document.mark(path).at()}  {dotted(path)} = {value}",
                f"there is no variable '{variable}'",
                hint,
            )
        if variable in using:
            raise RecipeError(
                f"{document.mark(path).at()}  {dotted(path)} = {value}",
                f"the variable '{variable}' is made of itself",
            )
        return put(variables[variable], path, (*using, variable))

    document.tree = put(document.tree, (), ())
    return document


def dotted(path: Sequence[Key]) -> str:
    """Write a path as people do: ``walk.through[2]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.lstrip(".")


def _shown(value: Any) -> str:
    text = str(value)
    return f"'{text[:40]}'" if isinstance(value, str) else text[:40]
