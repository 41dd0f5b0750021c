from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandream.base.clock import Clock
from gandream.base.errors import RecipeError
from gandream.base.tempo import BeatGrid
from gandream.recipe.motion import PATHS
from gandream.trajectory.interpolate import PATH, lerp, slerp, step
from gandream.trajectory.timeline import Timeline
from gandream.trajectory.walks import Track, closed, steady_places, travel

Z = np.random.RandomState(0).randn(5, 64) * np.array([1, 2, 0.5, 1, 3])[:, None]
SHARES = np.linspace(0, 1, 101)


def between(path, a, b, shares=SHARES):
    """The way from a to b; before and after them are others, but where the two are the same."""
    shares = np.asarray(shares, np.float64)
    knots = np.stack([np.tile(z, (len(shares), 1)) for z in (b if np.array_equal(a, b) else 0.3 * b, a, b, a)])
    return PATH[path](knots, shares, np.ones((3, len(shares))))


def line(fps=30, frames=300, start=0, grid=None) -> Timeline:
    return Timeline(Clock(Fraction(fps), frames), Fraction(start), grid)


def places(recipe, film) -> np.ndarray:
    return steady_places(recipe.walk, film, recipe)[0]


# paths


def test_the_table_has_a_meaning_for_each_word_of_the_language():
    assert set(PATH) == set(PATHS)


@pytest.mark.parametrize("path", PATH)
def test_a_path_begins_at_the_first_and_ends_at_the_second(path):
    for a, b in ((0, 1), (3, 4), (2, 2)):
        way = between(path, Z[a], Z[b])
        np.testing.assert_array_equal(way[0], Z[a])
        np.testing.assert_allclose(way[-1], Z[b], atol=1e-12)


@pytest.mark.parametrize("path", PATH)
def test_from_a_latent_to_itself_is_the_latent(path):
    np.testing.assert_allclose(between(path, Z[0], Z[0]), np.tile(Z[0], (101, 1)), atol=1e-12)
    assert not between(path, np.zeros(64), np.zeros(64)).any()


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100), st.floats(0.01, 100), st.integers(2, 64))
@settings(deadline=None, max_examples=60)
def test_slerp_turns_evenly_on_the_great_circle_and_norms_are_linear(seed, length_a, length_b, size):
    a, b = np.random.RandomState(seed).randn(2, size)
    a, b = a * length_a, b * length_b
    way = between("slerp", a, b)
    norms = np.linalg.norm(way, axis=1)
    np.testing.assert_allclose(norms, np.linspace(np.linalg.norm(a), np.linalg.norm(b), 101), rtol=1e-9)
    directions = way / norms[:, None]
    turns = np.arccos(np.clip((directions[:-1] * directions[1:]).sum(1), -1, 1))
    whole = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    np.testing.assert_allclose(turns, whole / 100, atol=1e-6)
    # All of them lie in the plane of the two.
    plane = np.linalg.qr(np.stack([a, b], axis=1))[0]
    np.testing.assert_allclose(directions @ plane @ plane.T, directions, atol=1e-9)


@pytest.mark.parametrize("off", [0, 1e-12, 1e-7, 1e-5, 1e-3])
def test_slerp_of_nearly_opposite_latents_does_not_blow_up(off):
    way = between("slerp", Z[0], -Z[0] + off * Z[1])
    assert np.isfinite(way).all()
    assert np.linalg.norm(way, axis=1).max() <= np.linalg.norm(Z[0]) * 1.01


@pytest.mark.parametrize("off", [1e-12, 1e-6, 1e-4, 2e-4, 1e-2])
def test_slerp_of_near_latents_is_nearly_lerp(off):
    b = Z[0] + off * Z[1]
    np.testing.assert_allclose(between("slerp", Z[0], b), between("lerp", Z[0], b), atol=4 * off**2 + 1e-11)


def test_slerp_from_nothing_is_straight():
    np.testing.assert_allclose(between("slerp", np.zeros(64), Z[0]), SHARES[:, None] * Z[0], atol=1e-11)


def test_paths_go_on_where_an_ease_overshoots():
    way = between("slerp", Z[0], Z[3], [-0.1, 1.1])
    assert np.isfinite(way).all()
    np.testing.assert_allclose(between("lerp", Z[0], Z[3], [1.5])[0], 1.5 * Z[3] - 0.5 * Z[0])


