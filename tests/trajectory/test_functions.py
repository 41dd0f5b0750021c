from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandream.base.clock import Clock
from gandream.recipe.expression import FUNCTIONS
from gandream.trajectory.functions import FUNCTION, Film

X = np.linspace(-3, 3, 601)


def film(fps=30, frames=120, seed=0) -> Film:
    return Film(Clock(Fraction(fps), frames), seed)


def call(name, *arguments, of=None):
    return FUNCTION[name](of or film(frames=601), *(np.asarray(argument, np.float64) for argument in arguments))


def test_the_table_has_a_meaning_for_each_word_of_the_language():
    assert set(FUNCTION) == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_takes_as_many_arguments_as_the_language_says(name):
    least, most = FUNCTIONS[name].arity
    for count in range(least, most + 1):
        result = call(name, *[np.abs(X) + 0.1] + [0.5] * (count - 1))
        assert np.broadcast_to(result, X.shape).dtype == np.float64


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("sin", np.sin),
        ("cos", np.cos),
        ("abs", np.abs),
        ("exp", np.exp),
        ("floor", np.floor),
        ("ceil", np.ceil),
        ("sign", np.sign),
        ("fract", lambda x: x % 1),
        ("saw", lambda x: 2 * (x % 1) - 1),
        ("tri", lambda x: 2 / np.pi * np.arcsin(np.sin(2 * np.pi * x))),
    ],
)
def test_functions_of_one_number(name, meaning):
    np.testing.assert_allclose(call(name, X), meaning(X), atol=1e-9)


def test_roots_and_logarithms():
    x = np.linspace(0.01, 4, 100)
    np.testing.assert_allclose(call("sqrt", x) ** 2, x)
    np.testing.assert_allclose(np.exp(call("log", x)), x)


def test_waves_have_period_1_and_the_phase_they_are_described_with():
    for name in ("tri", "saw", "square"):
        np.testing.assert_allclose(call(name, X[:-1] + 0.003), call(name, X[:-1] + 1.003), atol=1e-12)
        assert set(np.sign(call(name, [-1.0, 0.2, 0.7]))) <= {-1, 0, 1}
    assert list(call("tri", [0, 0.25, 0.5, 0.75])) == [0, 1, 0, -1]
    assert list(call("saw", [0, 0.25, 0.5])) == [-1, -0.5, 0]
    assert list(call("square", [0, 0.49, 0.5, 0.99])) == [1, 1, -1, -1]


def test_round_goes_up_at_a_half():
    assert list(call("round", [-1.5, -0.5, 0.5, 1.5, 2.4])) == [-1, 0, 1, 2, 2]


def test_smallest_and_largest_of_many():
    others = np.sin(X), np.cos(X), np.full(X.shape, 0.3)
    np.testing.assert_array_equal(call("min", X, *others), np.min([X, *others], axis=0))
    np.testing.assert_array_equal(call("max", X, *others), np.max([X, *others], axis=0))


def test_clamp_holds_between_0_and_1_or_what_is_said():
    np.testing.assert_array_equal(call("clamp", X), np.clip(X, 0, 1))
    np.testing.assert_array_equal(call("clamp", X, -2), np.clip(X, -2, 1))
    np.testing.assert_array_equal(call("clamp", X, -2, -1), np.clip(X, -2, -1))


def test_mix_step_and_where():
    np.testing.assert_allclose(call("mix", 2, 6, [0, 0.25, 1, 2]), [2, 3, 6, 10])
    assert list(call("step", 0.5, [0.4, 0.5, 0.6])) == [0, 1, 1]
    assert list(call("where", [0, 1, -2], 5, 7)) == [7, 5, 5]


def test_smoothstep_is_hermites_and_a_step_where_its_ends_meet():
    np.testing.assert_allclose(call("smoothstep", 2, 4, [1, 2, 2.5, 3, 4, 9]), [0, 0, 0.15625, 0.5, 1, 1])
    np.testing.assert_allclose(call("smoothstep", 4, 2, [1, 2, 3, 4, 9]), [1, 1, 0.5, 0, 0])
    assert list(call("smoothstep", 1, 1, [0.9, 1, 1.1])) == [0, 1, 1]


# lag


def test_lag_falls_by_the_exact_exponential():
    of = film(30, 120)
    x = np.where(np.arange(120) < 40, 1.0, 0.0)
    y = call("lag", x, 0.4, of=of)
    assert (y[:40] == 1).all()
    np.testing.assert_allclose(y[41:] / y[40:-1], np.exp(-1 / 30 / 0.4), rtol=1e-12)


def test_lag_of_a_slope_is_the_solution_of_the_differential_equation():
    of = film(24, 200)
    t, tau = of.clock.times, 0.7
    np.testing.assert_allclose(call("lag", t, tau, of=of), t - tau + tau * np.exp(-t / tau), atol=1e-12)


