"""The list that a walk goes through: ranges and draws of seeds, whole files, orders, and words for each step."""

import numpy as np
import pytest

from gandream.base.tempo import BeatGrid
from gandream.models.registry import describe
from gandream.trajectory.compose import compose
from gandream.trajectory.ease import EASE
from gandream.trajectory.interpolate import lerp, slerp
from gandream.trajectory.stops import places_of
from gandream.trajectory.timeline import Timeline

SPEC = describe("cppn#7")


@pytest.fixture
def stops(written):
    """z of the latents that a walk passes, in order."""

    def find(text, seed=0):
        recipe = written(f"seed: {seed}\nwalk: {{{text}}}")
        return np.stack([place.z for place in places_of(recipe.walk, recipe, SPEC, ("walk",))])

    return find


def seeds(*numbers):
    return SPEC.latents(numbers)


def test_a_range_has_both_its_ends_and_may_stand_in_a_list(stops):
    np.testing.assert_array_equal(stops("through: 3-6"), seeds(3, 4, 5, 6))
    np.testing.assert_array_equal(stops("through: {seeds: 3-6}"), seeds(3, 4, 5, 6))
    np.testing.assert_array_equal(stops("through: [9, 3-4, {seeds: 7-7}, 1]"), seeds(9, 3, 4, 7, 1))


def test_drawn_seeds_are_the_same_every_time(stops):
    drawn = np.random.RandomState(5).randint(0, 2**32, 12, dtype=np.uint64)
    np.testing.assert_array_equal(stops("through: {seeds: 12, seed: 5}"), seeds(*drawn.tolist()))
    np.testing.assert_array_equal(stops("through: {seeds: 12, seed: 5}", seed=1), seeds(*drawn.tolist()))
    mine, yours = stops("through: {seeds: 12}"), stops("through: {seeds: 12}", seed=1)
    np.testing.assert_array_equal(mine, stops("through: {seeds: 12}"))
    assert not (mine == yours).all(axis=1).any()


