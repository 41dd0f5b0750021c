import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandream.base.clock import Clock
from gandream.base.errors import RecipeError
from gandream.base.tempo import BeatGrid
from gandream.recipe.expression import NAMES
from gandream.recipe.signals import PITCHES
from gandream.trajectory.evaluate import NAME, Curves
from gandream.trajectory.timeline import Timeline

T = np.arange(90) / 30
RUBATO = BeatGrid((0.5, 1.1, 1.5, 2.25), downbeat_s=1.2)


@pytest.fixture(autouse=True)
def no_warning_of_numpy():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_a_constant_is_itself_at_every_frame(value):
    y = value(0.7)
    assert y.dtype == np.float64
    np.testing.assert_array_equal(y, np.full(90, 0.7))


# expressions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2*3", 7),
        ("(1 + 2)*3", 9),
        ("2**3**2", 512),
        ("-2**2", -4),
        ("2**-1", 0.5),
        ("7 % 3 + -7 % 3", 3),
        ("8/4/2", 1),
        ("8 - 4 - 2", 2),
        ("1 < 2", 1),
        ("2 <= 1 or 3 != 3", 0),
        ("not 0 and 5", 1),
        ("not (1 == 1)", 0),
        ("2 > 1 and 1 >= 1", 1),
        ("min(3, 1, 2) + max(4, 5)", 6),
        ("where(t < 0, 1, +2)", 2),
        ("pi - tau/2", 0),
    ],
)
def test_arithmetic(value, text, expected):
    np.testing.assert_allclose(value(text), np.full(90, expected), atol=1e-15)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("0.5 + 0.3*sin(2*pi*t)", lambda t: 0.5 + 0.3 * np.sin(2 * np.pi * t)),
        ("mix(t, frame, progress)", lambda t: t + (np.arange(90) - t) * (np.arange(90) / 90)),
        ("smoothstep(1, 2, t)**2", lambda t: (lambda x: x * x * (3 - 2 * x))(np.clip(t - 1, 0, 1)) ** 2),
        ("t > 1 and t < 2", lambda t: ((t > 1) & (t < 2)).astype(float)),
        ("exp(-t)*abs(cos(3*t)) % 0.2", lambda t: np.exp(-t) * np.abs(np.cos(3 * t)) % 0.2),
        ("fps*duration/bars", lambda t: np.full(90, 30 * 3 / 8)),
        ("kick*amount + kick", lambda t: np.linspace(0, 1, 90) * 1.5),
    ],
)
def test_expressions_against_numpy(value, text, meaning):
    signals = {"kick": np.linspace(0, 1, 90)}
    y = value(text, signals=signals, vars={"bars": 8, "amount": 0.5})
    np.testing.assert_allclose(y, meaning(T), atol=1e-12)


numbers = st.floats(0.125, 8).map(lambda x: f"{x:.6g}")
trees = st.recursive(
    st.one_of(numbers, st.sampled_from(["t", "pi", "frame"])),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(st.sampled_from(["sin", "cos", "abs", "-"]), inner).map(lambda parts: f"{parts[0]}({parts[1]})"),
    ),
    max_leaves=12,
)


@given(trees)
@settings(deadline=None, max_examples=150)
def test_any_expression_is_what_python_makes_of_it(value, text):
    names = {"t": T, "frame": np.arange(90.0), "pi": math.pi, "sin": np.sin, "cos": np.cos, "abs": np.abs}
    expected = np.broadcast_to(eval(text, {"__builtins__": {}}, names), (90,))
    np.testing.assert_allclose(value(text), expected, rtol=1e-12)


def test_signals_are_used_by_name_and_by_band(value):
    chroma = np.random.RandomState(0).rand(90, 12).astype(np.float32)
    for number, pitch in enumerate(PITCHES):
        np.testing.assert_array_equal(value(f"chroma.{pitch}", signals={"chroma": chroma}), chroma[:, number])
    np.testing.assert_array_equal(value("chroma.Bb", signals={"chroma": chroma}), chroma[:, 10])


# names


def test_the_table_has_a_meaning_for_each_name_of_the_language():
    assert set(NAME) == set(NAMES)


