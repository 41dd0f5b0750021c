"""Noise that moves: what it is made of, and what a StyleGAN2 makes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from stylegan2_reference import random_tensors

from gandream.models.noise import KEPT, LayerNoise, NoiseMaps, Setting
from gandream.models.registry import load_generator
from gandream.recipe.recipe import Recipe
from gandream.trajectory.compose import compose
from gandream.trajectory.feed import Feed

CPU = torch.device("cpu")
MAPS = NoiseMaps(CPU)


def moving(phase: float, period: int | None = None, *, seed=1, layer=2, size=64) -> torch.Tensor:
    return MAPS.moving(seed, layer, phase, period, size, size)


# maps


def test_white_noise_is_what_it_was():
    """The same numbers on every machine, whose films would otherwise differ."""
    expected = np.random.Generator(np.random.Philox(key=[7, (3 << 40) + 11])).standard_normal((4, 6), np.float32)
    np.testing.assert_array_equal(NoiseMaps(CPU).white(7, 3, 11, 4, 6), expected)
    known = [-0.9658, -0.0082, -1.0274, 0.2200]
    assert NoiseMaps(CPU).white(7, 3, 11, 1, 4)[0].tolist() == pytest.approx(known, abs=1e-4)


def test_white_noise_depends_on_seed_layer_and_number_alone():
    maps = [
        MAPS.white(*key, 64, 64) for key in ((1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 0, 1), (1, 0, -1), (2**32 - 1, 9, 0))
    ]
    for index, one in enumerate(maps):
        assert abs(float(one.mean())) < 0.06
        assert float(one.var()) == pytest.approx(1, abs=0.08)
        for other in maps[:index]:
            assert abs(float(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1])) < 0.06
    assert torch.equal(NoiseMaps(CPU).white(1, 0, -1, 64, 64), maps[4])


def test_few_maps_are_remembered():
    maps = NoiseMaps(CPU)
    for number in range(KEPT + 50):
        maps.white(0, 0, number, 2, 2)
    assert len(maps._kept) == KEPT


@given(st.floats(-50, 50), st.sampled_from([None, 1, 2, 3, 4, 7]))
@settings(deadline=None, max_examples=80)
def test_the_variance_is_1_at_every_phase(phase, period):
    noise = moving(phase, period)
    assert float(noise.var()) == pytest.approx(1, abs=0.12)
    assert abs(float(noise.mean())) < 0.08


def test_it_is_smooth_in_time():
    phases = np.arange(0, 6, 0.01)
    film = torch.stack([moving(phase, size=16) for phase in phases]).flatten(1).double()
    speed = torch.diff(film, dim=0) / 0.01
    assert speed.abs().max() < 6
    # No kinks where one map gives way to the next: the speed itself moves by little.
    bends = torch.diff(speed, dim=0).pow(2).mean(dim=1).sqrt()
    assert bends.max() < 0.1
    pace = speed.pow(2).mean(dim=1).sqrt()
    assert pace.max() < 2 * pace.min()


@pytest.mark.parametrize("period", [1, 2, 3, 4, 7])
def test_it_comes_again_after_its_period(period):
    for phase in (-1.3, 0, 0.25, 0.5, 3.75):
        assert torch.allclose(moving(phase, period), moving(phase + period, period), atol=1e-5)
    before, at, after = (moving(period + step, period) for step in (-0.001, 0, 0.001))
    assert (at - before).abs().max() < 0.02
    assert (after - at).abs().max() < 0.02


# layers


def setting(mode="animate", layers=(1, 1, 1), strengths=(1, 1), phases=(0.3, 0.7), seed=1, period=None):
    return Setting(mode, np.array(layers, bool), np.array(strengths, float), np.array(phases, float), seed, period)


def test_the_last_entry_that_names_a_layer_counts():
    fixed = torch.randn(4, 4)
    noise = LayerNoise(MAPS, [setting(), setting("off", (0, 1, 1)), setting("fixed", (0, 0, 1), (2, 0.5))])
    assert torch.equal(noise(0, 4, 4, fixed)[1, 0], moving(0.7, layer=0, size=4))
    assert noise(1, 4, 4, fixed) is None
    assert torch.equal(noise(2, 4, 4, fixed), torch.stack([2 * fixed, 0.5 * fixed])[:, None])
    assert noise(2, 4, 4, None) is None


def test_layers_that_are_not_named_keep_the_models():
    fixed = torch.randn(4, 4)
    noise = LayerNoise(MAPS, [setting(layers=(1, 0, 0))])
    assert torch.equal(noise(1, 4, 4, fixed), fixed[None, None])
    assert noise(1, 4, 4, None) is None


def test_strength_is_a_factor():
    one, strong = (LayerNoise(MAPS, [setting(strengths=strengths)]) for strengths in ((1, 1), (3, 0)))
    first, second = one(0, 8, 8, None), strong(0, 8, 8, None)
    assert torch.allclose(second[0], 3 * first[0])
    assert not second[1].any()


# pictures

FILM = {"walk": {"through": [1, 2], "every": 1}, "video": {"duration": 2, "fps": 10}}


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    file = Path(tmp_path_factory.mktemp("model")) / "net.safetensors"
    safetensors.numpy.save_file(random_tensors(channels=(8, 6, 4)), file)
    return load_generator(str(file), "cpu")


@pytest.fixture(scope="module")
def pictures(generator):
    def make(noise=None, start=0, stop=20, batch=20, **words) -> torch.Tensor:
        recipe = Recipe.model_validate({"model": "net", **FILM, **words, **({} if noise is None else {"noise": noise})})
        feed = Feed(compose(recipe, generator.spec).trajectory, generator)
        parts = [(first, min(first + batch, stop)) for first in range(start, stop, batch)]
        return torch.cat([generator.synthesise(feed.inputs(*part), noise=feed.noise(*part)) for part in parts])

    return make


def test_no_word_about_noise_and_fixed_are_the_same(pictures, generator):
    assert generator.spec.noise
    assert torch.allclose(pictures("fixed"), pictures(), atol=1e-5)
    assert torch.allclose(pictures({"strength": 0}), pictures("off"), atol=1e-5)


def test_each_word_changes_the_picture_and_equal_recipes_have_equal_ones(pictures):
    films = [
        "fixed",
        "off",
        "animate",
        {"mode": "animate", "seed": 3},
        {"mode": "animate", "speed": 3},
        {"mode": "animate", "strength": 0.2},
        {"mode": "animate", "layers": 3},
        {"mode": "off", "layers": "0-2"},
        {"strength": 0.5},
        [{"mode": "animate", "seed": 1}, {"mode": "off", "layers": 3}],
        [{"mode": "off", "layers": 3}, {"mode": "animate", "seed": 1, "layers": "0-2"}],
    ]
    made = [pictures(noise, 5, 7) for noise in films]
    for index, one in enumerate(made):
        assert torch.equal(one, pictures(films[index], 5, 7))
        for other in made[:index]:
            assert (one - other).abs().mean() > 1e-3 * one.std()


@pytest.mark.parametrize(
    "noise", ["animate", [{"strength": "t"}, {"mode": "animate", "layers": "2-", "speed": "1 + t"}]]
)
def test_a_frame_is_the_same_from_any_batch_and_any_range(pictures, noise):
    whole = pictures(noise)
    for start, stop, batch in ((0, 20, 3), (0, 20, 1), (7, 12, 5), (19, 20, 1)):
        assert torch.allclose(pictures(noise, start, stop, batch), whole[start:stop], atol=1e-4)
    assert torch.equal(pictures(noise, 3, 9, 3), pictures(noise, 0, 9, 3)[3:])


def test_noise_moves_smoothly_where_the_latent_stays(pictures):
    still = {"walk": {"through": 1}, "video": {"duration": 2, "fps": 25}}
    fixed, moved = pictures("fixed", 0, 2, **still), pictures("animate", 0, 30, **still)
    assert torch.equal(fixed[0], fixed[1])
    steps = torch.diff(moved, dim=0).flatten(1).norm(dim=1)
    assert steps.min() > 0
    assert steps.max() < 0.2 * (moved[0] - moved[29]).norm()


@pytest.mark.parametrize("speed", [1, 0.3, 2.7, -1])
def test_the_seam_of_a_loop_is_a_step_like_others(pictures, speed):
    looped = {"walk": {"through": 1}, "video": {"duration": 3, "fps": 10, "loop": True}}
    film = pictures({"mode": "animate", "speed": speed}, 0, 30, **looped)
    steps = torch.diff(film, dim=0).flatten(1).norm(dim=1)
    assert steps.min() > 0
    assert (film[0] - film[-1]).norm() < 1.3 * steps.max()
