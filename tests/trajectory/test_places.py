"""Latents as they are written, to places of a model; files of saved ones, sound and otherwise."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gandream.base.errors import RecipeError
from gandream.models.registry import describe
from gandream.trajectory import saved
from gandream.trajectory.compose import compose
from gandream.trajectory.interpolate import slerp
from gandream.trajectory.places import Place, place

SPEC = describe("cppn#7")
L, D = len(SPEC.layers), SPEC.latent_size
FISH = replace(SPEC, classes=("goldfish", "great white shark", "ray"))
RANDOM = np.random.RandomState(0)
Z, W = RANDOM.randn(5, D), RANDOM.randn(4, L, D)


@pytest.fixture
def at(written):
    """The place of a latent, written as the second of a walk; ``model`` instead of the usual line."""

    def make(latent: str, spec=SPEC) -> Place:
        recipe = written(f"walk:\n  through: [1, {latent}]")
        return place(recipe.walk.through[1], recipe, spec, ("walk", "through", 1))

    return make


@pytest.fixture
def wrong(at):
    def make(latent: str, spec=SPEC) -> RecipeError:
        with pytest.raises(RecipeError) as caught:
            at(latent, spec)
        assert "film.yaml:2:" in caught.value.where
        return caught.value

    return make


def save(folder: Path, name: str, *array, **arrays) -> None:
    np.save(folder / name, *array) if array else np.savez(folder / name, **arrays)


# seeds, mean, between


def test_a_seed_is_the_one_of_the_published_tools(at):
    seed = at("7")
    np.testing.assert_array_equal(seed.z, np.random.RandomState(7).randn(1, D)[0])
    assert (seed.class_, seed.in_w) == (None, False)


def test_between_two_seeds_is_on_the_sphere(at):
    one, two = (np.random.RandomState(seed).randn(D) for seed in (7, 9))
    for amount in (0, 0.5, 1, 0.3, -0.5, 1.5):
        expected = slerp(one[None], two[None], np.array([amount]))[0]
        np.testing.assert_allclose(at(f"{{between: [7, 9], amount: {amount}}}").z, expected, atol=1e-12)
    np.testing.assert_array_equal(at("{between: [7, 9], amount: 0}").z, one)
    np.testing.assert_allclose(at("{between: [7, 9], amount: 1}").z, two, atol=1e-12)
    np.testing.assert_array_equal(at("{between: [7, 9]}").z, at("{between: [7, 9], amount: 0.5}").z)


def test_between_those_that_share_no_z_is_in_w(at):
    assert at("{between: [7, mean]}").in_w
    assert at("{between: [{seed: 7, class: 0}, {seed: 9, class: 1}]}", FISH).in_w
    both = at("{between: [{seed: 7, class: 1}, {seed: 9, class: 1}]}", FISH)
    assert (both.in_w, both.class_) == (False, 1)
    nested = at("{between: [{between: [1, 2]}, {between: [mean, 3]}]}")
    assert nested.in_w
    assert [end.in_w for end in nested.ends] == [False, True]


def test_the_mean_is_in_w(at):
    assert at("mean").in_w


def test_a_place_is_a_key_of_what_was_mapped_from_it(at):
    one, two = at("7"), at("7")
    assert len({one, two, one}) == 2
    assert one.key(0, 1)[1:] == two.key(0, 1)[1:]


# classes


def test_a_class_is_the_latents_own_or_the_models(written):
    recipe = written("walk: {through: [1, {seed: 2, class: ray}, {seed: 3, class: 0}, {seed: 4, class: goldfish}]}")
    recipe = recipe.model_copy(update={"model": replace(recipe.model, class_="great white shark")})
    stops = compose(recipe, FISH).trajectory.track.stops
    assert [stop.class_ for stop in stops] == [1, 2, 0, 0]


def test_no_class_for_a_conditional_model_lists_them(wrong):
    error = wrong("7", FISH)
    assert error.problem == "cppn#7 has 3 classes, and this latent names none"
    assert "Its classes: 0 goldfish, 1 great white shark, 2 ray." in error.hint
    assert "{seed: 7, class: 0}" in error.hint


def test_a_class_that_there_is_not(wrong):
    error = wrong("{seed: 7, class: goldfsh}", FISH)
    assert error.where.endswith("walk.through[1].class = goldfsh")
    assert error.problem == "cppn#7 has no class 'goldfsh'"
    assert error.hint == "Did you mean 'goldfish'? Its classes: 0 goldfish, 1 great white shark, 2 ray."
    assert wrong("{seed: 7, class: 3}", FISH).problem == "cppn#7 has classes 0 to 2"
    assert "0 goldfish" in wrong("{seed: 7, class: 3}", FISH).hint
    assert "0 goldfish" in wrong("{seed: 7, class: zzzz}", FISH).hint


def test_a_class_of_a_model_without_any(wrong, tmp_path):
    error = wrong("{seed: 7, class: 1}")
    assert error.where.endswith("walk.through[1].class = 1")
    assert (error.problem, error.hint) == ("cppn#7 has no classes", "Leave the class out.")
    from gandream.recipe.load import load_recipe

    (tmp_path / "a.yaml").write_text("walk: {through: 1}\nmodel: {file: cppn#7, class: 4}\n")
    with pytest.raises(RecipeError) as caught:
        compose(load_recipe(tmp_path / "a.yaml"), SPEC)
    assert caught.value.where.endswith("a.yaml:2:23  model.class = 4")
    assert caught.value.problem == "cppn#7 has no classes"


# saved ones


def test_saved_latents_of_every_shape(at, tmp_path):
    for name, array in {"z": Z[0], "z1": Z[:1], "w": W[0], "w1": W[:1], "flat": W[:1, :1]}.items():
        save(tmp_path, f"{name}.npy", array)
        found = at(f"{name}.npy")
        assert found.in_w == (name[0] != "z")
        np.testing.assert_array_equal(
            found.w if found.in_w else found.z, array if array.ndim == 1 + found.in_w else array[0]
        )
    save(tmp_path, "many.npy", Z)
    save(tmp_path, "more.npy", W)
    for row in range(4):
        np.testing.assert_array_equal(at(f"many.npy#{row}").z, Z[row])
        np.testing.assert_array_equal(at(f"more.npy#{row}").w, W[row])
        np.testing.assert_array_equal(at(f"{{file: more.npy, name: '{row}'}}").w, W[row])


def test_as_many_z_as_there_are_layers_are_told_apart_by_the_row(at, tmp_path):
    save(tmp_path, "x.npy", W[0])  # [L, D]: a w, or L of z
    np.testing.assert_array_equal(at("x.npy").w, W[0])
    np.testing.assert_array_equal(at("x.npy#3").z, W[0, 3])


def test_saved_latents_by_name(at, tmp_path):
    save(tmp_path, "n.npz", smile=Z[0], look=W[1], many=Z, **{"3": Z[3:4], "a/b": Z[4], "a": Z})
    np.testing.assert_array_equal(at("n.npz#smile").z, Z[0])
    np.testing.assert_array_equal(at("n.npz#look").w, W[1])
    np.testing.assert_array_equal(at("n.npz#many/2").z, Z[2])
    np.testing.assert_array_equal(at("n.npz#3").z, Z[3])  # the name comes before the row
    np.testing.assert_array_equal(at("n.npz#a/b").z, Z[4])
    np.testing.assert_array_equal(at("n.npz#a/1").z, Z[1])
    save(tmp_path, "one.npz", only=Z)
    np.testing.assert_array_equal(at("one.npz#4").z, Z[4])
    np.testing.assert_array_equal(at("one.npz#only/4").z, Z[4])


@pytest.mark.parametrize("kind", ["float16", "float32", ">f8", "int32", "uint8"])
def test_saved_numbers_of_any_kind(at, tmp_path, kind):
    array = (10 * np.abs(Z[0])).astype(kind)
    save(tmp_path, "z.npy", array)
    np.testing.assert_array_equal(at("z.npy").z, array.astype(np.float64))


def test_a_saved_z_has_a_class_and_a_saved_w_has_none(at, wrong, tmp_path):
    save(tmp_path, "z.npy", Z[0])
    save(tmp_path, "w.npy", W[0])
    assert at("{file: z.npy, class: ray}", FISH).class_ == 2
    assert at("w.npy", FISH).class_ is None
    assert "names none" in wrong("z.npy", FISH).problem
    error = wrong("{file: w.npy, class: ray}", FISH)
    assert error.where.endswith("walk.through[1].class = ray")
    assert error.problem.startswith("a saved w has no class")


def test_saved_latents_that_do_not_fit(wrong, tmp_path):
    for shape in ((D + 1,), (L, D + 1), (3, 5), (), (0, D), (2, L + 1, D), (1, 1, L, D), (0, L, D)):
        save(tmp_path, "x.npy", np.zeros(shape))
        error = wrong("x.npy")
        assert error.problem.startswith(f"the saved latent is {list(shape)}, but cppn#7 wants z [{D}] or w [{L}, {D}]")


def test_a_row_that_there_is_not_or_that_is_not_named(wrong, tmp_path):
    save(tmp_path, "x.npy", Z)
    save(tmp_path, "z.npy", Z[0])
    save(tmp_path, "n.npz", a=Z, b=Z[0])
    for latent in ("x.npy", "n.npz#a"):
        assert wrong(latent).problem == "this holds 5 latents"
        assert wrong(latent).hint == "Say which, from 0 to 4, as in x.npy#0."
    for latent in ("x.npy#5", "n.npz#a/5", "{file: x.npy, name: '5'}"):
        assert wrong(latent).problem == "there is no latent 5"
    assert wrong("z.npy#1").hint == "It holds 1, counted from 0."
    assert "no latent 'a/b'" in wrong("n.npz#a/b").problem
    assert wrong("x.npy#smile").problem == "an .npy file has no names, so there is no 'smile' in it"


def test_a_name_that_there_is_not_is_told_with_the_nearest(wrong, tmp_path):
    save(tmp_path, "n.npz", smile=Z[0], frown=Z[1])
    assert wrong("n.npz#smlie").problem == "the file has no latent 'smlie'"
    assert wrong("n.npz#smlie").hint == "Did you mean 'smile'?"
    assert wrong("n.npz#zzzzz").hint == "It holds: smile, frown."
    assert wrong("n.npz").problem == "say which latent, as in x.npz#name"
    assert wrong("n.npz").hint == "It holds: smile, frown."


def test_numbers_that_are_none(wrong, tmp_path):
    for value in (np.nan, np.inf, -np.inf):
        save(tmp_path, "x.npy", np.where(np.arange(D) == 3, value, 0.0))
        assert wrong("x.npy").problem == "some of these numbers are not finite"
    save(tmp_path, "x.npy", np.full(D, 1e300))
    assert "too large" in wrong("x.npy").problem
    for array in (np.zeros(D, complex), np.zeros(D, bool), np.full(D, "x"), np.zeros(D, [("a", float)])):
        save(tmp_path, "x.npy", array)
        assert wrong("x.npy").problem.startswith("saved latents are numbers, and this is ")


class _Hostile:
    def __reduce__(self):
        return (Path.touch, (Path("executed"),))


def test_objects_are_refused_and_never_run(wrong, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hostile = np.array([_Hostile()] * D, dtype=object)
    np.save("x.npy", hostile, allow_pickle=True)
    np.savez("x.npz", a=hostile, b=Z[0])
    for latent in ("x.npy", "x.npz#a"):
        assert wrong(latent).problem == "this holds no saved latents: it holds Python objects, which are never loaded"
    assert not Path("executed").exists()


def test_files_that_are_something_else_or_damaged(wrong, tmp_path):
    for name in ("x.npy", "x.npz"):
        for data in (
            b"",
            b"hello",
            b"version https://git-lfs.github.com/spec/v1",
            b"<!DOCTYPE html>",
            b"\x80\x04K\x01.",
        ):
            (tmp_path / name).write_bytes(data)
            assert wrong(name).problem == "this holds no saved latents: it isn't .npy or .npz inside"
    save(tmp_path, "x.npy", Z[0])
    save(tmp_path, "x.npz", a=Z[0], b=W[0])
    for name in ("x.npy", "x.npz"):
        whole = (tmp_path / name).read_bytes()
        for part in (6, 7, 20, 100, len(whole) // 2, len(whole) - 1):
            (tmp_path / name).write_bytes(whole[:part])
            assert (
                wrong(f"{name}#a" if name.endswith("z") else name).problem
                == "this holds no saved latents: it is damaged"
            )


@pytest.mark.parametrize("most", [1 << 24, pytest.param(saved.MAX_BYTES, marks=pytest.mark.slow)])
def test_an_array_that_unpacks_without_end_is_refused_before_it_is_unpacked(wrong, tmp_path, monkeypatch, most):
    monkeypatch.setattr(saved, "MAX_BYTES", most)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        with file.open("a.npy", "w", force_zip64=True) as member:
            block = bytes(most // 64)
            for _ in range(65):
                member.write(block)
        file.writestr("b.txt", "no array")
    assert wrong("bomb.npz#a").problem == "the array is too large for saved latents"
    assert wrong("bomb.npz#b.txt").problem == "'b.txt' is no saved array"


# places of a walk


def test_a_walk_is_in_w_as_soon_as_one_latent_is(written):
    def track(text):
        return compose(written(text), SPEC).trajectory.track

    assert not track("walk: {through: [1, 2]}").in_w
    assert track("walk: {through: [1, 2], space: w}").in_w
    assert track("walk: {through: [1, mean]}").in_w
    assert track("walk: {through: [1, 2]}").path == "slerp"
    assert track("walk: {through: [1, mean]}").path == "lerp"
    assert track("walk: {through: [1, mean], path: slerp}").path == "slerp"


def test_asking_for_z_where_there_is_none_is_an_error(written):
    for text, where in (
        ("walk: {space: z, through: [1, mean]}", "walk.through[1] = mean"),
        ("mix: {from: {space: z, through: [1, mean]}}", "mix.from.through[1] = mean"),
        ("push: {toward: mean, space: z}", "push.toward = mean"),
        ("push: {random: 1, space: z}\nwalk: {through: [1, mean]}", "push.space = z"),
    ):
        with pytest.raises(RecipeError) as caught:
            compose(written(text), SPEC)
        assert caught.value.where.endswith(where)
        assert "w" in caught.value.problem
        assert caught.value.hint == "Leave `space: z` out."


def test_a_push_follows_a_walk_in_w(written):
    for text, in_w in (("walk: {through: [1, mean]}", True), ("walk: {through: [1, 2]}", False)):
        (shove,) = compose(written(f"{text}\npush: {{random: 3}}"), SPEC).trajectory.shoves
        assert shove.in_w is in_w