def test_time_has_many_names(value):
    ntsc = Fraction(24000, 1001)
    film = {"frames": 100, "fps": ntsc, "start_s": 5}
    np.testing.assert_array_equal(value("t", **film), [float(frame / ntsc) for frame in range(100)])
    np.testing.assert_array_equal(value("frame", **film), np.arange(100))
    np.testing.assert_allclose(value("progress", **film), np.arange(100) / 100, atol=1e-15)
    assert value("fps", **film)[0] == 24000 / 1001
    assert value("duration", **film)[0] == float(100 / ntsc)


def test_beat_is_continuous_and_straight_between_tracked_beats_and_0_at_the_first(value):
    y = value("beat", frames=900, fps=300, grid=RUBATO)
    for number, second in enumerate(RUBATO.beats_s):
        assert y[round(second * 300)] == pytest.approx(number, abs=1e-9)
    slopes = np.diff(y) * 300
    assert slopes.min() > 0.9
    assert slopes.max() < 2.6
    kinks = np.flatnonzero(np.abs(np.diff(slopes)) > 1e-6) + 1
    assert set(kinks) <= {round(second * 300) for second in RUBATO.beats_s}
    assert y[0] == pytest.approx(-0.5 / RUBATO.interval_s)  # before the first beat the median goes on


def test_a_film_that_begins_later_has_the_beats_of_its_music(value):
    whole = value("beat", frames=90, grid=RUBATO)
    np.testing.assert_allclose(value("beat", frames=60, start_s=1, grid=RUBATO), whole[30:], atol=1e-12)


def test_bars_are_counted_from_the_first_beat_of_the_tempo(value):
    beat, bar = (value(name, frames=900, fps=300, grid=RUBATO) for name in ("beat", "bar"))
    np.testing.assert_allclose(bar, (beat - 1) / 4, atol=1e-12)  # 1.2 s is nearest to the second beat
    waltz = value("bar", grid=BeatGrid.steady(120, 3, first_beat_s=0.5))
    assert waltz[15] == 0
    assert waltz[15 + 45] == pytest.approx(1)
    assert value("bpm", grid=RUBATO)[0] == pytest.approx(100)


# values that are not finite


def broken(written, text, frames=90, fps=30):
    recipe = written(f"walk: {{through: 3}}\ntruncation: {text}")
    line = Timeline(Clock(Fraction(fps), frames))
    with pytest.raises(RecipeError) as caught:
        Curves(recipe, line, {}).values(recipe.truncation, ("truncation",))
    return caught.value


def test_a_division_by_zero_names_its_first_time_and_its_column(written):
    error = broken(written, "0.5 + 1/(frame - 45)")
    assert error.where.endswith("film.yaml:2:20  truncation = 0.5 + 1/(frame - 45)")
    assert error.problem == "divides by zero at 0:01.500 (frame 45) (column 8 of the expression)"
    assert error.hint == "Keep the divisor away from 0, for instance with max(x, 0.01)."


def test_columns_are_right_inside_quotes_too(written):
    assert ":2:15  truncation" in broken(written, '"1/t"').where


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sqrt(1 - t)", "sqrt() gives no number at 0:01.033 (frame 31) (column 1 of the expression)"),
        ("1 + log(frame)", "log() gives an infinite value at 0:00.000 (frame 0) (column 5 of the expression)"),
        ("(t - 1)**0.5", "'**' gives no number at 0:00.000 (frame 0) (column 8 of the expression)"),
        ("3 % floor(t - 1)", "divides by zero at 0:01.000 (frame 30) (column 3 of the expression)"),
        ("exp(exp(exp(t*10)))", "exp() gives an infinite value at 0:00.200 (frame 6) (column 1 of the expression)"),
        ("lag(1/t, 1)", "divides by zero at 0:00.000 (frame 0) (column 6 of the expression)"),
        ("1e300*1e300", "'*' gives an infinite value at 0:00.000 (frame 0) (column 6 of the expression)"),
    ],
)
def test_what_is_not_finite_is_blamed_on_the_part_that_made_it(written, text, problem):
    assert broken(written, text).problem == problem


