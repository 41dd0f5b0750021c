"""Sheets of a model: each picture is what a film with these words shows, and stands where the sheet says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gandream.base.errors import CheckpointError, OutputError
from gandream.models.registry import describe
from gandream.recipe.load import recipe_from
from gandream.run.model_pictures import Sample, pictures
from gandream.run.model_sheet import ModelSheet, facts, model_sheet, usual_name
from gandream.run.model_tables import Wanted
from gandream.run.sheet_words import amounts_of, seeds_of
from gandream.run.still import still

SIDE = 32


def sheet(model, **wanted) -> tuple[ModelSheet, np.ndarray]:
    made = model_sheet(str(model), Wanted(**wanted), "sheet.png", device="cpu")
    return made, np.asarray(Image.open(made.path).convert("RGB"))


def film(model, **words) -> np.ndarray:
    """The first frame of a film that stands still."""
    recipe = recipe_from({"model": str(model), "video": {"size": SIDE, "duration": 1}, **words})
    path, _ = still(recipe, "0s", "frame.png", device="cpu")
    return np.asarray(Image.open(path).convert("RGB"))


def assert_shows(pixels: np.ndarray, cell: dict, expected: np.ndarray) -> None:
    found = pixels[cell["y"] : cell["y"] + cell["h"], cell["x"] : cell["x"] + cell["w"]]
    assert found.shape == expected.shape
    # Pictures of one batch are rounded otherwise than alone.
    assert np.abs(found.astype(int) - expected).max() <= 1, cell


@pytest.fixture(scope="module")
def conditional(stylegan2_file) -> Path:
    """A StyleGAN2 of random weights with three classes and six layers, 16 x 16."""
    return stylegan2_file(classes=3)


def test_seeds_are_numbered_in_rows(here):
    made, pixels = sheet("cppn#7", seeds="3,8-10,5", size=SIDE, columns=3)
    cells = facts(made)["cells"]
    assert json.loads(json.dumps(cells)) == cells
    assert [cell["seed"] for cell in cells] == [3, 8, 9, 10, 5]
    assert [cell["y"] == cells[0]["y"] for cell in cells] == [True, True, True, False, False]
    for cell in (cells[0], cells[4]):
        assert_shows(pixels, cell, film("cppn#7", walk={"through": [cell["seed"]]}))


def test_classes_by_seeds(here, conditional):
    made, pixels = sheet(conditional, classes="2,0", seeds="4-5", size=SIDE)
    cells = facts(made)["cells"]
    assert [(cell["class"], cell["seed"]) for cell in cells] == [(2, 4), (2, 5), (0, 4), (0, 5)]
    for cell in cells[:3]:
        latent = {"seed": cell["seed"], "class": cell["class"]}
        assert_shows(pixels, cell, film(conditional, walk={"through": [latent]}))
    assert len(sheet(conditional, classes="all", seeds="1", size=16)[0].cells) == 3


def test_truncations_by_seeds(here, conditional):
    made, pixels = sheet(conditional, truncation="-1:1:3", seeds="4", class_="1", size=SIDE)
    cells = facts(made)["cells"]
    assert [cell["psi"] for cell in cells] == [-1, 0, 1]
    for cell in cells:
        model = {"file": str(conditional), "class": 1}
        words = {"walk": {"through": [4]}, "truncation": cell["psi"], "video": {"size": SIDE, "duration": 1}}
        path, _ = still(recipe_from({"model": model, **words}), "0s", "frame.png", device="cpu")
        assert_shows(pixels, cell, np.asarray(Image.open(path).convert("RGB")))


def test_styles_are_mixed_as_films_mix_them(here, stylegan2_file):
    model = stylegan2_file()
    made, pixels = sheet(model, mix="1,2", mixed_with="7-9", psi=0.8, size=SIDE)
    cells = facts(made)["cells"]
    names = ["coarse", "middle"]  # it has no fine layers
    assert len(cells) == len(names) * (3 * 4 - 1)
    mixed = [cell for cell in cells if "with" in cell]
    assert {(cell["seed"], cell["with"], cell["layers"]) for cell in mixed} == {
        (a, b, name) for a in (1, 2) for b in (7, 8, 9) for name in names
    }
    for cell in (mixed[0], mixed[5], mixed[7]):
        words = {"walk": {"through": [cell["seed"]]}, "mix": {"from": cell["with"], "layers": cell["layers"]}}
        assert_shows(pixels, cell, film(model, **words, truncation=0.8))
    # The sources of A stand to the left, those of B above.
    inside = mixed[4]
    left = next(one for one in cells if one["y"] == inside["y"])
    above = next(one for one in cells if one["x"] == inside["x"] and "with" not in one)
    assert (left["seed"], above["seed"]) == (inside["seed"], inside["with"])
    assert_shows(pixels, left, film(model, walk={"through": [left["seed"]]}, truncation=0.8))


@pytest.mark.parametrize(
    ("shape", "layers"), [((16,), None), ((6, 16), "1-2")], ids=["for all layers", "with one for each, in two"]
)
def test_a_direction_is_added_as_films_add_it(here, stylegan2_file, shape, layers):
    model = stylegan2_file()
    np.save("smile.npy", np.random.RandomState(0).randn(*shape))
    made, pixels = sheet(
        model, direction="smile.npy", seeds="3", strength=1.5, steps=3, layers=layers, psi=0.6, size=SIDE
    )
    cells = facts(made)["cells"]
    assert [cell.get("amount", 0) for cell in cells] == [-1.5, 0, 1.5]
    for cell in cells:
        push = {"along": "smile.npy", "by": cell.get("amount", 0), **({"layers": layers} if layers else {})}
        assert_shows(pixels, cell, film(model, walk={"through": [3]}, push=push, truncation=0.6))


def test_a_direction_of_z(here):
    np.save("z.npy", np.random.RandomState(1).randn(describe("cppn#3").latent_size) * 4)
    made, pixels = sheet("cppn#3", direction="z.npy", seeds="2", steps=3, strength=1, size=SIDE)
    push = {"along": "z.npy", "by": 1}
    assert_shows(pixels, facts(made)["cells"][2], film("cppn#3", walk={"through": [2]}, push=push))


def test_the_class_that_was_taken_is_said(here, conditional, gandream):
    said = gandream("sheet", conditional, "--seeds", "0-1", "--size", "16", "-o", "s.png", "--device", "cpu")
    assert (said.status, said.out) == (0, "s.png\n")
    more = "--class NAME takes another, and --classes all shows every one"
    assert said.err == f"note: net.safetensors has 3 classes; these are of class 0. {more}.\n"
    assert gandream("sheet", conditional, "--seeds", "0", "--class", "2", "-o", "s.png").err == ""


def test_only_a_batch_is_held(here):
    """The first pictures of a wall of ten thousand come at once."""
    made = pictures("cppn#7", describe("cppn#7"), [Sample(seed) for seed in range(10_000)], (16, 16), "cpu")
    assert next(made).shape == (16, 16, 3)


def test_small_pictures_are_not_enlarged_without_end(here, conditional):
    made, _ = sheet(conditional, seeds="1", class_="0")
    assert (made.cells[0].w, made.cells[0].h) == (48, 48)
    made, _ = sheet(conditional, seeds="1", class_="0", size=200)
    assert made.cells[0].w == 200


@pytest.mark.parametrize(
    ("written", "seeds"),
    [("0-3", (0, 1, 2, 3)), ("1, 5,9-11", (1, 5, 9, 10, 11)), ("7", (7,)), ("4294967295", (2**32 - 1,))],
)
def test_seeds_as_written(written, seeds):
    assert seeds_of(written) == seeds


@pytest.mark.parametrize("written", ["", "a", "1-", "-1", "5-2", "1,,2", "1.5", "4294967296", "0-10000", "0-9999,5"])
def test_seeds_that_are_none(written):
    with pytest.raises(OutputError) as error:
        seeds_of(written)
    assert str(error.value).startswith("--seeds")


def test_amounts_as_written():
    assert amounts_of("-1:1:5") == (-1, -0.5, 0, 0.5, 1)
    assert amounts_of("0.3, 1,-.5") == (0.3, 1, -0.5)
    for written in ("", "1:2", "0:1:1", "0:1:500", "nan", "0:inf:3", "1e9", "x:y:3", "0:1:2.5"):
        with pytest.raises(OutputError):
            amounts_of(written)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"classes": "all", "truncation": "1"}, "--classes is there already"),
        ({"classes": "silk"}, "has no class 'silk'"),
        ({"classes": "0-9"}, "has classes 0 to 2"),
        ({"classes": "0", "class_": "1"}, "Leave one of the two out"),
        ({"class_": "9"}, "has classes 0 to 2"),
        ({"class_": ""}, "wanted a class by its number or name"),
        ({"mix": "1-4"}, "with which seeds"),
        ({"mixed_with": "1-4"}, "--mix 1-4 --with 5-9"),
        ({"mix": "1", "mixed_with": "2", "seeds": "3"}, "those of --mix and --with"),
        ({"mix": "1", "mixed_with": "2", "layers": "fine"}, "has no fine layers"),
        ({"mix": "1", "mixed_with": "2", "layers": "4-9"}, "9 is beyond them"),
        ({"mix": "1", "mixed_with": "2", "layers": "corse"}, "Did you mean 'coarse'?"),
        ({"layers": "0"}, "layers go with --mix or --direction"),
        ({"direction": "none.npy"}, "no such file"),
        ({"direction": "odd.npy"}, "the saved direction is [5]"),
        ({"direction": "ones"}, "wanted a saved direction"),
        ({"strength": 2.0}, "this goes with --direction"),
        ({"steps": 3}, "this goes with --direction"),
        ({"direction": "w.npy", "steps": 1}, "wanted 2 to 101"),
        ({"direction": "w.npy", "strength": -1.0}, "above 0"),
        ({"psi": float("nan")}, "wanted a number"),
        ({"psi": 0.5, "truncation": "1"}, "Leave one of the two out"),
        ({"size": 4000}, "wanted 16 to 2048"),
        ({"size": 2048, "seeds": "0-99"}, "too many for a picture"),
        ({"columns": 0}, "wanted 1 to"),
        ({"columns": 4, "classes": "all"}, "this sheet's columns"),
        ({"truncation": "0:1:101", "seeds": "0-99"}, "10100 pictures, and a sheet has 10000 at most"),
    ],
)
def test_bad_input(here, conditional, wanted, words):
    np.save("odd.npy", np.ones(5))
    np.save("w.npy", np.ones(16))
    with pytest.raises(OutputError) as error:
        sheet(conditional, **wanted)
    assert words in str(error.value)


def test_models_that_are_not_there(here):
    with pytest.raises(CheckpointError, match="no such file"):
        sheet("gone.pkl")
    with pytest.raises(OutputError, match="has no classes"):
        sheet("cppn#7", classes="all")


def test_names_of_sheets():
    assert usual_name("a/b/cats.v2.safetensors") == "cats.v2"
    assert usual_name("cppn#7") == "cppn_7"
    assert usual_name("bundled:dream") == "dream"
