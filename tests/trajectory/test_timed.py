"""The functions of expressions that look along time, and those by chance: by their properties."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from gandream.base.clock import Clock
from gandream.recipe.expression import parse
from gandream.recipe.functions import FUNCTIONS, GROUPS
from gandream.trajectory.ease import EASE
from gandream.trajectory.functions import FUNCTION, Film

X = np.linspace(-3, 3, 601)


def film(fps=30, frames=120, seed=0) -> Film:
    return Film(Clock(Fraction(fps), frames), seed)


def call(name, *arguments, of=None):
    return FUNCTION[name](of or film(frames=601), *(np.asarray(argument, np.float64) for argument in arguments))


# the table


def test_every_function_says_what_it_is_with_an_example_that_can_be_read():
    assert sum(map(len, GROUPS.values())) == len(FUNCTIONS), "each stands under one heading"
    for name, function in FUNCTIONS.items():
        assert function.help
        assert function.range
        assert f"{name}(" in function.example
        parse(function.example)


@pytest.mark.parametrize(
    "name", [name for name, one in FUNCTIONS.items() if one.range in ("0 to 1", "-1 to 1", "0 or 1")]
)
def test_a_function_stays_in_the_range_that_it_declares(name):
    low = -1 if FUNCTIONS[name].range.startswith("-1") else 0
    least = FUNCTIONS[name].arity[0]
    values = call(name, 1.7 * X) if least == 1 else call(name, *[0.3 * X + index for index in range(least)])
    if name in ("euclid", "step"):
        values = call(name, *((10 * X, 3, 8) if name == "euclid" else (0.5, X)))
    assert low <= values.min()
    assert values.max() <= 1
    if FUNCTIONS[name].range == "0 or 1":
        assert set(values.tolist()) == {0.0, 1.0}


# shapes


def test_pulse_is_on_for_its_share_of_each_whole():
    assert list(call("pulse", [0, 0.19, 0.2, 0.99, 1.1], 0.2)) == [1, 1, 0, 0, 1]
    assert call("pulse", np.arange(0, 8, 0.001), 0.3).mean() == pytest.approx(0.3, abs=1e-3)
    assert list(call("pulse", [0.49, 0.5, -0.4])) == [1, 0, 0]


@pytest.mark.parametrize(
    ("hits", "steps", "pattern"),
    [(3, 8, "x..x..x."), (5, 8, "x.xx.xx."), (4, 16, "x...x...x...x..."), (2, 5, "x..x."), (7, 7, "xxxxxxx")],
)
def test_euclidean_rhythms(hits, steps, pattern):
    found = call("euclid", np.arange(2 * steps) + 0.5, hits, steps)
    turned = ["x" if hit else "." for hit in found[:steps]]
    assert found[:steps].sum() == hits, "as many hits as asked"
    assert list(found[:steps]) == list(found[steps:]), "and again"
    assert "".join(turned) in pattern * 2, "Toussaint's rhythm, perhaps turned"
    assert turned[0] == "x"
    gaps = np.diff([*np.flatnonzero(found[:steps]), steps])
    assert gaps.max() - gaps.min() <= 1, "as even as can be"


def test_remap_goes_through_its_two_points_and_on():
    np.testing.assert_allclose(call("remap", [2, 4, 3, 6], 2, 4, 10, 20), [10, 20, 15, 30])
    np.testing.assert_allclose(call("remap", X, 1, -1, 0, 1), (1 - X) / 2)
    assert list(call("remap", [0.9, 1, 2], 1, 1, 5, 6)) == [5, 6, 6]


def test_wrap_moves_by_whole_spans():
    found = call("wrap", 3 * X, -1, 2)
    assert found.min() >= -1
    assert found.max() < 2
    turns = (3 * X - found) / 3
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-9)
    np.testing.assert_allclose(call("wrap", X), X % 1)
    assert (call("wrap", X, 2, 2) == 2).all()


def test_quantise_is_the_nearest_multiple():
    found = call("quantise", X, 0.25)
    assert np.abs(found - X).max() <= 0.125 + 1e-12
    np.testing.assert_allclose(found / 0.25, np.round(found / 0.25))
    np.testing.assert_array_equal(call("quantise", X, 0), X)


def test_decibels():
    np.testing.assert_allclose(call("db", [0, 20, -20, 6.0206]), [1, 10, 0.1, 2], rtol=1e-5)


def test_mod_and_pow_are_the_operators():
    np.testing.assert_array_equal(call("mod", X, 0.7), X % 0.7)
    np.testing.assert_array_equal(call("pow", np.abs(X), 1.5), np.abs(X) ** 1.5)


@pytest.mark.parametrize("name", [name for name in EASE if "_" in name])
def test_eases_are_those_of_walks_and_rest_beyond_their_ends(name):
    inside = np.linspace(0, 1, 101)
    np.testing.assert_array_equal(call(name, inside), EASE[name](inside))
    assert list(call(name, [-5, 0, 1, 7])) == [0, 0, 1, 1]


# time


def test_an_envelope_with_equal_times_is_a_lag():
    of = film(24, 200)
    x = np.sin(3 * of.clock.times) + (of.clock.times > 4)
    np.testing.assert_allclose(call("envelope", x, 0.3, 0.3, of=of), call("lag", x, 0.3, of=of), atol=1e-12)


def test_an_envelope_rises_and_falls_with_its_own_times():
    of = film(30, 300)
    t = of.clock.times
    x = np.where((t >= 2) & (t < 5), 1.0, 0.0)
    y = call("envelope", x, 0.1, 1.0, of=of)
    rising, falling = (t > 2.1) & (t < 2.9), (t > 5.1) & (t < 9)
    np.testing.assert_allclose(np.diff(np.log(1 - y[rising])), -1 / 30 / 0.1, rtol=1e-6)
    np.testing.assert_allclose(np.diff(np.log(y[falling])), -1 / 30 / 1.0, rtol=1e-6)
    assert y.min() >= 0
    assert y.max() <= 1
    np.testing.assert_array_equal(call("envelope", x, 0, 0, of=of), x)


@pytest.mark.parametrize("fps", [10, 30, 60])
def test_hold_stands_still_and_catches_up_whatever_the_frame_rate(fps):
    of = film(fps, 8 * fps)
    held = call("hold", of.clock.times, 0.5, of=of)
    np.testing.assert_allclose(held, np.floor(of.clock.times / 0.5 + 1e-9) * 0.5, atol=1e-9)
    np.testing.assert_array_equal(call("hold", of.clock.times, 0, of=of), of.clock.times)


def test_sample_takes_what_was_there_when_the_clock_passed_a_whole_number():
    of = film(30, 300)
    t = of.clock.times
    found = call("sample", t, t / 0.7, of=of)
    np.testing.assert_allclose(found, np.floor(t / 0.7 + 1e-9) * 0.7, atol=1e-9)
    back = call("sample", t, 5 - t / 0.7, of=of)
    passed = np.floor(t / 0.7 + 1e-9)
    clear = np.abs(t / 0.7 - np.round(t / 0.7)) > 0.1  # on a whole number itself it has not passed it downward yet
    np.testing.assert_allclose(back[clear], passed[clear] * 0.7, atol=1e-9)
    assert (call("sample", t, 0.5, of=of) == t[0]).all(), "a clock that stands still never samples again"


def test_integral_and_slope_undo_each_other():
    of = film(60, 600)
    t = of.clock.times
    np.testing.assert_allclose(call("integral", np.cos(t), of=of), np.sin(t), atol=1e-4)
    np.testing.assert_allclose(call("slope", np.sin(t), of=of)[1:-1], np.cos(t)[1:-1], atol=1e-4)
    np.testing.assert_allclose(call("integral", 3, of=of), 3 * t)
    assert list(call("slope", 3, of=film(30, 1))) == [0]


# chance


def test_random_is_one_number_for_each_whole():
    x = np.arange(0, 20000, 0.25)
    found = call("random", x, 7, of=film(frames=len(x)))
    assert (found.reshape(-1, 4) == found[::4, None]).all()
    draws = found[::4]
    assert draws.min() >= 0
    assert draws.max() < 1
    assert len(set(draws)) == len(draws)
    assert draws.mean() == pytest.approx(0.5, abs=0.01)
    assert np.histogram(draws, 10, (0, 1))[0].min() > 1800
    assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 0.03


def test_random_depends_on_its_seed_and_the_films():
    draws = {
        (seed, of): tuple(call("random", np.arange(9), seed, of=film(seed=of))) for seed in (0, 1) for of in (0, 1)
    }
    assert len(set(draws.values())) == 4
    assert draws[0, 0] == tuple(call("random", np.arange(9)))