def test_what_where_leaves_out_may_be_anything(value, written):
    np.testing.assert_allclose(value("where(t == 0, 0, 1/t)")[1:], 1 / T[1:])
    np.testing.assert_array_equal(value("1/t > 2")[1:], 1 / T[1:] > 2)
    # And it isn't blamed for what goes wrong beside it.
    assert broken(written, "where(t == 0, 0, 1/t) + log(t)").problem.startswith("log() gives an infinite value")


@pytest.mark.parametrize(
    ("curve", "when"),
    [
        ("-1e10", "0:00.000 (frame 0)"),
        ("'exp(10*t)'", "0:02.100 (frame 63)"),
        ("{1s: 0, 2s: 2e9}", "0:01.533 (frame 46)"),
        ("{0s: 1e299, 2s: -1e299}", "0:00.000 (frame 0)"),
    ],
)
def test_what_no_picture_can_use_is_refused(written, curve, when):
    error = broken(written, curve)
    assert "film.yaml:2:1  truncation" in error.where
    assert error.problem == f"the value is beyond 1e+09 at {when}"


# keyframes


def test_keyframes_are_met_exactly_and_held_outside(value):
    y = value({"1s": 0.1, "60 frames": 0.3, "2.5s": -0.7})
    assert (y[:31] == 0.1).all()
    assert (y[60], y[75]) == (0.3, -0.7)
    assert (y[75:] == -0.7).all()
    np.testing.assert_allclose(y[30:61], np.linspace(0.1, 0.3, 31), atol=1e-12)


def test_keyframes_of_one_time_are_a_constant(value):
    assert (value({"1s": 0.3}) == 0.3).all()
    assert (value({"500s": 0.3}) == 0.3).all()


def test_keyframes_in_mixed_units(value):
    y = value({"0s": 0, "15 frames": 1, "2 beats": 2, "1 bar": 3, "100%": 4}, grid=BeatGrid.steady(120))
    np.testing.assert_allclose(y[[0, 15, 30, 60, 75]], [0, 1, 2, 3, 3.5], atol=1e-12)


def test_keyframes_in_beats_are_moments_of_the_music_not_of_the_film(value):
    y = value({"0 beats": 0, "4 beats": 4}, grid=BeatGrid.steady(120), start_s=1)
    assert y[0] == pytest.approx(2)
    assert y[30] == pytest.approx(4)


def test_keyframes_are_eased_between_each_two(value):
    y = value({0: 0, 1: 1, 3: 5, "ease": "in_quad"})
    np.testing.assert_allclose(y[:30], T[:30] ** 2, atol=1e-12)
    np.testing.assert_allclose(y[30:], 1 + 4 * ((T[30:] - 1) / 2) ** 2, atol=1e-12)


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(30), Fraction(30000, 1001)])
def test_held_keyframes_jump_at_their_frame(value, fps):
    times = {f"{frame} frames": index for index, frame in enumerate(range(0, 300, 7))}
    y = value({**times, "ease": "hold"}, frames=301, fps=fps)
    np.testing.assert_array_equal(y[:300], np.arange(300) // 7)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8))
@settings(deadline=None, max_examples=60)
def test_every_keyframe_is_met_to_the_last_bit(value, levels):
    for ease in ("linear", "in_out_sine", "out_back", "hold"):
        y = value({**{f"{10 * index} frames": level for index, level in enumerate(levels)}, "ease": ease})
        assert list(y[::10][: len(levels)]) == levels


def test_keyframes_that_cross_are_an_error_that_names_both(written):
    recipe = written("truncation:\n  {0s: 1, 2s: 0.5, 50%: 1}")
    with pytest.raises(RecipeError) as caught:
        Curves(recipe, Timeline(Clock(Fraction(30), 90)), {}).values(recipe.truncation, ("truncation",))
    assert caught.value.where.endswith("film.yaml:1:1  truncation")
    assert caught.value.problem == "keyframes must rise in time, but 50% (1.500 s) is not after 2s (2.000 s)"


def test_an_edit_of_the_end_leaves_the_beginning_alone(value):
    before = value({0: 0, 1: 0.3, 2: 1, "ease": "in_out_sine"})
    after = value({0: 0, 1: 0.3, 2: 7, "ease": "in_out_sine"})
    np.testing.assert_array_equal(before[:31], after[:31])
    assert (before[31:] != after[31:]).all()
