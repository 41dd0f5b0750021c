"""The word `bend`, laid out in time: layers, keys, ranges of frames, mistakes."""

from __future__ import annotations

import json
from textwrap import dedent

import numpy as np
import pytest
import torch

from gandream.base.errors import RecipeError
from gandream.models.registry import describe
from gandream.models.spec import CONSTANT
from gandream.recipe.bend import BENDS, Channels
from gandream.recipe.recipe import Recipe
from gandream.trajectory.compose import compose
from gandream.trajectory.feed import Feed

FILM = "video: {duration: 4s, fps: 10}\n"


@pytest.fixture
def laid(written):
    def lay(text, spec=None):
        return compose(written(FILM + text), spec or describe("cppn#7")).trajectory

    return lay


def test_entries_in_all_forms(laid):
    trajectory = laid("""bend:
      - {layer: 2, rotate: 90*t}
      - {layer: [hidden3, 5-], translate: [0.1*t, 0.2], channels: 0-31, amount: 0.5}
      - {layer: all, flip: vertical, channels: [3, 8-9], seed: 4}
      - {layer: fine, ablate:, channels: 0.25}
      - {layer: 1-2, noise: 0.2, speed: 2}
    """)
    first, second, third, fourth, fifth = trajectory.bends
    assert (first.name, first.layers) == ("rotate", {2})
    np.testing.assert_allclose(first.values["rotate"][[1, 10, 39]], [9, 90, 351])
    np.testing.assert_allclose(second.values["x"][10], 0.1)
    assert (second.values["y"] == 0.2).all()
    assert second.layers == {3, 5, 6}
    assert second.channels == Channels(spans=((0, 31),))
    assert (second.amounts == 0.5).all()
    assert (third.choices, third.seed, third.channels.spans) == ({"flip": "vertical"}, 4, ((3, 3), (8, 9)))
    assert (fourth.layers, fourth.channels.share) == ({5, 6}, 0.25)
    assert fourth.seed != fifth.seed
    np.testing.assert_allclose(fifth.values["phase"], np.arange(40) / 5)


def test_what_does_nothing_is_not_there(laid):
    plain = laid("walk: {through: [1, 2]}")
    late = laid("walk: {through: [1, 2]}\nbend: {layer: 2, rotate: 'where(t < 2, 0, 45)'}")
    (bend,) = late.bends
    np.testing.assert_array_equal(bend.active, np.arange(40) >= 20)
    assert late.key(0, 20) == plain.key(0, 20)
    assert late.key(0, 21) != plain.key(0, 21)
    for idle in (
        "multiply: 1",
        "noise: 0",
        "zoom: 1",
        "translate: 0",
        "rotate: 720",
        "blur: 0",
        "flip: both, amount: 0",
    ):
        assert laid(f"walk: {{through: [1, 2]}}\nbend: {{layer: 2, {idle}}}").key(0, 40) == plain.key(0, 40)


def test_everything_that_shapes_pictures_is_in_the_key(laid):
    words = [
        "layer: 2, rotate: 30", "layer: 3, rotate: 30", "layer: 2-3, rotate: 30", "layer: 2, rotate: 31",
        "layer: 2, rotate: 30, amount: 0.5", "layer: 2, rotate: 30, channels: 0-3",
        "layer: 2, rotate: 30, channels: 0.5, seed: 1", "layer: 2, rotate: 30, channels: 0.5, seed: 2",
        "layer: 2, zoom: 30", "layer: 2, flip: both", "layer: 2, flip: vertical", "layer: 2, noise: 0.3, seed: 1",
        "layer: 2, noise: 0.3, seed: 2", "layer: 2, noise: 0.3, seed: 1, speed: 2",
        "layer: 2, noise: 0.3, seed: 1, size: 0.2", "layer: 2, translate: [0.1, 0]", "layer: 2, translate: [0, 0.1]",
    ]  # fmt: skip
    keys = [laid(f"bend: {{{one}}}").key(0, 20) for one in words]
    assert len(set(keys)) == len(keys)
    assert laid("bend: {layer: 2, rotate: 30, seed: 1}").key(0, 20) == keys[0], "this seed shapes nothing"
    assert laid("bend: [{layer: 2, rotate: 30}, {layer: 2, zoom: 2}]").key(0, 20) != laid(
        "bend: [{layer: 2, zoom: 2}, {layer: 2, rotate: 30}]"
    ).key(0, 20)


