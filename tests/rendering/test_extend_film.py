"""Films of extended pictures and of internal layers, rendered and read back."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gandream.base import ffmpeg
from gandream.base.errors import GandreamError
from gandream.models.activations import LayerColours
from gandream.models.registry import describe, load_generator
from gandream.recipe.load import load_recipe, recipe_from
from gandream.recipe.video import FITS
from gandream.rendering.paint import FIT, Painter, stretch
from gandream.rendering.plan import made_size, make_plan
from gandream.run.film import render
from gandream.run.prepare import shown_layer
from gandream.run.still import still
from gandream.trajectory.compose import compose
from gandream.video.colour import display_bytes
from gandream.video.format import VideoFormat

SPEC = replace(describe("cppn#7"), size=(32, 32))
VIDEO = {"size": "64x36", "fps": 10, "duration": 0.4, "preset": "ultrafast", "crf": 0, "subsampling": "444"}


@pytest.fixture(scope="module")
def model(stylegan2_file) -> Path:
    return stylegan2_file(channels=(24, 16, 12), w=16)  # 16 x 16


def recipe(folder: Path, model: Path, layer="", **video):
    words = ", ".join(f"{key}: {value}" for key, value in (VIDEO | video).items())
    path = folder / "wide.yaml"
    path.write_text(f"model: {model}\n{layer}\nwalk: {{through: [1, 2], every: 0.2}}\nvideo: {{{words}}}\n")
    return load_recipe(path)


def frames(path: Path, height: int, width: int) -> np.ndarray:
    raw = ffmpeg.run("-loglevel", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)


def planned(model: Path, **words):
    layer = words.pop("layer", None)
    made = recipe_from({"model": str(model), "walk": {"through": [1, 2], "every": 0.2}, "video": VIDEO, **words})
    trajectory = compose(made, describe(str(model))).trajectory
    fit = made.video.fit
    return make_plan(trajectory, VideoFormat(64, 36, Fraction(10)), "cpu", fit=fit, layer=layer)


# sizes


def test_the_whole_native_picture_and_what_the_frame_asks_beside_it():
    assert set(FIT) == set(FITS)
    asked = {(36, 64): (32, 57), (64, 36): (57, 32), (720, 1280): (32, 57), (128, 128): (32, 32), (10, 90): (32, 288)}
    for frame, made in asked.items():
        assert made_size(SPEC, frame, "extend") == made
        assert made_size(SPEC, frame, "cover") == (32, 32)
        assert made_size(replace(SPEC, size=None), frame, "extend") == frame
    assert made_size(replace(SPEC, size=(32, 64)), (36, 64), "extend") == (36, 64)
    assert made_size(replace(SPEC, size=(32, 64)), (32, 64), "extend") == (32, 64)


def test_batches_are_cut_for_what_is_made():
    made = replace(SPEC, size=(1024, 1024))
    trajectory = replace(compose(recipe_from({"model": "cppn#7"}), SPEC).trajectory, spec=made)
    fmt = VideoFormat(128, 32, Fraction(10))
    assert make_plan(trajectory, fmt, "cuda", fit="extend").batch * 4 == make_plan(trajectory, fmt, "cuda").batch


# films


def test_a_wide_film_shows_the_native_picture_and_more_beside_it(here, model):
    film = render(recipe(here, model, fit="extend"), device="cpu")
    seen = frames(film.path, 36, 64)
    assert len(seen) == 4
    generator = load_generator(str(model), "cpu")
    plan = planned(model, video={**VIDEO, "fit": "extend"})
    wide = generator.synthesise(plan.trajectory.inputs(generator, 0, 4), size=(16, 28))
    shown = display_bytes(stretch(wide, (36, 64))).numpy().astype(int)
    assert np.abs(shown - seen).mean() < 2
    native = display_bytes(Painter(planned(model), generator).paint(0, 4)).numpy().astype(int)
    assert np.abs(native - seen).mean() > 10, "cover shows another part"


def test_a_tall_film(here, model):
    made = render(recipe(here, model, fit="extend", size="36x96"), device="cpu")
    seen = frames(made.path, 96, 36).astype(float)
    assert seen.std() > 10
    assert all(part.std() > 5 for part in np.split(seen, 6, axis=1))


def test_fit_and_layer_are_in_every_key(model):
    wide = {**VIDEO, "fit": "extend"}
    plans = [planned(model), planned(model, video=wide), *(planned(model, layer=number) for number in (0, 1, 4)),
             planned(model, video=wide, layer=4)]  # fmt: skip
    assert len({segment.key for plan in plans for segment in plan.segments}) == 6
    again = planned(model, layer=4)
    assert [segment.key for segment in again.segments] == [segment.key for segment in plans[4].segments]


def test_a_film_of_a_layer(here, model):
    made = render(recipe(here, model, "layer: b8.conv1", fit="contain"), device="cpu")
    seen = frames(made.path, 36, 64).astype(float)
    assert seen[:, :, :13].max() < 8, "it is square, as the picture is"
    assert seen[:, :, 15:-15].std() > 15
    generator = load_generator(str(model), "cpu")
    inputs = planned(model).trajectory.inputs(generator, 0, 4)
    colours = LayerColours(generator, 2)(generator.synthesise(inputs, layer=2))
    assert torch.unique(colours).numel() > 100
    expected = display_bytes(FIT["contain"](colours, (36, 64))).numpy().astype(float)
    assert np.abs(expected - seen).mean() < 2


def test_a_still_of_a_layer_of_an_extended_picture(here, model):
    path, prepared = still(recipe(here, model, "layer: 3", fit="extend"), "0s", "layer.png", device="cpu")
    assert prepared.layer == 3
    assert np.asarray(Image.open(path)).shape == (36, 64, 3)
    plain, _ = still(recipe(here, model, "layer: 3"), "0s", "plain.png", device="cpu")
    assert np.abs(np.asarray(Image.open(path)).astype(int) - np.asarray(Image.open(plain))).mean() > 5


def test_pattern_networks_have_both(here):
    made, _ = still(recipe(here, Path("cppn#7"), "layer: hidden3", fit="extend"), "0s", "a.png", device="cpu")
    other, _ = still(recipe(here, Path("cppn#7"), fit="extend"), "0s", "b.png", device="cpu")
    cover, _ = still(recipe(here, Path("cppn#7")), "0s", "c.png", device="cpu")
    one, two, three = (np.asarray(Image.open(path)) for path in (made, other, cover))
    assert (one != two).any()
    assert (two == three).all()


# mistakes


def test_who_cannot_extend_says_who_can(here):
    torch.manual_seed(0)
    state = {f"main.{3 * n}.weight": torch.randn(a, b, 4, 4) for n, (a, b) in enumerate(((8, 8), (8, 8), (8, 3)))}
    for norm in (1, 4):
        state |= {f"main.{norm}.{part}": torch.ones(8) for part in ("weight", "bias", "running_mean", "running_var")}
    torch.save(state, here / "dcgan.pt")
    with pytest.raises(GandreamError) as caught:
        render(recipe(here, here / "dcgan.pt", fit="extend"), device="cpu")
    said = str(caught.value)
    assert "video.fit = extend" in said
    assert "dcgan" in said
    for family in ("stylegan2", "cppn"):
        assert family in said
    assert "biggan_deep" not in said
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("7", "0 b4.conv1, 1 b8.conv0, 2 b8.conv1, 3 b16.conv0, 4 b16.conv1"),
        ("b4.con1", "Did you mean 'b4.conv1'?"),
        ("-1", "wanted one layer"),
        ("[1, 2]", "wanted one layer"),
        ("true", "wanted one layer"),
    ],
)
def test_a_layer_that_isnt_there_says_which_are(here, model, word, says):
    with pytest.raises(GandreamError) as caught:
        render(recipe(here, model, f"layer: {word}"), device="cpu")
    said = str(caught.value)
    assert "layer" in said
    assert says in said
    assert caught.value.exit_code == 2


def test_a_family_that_shows_no_layers_says_so(here, model):
    with pytest.raises(GandreamError, match="can't show its layers"):
        shown_layer(recipe(here, model, "layer: 0"), replace(describe(str(model)), shown=()))
