from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandream.base.clock import Clock
from gandream.base.tempo import BeatGrid
from gandream.recipe.times import parse_time
from gandream.trajectory.ease import eased
from gandream.trajectory.timeline import Timeline

RATES = [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(60)]
RUBATO = BeatGrid((1.0, 1.4, 2.0, 2.5, 3.1, 3.5, 4.0, 4.5, 5.2), downbeat_s=1.5)
"""Beats that come now early, now late; the downbeat is nearest to the second one."""


def line(fps=30, frames=300, start=0, grid=None) -> Timeline:
    return Timeline(Clock(Fraction(fps), frames), Fraction(start), grid)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("1.5", 1.5), ("1.5s", 1.5), ("250ms", 0.25), ("0:02", 2), ("90 frames", 3), ("50%", 5), ("100%", 10)],
)
def test_a_moment_is_seconds_from_the_first_frame_wherever_the_music_begins(written, seconds):
    for start in (0, 7):
        assert line(start=start).moment_s(parse_time(written)) == seconds


@pytest.mark.parametrize("fps", RATES)
def test_a_moment_in_frames_is_that_frames_time_to_the_last_bit(fps):
    film = line(fps, 400)
    for frame in range(400):
        assert film.moment_s(parse_time(f"{frame} frames")) == film.clock.times[frame]


@pytest.mark.parametrize("start", [0, Fraction(5, 4), 3])
def test_beats_and_bars_are_places_on_the_musics_grid(start):
    film = line(start=start, grid=RUBATO)
    for beat, second in enumerate(RUBATO.beats_s):
        assert film.moment_s(parse_time(f"{beat} beats")) == pytest.approx(second - start, abs=1e-12)
    assert film.moment_s(parse_time("0.5 beats")) == pytest.approx(1.2 - start)
    # Bars begin at the downbeat, beats at the first beat.
    assert film.moment_s(parse_time("0 bars")) == pytest.approx(1.4 - start)
    assert film.moment_s(parse_time("1 bar")) == pytest.approx(3.5 - start)
    assert film.moment_s(parse_time("1.5 bars")) == pytest.approx(4.5 - start)


def test_a_length_in_beats_is_of_the_median_tempo():
    film = line(start=2, grid=RUBATO)
    assert film.length_s(parse_time("1 beat")) == pytest.approx(0.5)
    assert film.length_s(parse_time("2 bars")) == pytest.approx(4)
    assert film.length_s(parse_time("45 frames")) == 1.5


@given(start=st.fractions(0, 8), beats=st.fractions(Fraction(1, 8), 12, max_denominator=64))
@settings(deadline=None, max_examples=60)
def test_a_length_from_the_beginning_ends_where_that_many_beats_were_played(start, beats):
    film = line(start=start, grid=RUBATO)
    end = film.end_s(parse_time(f"{beats.numerator}/{beats.denominator} beats"))
    played = RUBATO.beat_at(float(start) + end) - RUBATO.beat_at(float(start))
    assert played == pytest.approx(float(beats), abs=1e-9)


def test_the_end_of_other_lengths_is_the_length():
    film = line(24, start=2, grid=RUBATO)
    assert film.end_s(parse_time("36 frames")) == 1.5
    assert film.end_s(parse_time("250ms")) == 0.25
    # From 1.4 s, four beats are played until 3.5 s, though at the median tempo they would last 2 s.
    assert line(start=Fraction(7, 5), grid=RUBATO).end_s(parse_time("1 bar")) == pytest.approx(2.1)


@pytest.mark.parametrize("written", ["4s", "7 frames", "3 beats", "2 bars"])
@pytest.mark.parametrize("start", [0, Fraction(17, 5)])
def test_steps_begin_at_0_with_the_film_and_rise(written, start):
    steps = line(start=start, grid=RUBATO).steps(parse_time(written))
    assert steps[0] == 0
    assert (np.diff(steps) > 0).all()


def test_steps_follow_the_beats_as_they_are_played():
    film = line(100, 450, start=1, grid=RUBATO)
    steps = film.steps(parse_time("2 beats"))
    np.testing.assert_allclose(steps, (RUBATO.beat_at(1 + film.clock.times) - 0) / 2, atol=1e-12)
    assert steps[100] == pytest.approx(1)  # the beats at 1 and 2 s of the music are two apart


@pytest.mark.parametrize("fps", RATES)
def test_a_step_of_n_frames_is_over_at_every_nth_frame_exactly(fps):
    film = line(fps, 3000)
    for n in [*range(1, 40), 91, 1001]:
        left, share = eased(film.steps(parse_time(f"{n} frames")), "linear")
        np.testing.assert_array_equal(left, np.arange(3000) // n)
        assert not share[::n].any()


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("bpm", [90, 110, 120, 128, 140])
def test_a_step_of_a_steady_beat_is_over_at_the_first_frame_not_before_it(fps, bpm):
    film = line(fps, 2000, grid=BeatGrid.steady(bpm))
    left, _ = eased(film.steps(parse_time("1 beat")), "linear")
    exactly = [int(Fraction(frame) / fps * bpm / 60) for frame in range(2000)]
    np.testing.assert_array_equal(left, exactly)


def test_the_musics_time_is_the_films_plus_where_it_begins():
    film = line(25, 50, start=Fraction(1, 3))
    np.testing.assert_allclose(film.music_times, np.arange(50) / 25 + 1 / 3, atol=1e-15)
