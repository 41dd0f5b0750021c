"""The word `grid`: its cells, what differs between them, and mistakes."""

from __future__ import annotations

import pytest

from gandream.base.errors import RecipeError
from gandream.recipe.cells import VARIED, cells_of
from gandream.recipe.grid import Grid
from gandream.recipe.load import load_recipe, recipe_from


def cells(grid: dict, **words):
    return cells_of(recipe_from({"model": "cppn#7", "grid": grid, **words}))


@pytest.mark.parametrize(
    ("grid", "shape"),
    [
        ({"seeds": "10-17", "columns": 4}, (8, 4, 2)),
        ({"seeds": [1, 2, 3, 4, 5]}, (5, 3, 2)),
        ({"seeds": [1, 2, 3, 4, 5], "rows": 1}, (5, 5, 1)),
        ({"columns": 3, "rows": 2}, (6, 3, 2)),
        ({"walks": [{"through": [1, 2]}, "wander"]}, (2, 2, 1)),
        ({"across": {"truncation": [0, 1, 2]}, "down": {"seed": [1, 2]}}, (6, 3, 2)),
        ({"vary": {"truncation": [0, 0.5, 1, 2]}}, (4, 2, 2)),
        ({"columns": 5}, (5, 5, 1)),
    ],
)
def test_shapes(grid, shape):
    assert Grid.model_validate(grid).shape == shape
    assert [(cell.row, cell.column) for cell in cells(grid)] == [divmod(at, shape[1]) for at in range(shape[0])]


def test_seeds_are_the_recipes_and_where_there_is_no_walk_the_latents():
    first, second = cells({"seeds": [5, 9]})
    assert (first.recipe.seed, second.recipe.seed) == (5, 9)
    assert [latent.seed for latent in second.recipe.walk.through] == [9]
    _, second = cells({"seeds": [5, 9]}, walk={"wander": {}})
    assert second.recipe.seed == 9
    assert second.recipe.walk.wander is not None


def test_words_vary_by_cell_column_and_row():
    grid = {
        "across": {"truncation": [0.5, "0.7 + 0.1*sin(t)"]},
        "down": {"walk.ease": ["linear", "smooth"], "vars.speed": [1, 2]},
        "walks": [{"through": [at, 7]} for at in range(4)],
    }
    found = cells(grid, vars={"speed": 0}, walk={"every": "2s"})
    assert [str(cell.recipe.truncation) for cell in found] == ["0.5", "0.7 + 0.1*sin(t)"] * 2
    assert ["smooth" in cell.recipe.walk.ease for cell in found] == [False, False, True, True]
    assert [cell.recipe.vars["speed"] for cell in found] == [1, 1, 2, 2]
    assert [cell.recipe.walk.through[0].seed for cell in found] == [0, 1, 2, 3]
    assert found[3].recipe.cell == {"cell": 3, "column": 1, "row": 1, "cells": 4, "columns": 2, "rows": 2}
    assert all(cell.recipe.grid is None for cell in found)


def test_a_list_is_changed_in_one_place():
    found = cells({"vary": {"push[0].by": [0, 1]}}, push=[{"random": 3}, {"random": 4}])
    assert [str(cell.recipe.push[0].by) for cell in found] == ["0", "1"]
    assert [str(cell.recipe.push[1].by) for cell in found] == ["1", "1"]


def test_labels_say_what_varies():
    def labels(**grid):
        return [cell.label for cell in cells({"labels": True, **grid})]

    assert labels(seeds=[5, 9]) == ["5", "9"]
    assert labels(columns=2) == ["1", "2"]
    assert labels(across={"truncation": [0.5, 1]}) == ["truncation 0.5", "truncation 1"]
    assert labels(across={"truncation": [0.5, 1]}, seeds=[1, 2]) == ["1\ntruncation 0.5", "2\ntruncation 1"]
    assert labels(walks=[{"through": [1]}, {"through": [2]}]) == ["1", "2"]
    assert labels(seeds=[5, 9], labels=["a", 2]) == ["a", "2"]
    assert labels(seeds=[5, 9], labels=False) == ["", ""]