def test_lerp_is_straight_and_step_jumps_at_the_end():
    np.testing.assert_allclose(lerp(Z[:1], Z[1:2], np.array([0.25])), 0.75 * Z[:1] + 0.25 * Z[1:2])
    jumps = step(np.zeros((3, 1)), np.ones((3, 1)), np.array([0, 0.99, 1]))
    assert list(jumps[:, 0]) == [0, 0, 1]
    assert slerp(Z[:0], Z[:0], SHARES[:0]).shape == (0, 64)


# a walk in time


@pytest.mark.parametrize("path", PATH)
@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(30)])
def test_a_walk_is_at_each_waypoint_at_its_time_and_goes_round(written, path, fps):
    film = line(fps, 11 * 37 + 1)
    recipe = written(f"walk: {{through: [1, 2, 3, 5, 8], every: 37 frames, path: {path}, ease: in_out_sine}}")
    z = Track(Z, places(recipe, film), path, "in_out_sine").at(0, 11 * 37 + 1)
    for number in range(12):
        np.testing.assert_array_equal(z[37 * number], Z[number % 5])


def test_a_walk_that_does_not_loop_stays_at_its_last(written):
    film = line(30, 400)
    recipe = written("walk: {through: [1, 2, 3, 5, 8], every: 1s, loop: false}")
    z = Track(Z, places(recipe, film), loop=False).at(0, 400)
    np.testing.assert_array_equal(z[120:], np.tile(Z[4], (280, 1)))
    assert (np.abs(z[119] - Z[4]) > 0).any()
    backwards = Track(Z, -places(recipe, film), loop=False).at(0, 400)
    np.testing.assert_array_equal(backwards, np.tile(Z[0], (400, 1)))


def test_a_walk_of_one_latent_stays():
    for loop in (True, False):
        z = Track(Z[:1], np.linspace(-3, 3, 50), loop=loop).at(0, 50)
        np.testing.assert_allclose(z, np.tile(Z[0], (50, 1)), atol=1e-12)


@given(start=st.integers(0, 199), length=st.integers(0, 200), path=st.sampled_from(list(PATH)))
@settings(deadline=None, max_examples=60)
def test_any_range_expands_alone_to_the_same_bits(start, length, path):
    where = np.cumsum(np.sin(np.arange(200) / 9)) / 7
    for loop in (True, False):
        track = Track(Z, where, path, "out_back", loop)
        np.testing.assert_array_equal(track.at(start, start + length), track.at(0, 200)[start : start + length])


@pytest.mark.parametrize("path", PATH)
def test_moving_a_waypoint_changes_only_the_frames_near_it(path):
    where = np.arange(601) / 60
    moved = Z.copy()
    moved[2] += 1
    before, after = (Track(z, where, path).at(0, 601) for z in (Z, moved))
    changed = (before != after).any(axis=1)
    lap = where % 5
    near = (lap > 1) & (lap < 3)  # between its neighbours
    if path == "step":
        near = (lap >= 2) & (lap < 3)
    if path == "spline":
        near = (lap > 0) & (lap < 4) & (lap != 1) & (lap != 3)  # and the steps beside; at the others it passes them
    np.testing.assert_array_equal(changed, near)


def test_the_first_step_begins_with_the_film_wherever_the_music_is(written):
    grid = BeatGrid((0.4, 1.0, 1.5, 2.1, 2.5, 3.0))
    recipe = written("walk: {through: [1, 2], every: 4 bars}")
    for start in (0, Fraction(7, 3)):
        assert places(recipe, line(start=start, grid=grid))[0] == 0


def test_without_a_word_about_time_a_step_is_four_seconds(written):
    assert places(written("walk: {through: [1, 2]}"), line())[120] == 1


# at


def test_waypoints_are_met_at_their_times_and_laps_repeat(written):
    recipe = written("walk: {through: [1, 2, 3], at: [1s, 60 frames, 5s]}")
    where = places(recipe, line(30, 1000))
    # The way back to the first takes as long as the last step, 3 s: laps of 7 s from 1 s on.
    np.testing.assert_allclose(where[[0, 15, 30, 45, 60, 105, 150, 195, 240]], [0, 0, 0, 0.5, 1, 1.5, 2, 2.5, 3])
    np.testing.assert_allclose(where[240:600], where[30:390] + 3, atol=1e-9)
    assert np.abs(np.diff(where)).max() < 1 / 29


