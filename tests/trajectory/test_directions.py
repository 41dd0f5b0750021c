"""``push: {along: smile.npy}``: directions that other tools found and saved."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gandream.base.errors import RecipeError
from gandream.recipe.load import load_recipe
from gandream.recipe.motion import Push
from gandream.trajectory.compose import compose
from gandream.trajectory.feed import Feed

RANDOM = np.random.RandomState(5)
W, Z, WIDE = RANDOM.randn(12), RANDOM.randn(16), RANDOM.randn(6, 12)
MANY = RANDOM.randn(5, 12)
FILM = "\nwalk: {through: 3}\nvideo: {duration: 4 frames, fps: 4}"
BY = np.arange(4) / 4


@pytest.fixture(scope="module")
def generator(stylegan2):
    """Six layers, z of 16 and w of 12 numbers, so that a file's shape tells which it is of."""
    return stylegan2(z=16, w=12)


@pytest.fixture
def saved(tmp_path):
    np.save(tmp_path / "w.npy", W)
    np.save(tmp_path / "z.npy", Z)
    np.save(tmp_path / "wide.npy", WIDE)
    np.save(tmp_path / "many.npy", MANY)
    np.save(tmp_path / "ganspace.npy", MANY[:, None])
    np.save(tmp_path / "layered.npy", np.stack([WIDE, 2 * WIDE]))
    np.savez(tmp_path / "named.npz", smile=W, age=2 * W)
    torch.save(torch.from_numpy(MANY), tmp_path / "many.pt")


@pytest.fixture
def laid(written, saved, generator):
    return lambda push, film=FILM: compose(written(f"push: {push}{film}"), generator.spec).trajectory


def offsets(trajectory, generator) -> np.ndarray:
    """How far w [4, L, D'] lies from that of the latent alone."""
    w = Feed(trajectory, generator).inputs(0, 4).w
    return (w - generator.map(generator.latents([3])).w).numpy()


def test_a_direction_in_w_is_added_as_it_was_saved(laid, generator):
    found = offsets(laid("{along: w.npy, by: t}"), generator)
    np.testing.assert_allclose(found, BY[:, None, None] * np.broadcast_to(W, (4, 6, 12)), atol=1e-5)


def test_layers_that_are_not_meant_stay(laid, generator):
    found = offsets(laid("{along: w.npy, by: t, layers: 2-3}"), generator)
    np.testing.assert_allclose(found[:, [0, 1, 4, 5]], 0, atol=1e-6)
    np.testing.assert_allclose(found[:, 2:4], BY[:, None, None] * np.broadcast_to(W, (4, 2, 12)), atol=1e-5)


def test_each_layer_may_have_its_own(laid, generator):
    found = offsets(laid("{along: wide.npy, by: 2*t}"), generator)
    np.testing.assert_allclose(found, 2 * BY[:, None, None] * WIDE, atol=1e-5)


@pytest.mark.parametrize("file", ["many.npy#3", "ganspace.npy#3", "many.pt#3"])
def test_one_of_many_is_named_by_its_number(laid, generator, file):
    found = offsets(laid(f"{{along: '{file}', by: t}}"), generator)
    np.testing.assert_allclose(found[:, 0], BY[:, None] * MANY[3], atol=1e-5)


def test_several_directions_add_up(laid, generator):
    push = "[{along: named.npz#smile, by: t}, {along: named.npz#age, by: -0.5*t}, {along: layered.npy#1, by: 1}]"
    found = offsets(laid(push), generator)
    np.testing.assert_allclose(found, np.broadcast_to(2 * WIDE, (4, 6, 12)), atol=1e-5)


def test_a_direction_in_z_moves_the_latent_before_it_is_mapped(laid, generator):
    z = laid("{along: z.npy, by: t}").latents(0, 4)
    np.testing.assert_allclose(z, np.random.RandomState(3).randn(16) + BY[:, None] * Z, atol=1e-6)