def test_without_a_grid_there_are_no_cells():
    assert cells_of(recipe_from({"model": "cppn#7"})) == ()


@pytest.mark.parametrize(
    ("grid", "words", "where", "problem", "hint"),
    [
        ({}, {}, "grid", "a grid has more than one cell", "seeds: 10-17"),
        ({"seeds": 5}, {}, "grid.seeds", "wanted a list of seeds, or a range", ""),
        ({"seeds": [1, -2]}, {}, "grid.seeds", "seeds are from 0", ""),
        ({"seeds": "9-3"}, {}, "grid.seeds", "rises", ""),
        ({"seeds": [1, 2], "walks": [{}]}, {}, "grid.walks", "1 walks for 2 cells", ""),
        ({"seeds": "0-8", "columns": 2, "rows": 2}, {}, "grid.columns", "2 x 2 has 4 cells, and here are 9", ""),
        ({"columns": 20, "rows": 20}, {}, "grid", "400 cells are too many", ""),
        (
            {"columns": 2, "vary": {"truncation": [1, 2, 3]}, "seeds": [1, 2]},
            {},
            "grid.seeds",
            "2 seeds for 3 cells",
            "",
        ),
        ({"rows": 2, "across": {"truncation": [1, 2]}, "columns": 3}, {}, "grid.across", "2 values for 3 columns", ""),
        ({"seeds": [1, 2], "labels": ["a"]}, {}, "grid.labels", "1 labels for 2 cells", ""),
        ({"seeds": [1, 2], "colums": 2}, {}, "grid.colums", "no such word here", "Did you mean 'columns'?"),
        ({"seeds": [1, 2], "colour": "blak"}, {}, "grid.colour", "wanted a colour", "black"),
        (
            {"across": {"truncatoin": [1, 2]}},
            {},
            "grid.across.truncatoin",
            "can't differ",
            "Did you mean 'truncation'?",
        ),
        ({"columns": 2}, {"scenes": [{"at": 0}, {"at": 1}]}, "grid", "a grid shows one scene", "Keep one"),
        ({"across": {"model": [1, 2]}}, {}, "grid.across.model", "'model' can't differ between cells", "walk"),
        ({"across": {"effects": [1, 2]}}, {}, "grid.across.effects", "'effects' can't differ", ""),
        ({"across": {"truncation": [1, "1 +"]}}, {}, "truncation", "something is missing here", ""),
        ({"across": {"walk.through[4]": [1, 2]}}, {"walk": {"through": [1, 2]}}, "grid.across", "is a list of 2", ""),
        ({"across": {"walk.every": ["1s", "2 parsec"]}}, {}, "walk.every", "(cell 2: column 2, row 1)", ""),
        ({"across": {"push": [{"random": 1}, {"randm": 1}]}}, {}, "push", "no such word here", "random"),
    ],
)
def test_mistakes(grid, words, where, problem, hint):
    with pytest.raises(RecipeError) as caught:
        cells(grid, **words)
    assert where in caught.value.where
    assert problem in caught.value.problem
    assert hint in caught.value.hint


def test_mistakes_are_told_where_they_are_written(tmp_path):
    (tmp_path / "a.yaml").write_text("model: cppn#7\ngrid:\n  across:\n    truncation: [1, 1 + oops]\n")
    with pytest.raises(RecipeError, match="there is nothing called 'oops'") as caught:
        cells_of(load_recipe(tmp_path / "a.yaml"))
    assert "a.yaml:4:" in caught.value.where


def test_validate_checks_the_cells(gandream, here):
    (here / "a.yaml").write_text("model: cppn#7\ngrid: {across: {truncation: [1, none]}}\n")
    said = gandream("validate", "a.yaml")
    assert said.status == 2
    assert "nothing called 'none'" in said.err
    (here / "a.yaml").write_text("model: cppn#7\ngrid: {across: {truncation: [1, column]}}\n")
    assert gandream("validate", "a.yaml").status == 0


def test_what_may_vary_is_a_word_of_recipes():
    from gandream.recipe.recipe import Recipe

    assert set(VARIED) <= set(Recipe.words())