def test_times_before_the_film_are_behind_it(written):
    recipe = written("walk: {through: [1, 2], at: [0 beats, 8 beats]}")
    where = places(recipe, line(30, 60, start=1, grid=BeatGrid.steady(120)))
    assert where[0] == pytest.approx(0.25)
    assert where[30] == pytest.approx(0.5)


def test_times_that_fall_are_an_error_that_names_the_one(written):
    recipe = written("walk:\n  through: [1, 2, 3]\n  at: [0s, 2s, 10%]")
    with pytest.raises(RecipeError) as caught:
        places(recipe, line(30, 300))
    assert caught.value.where.endswith("film.yaml:3:16  walk.at[2] = 10%")
    assert caught.value.problem == "the times must rise, but this is not after 2s"


# speed

STEADY = np.arange(300) / 60


def test_speed_1_is_as_written_to_the_last_bit():
    np.testing.assert_array_equal(travel(STEADY, np.ones(300)), STEADY)


def test_speeds_that_stay():
    np.testing.assert_allclose(travel(STEADY + 2, np.full(300, 2.5)), 2 + 2.5 * STEADY, atol=1e-9)
    np.testing.assert_array_equal(travel(STEADY + 2, np.zeros(300)), np.full(300, 2.0))
    np.testing.assert_allclose(travel(STEADY, np.full(300, -1.0)), -STEADY, atol=1e-9)


def test_a_walk_with_negative_speed_goes_round_the_other_way():
    track = Track(Z, travel(STEADY, np.full(300, -1.0)))
    for number in range(5):
        np.testing.assert_array_equal(track.at(60 * number, 60 * number + 1)[0], Z[-number % 5])


def test_the_place_is_the_integral_of_speed():
    t = np.arange(300) / 30
    where = travel(STEADY, 1 + 0.9 * np.sin(3 * t))
    np.testing.assert_allclose(where, 0.5 * (t + 0.3 * (1 - np.cos(3 * t))), atol=1e-3)
    ramp = travel(STEADY, t)  # trapezoids are exact for straight lines
    np.testing.assert_allclose(ramp, t**2 / 4, atol=1e-12)


@given(st.integers(0, 299), st.floats(-3, 3), st.sampled_from([0.0, 1.0, 0.3]))
@settings(deadline=None, max_examples=60)
def test_a_later_edit_of_the_speed_leaves_the_places_before_it_alone(frame, level, base):
    before = np.full(300, base)
    after = np.where(np.arange(300) >= frame, level, before)
    np.testing.assert_array_equal(travel(STEADY, before)[:frame], travel(STEADY, after)[:frame])


# closing


@given(st.integers(2, 300), st.floats(0.01, 20), st.integers(1, 9), st.sampled_from([1, -1]))
@settings(deadline=None, max_examples=80)
def test_a_closed_walk_ends_a_whole_number_of_laps_on(frames, way, lap, sign):
    steady = 1.5 + sign * way * np.arange(frames) / frames
    where = closed(steady, 1.5 + sign * way, lap)
    after = where[-1] + (where[-1] - where[-2])
    laps = (after - where[0]) / lap
    assert laps == pytest.approx(round(laps), abs=1e-9)
    assert laps * sign >= 1 - 1e-9
    assert where[0] == 1.5
    np.testing.assert_allclose(np.diff(where), (after - where[0]) / frames, atol=1e-9)


def test_the_stretch_is_the_least_there_is():
    steady = np.arange(100) / 100
    for way, laps in ((8.9, 2), (7.6, 2), (7.4, 1), (0.1, 1)):
        assert closed(steady * way, way, 5)[50] == pytest.approx(laps * 2.5)


def test_a_walk_that_swings_back_is_led_to_its_beginning_and_not_blown_up():
    t = np.arange(300) / 300
    for slope in (0, 1e-15, 0.3):
        swing = np.sin(2 * np.pi * t) + slope * t
        where = closed(swing, slope, 5)
        np.testing.assert_allclose(where, np.sin(2 * np.pi * t), atol=1e-9)


def test_a_walk_that_stands_is_closed():
    np.testing.assert_array_equal(closed(np.full(9, 2.0), 2.0, 5), np.full(9, 2.0))
