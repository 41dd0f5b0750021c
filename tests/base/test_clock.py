from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandream.base.clock import Clock, exact, frames_in, timestamp

RATES = st.sampled_from(
    [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(60000, 1001), Fraction(25, 2)]
)
SECONDS = st.fractions(0, 10**5, max_denominator=10**4)


@given(SECONDS, RATES)
def test_frames_are_rounded_half_up_and_at_least_one(duration, fps):
    assert frames_in(duration, fps) == max(1, floor(duration * fps + Fraction(1, 2)))


@pytest.mark.parametrize(
    ("seconds", "fps", "frames"),
    [("0", 30, 1), ("0.05", 30, 2), ("0.0499", 30, 1), ("1/60", 30, 1), ("300", "60000/1001", 17982)],
)
def test_known_lengths(seconds, fps, frames):
    assert frames_in(Fraction(seconds), Fraction(fps)) == frames


@given(st.integers(1, 10**6), RATES)
def test_a_clock_holds_its_own_duration(frames, fps):
    clock = Clock(fps, frames)
    assert frames_in(clock.duration, fps) == frames


@given(st.integers(1, 5000), RATES)
def test_times_are_exact_to_the_last_bit(frames, fps):
    clock = Clock(fps, frames)
    assert clock.times.shape == (frames,)
    assert clock.times.dtype == np.float64
    for frame in {0, frames // 3, frames - 1}:
        start = frame / fps
        assert clock.times[frame] == float(start)


@pytest.mark.parametrize(("fps", "frames"), [(0, 1), (-1, 1), (30, 0), (30, -1)])
def test_an_impossible_clock_is_refused(fps, frames):
    with pytest.raises(ValueError, match="must be positive"):
        Clock(Fraction(fps), frames)


@given(st.decimals(-1000, 1000, places=6))
def test_exact_is_what_was_written(value):
    assert exact(float(value)) == Fraction(value)
    assert exact(str(value)) == exact(Fraction(value)) == Fraction(value)


@given(st.integers(0, 10**8))
def test_timestamps_count_milliseconds(millis):
    minutes, seconds = timestamp(millis / 1000).split(":")
    assert int(minutes) * 60000 + round(float(seconds) * 1000) == millis
    assert len(seconds) == 6
    assert float(seconds) < 60
