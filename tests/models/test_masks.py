"""Noise in parts of the picture, by bands, and one for all scales."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gandream.base.errors import RecipeError
from gandream.models.masks import PART, Mask
from gandream.models.noise import LayerNoise, NoiseMaps, Setting
from gandream.models.registry import describe, load_generator
from gandream.recipe.noise import PARTS_OF_THE_PICTURE
from gandream.recipe.recipe import Recipe
from gandream.trajectory.compose import compose
from gandream.trajectory.feed import Feed
from gandream.trajectory.noise import grey, spread

CPU = torch.device("cpu")
FILM = {"model": "net", "walk": {"through": [1, 2], "every": 1}, "video": {"duration": 2, "fps": 10}}


def test_every_word_has_its_function():
    assert PART.keys() == PARTS_OF_THE_PICTURE.keys()


def at(mask: Mask, height: int, width: int) -> np.ndarray:
    return mask.at(height, width, CPU).numpy()


@pytest.mark.parametrize("part", list(PART))
def test_parts_are_from_0_to_1_and_the_same_at_every_resolution(part):
    large = at(Mask(part), 64, 64)
    assert large.shape == (1, 1, 64, 64)
    assert (large.min(), large.max()) == pytest.approx((0, 1), abs=1e-3)
    halved = large.reshape(1, 1, 16, 4, 16, 4).mean(axis=(3, 5))
    np.testing.assert_allclose(halved, at(Mask(part), 16, 16), atol=0.08)


def test_parts_are_where_their_names_say():
    masks = {part: at(Mask(part), 40, 60)[0, 0] for part in PART}
    for part, place, other in (
        ("left", (20, 5), (20, 55)),
        ("right", (20, 55), (20, 5)),
        ("top", (3, 30), (37, 30)),
        ("bottom", (37, 30), (3, 30)),
        ("centre", (20, 30), (20, 1)),
        ("edges", (20, 0), (20, 30)),
    ):
        assert masks[part][place] == pytest.approx(1, abs=1e-6)
        assert masks[part][other] == pytest.approx(0, abs=0.03)
    np.testing.assert_allclose(masks["left"] + masks["right"], 1, atol=1e-6)
    np.testing.assert_allclose(masks["top"] + masks["bottom"], 1, atol=1e-6)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 2))
@settings(deadline=None, max_examples=40)
def test_a_spot_is_round_and_fades_to_its_radius(x, y, radius):
    made = at(Mask(spots=np.array([[x, y, radius]])), 30, 60)[0, 0]
    u, v = (np.arange(60) + 0.5) / 60, ((np.arange(30) + 0.5) / 30)[:, None]
    distance = np.hypot((u - x) * 2, v - y)
    np.testing.assert_allclose(made[distance < radius / 2 * 0.999], 1, atol=1e-5)
    np.testing.assert_allclose(made[distance > radius * 1.001], 0, atol=1e-5)


def test_an_image_is_seen_at_each_resolution(tmp_path):
    levels = np.zeros((40, 60), np.uint8)
    levels[:, 30:] = 255
    Image.fromarray(levels).save(tmp_path / "mask.png")
    image = grey(tmp_path / "mask.png")
    np.testing.assert_array_equal(image, levels / 255)
    for height, width in ((4, 4), (8, 16), (100, 100)):
        made = at(Mask(image=image), height, width)[0, 0]
        assert made.shape == (height, width)
        assert made[:, 0] == pytest.approx(0, abs=1e-6)
        assert made[:, -1] == pytest.approx(1, abs=1e-6)
        assert made.mean() == pytest.approx(0.5, abs=0.02)
    clear = np.dstack([np.full((8, 8, 3), 255, np.uint8), np.full((8, 8), 51, np.uint8)])
    Image.fromarray(clear).save(tmp_path / "clear.png")
    np.testing.assert_allclose(grey(tmp_path / "clear.png"), 0.2, atol=1e-6)
    Image.fromarray(np.full((4, 4), 0x8080, np.uint16)).save(tmp_path / "deep.png")
    np.testing.assert_allclose(grey(tmp_path / "deep.png"), 128 / 255, atol=0.01)
    Image.new("L", (4000, 10), 255).save(tmp_path / "wide.png")
    assert max(grey(tmp_path / "wide.png").shape) == 1024


# the pyramid


def halves(noise: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.avg_pool2d(noise[None, None], 2)[0, 0] * 2


def test_every_scale_is_a_view_of_the_next():
    maps = NoiseMaps(CPU)
    sizes = {side: maps.pyramid(3, 5, side, side) for side in (128, 64, 32, 16, 8, 4)}
    for side in (128, 64, 32, 16, 8):
        torch.testing.assert_close(halves(sizes[side]), sizes[side // 2], atol=1e-5, rtol=1e-5)
    for side in (128, 64, 32):
        white = sizes[side]
        assert float(white.var()) == pytest.approx(1, abs=0.12)
        near = torch.corrcoef(torch.stack([white[:, 1:].flatten(), white[:, :-1].flatten()]))[0, 1]
        assert abs(float(near)) < 0.1  # white: neighbours know nothing of each other
    for other in ((3, 6), (3, -5), (4, 5)):
        assert not torch.allclose(sizes[4], NoiseMaps(CPU).pyramid(*other, 4, 4))
    # Alone, in whatever order: the same.
    assert torch.equal(NoiseMaps(CPU).pyramid(3, 5, 32, 32), sizes[32])


@pytest.mark.parametrize(("height", "width"), [(36, 64), (18, 32), (9, 16), (45, 80), (1, 30)])
def test_odd_sizes_have_a_pyramid_too(height, width):
    maps = NoiseMaps(CPU)
    noise = maps.pyramid(1, 0, height, width)
    assert noise.shape == (height, width)
    even = noise[: height // 2 * 2, : width // 2 * 2]
    if height > 1:
        coarse = maps.pyramid(1, 0, (height + 1) // 2, (width + 1) // 2)
        torch.testing.assert_close(halves(even), coarse[: height // 2, : width // 2], atol=1e-5, rtol=1e-5)


def test_layers_share_one_moving_noise():
    phases, ones = np.array([0.3, 1.7]), np.ones(2)
    noise = LayerNoise(NoiseMaps(CPU), [Setting("animate", np.ones(4, bool), ones, phases, 9, 3, None, True)])
    large, small, same = noise(0, 32, 32, None), noise(1, 16, 16, None), noise(2, 16, 16, None)
    assert torch.equal(small, same)
    torch.testing.assert_close(torch.nn.functional.avg_pool2d(large, 2) * 2, small, atol=1e-5, rtol=1e-5)
    own = LayerNoise(NoiseMaps(CPU), [Setting("animate", np.ones(4, bool), ones, phases, 9, 3)])
    assert not torch.equal(own(1, 16, 16, None), own(2, 16, 16, None))
    round_ = LayerNoise(NoiseMaps(CPU), [Setting("animate", np.ones(4, bool), ones, phases + 3, 9, 3, None, True)])
    torch.testing.assert_close(round_(0, 32, 32, None), large, atol=1e-5, rtol=1e-5)  # it closes


# in a film


@pytest.fixture(scope="module")
def generator(stylegan2_file):
    return load_generator(str(stylegan2_file()), "cpu")


@pytest.fixture(scope="module")
def feed(generator):
    def make(noise, **words):
        recipe = Recipe.model_validate({**FILM, "noise": noise, **words})
        return Feed(compose(recipe, generator.spec).trajectory, generator)

    return make


def test_noise_is_where_the_mask_is(feed, generator):
    fed = feed([{"mode": "animate", "where": "left"}, {"mode": "off", "layers": 0}])
    noise = fed.noise(3, 7)
    last = len(generator.spec.layers) - 1
    made, everywhere = (one(last - 1, 16, 16, None) for one in (noise, feed({"mode": "animate"}).noise(3, 7)))
    torch.testing.assert_close(made, everywhere * Mask("left").at(16, 16, CPU))
    assert not made[..., 10:].any()
    assert noise(0, 4, 4, torch.ones(4, 4)) is None
    fixed = feed({"where": "right"}).noise(0, 2)(1, 8, 8, torch.ones(8, 8))
    torch.testing.assert_close(fixed, Mask("right").at(8, 8, CPU).expand(2, 1, 8, 8))


def test_pictures_differ_where_the_noise_does(feed, generator):
    still, moved = (
        generator.synthesise(fed.inputs(0, 2), noise=fed.noise(0, 2))
        for fed in (feed({"mode": "animate", "strength": s, "where": "left", "layers": "4-"}) for s in (0, 2))
    )
    change = (moved - still).abs().mean(dim=(0, 1, 2))
    assert change[:4].mean() > 5 * change[-2:].mean()


def test_a_spot_moves_by_curves(feed):
    fed = feed({"mode": "animate", "where": {"x": "t/2", "radius": 0.2}})
    strength = fed.noise(0, 20)(2, 32, 32, None).abs().mean(dim=(1, 2))
    places = (strength * torch.arange(32)).sum(dim=1) / strength.sum(dim=1)
    assert places[4] < 12
    assert places[15] > 20
    alone = fed.noise(7, 9)(2, 32, 32, None)
    assert torch.equal(alone, fed.noise(0, 20)(2, 32, 32, None)[7:9])


def test_keys_know_where_and_how(generator, tmp_path):
    Image.new("L", (8, 8), 255).save(tmp_path / "a.png")
    Image.new("L", (8, 8), 128).save(tmp_path / "b.png")
    words = [{}, {"where": "left"}, {"where": "right"}, {"where": {"x": 0.5}}, {"where": {"x": 0.6}}, {"pyramid": True}]
    words += [{"where": str(tmp_path / "a.png")}, {"where": str(tmp_path / "b.png")}]
    recipes = [Recipe.model_validate({**FILM, "noise": {"mode": "animate", **more}}) for more in words]
    made = [compose(recipe, generator.spec).trajectory for recipe in recipes]
    assert len({one.key(0, 20) for one in made}) == len(words)
    late = Recipe.model_validate({**FILM, "noise": {"mode": "animate", "where": {"x": "0.5 + 0.1*(t >= 1)"}}})
    late = compose(late, generator.spec).trajectory
    assert late.key(0, 10) == made[3].key(0, 10)
    assert late.key(10, 20) != made[3].key(10, 20)


def test_a_file_that_is_no_image(generator, tmp_path):
    for name, content in (("a.png", b"hello"), ("b.png", b""), ("c.png", b"\x89PNG\r\n\x1a\n" + bytes(50))):
        (tmp_path / name).write_bytes(content)
        recipe = Recipe.model_validate({**FILM, "noise": {"where": str(tmp_path / name)}})
        with pytest.raises(RecipeError, match="this holds no image"):
            compose(recipe, generator.spec)


def test_bands_are_spread_over_the_layers():
    bands = np.array([[0.0, 0.5, 1.0], [1.0, 1.0, 0.0]])
    chosen = np.array([False, True, True, True, True, True])
    np.testing.assert_allclose(spread(bands, chosen), [[1, 0, 0.25, 0.5, 0.75, 1], [1, 1, 1, 1, 0.5, 0]])
    np.testing.assert_allclose(spread(bands, np.array([False, True])), [[1, 0.5], [1, 1]])
    np.testing.assert_allclose(spread(bands[:, :1], np.ones(3, bool)), [[0, 0, 0], [1, 1, 1]])


def test_noise_by_bands(tmp_path, generator):
    import soundfile

    time = np.arange(2 * 22050) / 22050
    sound = np.where(time < 1, np.sin(2 * np.pi * 60 * time), np.random.RandomState(0).randn(len(time)) * 0.3)
    soundfile.write(tmp_path / "low_then_high.wav", 0.5 * sound, 22050)
    words = {"audio": str(tmp_path / "low_then_high.wav"), "signals": {"b": {"from": "mel", "bands": 4}}}
    recipe = Recipe.model_validate({**FILM, **words, "noise": {"strength": 2, "by": "b"}})
    trajectory = compose(recipe, replace(generator.spec), tmp_path).trajectory
    (noised,) = trajectory.noises
    assert noised.strengths.shape == (20, len(generator.spec.layers))
    np.testing.assert_allclose(noised.strengths[:, 0], 2 * trajectory.signals["b"][:, 0], atol=1e-6)
    np.testing.assert_allclose(noised.strengths[:, -1], 2 * trajectory.signals["b"][:, -1], atol=1e-6)
    made = Feed(trajectory, generator).noise(2, 5)(1, 4, 4, torch.ones(4, 4))
    np.testing.assert_allclose(made[:, 0, 0, 0].numpy(), noised.strengths[2:5, 1], atol=1e-6)


def test_a_model_without_noise_is_not_changed():
    recipe = Recipe.model_validate({**FILM, "noise": {"mode": "animate", "where": "left", "pyramid": True}})
    assert compose(recipe, describe("cppn#7")).warnings[0].startswith("noise: cppn#7 has no noise maps")
