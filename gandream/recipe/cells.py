"""The recipe of each cell of a grid: the whole recipe with other words in it, checked as if it were written so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from gandream.base.errors import RecipeError, did_you_mean, listed
from gandream.recipe.draft import drafted
from gandream.recipe.load import checked
from gandream.recipe.overrides import assign_value
from gandream.recipe.reader import Document, Mark, Path_
from gandream.recipe.recipe import Recipe
from gandream.recipe.scene import Looks

VARIED = (*(word for word in Looks.words() if word not in ("effects", "layer")), "seed", "vars", "curves")
"""Words that may differ between cells; the others are the film's."""


@dataclass(frozen=True)
class Cell:
    """A cell: its recipe, where it is (from 0), and what is written into it."""

    recipe: Recipe
    column: int
    row: int
    label: str = ""


def cells_of(recipe: Recipe) -> tuple[Cell, ...]:
    """The cells of a recipe's grid, row by row; none without a grid. RecipeError where one of them can't be."""
    grid = recipe.grid
    if grid is None:
        return ()
    _check_keys(recipe)
    count, columns, rows = grid.shape
    return tuple(_cell(recipe, number, (count, columns, rows)) for number in range(count))


def _check_keys(recipe: Recipe) -> None:
    assert recipe.grid is not None, "there is a grid"
    for word in ("vary", "across", "down"):
        for key in getattr(recipe.grid, word):
            first = key.partition(".")[0].partition("[")[0]
            if first not in VARIED:
                hint = did_you_mean(first, VARIED) or f"These can: {listed(VARIED)}."
                raise recipe.error(("grid", word, key), f"'{first}' can't differ between cells", hint)


def _cell(recipe: Recipe, number: int, shape: tuple[int, int, int]) -> Cell:
    grid, (count, columns, rows) = recipe.grid, shape
    assert grid is not None, "there is a grid"
    row, column = divmod(number, columns)
    written = recipe.document
    tree = _copied(written.tree or recipe.model_dump(mode="json", by_alias=True, exclude_unset=True))
    source = tree.pop("grid", {})
    document = replace(written, tree=tree, marks=dict(written.marks))
    label = []
    if grid.seeds is not None:
        seed = grid.seeds[number]
        if "walk" not in tree and grid.walks is None:
            _put(document, "walk", {"through": [seed]}, ("grid", "seeds"))
        _put(document, "seed", seed, ("grid", "seeds", number))
        label.append(str(seed))
    if grid.walks is not None:
        _put(document, "walk", _copied(source["walks"][number]), ("grid", "walks", number))
        label += [] if label else [str(number + 1)]
    for word, at in (("vary", number), ("across", column), ("down", row)):
        for key, values in getattr(grid, word).items():
            _put(document, key, _copied(values[at]), ("grid", word, key, at))
            label += [_told(key, values[at], at)]
    try:
        made = checked(document, {"cell": number, "column": column, "row": row, "cells": count, "columns": columns,
                                  "rows": rows})  # fmt: skip
    except RecipeError as error:
        problem = f"{error.problem} (cell {number + 1}: column {column + 1}, row {row + 1})"
        raise RecipeError(error.where, problem, error.hint) from None
    own = grid.labels[number] if isinstance(grid.labels, tuple) else "\n".join(label) or str(number + 1)
    made = made if recipe.drafted is None else drafted(made, recipe.drafted)
    return Cell(made, column, row, own if grid.labels else "")


def _put(document: Document, key: str, value: Any, source: Path_) -> None:
    """Set a word; mistakes in it are told where it is written in the grid."""
    name = f"{document.mark(source).at()}  {'.'.join(str(step) for step in source)}"
    path = assign_value(document.tree, key, value, name)
    for old in [old for old in document.marks if old[: len(path)] == path]:
        del document.marks[old]
    marks: dict[Path_, Mark] = {path: document.mark(source)}
    marks |= {
        (*path, *old[len(source) :]): mark for old, mark in document.marks.items() if old[: len(source)] == source
    }
    document.marks.update(marks)


def _copied(value: Any) -> Any:
    """The lists and mappings anew; what is in them stays, as text knows the folder that it comes from."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list | tuple) else value


def _told(key: str, value: Any, at: int) -> str:
    """A label for a value: short ones as they are."""
    last = key.rpartition(".")[2]
    text = str(value) if isinstance(value, str | int | float) else str(at + 1)
    return f"{last} {text if len(text) <= 24 else text[:23] + '...'}"
