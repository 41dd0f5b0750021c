"""Latents as they are written: what each form is, and that it is written back as it was read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandream.recipe.latent import Latent
from gandream.recipe.recipe import Recipe


@pytest.fixture
def latent(load):
    """The latent that a text names; x.npy and x.npz lie beside the recipe."""

    def make(text: str) -> Latent:
        np.save("x.npy", np.zeros(64))
        np.savez("x.npz", smile=np.zeros(64))
        return load(f"walk:\n  through: [{text}]").walk.through[0]

    return make


def test_the_short_forms(latent):
    assert latent("7") == Latent(seed=7) == latent("{seed: 7}")
    assert latent("mean") == Latent(mean=True) == latent("{mean: true}")
    assert latent("x.npz#smile") == latent("{file: x.npz, name: smile}")
    assert (latent("x.npy").name, latent("x.npy#3").name) == (None, "3")
    between = latent("{between: [7, {seed: 9, class: 3}]}")
    assert between.between == (Latent(seed=7), Latent(**{"seed": 9, "class": 3}))
    assert between.amount == 0.5


def test_names_with_signs_in_them(latent, write):
    Path("a#b").mkdir()
    for file in ("a#b/x.npz", "MY.NPZ", "a b.npz"):
        np.savez(Path(file).with_suffix(""), z=np.zeros(64))
        Path(file).with_suffix(".npz").rename(file)
        found = latent(f"'{file}#one#two'")
        assert (found.file.written, found.name) == (file, "one#two")
        assert latent(f"'{file}'").file.written == file


def test_files_are_found_from_the_recipes_folder(tmp_path, monkeypatch):
    from gandream.recipe.load import load_recipe

    folder, elsewhere = tmp_path / "recipes", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    np.save(folder / "x.npy", np.zeros(64))
    (folder / "r.yaml").write_text("model: cppn#7\nwalk: {through: [x.npy, {file: x.npy}, {between: [1, x.npy#0]}]}\n")
    monkeypatch.chdir(elsewhere)
    one, two, three = load_recipe(folder / "r.yaml").walk.through
    assert one.file.path == two.file.path == three.between[1].file.path == folder / "x.npy"


@pytest.mark.parametrize(
    "text",
    [
        "7",
        "mean",
        "x.npy",
        "x.npy#3",
        "x.npz#smile/3",
        "{file: x.npz, name: smile, class: 2}",
        "{seed: 7, class: gold fish}",
        "{seed: 7, class: 0}",
        "{between: [1, {between: [mean, x.npy]}], amount: -0.25}",
    ],
)
def test_what_is_written_is_read_back(latent, text):
    once = latent(text)
    written = once.model_dump(mode="json", by_alias=True)
    again = Latent.model_validate(written)
    assert again.model_dump(mode="json", by_alias=True) == written
    for word in ("seed", "class_", "name", "mean", "amount"):
        assert getattr(again, word) == getattr(once, word)


def test_the_shortest_form_is_written(latent):
    for text, written in (("{seed: 7}", 7), ("{mean: true}", "mean"), ("{file: x.npz, name: smile}", "x.npz#smile")):
        assert latent(text).model_dump(mode="json") == written


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("meen", "wanted a latent", "Did you mean 'mean'?"),
        ("'7'", "wanted a latent", "Seeds are numbers, without quotes."),
        ("x.npx", "wanted a latent", ""),
        ("y.npz#smile", "no such file", "Did you mean 'x.npz'?"),
        ("{seed: 1, mean: true}", "a latent is one of: `seed`, `file`, `between`, `mean`", ""),
        ("{between: [1, 2], class: 3}", "a class goes with a seed or a saved z", "Give each of the two its own."),
        ("{seed: 1, name: x}", "`name` goes with `file`", ""),
        ("{seed: 1, amount: 0.2}", "`amount` goes with `between`", ""),
        ("{seed: 1, clas: 3}", "no such word here", "Did you mean 'class'?"),
        ("{file: song.wav}", "saved latents are .npy, .npz, .pt, .pth files", ""),
    ],
)
def test_what_is_told(latent, mistake, text, problem, hint):
    latent("1")  # the files are there
    error = mistake(f"walk:\n  through: [{text}]")
    assert error.where.startswith("r.yaml:3:")
    assert error.problem.startswith(problem)
    assert error.hint == hint


def test_latents_from_python():
    recipe = Recipe.model_validate({"model": "cppn#7", "walk": {"through": [7, "mean", {"between": [1, 2]}]}})
    assert [latent.seed for latent in recipe.walk.through] == [7, None, None]