@pytest.mark.parametrize("tau", [0.05, 0.5, 3])
def test_lag_does_not_depend_on_the_frame_rate(tau):
    bent = {}
    for fps in (15, 30, 60, 240):
        of = film(fps, 4 * fps)
        t = of.clock.times
        bent[fps] = call("lag", np.minimum(t, 1) + 2 * np.maximum(t - 2, 0), tau, of=of)[:: fps // 15]
    for fps in (30, 60, 240):
        np.testing.assert_allclose(bent[fps], bent[15], atol=1e-12)


def test_lag_of_0_s_is_x_and_of_very_long_stays_at_its_beginning():
    x = np.sin(X * 5)
    np.testing.assert_array_equal(call("lag", x, 0), x)
    for long in (1e9, 1e300):
        np.testing.assert_allclose(call("lag", x, long), x[0], atol=1e-6)
    np.testing.assert_array_equal(call("lag", 0.7, 2), np.full(601, 0.7))


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=60), st.floats(0, 10))
@settings(deadline=None, max_examples=60)
def test_lag_never_leaves_the_range_of_x(values, tau):
    y = call("lag", values, tau, of=film(frames=len(values)))
    assert min(values) - 1e-9 <= y.min()
    assert y.max() <= max(values) + 1e-9


def test_lag_may_have_another_time_constant_at_each_frame():
    x = np.where(np.arange(120) < 40, 0.0, 1.0)
    y = call("lag", x, np.where(np.arange(120) < 60, 1.0, 0.0), of=film(30, 120))
    assert 0 < y[59] < 1
    assert (y[60:] == 1).all()


def test_lag_looks_only_back():
    x = np.sin(X * 5)
    changed = np.where(np.arange(601) < 300, x, 9.0)
    np.testing.assert_array_equal(call("lag", x, 0.3)[:300], call("lag", changed, 0.3)[:300])


# delay


def test_delay_is_x_as_it_was_and_its_first_value_before():
    of = film(30, 120)
    x = np.cos(of.clock.times * 3) + 2
    y = call("delay", x, 0.5, of=of)
    np.testing.assert_allclose(y[15:], x[:-15], atol=1e-12)
    np.testing.assert_array_equal(y[:15], x[0])
    np.testing.assert_array_equal(call("delay", x, 0, of=of), x)


def test_delay_between_frames_is_between_their_values():
    of = film(30, 120)
    t = of.clock.times
    np.testing.assert_allclose(call("delay", 2 * t, 0.123, of=of), 2 * np.maximum(t - 0.123, 0), atol=1e-12)


# noise


def noise(x, seed=0.0, recipe_seed=0):
    return call("noise", x, seed, of=film(seed=recipe_seed))


def test_noise_is_0_at_whole_numbers_and_within_1_between():
    assert not noise(np.arange(-500, 500)).any()
    y = noise(np.linspace(-2000, 2000, 200_001))
    assert np.abs(y).max() <= 1
    assert np.abs(y).max() > 0.8
    assert abs(y.mean()) < 0.02
    assert 0.2 < y.std() < 0.5


def test_noise_is_smooth():
    step = 1e-3
    y = noise(np.arange(-20, 20, step))
    slope = np.diff(y) / step
    assert np.abs(slope).max() < 6
    assert np.abs(np.diff(slope)).max() / step < 40  # the slope has no jumps either, at whole numbers least of all


def test_noise_depends_on_x_and_the_two_seeds_alone():
    x = np.random.RandomState(1).uniform(-100, 100, 601)
    order = np.random.RandomState(2).permutation(601)
    np.testing.assert_array_equal(noise(x)[order], noise(x[order]))
    other_film = call("noise", x, 3, of=Film(Clock(Fraction(12), 7), 5))
    np.testing.assert_array_equal(noise(x, 3, recipe_seed=5), other_film)
    np.testing.assert_array_equal(noise(x, -0.0), noise(x, 0.0))
    assert noise(0.5).item() == noise([0.5])[0]


def test_noise_of_other_seeds_is_other_noise():
    x = np.linspace(0, 300, 3001)
    one = noise(x)
    for other in (noise(x, 1), noise(x, 2), noise(x, 0.5), noise(x, 0, 1), noise(x, 1, 1), noise(x, -1)):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.15
    assert abs(np.corrcoef(noise(x, 1, 0), noise(x, 0, 1))[0, 1]) < 0.15


def test_noise_does_not_repeat():
    middles = noise(np.arange(-10_000, 10_000) + 0.5)
    assert len(np.unique(middles)) == len(middles)
    spectrum = np.abs(np.fft.rfft(middles - middles.mean())) ** 2
    autocorrelation = np.fft.irfft(spectrum)[1:10_000] / np.fft.irfft(spectrum)[0]
    # Neighbouring cells share a slope, which correlates them by -1/2.
    assert np.abs(autocorrelation[1:]).max() < 0.05


def test_noise_takes_a_seed_for_each_frame():
    x, seeds = np.full(601, 0.5), np.arange(601) % 2
    mixed = noise(x, seeds)
    np.testing.assert_array_equal(mixed[::2], noise(x[::2], 0))
    np.testing.assert_array_equal(mixed[1::2], noise(x[1::2], 1))
