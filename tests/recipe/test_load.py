from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from gandream.recipe.load import load_recipe
from gandream.recipe.recipe import curves_in, needs_beats, times_in

FULL = """
gandream: 1
seed: 12
title: "Nächte: 😀 \\"laut\\""
audio: song.wav
tempo: {bpm: 128, beats_per_bar: 3, first_beat: 0.25}
signals:
  level: rms
  kick: {from: onset, high: 120, release: 1/3s, attack: 5ms, clip: 95, gate: 0.1, power: 2, delay: 2 frames,
         range: [-1, 1]}
  notes: {from: chroma, of: song.wav, smooth: 1 beat}
vars: {amount: 0.3, palette: [1, 2, {a: null}], speed: 1 + 0.5*kick}
walk: {through: [1, {seed: 2}, 4294967295], at: [0s, 10%, 4 bars], path: lerp, ease: out_back, loop: false,
       speed: $speed}
push:
  - {random: true, by: {0: 0, 1/7 s: 1, ease: hold}, mode: drift, box: 2.5}
  - {toward: 9, by: amount*notes.Db, layers: [coarse, 8-, 3, 4-6]}
truncation: 0.6 + 0.4*level
video: {size: 640x360, fps: 23.976, duration: 20, start: 0:10, loop: true, crf: 20, preset: fast, subsampling: 444}
"""


def test_a_model_is_all_that_is_needed(load):
    recipe = load("")
    assert (recipe.model.written, recipe.video.size, recipe.video.fps, recipe.seed) == ("cppn#7", None, 30, 0)
    assert [latent.seed for latent in recipe.walk.through] == [0, 1, 2, 3]


def test_everything_at_once(load):
    recipe = load(FULL)
    assert recipe.title == 'Nächte: 😀 "laut"'
    assert recipe.signals["level"].source == "rms"
    assert recipe.signals["kick"].clip == (0.0, 95.0)
    assert recipe.walk.speed.text == "1 + 0.5*kick"
    assert recipe.video.fps == Fraction(24000, 1001)
    assert (recipe.video.size, recipe.video.subsampling) == ((640, 360), "444")
    assert recipe.push[1].layers.parts == ("coarse", (8, None), (3, 3), (4, 6))
    assert recipe.where(("push", 1, "by")) == "r.yaml:18:17  push[1].by = amount*notes.Db"
    assert recipe.where(("walk", "through", 1, "seed")).startswith("r.yaml:14:")
    assert recipe.where(("truncation",), 6) == "r.yaml:19:19  truncation = 0.6 + 0.4*level"


def test_a_recipe_survives_a_round_trip(load, write):
    recipe = load(FULL)
    dumped = recipe.model_dump(mode="json", by_alias=True)
    write(json.dumps(dumped), first="")
    again = load_recipe("r.yaml")
    assert dict(again) == dict(recipe)
    assert again.model_dump(mode="json", by_alias=True) == dumped


@pytest.mark.parametrize(
    "recipe", sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml")), ids=lambda path: path.stem
)
def test_shipped_recipes_load_and_survive_a_round_trip(recipe, write):
    loaded = load_recipe(recipe)
    write(json.dumps(loaded.model_dump(mode="json", by_alias=True)), first="")
    assert load_recipe("r.yaml").model_copy(update={"model": loaded.model}).model_dump() == loaded.model_dump()


def test_a_recipe_is_frozen(load):
    recipe = load("")
    with pytest.raises(ValueError, match="frozen"):
        recipe.seed = 3
    with pytest.raises(ValueError, match="frozen"):
        recipe.walk.loop = False


def test_curves_and_times_are_found_wherever_they_are(load):
    recipe = load(FULL)
    assert [path for path, _ in curves_in(recipe)] == [
        ("walk", "speed"),
        ("push", 0, "by"),
        ("push", 1, "by"),
        ("truncation",),
    ]
    assert {"0.25s", "1/3s", "0.005s", "2 frames", "1 beats", "10%", "4 bars", "1/7s", "20s", "10s"} <= {
        str(t) for t in times_in(recipe)
    }


@pytest.mark.parametrize(
    ("text", "beats"),
    [
        ("", False),
        ("walk: {every: 4 bars}", True),
        ("truncation: {0: 0, 1 beat: 1}", True),
        ("truncation: sin(bar)", True),
        ("audio: song.wav\nsignals: {b: beat}", True),
        ("audio: song.wav\nsignals: {b: {from: rms, smooth: 1 beat}}", True),
        ("audio: song.wav\nsignals: {c: chroma}\ntruncation: c.B + t", False),
        ("tempo: {bpm: 100}", False),
    ],
)
def test_needs_beats(load, text, beats):
    assert needs_beats(load(text)) is beats


def test_reading_recipes_is_light():
    code = """if True:
        import sys
        import gandream.recipe.load
        print(sorted({"torch", "librosa", "scipy", "PIL", "soundfile", "imageio", "typer", "rich"} & set(sys.modules)))
    """
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
