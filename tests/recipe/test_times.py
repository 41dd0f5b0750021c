# ruff: noqa: PT017 (the test is that text is read or refused)
from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandream.recipe.times import Time, parse_time


@pytest.mark.parametrize(
    ("written", "amount", "unit"),
    [
        ("90 frames", 90, "frames"),
        ("1 frame", 1, "frames"),
        ("1.5s", "3/2", "s"),
        (2, 2, "s"),
        (0.1, "1/10", "s"),
        ("2", 2, "s"),
        ("250ms", "1/4", "s"),
        ("2 min", 120, "s"),
        ("3 sec", 3, "s"),
        ("1 second", 1, "s"),
        ("0:42", 42, "s"),
        ("1:05.25", "261/4", "s"),
        ("1:02:03", 3723, "s"),
        ("90:00", 5400, "s"),
        ("4 beats", 4, "beats"),
        ("1 beat", 1, "beats"),
        ("2 bars", 2, "bars"),
        ("1/2 bar", "1/2", "bars"),
        ("50%", 50, "%"),
        ("12.5 %", "25/2", "%"),
        (" 4BARS ", 4, "bars"),
        ("1/3s", "1/3", "s"),
        ("-1/3 s", "-1/3", "s"),
        ("-2", -2, "s"),
        ("1e2s", 100, "s"),
        (".5s", "1/2", "s"),
        ("1.s", 1, "s"),
        (1e-5, "1/100000", "s"),
        (0.1 + 0.2, "3/10", "s"),
        (10**9, 10**9, "s"),
    ],
)
def test_every_spelling(written, amount, unit):
    assert parse_time(written) == Time(Fraction(amount), unit)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        *[
            (junk, "wanted a time")
            for junk in (
                "",
                " ",
                "s",
                "nan s",
                "inf",
                "٣ s",
                "1 s 2",
                "1:5",
                "0:60",
                "1:75:00",
                "1:5:00",
                "1 / 2 s",
                "--1",
                "1,5s",
                "0x10",
                "1_0",
                "1\n2",
                None,
                True,
                [],
                {},
                b"1",
            )
        ],
        ("4 barz", "no unit 'barz'. Did you mean 'bars'"),
        ("4 beets", "Did you mean 'beats'"),
        ("2 x", "no unit 'x'. Times are seconds"),
        ("1/0 s", "divided by zero"),
        (float("nan"), "finite"),
        (float("inf"), "finite"),
        (-float("inf"), "finite"),
        (10**9 + 1, "too long"),
        ("1e99", "too long"),
        ("999999999999999 bars", "too long"),
        (10**300, "wanted a time"),
        ("1/999999999999 ms", "too fine"),
    ],
)
def test_what_is_no_time(written, words):
    with pytest.raises(ValueError, match=words):
        parse_time(written)


@given(
    st.sampled_from(["s", "ms", "min", " frames", " beats", " bars", "%"]),
    st.decimals(-(10**6), 10**6, allow_nan=False).map(lambda d: f"{d:f}"[:30])
    | st.tuples(st.integers(-9999, 9999), st.integers(1, 9999)).map(lambda n: f"{n[0]}/{n[1]}"),
)
def test_a_time_is_written_as_it_reads(unit, number):
    time = parse_time(number + unit)
    assert parse_time(str(time)) == time


@given(st.floats(0, 1e9))
def test_floats_are_kept_to_the_picosecond(value):
    time = parse_time(value)
    assert abs(time.amount - Fraction(value)) <= Fraction(1, 10**12) + Fraction(value) / 10**15
    assert parse_time(str(time)) == time


@given(st.text(max_size=12) | st.text(alphabet="0123456789.:/%-+e smbarfunc", max_size=14))
def test_any_text_is_a_time_or_refused(text):
    try:
        assert isinstance(parse_time(text), Time)
    except ValueError as error:
        assert "time" in str(error) or "unit" in str(error)