def test_orders(stops):
    np.testing.assert_array_equal(stops("through: [1, 2, 3], order: reverse"), seeds(3, 2, 1))
    np.testing.assert_array_equal(stops("through: [1, 2, 3], order: ping-pong"), seeds(1, 2, 3, 2))
    np.testing.assert_array_equal(stops("through: 1-3, order: ping-pong, loop: false"), seeds(1, 2, 3, 2, 1))
    np.testing.assert_array_equal(stops("through: [1, 2], order: ping-pong"), seeds(1, 2))
    np.testing.assert_array_equal(stops("through: 1, order: ping-pong"), seeds(1))
    shuffled = np.random.RandomState(7).permutation(20)
    for words in ("shuffle: 7", "shuffle: 7, order: shuffle"):
        np.testing.assert_array_equal(stops(f"through: 0-19, {words}"), seeds(*shuffled))
    by_recipe = [stops("through: 0-19, order: shuffle", seed) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(by_recipe[0], by_recipe[1])
    assert (by_recipe[0] != by_recipe[2]).any()
    assert {tuple(row) for row in by_recipe[2]} == {tuple(row) for row in seeds(*range(20))}


def test_a_whole_file_is_all_that_it_holds(stops, tmp_path):
    rows = np.random.RandomState(0).randn(4, 64)
    np.save(tmp_path / "four.npy", rows)
    np.savez(tmp_path / "named.npz", smile=rows[0], more=rows[1:3], fps=np.float64(30))
    np.testing.assert_array_equal(stops("through: four.npy"), rows)
    np.testing.assert_array_equal(stops("through: [7, four.npy]"), np.vstack([seeds(7), rows]))
    np.testing.assert_array_equal(stops("through: named.npz"), rows[:3])
    np.testing.assert_array_equal(stops("through: 'four.npy#2'"), rows[2:3])
    np.testing.assert_array_equal(stops("through: 'named.npz#more/1'"), rows[2:3])


@pytest.mark.parametrize("suffix", ["pt", "pth"])
def test_latents_that_torch_saved_are_read_and_nothing_in_them_runs(stops, written, tmp_path, suffix):
    import torch

    from gandream.base.errors import RecipeError

    rows = torch.randn(3, 64, generator=torch.Generator().manual_seed(0))
    torch.save(rows, tmp_path / f"rows.{suffix}")
    torch.save({"smile": rows[0], "more": rows[1:], "step": 3}, tmp_path / f"named.{suffix}")
    torch.save([rows[0], rows[1]], tmp_path / f"listed.{suffix}")
    np.testing.assert_array_equal(stops(f"through: rows.{suffix}"), rows.double().numpy())
    np.testing.assert_array_equal(stops(f"through: 'rows.{suffix}#1'"), rows[1:2].double().numpy())
    np.testing.assert_array_equal(stops(f"through: named.{suffix}"), rows.double().numpy())
    np.testing.assert_array_equal(stops(f"through: 'named.{suffix}#more/1'"), rows[2:].double().numpy())
    np.testing.assert_array_equal(stops(f"through: listed.{suffix}"), rows[:2].double().numpy())

    class Evil:
        def __reduce__(self):
            return (print, ("run",))

    for what in (Evil(), {"a": 3}, "text"):
        torch.save(what, tmp_path / f"bad.{suffix}")
        with pytest.raises(RecipeError, match="this holds no saved latents"):
            stops(f"through: bad.{suffix}")


# a word for each step


def test_each_step_has_its_own_time(written):
    text = "walk: {through: [1, 2, 3], every: [2s, 1s]}\nvideo: {duration: 20s}"
    places = compose(written(text), SPEC).trajectory.track.places
    # 2, 1 and (from the beginning again) 2 seconds: laps of 5.
    np.testing.assert_allclose(places[[0, 30, 60, 75, 90, 150, 210]], [0, 0.5, 1, 1.5, 2, 3, 4], atol=1e-9)


def test_steps_in_beats_follow_the_music_and_mixed_ones_its_tempo(written):
    from fractions import Fraction

    from gandream.base.clock import Clock
    from gandream.trajectory.walks import steady_places

    grid = BeatGrid((0.0, 1.0, 1.5, 2.0, 2.5, 3.5, 4.5, 5.5, 6.5))
    line = Timeline(Clock(Fraction(30), 180), Fraction(0), grid)
    recipe = written("walk: {through: [1, 2], every: [2 beats, 1 beat]}")
    places, spans = steady_places(recipe.walk, line, recipe, count=2)
    np.testing.assert_allclose(places[[0, 45, 60, 75, 135]], [0, 1, 2, 2.5, 4], atol=1e-9)
    np.testing.assert_allclose(spans, [2 * grid.interval_s, grid.interval_s])
    recipe = written("walk: {through: [1, 2], every: [2s, 1 beat]}")
    places, _ = steady_places(recipe.walk, line, recipe, count=2)
    assert places[60] == pytest.approx(1)
    assert places[30] == pytest.approx(0.5)


def test_each_step_has_its_own_path_and_ease(written):
    words = "through: [1, 2, 3], every: 1s, path: [lerp, step, slerp], ease: [in_quad, linear, out_circ]"
    z = compose(written(f"walk: {{{words}}}"), SPEC).trajectory.latents(0, 90)
    a, b, c = (row[None] for row in seeds(1, 2, 3))
    np.testing.assert_allclose(z[15:16], lerp(a, b, np.array([0.25])), atol=1e-6)
    np.testing.assert_allclose(z[45:46], b, atol=1e-6)
    np.testing.assert_allclose(z[75:76], slerp(c, a, EASE["out_circ"](np.array([0.5]))), atol=1e-6)


def test_fewer_words_than_steps_begin_again_and_a_single_one_is_for_all(written):
    def z(words):
        return compose(written(f"walk: {{through: [1, 2, 3, 4], every: 1s, {words}}}"), SPEC).trajectory.latents(0, 120)

    np.testing.assert_array_equal(z("ease: [in_sine, out_sine]"), z("ease: [in_sine, out_sine, in_sine, out_sine]"))
    np.testing.assert_array_equal(z("path: [spline]"), z("path: spline"))
    np.testing.assert_array_equal(
        z("path: [lerp, slerp], ease: [soft]"), z("path: [lerp, slerp, lerp, slerp], ease: soft")
    )


def test_a_walk_in_w_with_a_path_for_each_step_has_local_keys(written):
    def keys(seed):
        words = f"through: [1, 2, 3, {seed}, 5, 6], every: 1s, space: w, path: [lerp, step]"
        trajectory = compose(written(f"walk: {{{words}}}"), SPEC).trajectory
        return [trajectory.key(start, start + 30) for start in range(0, 180, 30)]

    # The step before the fourth latent goes there, the one from it jumps away at its end.
    assert [one != other for one, other in zip(keys(4), keys(9), strict=True)] == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]