def test_ranges_expand_alone(written, stylegan2):
    generator = stylegan2()
    text = """
      walk: {through: [1, 2], every: 1s}
      bend:
        - {layer: b8.conv1, rotate: 40*t, channels: 0.5}
        - {layer: const, noise: 0.5*t, speed: 3}
        - {layer: 4, dilate: 'where(t < 1, 0, 0.1)'}
    """
    trajectory = compose(written(dedent(text) + FILM), generator.spec).trajectory

    def pictures(feed, start, stop):
        return generator.synthesise(feed.inputs(start, stop), bend=feed.bends(start, stop))

    whole = pictures(Feed(trajectory, generator), 0, 20)
    for start, stop in ((0, 20), (7, 12), (19, 20)):
        feed = Feed(trajectory, generator)
        assert len(feed.bends(start, stop)) == (2 if stop <= 10 else 3)
        torch.testing.assert_close(pictures(feed, start, stop), whole[start:stop], atol=1e-4, rtol=1e-4)
    again = Feed(trajectory, generator)
    pictures(again, 0, 5)
    assert torch.equal(pictures(again, 7, 12), pictures(Feed(trajectory, generator), 7, 12))


def test_noise_closes_where_the_film_loops(written):
    text = "bend: {layer: 2, noise: 0.2, speed: 0.6}\nvideo: {duration: 4s, fps: 10, loop: true}"
    (bend,) = compose(written(text), describe("cppn#7")).trajectory.bends
    phases = bend.values["phase"]
    assert bend.choices["period"] == 2
    np.testing.assert_allclose(2 * phases[-1] - phases[-2], 2)


def test_the_first_stylegans_have_a_constant(laid, stylegan2):
    spec = stylegan2().spec
    (bend,) = laid("bend: {layer: [const, coarse], noise: 0.2}", spec).bends
    assert bend.layers == {CONSTANT, 0, 1, 2, 3}


@pytest.mark.parametrize(
    ("bend", "says"),
    [
        ("{layer: 7, rotate: 3}", ["layers 0 to 6; 7 is beyond them", "0 hidden0", "6 hidden6"]),
        ("{layer: 5-9, rotate: 3}", ["9 is beyond them"]),
        ("{layer: hiden3, rotate: 3}", ["no such layer", "hidden3"]),
        ("{layer: const, rotate: 3}", ["doesn't begin with a constant", "hidden0"]),
    ],
)
def test_a_layer_that_isnt_there(laid, bend, says):
    with pytest.raises(RecipeError) as caught:
        laid(f"bend: [{bend}]")
    said = str(caught.value)
    assert "film.yaml:3" in said or "film.yaml:2" in said
    assert "bend[0].layer" in said
    for part in says:
        assert part in said


@pytest.mark.parametrize(
    ("bend", "says"),
    [
        ("{rotate: 3}", "wants a layer"),
        ("{layer: 3}", "what is done to the layer?"),
        ("{layer: 3, rotat: 3}", "bend[0].rotat = 3"),
        ("{layer: 3, rotat: 5}", "rotate"),
        ("{layer: 3, rotate: 5, zoom: 2}", "one bend to an entry"),
        ("{layer: -1, rotate: 5}", "wanted a layer"),
        ("{layer: 5-3, rotate: 5}", "rises: write 3-5"),
        ("{layer: [], rotate: 5}", "wanted a layer"),
        ("{layer: true, rotate: 5}", "wanted a layer"),
        ("{layer: 3, rotate: 5, channels: 1.5}", "share"),
        ("{layer: 3, rotate: 5, channels: some}", "wanted channels"),
        ("{layer: 3, zoom: 0}", "0.05 to 50"),
        ("{layer: 3, flip: up}", "horizontal"),
        ("{layer: 3, translate: [1, 2, 3]}", "[x, y]"),
        ("{layer: 3, erode: 0.1, seed: -1}", "seed"),
        ("{layer: 3, blur: kick}", "kick"),
        ("{layer: 3, translate: [0, kick]}", "kick"),
        ("rotate", "a layer"),
    ],
)
def test_mistakes(written, bend, says):
    with pytest.raises(RecipeError) as caught:
        written(f"bend: [{bend}]")
    assert says in str(caught.value)
    assert "bend" in str(caught.value)


def test_what_is_written_is_read_back():
    written = [
        {"layer": "all", "multiply": 2, "channels": "all"},
        {"layer": [3, "const", "8-"], "translate": [0.5, "0.1*t"], "channels": [0, "4-9"]},
        {"layer": "4-7", "noise": 0.2, "channels": 0.5, "size": 0.1},
        {"layer": 2, "flip": None},
    ]
    recipe = Recipe.model_validate({"model": "cppn#7", "bend": written})
    plain = json.loads(recipe.model_dump_json(by_alias=True))
    again = Recipe.model_validate({"model": "cppn#7", "bend": plain["bend"]})
    assert again.bend == recipe.bend


@pytest.mark.parametrize("name", BENDS)
def test_every_word_is_described(name):
    assert BENDS[name].__doc__
    assert all(field.description for field in BENDS[name].model_fields.values())
