"""``surprise``: whatever the seed, a recipe that is right, warns of nothing and moves with the music."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from gandream.models.registry import describe, load_generator
from gandream.recipe.load import load_recipe
from gandream.recipe.surprise import surprise
from gandream.trajectory.compose import compose
from gandream.trajectory.feed import Feed


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("heard")


def test_the_same_seed_gives_the_same_and_another_another():
    texts = [surprise(seed) for seed in range(30)]
    assert texts == [surprise(seed) for seed in range(30)]
    assert len(set(texts)) == 30


@pytest.mark.parametrize("seed", range(60))
def test_every_surprise_is_right(here, seed):
    (here / "r.yaml").write_text(surprise(seed))
    recipe = load_recipe(here / "r.yaml")
    assert recipe.push
    assert recipe.effects


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 8))])
def test_a_surprise_is_lively(here, cache, seed):
    (here / "r.yaml").write_text(surprise(seed, "cppn#7"))
    recipe = load_recipe(here / "r.yaml", ["video.duration=6"])
    score = compose(recipe, describe("cppn#7"), cache)
    assert score.warnings == ()
    generator = load_generator("cppn#7", "cpu")
    w = Feed(score.trajectory, generator).inputs(0, 180)
    picked = [0, 45, 90, 135, 179]
    images = [generator.synthesise(w.w[[frame]], size=(24, 24)).numpy() for frame in picked]
    assert min(np.abs(one - other).mean() for one, other in pairwise(images)) > 0.02


@pytest.mark.parametrize("seed", range(3))
def test_one_knob_turns_the_music_down_in_all_of_it(here, cache, seed):
    (here / "r.yaml").write_text(surprise(seed, "cppn#7"))

    def score(intensity):
        sets = ["video.duration=3", "effects=[]", f"vars.intensity={intensity}", "blend=[]"]
        return compose(load_recipe(here / "r.yaml", sets), describe("cppn#7"), cache).trajectory

    silent, plain = score(0), score(1)
    assert np.ptp(silent.psi) == 0 < np.ptp(plain.psi)
    amounts = [[np.abs(getattr(one, "amounts", getattr(one, "strides", None))) for one in made.shoves]
               for made in (silent, plain)]  # fmt: skip
    assert max(one.max() for one in amounts[0]) == 0 < min(one.max() for one in amounts[1])


def test_the_command_prints_a_recipe_that_reads(gandream, here):
    said = gandream("surprise", "--seed", "5", "--model", "cppn#3")
    assert said.status == 0, said.err
    (here / "r.yaml").write_text(said.out)
    assert str(load_recipe(here / "r.yaml").model) == "cppn#3"
    assert said.out == surprise(5, "cppn#3")
    assert gandream("surprise").out != gandream("surprise").out