def test_what_may_be_both_is_of_w_unless_it_is_said(written, saved, stylegan2):
    spec = stylegan2(z=12, w=12).spec
    assert compose(written(f"push: {{along: w.npy}}{FILM}"), spec).trajectory.pushed_in_w
    assert not compose(written(f"push: {{along: w.npy, space: z}}{FILM}"), spec).trajectory.pushed_in_w


def test_truncation_does_not_scale_it(laid, generator):
    found = Feed(laid("{along: w.npy, by: 1}", FILM + "\ntruncation: 0"), generator).inputs(0, 4).w
    np.testing.assert_allclose(found.numpy(), (generator.w_avg.numpy() + W)[None].repeat(4, 0), atol=1e-5)


def test_drift_adds_up(laid, generator):
    found = offsets(laid("{along: w.npy, by: 2, mode: drift}"), generator)
    np.testing.assert_allclose(found[:, 0], 2 * BY[:, None] * W, atol=1e-5)


def test_keys_know_the_direction(laid, tmp_path):
    plain, other = laid("{along: w.npy, by: t}").key(0, 4), laid("{along: many.npy#1, by: t}").key(0, 4)
    np.save(tmp_path / "w.npy", 2 * W)
    assert len({plain, other, laid("{along: w.npy, by: t}").key(0, 4)}) == 3


def test_it_is_written_as_it_was_read(written, saved, tmp_path):
    push = written("push: {along: named.npz#smile, by: 0.5}").push[0]
    assert push.model_dump(mode="json")["along"] == "named.npz#smile"
    again = tmp_path / "again.yaml"
    again.write_text("model: cppn#7\npush: {along: named.npz#smile, by: 0.5}\n")
    assert load_recipe(again).push[0].model_dump(mode="json") == push.model_dump(mode="json")
    assert Push.model_validate({"along": "ones"}).model_dump(mode="json")["along"] == "ones"


@pytest.mark.parametrize(
    ("push", "problem", "hint"),
    [
        ("{along: one}", "wanted a direction", "'ones'"),
        ("{along: 7}", "wanted a direction", ""),
        ("{along: {seed: 7}}", "wanted a direction", ""),
        ("{along: nowhere.npy}", "no such file", ""),
        ("{along: {file: w.npy, class: 3}}", "a direction has no class", ""),
        ("{along: w.npy, random: 7}", "one push goes one way", "Write a list"),
        ("{along: ones, layers: 2}", "`along` is in z", "layers"),
        ("{along: many.npy}", "this holds 5 directions", "0 to 4"),
        ("{along: many.npy#9}", "there is no direction 9", "holds 5"),
        ("{along: named.npz#smlie}", "no latent 'smlie'", "smile"),
        ("{along: z.npy, layers: 2}", "is [16], but net.safetensors wants w [12] or [6, 12]", ""),
        ("{along: w.npy, space: z}", "is [12], but net.safetensors wants z [16]", ""),
        ("{along: odd.npy}", "is [7], but net.safetensors wants z [16] or w [12] or [6, 12]", ""),
        ("{along: none.npy}", "is [0, 12], but", ""),
        ("{along: one.npy}", "is [], but", ""),
        ("{along: nan.npy}", "not finite", ""),
        ("{along: z.npy}", "the walk is in w, and this is a direction of z", ""),
    ],
)
def test_wrong_directions_are_told(laid, saved, tmp_path, push, problem, hint):
    np.save(tmp_path / "odd.npy", np.ones(7))
    np.save(tmp_path / "none.npy", np.ones((0, 12)))
    np.save(tmp_path / "one.npy", np.array(1.0))
    np.save(tmp_path / "nan.npy", np.full(12, np.nan))
    film = FILM.replace("through: 3", "through: [1, mean]") if "direction of z" in problem else FILM
    with pytest.raises(RecipeError) as caught:
        laid(push, film)
    assert problem in caught.value.problem
    assert hint in caught.value.hint
    assert "push" in caught.value.where
