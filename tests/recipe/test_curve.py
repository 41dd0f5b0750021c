from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_core import PydanticCustomError

from gandream.recipe.curve import EASES, Constant, Curve, Expression, Keyframes, read_curve
from gandream.recipe.times import Time


def written(curve):
    return TypeAdapter(Curve).dump_python(curve)


def test_the_three_ways_to_write_a_curve():
    assert read_curve(3) == Constant(3.0)
    assert isinstance(read_curve("0.5 + t"), Expression)
    curve = read_curve({"0s": 0, "2 bars": 1, "50%": 0.2, "ease": "in_out_cubic"})
    assert curve == Keyframes(
        (Time(Fraction(0)), Time(Fraction(2), "bars"), Time(Fraction(50), "%")), (0.0, 1.0, 0.2), "in_out_cubic"
    )


@pytest.mark.parametrize("key", [0, 0.5, "0:42", "250ms", "90 frames", "1 beat", "2 bars", "50%", "1/3s"])
def test_keyframes_in_any_unit(key):
    assert read_curve({key: 1}).values == (1.0,)


@pytest.mark.parametrize("ease", EASES)
def test_every_ease(ease):
    assert read_curve({0: 0, 1: 1, "ease": ease}).ease == ease


@pytest.mark.parametrize(
    ("value", "words", "key", "hint"),
    [
        *[
            (bad, "wanted a number, an expression", None, "")
            for bad in (None, True, [], [1], {}, {"ease": "hold"}, b"1", 1j)
        ],
        *[(bad, "must be finite", None, "") for bad in (float("nan"), float("inf"), -float("inf"), 10**400, 1e301)],
        ({0: 0, "1s": 1, "1000ms": 2}, "must rise in time; 1s comes before", "1000ms", ""),
        ({0: 0, "0:00": 1}, "must rise", "0:00", ""),
        ({"2 bars": 0, "1 bars": 1}, "must rise in time; 2 bars comes", "1 bars", ""),
        ({0: True}, "a keyframe's value is a number", 0, ""),
        ({0: "t"}, "a keyframe's value is a number", 0, ""),
        ({0: None}, "a keyframe's value is a number", 0, ""),
        ({0: 1, 1: float("nan")}, "must be finite", 1, ""),
        ({-1: 1}, "can't be negative", -1, ""),
        ({"4 barz": 1}, "no unit 'barz'. Did you mean 'bars'", "4 barz", ""),
        ({0: 1, "eas": "hold"}, "a keyframe's key is a time", "eas", "Did you mean 'ease'?"),
        ({0: 1, "ease": "in_cubc"}, "wanted an ease: linear", "ease", "Did you mean 'in_cubic'?"),
        ({0: 1, "ease": 3}, "wanted an ease", "ease", ""),
        ({0: 1, "ease": []}, "wanted an ease", "ease", ""),
    ],
)
def test_what_is_no_curve(value, words, key, hint):
    with pytest.raises(PydanticCustomError, match=words) as caught:
        read_curve(value)
    assert caught.value.context["key"] == key
    assert caught.value.context["hint"] == hint


_curves = (
    st.floats(-1e6, 1e6)
    | st.sampled_from(["t", "0.5 + sin(t)", "-1"])
    | st.tuples(
        st.lists(st.integers(0, 10**6), min_size=1, max_size=5, unique=True).map(sorted),
        st.sampled_from(["ms", " beats", "%", "/7s"]),
        st.sampled_from(list(EASES)),
    ).map(lambda part: {**{f"{time}{part[1]}": time / 7 for time in part[0]}, "ease": part[2]})
)


@given(_curves)
def test_a_curve_is_written_as_it_reads(value):
    curve = read_curve(value)
    assert read_curve(written(curve)) == curve
    assert str(curve)
