"""Recipes that build on recipes."""

from __future__ import annotations

from pathlib import Path

import pytest

from gandream.base.errors import RecipeError
from gandream.recipe.load import load_recipe
from gandream.run.manifest import recipe_text


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder / "a.yaml"


def test_mappings_merge_lists_are_replaced_and_the_includer_wins(tmp_path: Path):
    base = "model: cppn#7\nvideo: {size: 64, fps: 25}\nwalk: {through: [1, 2, 3], every: 2s}\n"
    recipe = load_recipe(write(tmp_path, a="include: b.yaml\nvideo: {fps: 12}\nwalk: {through: [9]}\n", b=base))
    assert recipe.video.size == (64, 64)
    assert recipe.video.fps == 12
    assert [latent.seed for latent in recipe.walk.through] == [9]
    assert str(recipe.walk.every) == "2s"


def test_later_includes_win_over_earlier_ones(tmp_path: Path):
    recipe = load_recipe(
        write(tmp_path, a="include: [b.yaml, c.yaml]\n", b="model: cppn#1\nseed: 4\n", c="model: cppn#2\n")
    )
    assert (recipe.model.written, recipe.seed) == ("cppn#2", 4)


def test_names_start_from_the_file_that_says_them(tmp_path: Path):
    (tmp_path / "inner").mkdir()
    write(tmp_path / "inner", b="include: c.yaml\nmodel: cppn#1\n", c="seed: 3\n")
    assert load_recipe(write(tmp_path, a="include: inner/b.yaml\n")).seed == 3


def test_mistakes_are_told_where_they_are_written(tmp_path: Path):
    path = write(tmp_path, a="include: b.yaml\nseed: 1\n", b="model: cppn#7\nwalk:\n  evry: 2s\n")
    with pytest.raises(RecipeError, match=r"b\.yaml:3:3  walk\.evry"):
        load_recipe(path)


def test_set_wins_over_all(tmp_path: Path):
    assert (
        load_recipe(write(tmp_path, a="include: b.yaml\n", b="model: cppn#7\n"), ["model=cppn#9"]).model.written
        == "cppn#9"
    )


def test_the_film_carries_what_came_of_it(tmp_path: Path):
    path = write(tmp_path, a="include: b.yaml\nseed: 1\n", b="model: cppn#7\n")
    (tmp_path / "again.yaml").write_text(recipe_text(load_recipe(path)))
    again = load_recipe(tmp_path / "again.yaml")
    assert (again.model.written, again.seed) == ("cppn#7", 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("include: a.yaml\n", "includes itself"),
        ("include: b.yaml\n", "includes itself"),
        ("include: nowhere.yaml\n", "no such file"),
        ("include: 7\n", "wanted the name of a recipe file"),
        ("include: [b.yaml, {x: 1}]\n", "wanted the name of a recipe file"),
        ("inclde: b.yaml\nmodel: cppn#7\n", "Did you mean 'include'"),
    ],
)
def test_what_cannot_be_included_is_told(tmp_path: Path, text: str, words: str):
    with pytest.raises(RecipeError, match=words):
        load_recipe(write(tmp_path, a=text, b="include: a.yaml\n"))


def test_files_that_include_many_files_are_bounded(tmp_path: Path):
    for depth in range(12):
        (tmp_path / f"{depth}.yaml").write_text("model: cppn#7\n" + f"include: [{depth + 1}.yaml, {depth + 1}.yaml]\n")
    (tmp_path / "12.yaml").write_text("seed: 1\n")
    with pytest.raises(RecipeError, match="at most 32 files"):
        load_recipe(tmp_path / "0.yaml")
