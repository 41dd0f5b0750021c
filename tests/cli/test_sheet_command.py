"""``gandream sheet``: which kind of sheet is meant, what it says, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def recipe(here: Path) -> Path:
    (here / "r.yaml").write_text("model: cppn#7\nvideo: {size: 32, fps: 10, duration: 2}\n")
    (here / "broken.yml").write_text("modl: cppn#7\n")
    return here


def test_a_recipe_makes_a_storyboard(gandream):
    said = gandream("sheet", "r.yaml", "--every", "1s", "--width", "300", "--set", "video.duration=3", "--json")
    found = json.loads(said.out)
    assert [(cell["time_s"], cell["frame"]) for cell in found["cells"]] == [(0, 0), (1, 10), (2, 20)]
    with Image.open(found["file"]) as picture:
        assert picture.size == (found["width"], found["height"])
    assert (said.status, found["file"], said.err) == (0, str(Path("outputs/r_storyboard.png")), "")


def test_a_model_makes_a_contact_sheet(gandream):
    said = gandream("sheet", "cppn#7", "--seeds", "4-6", "--size", "16", "-o", "a/b.png", "--json")
    found = json.loads(said.out)
    assert [cell["seed"] for cell in found["cells"]] == [4, 5, 6]
    assert found["model"] == "cppn#7"
    assert Path("a/b.png").is_file()
    assert gandream("sheet", "cppn#7", "--truncation", "-1:1:2", "--seeds", "1", "--size", "16").out == (
        "outputs/cppn_7_sheet.png\n"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "RECIPE|MODEL is missing"),
        (("r.yaml", "--seeds", "0-3"), "this is for sheets of models, and r.yaml is a recipe"),
        (("r.yaml", "--psi", "0.5"), "this is for sheets of models"),
        (("cppn#7", "--every", "1s"), "this is for sheets of recipes, and cppn#7 is a model"),
        (("cppn#7", "--set", "seed=1"), "this is for sheets of recipes"),
        (("gone.yaml",), "no such file"),
        (("broken.yml",), "Did you mean 'model'?"),
        (("r.yaml", "--every", "1 bar"), "no music and no tempo"),
        (("r.yaml", "--at", "5s"), "that is at 5.000 s"),
        (("r.yaml", "-o", "x.jpg"), "should end in .png"),
        (("cppn#7", "-o", "x.pdf"), "should end in .png"),
        (("cppn#7", "-o", "folder.png"), "a folder is where the sheet should be"),
        (("cppn#7", "--device", "tpu"), "is no device"),
        (("cppn#7", "--steps", "x"), "sheet --steps x 'x' is no whole number"),
        (("cppn#x",), "cppn#x"),
    ],
)
def test_bad_input(gandream, arguments, words):
    Path("folder.png").mkdir()
    said = gandream("sheet", *arguments)
    assert said.status == 2
    assert words in " ".join(said.err.split())
    assert "Traceback" not in said.err
    assert said.out == ""
    assert not [file for file in Path().rglob("*.png") if file.is_file()]
