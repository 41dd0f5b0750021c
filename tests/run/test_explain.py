"""``gandream explain``: what it prints makes the same film; what it draws; what expressions know."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from gandream.base.errors import CheckpointError
from gandream.recipe.expression import NAMES
from gandream.recipe.functions import FUNCTIONS
from gandream.recipe.load import load_recipe
from gandream.run.explain import curves_of, explained
from gandream.run.prepare import prepare

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))


def keys(path: Path, cache: Path, overrides: tuple[str, ...] = ()) -> list[str]:
    try:
        made = prepare(load_recipe(path, overrides), cache)
    except CheckpointError as error:
        if "models add" not in error.hint:
            raise
        pytest.skip("its model was not added here")
    return [segment.key for segment in made.reel("cpu").segments]


@pytest.fixture
def same(here: Path, heard: Path):
    def same(path: Path, overrides: tuple[str, ...] = ()) -> str:
        text = explained(load_recipe(path, overrides))
        again = path.parent / f"{path.stem}_explained.yaml" if path.is_relative_to(here) else here / path.name
        again.write_text(text, encoding="utf-8")
        assert keys(again, heard) == keys(path, heard, overrides)
        assert explained(load_recipe(again)) == text, "nothing is left to explain"
        return text

    return same


ALWAYS = ("music_viz", "sections", "contact_sheet", "deep_music", "curves")
"""Recipes of other kinds than each other; the rest are told only when there is time."""
EXPLAINED = [pytest.param(path, marks=[] if path.stem in ALWAYS else pytest.mark.slow) for path in RECIPES]


@pytest.mark.parametrize("path", EXPLAINED, ids=[path.stem for path in RECIPES])
def test_every_recipe_explained_makes_the_same_film(same, path):
    overrides = ("video.duration=2", "video.fps=5") if "audio" in path.read_text() else ("video.fps=5",)
    same(path, overrides)


MANY = """\
model: {file: cppn#7, precision: exact}
tempo: {bpm: 100}
title: "010"
vars: {speed: 1.5, list: [3, 4], name: "1e3"}
curves: {swing: sin(t*speed), up: {0s: 0, 2 bars: 1, ease: smooth}}
walk: {wander: {sigma: 2s}, speed: 1 + 0.5*swing}
push: {toward: {between: [1, mean], amount: 0.3}, by: up}
mix: [{from: {through: $list, every: 1 bar}, layers: fine, at: 1s, until: 3s}, {from: mean, amount: 0.2}]
truncation: [{layers: coarse, psi: swing}, {layers: 5-, psi: {0s: 1, 3s: 0.2}}]
noise: {mode: animate, layers: fine}
transition: crossfade 0.5s
effects: [{hue: 30*t}, {vignette: 0.3, radius: 0.5}, fade]
scenes:
  - {for: 2s}
  - {for: 1 bar, effects: [], walk: {circle: {radius: 0.4}}, seed: 5}
  - {for: 1s, walk: {through: [1, {seeds: 3, seed: 2}, 0-3], every: [1s, 2s]}, transition: cut, model: cppn#2}
video: {size: 48x32, fps: 12.5, crf: 20}
"""


def test_a_recipe_of_many_words_explained_makes_the_same_film(same, here: Path):
    (here / "many.yaml").write_text(MANY)
    said = yaml.safe_load(same(here / "many.yaml"))
    assert said["vars"] == {"speed": 1.5}
    assert said["title"] == "010"
    assert said["video"]["preset"] == "veryfast", "defaults are said"
    assert "through" not in said["walk"]
    assert said["scenes"][0] == {"for": "2s"}, "a scene says what is its own"


def test_includes_and_files_from_elsewhere_are_said_from_the_recipe(same, here: Path):
    (here / "parts").mkdir()
    np.save(here / "parts" / "saved.npy", np.random.RandomState(0).randn(3, 64).astype(np.float32))
    (here / "parts" / "base.yaml").write_text(
        "walk: {through: [saved.npy, 2]}\nvideo: {size: 32, fps: 5, duration: 3}\n"
    )
    (here / "r.yaml").write_text("include: parts/base.yaml\nmodel: cppn#7\nvideo: {fps: 10}\n")
    said = yaml.safe_load(same(here / "r.yaml", ("truncation=0.7",)))
    assert "include" not in said
    assert said["video"]["fps"] == "10"
    assert said["truncation"] == 0.7


def test_a_column_keeps_its_name_and_its_table_is_found_from_the_recipe(same, here: Path):
    (here / "parts").mkdir()
    (here / "parts" / "a.csv").write_text("time,filter,volume\n0,0,1\n2,1,0\n")
    (here / "parts" / "base.yaml").write_text(
        "signals: {f: {csv: a.csv#filter}}\nvideo: {size: 32, fps: 5, duration: 2}\n"
    )
    (here / "r.yaml").write_text("include: parts/base.yaml\nmodel: cppn#7\ntruncation: f\n")
    said = yaml.safe_load(same(here / "r.yaml"))
    assert said["signals"]["f"]["csv"] == "parts/a.csv#filter"


def test_a_grid_of_latents_that_stand_still_stays_one(same, here: Path):
    (here / "r.yaml").write_text("model: cppn#7\ngrid: {seeds: [3, 4]}\nvideo: {size: 32, fps: 5, duration: 2}\n")
    assert "walk" not in yaml.safe_load(same(here / "r.yaml"))


def test_a_palette_goes_on_where_a_label_says_how_fast(same, here: Path, clicks: Path):
    scenes = "scenes: {labels: {A: {walk: {every: 1s}}}}"
    text = f"model: cppn#7\naudio: {clicks}\n{scenes}\nvideo: {{fps: 5, size: 32}}"
    (here / "r.yaml").write_text(text)
    said = yaml.safe_load(same(here / "r.yaml"))
    assert said["scenes"]["labels"]["A"]["walk"] == {"every": "1s"}


def test_curves_are_those_of_the_film(here: Path):
    (here / "r.yaml").write_text(
        "model: cppn#7\ntruncation: t\n"
        "scenes: [{for: 2s}, {for: 2s, truncation: 10 - t, effects: [{hue: 90*scene_t}]}]\nvideo: {fps: 10}\n"
    )
    found = curves_of(prepare(load_recipe("r.yaml"), here / "cache"))
    t = np.arange(40) / 10
    assert set(found) == {"truncation", "effects[0].hue"}
    np.testing.assert_allclose(found["truncation"], np.where(t < 2, t, 10 - t))
    np.testing.assert_allclose(found["effects[0].hue"], np.where(t < 2, 0, 90 * (t - 2)), atol=1e-9)


def test_the_command_prints_and_draws(gandream, here: Path, clicks: Path):
    from PIL import Image

    (here / "r.yaml").write_text(
        f"model: cppn#7\naudio: {clicks}\nsignals: {{hit: onset}}\ntruncation: hit\nwalk: {{speed: 1 - hit}}\n"
    )
    said = gandream("explain", "r.yaml", "--plot", "plots/curves.png", "--set", "video.fps=12")
    assert said.status == 0
    assert yaml.safe_load(said.out)["video"]["fps"] == "12"
    with Image.open("plots/curves.png") as image:
        assert image.size[0] > 1000
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    assert pixels.mean() < 90, "dark"
    assert len(np.unique(pixels, axis=0)) > 100


def test_the_command_lists_what_expressions_know(gandream):
    said = gandream("explain", "--functions")
    assert said.status == 0
    for name, function in FUNCTIONS.items():
        assert f"{name}({function.arguments})" in said.out
        assert function.example in said.out
    assert all(f"  {name} " in said.out for name in NAMES)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "RECIPE is missing, or --functions"),
        (("no.yaml",), "no.yaml"),
        (("r.yaml", "--plot", "x.jpg"), "a plot is a PNG"),
    ],
)
def test_mistakes_of_the_command(gandream, here: Path, arguments, words):
    (here / "r.yaml").write_text("model: cppn#7\nvideo: {duration: 1}\n")
    said = gandream("explain", *arguments)
    assert said.status == 2
    assert words in said.err.replace("\n", " ")
