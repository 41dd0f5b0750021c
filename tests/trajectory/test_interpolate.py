"""Splines; slerp, lerp and step are proven in test_walks.py, in walks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandream.trajectory.interpolate import PATH, spline
from gandream.trajectory.places import Place
from gandream.trajectory.walks import Track

Z = np.random.RandomState(0).randn(6, 8)
UNEVEN = np.array([1.0, 0.25, 3.0, 0.5, 2.0, 1.25])


def walk(times: np.ndarray, spans: np.ndarray = UNEVEN, z: np.ndarray = Z, loop: bool = True) -> np.ndarray:
    """A spline at times (seconds); its latents are at the sums of the spans."""
    lap = np.concatenate([[0], np.cumsum(spans)])
    laps, within = np.divmod(times, lap[-1])
    places = laps * len(z) + np.interp(within, lap, np.arange(len(lap)))
    return Track(z, places, "spline", loop=loop, spans=spans).at(0, len(times))


def test_a_spline_passes_through_its_latents():
    for loop in (True, False):
        way = walk(np.concatenate([[0], np.cumsum(UNEVEN)[:-1]]), loop=loop)
        np.testing.assert_allclose(way, Z, atol=1e-12)


@pytest.mark.parametrize("spans", [UNEVEN, np.ones(6)], ids=["uneven", "even"])
def test_its_speed_in_time_has_no_jumps_and_is_the_chord_over_its_time(spans):
    step = 1e-5
    for index, moment in enumerate(np.concatenate([[0], np.cumsum(spans)[:-1]]) + spans.sum()):
        before, at, after = walk(moment + step * np.arange(-1, 2), spans)
        chord = (Z[(index + 1) % 6] - Z[index - 1]) / (spans[index] + spans[index - 1])
        np.testing.assert_allclose((after - at) / step, chord, atol=5e-3)
        np.testing.assert_allclose((at - before) / step, chord, atol=5e-3)


def test_even_spans_are_the_published_spline():
    for x in (0.1, 0.5, 0.9):
        published = np.array([-x + 2 * x**2 - x**3, 2 - 5 * x**2 + 3 * x**3, x + 4 * x**2 - 3 * x**3, x**3 - x**2]) / 2
        np.testing.assert_allclose(walk(np.array([1 + x]), np.ones(6))[0], published @ Z[:4], atol=1e-12)


def test_latents_on_a_straight_line_at_steady_times_are_passed_straight():
    times = np.concatenate([[0], np.cumsum(UNEVEN)[:-1]])
    line = times[:, None] * np.array([1.0, -2])
    inside = np.linspace(times[1], times[4], 100)
    np.testing.assert_allclose(walk(inside, z=line), inside[:, None] * np.array([1.0, -2]), atol=1e-12)


@given(st.integers(0, 5))
@settings(deadline=None, max_examples=6)
def test_a_latent_shapes_the_two_steps_on_either_side_of_it(index):
    times = np.linspace(0, UNEVEN.sum(), 500, endpoint=False)
    moved = Z.copy()
    moved[index] += 1
    changed = (np.abs(walk(times) - walk(times, z=moved)) > 1e-9).any(axis=1)
    step = np.searchsorted(np.cumsum(UNEVEN), times, side="right")
    assert set(step[changed]) == {(index + side) % 6 for side in (-2, -1, 0, 1)}


def test_a_walk_that_stays_at_its_end_goes_there_and_no_further():
    track = Track(Z, np.linspace(0, 9, 200), "spline", loop=False, spans=UNEVEN)
    way = track.at(0, 200)
    np.testing.assert_allclose(way[0], Z[0], atol=1e-12)
    np.testing.assert_allclose(way[-80:], np.tile(Z[5], (80, 1)), atol=1e-12)


def test_paths_take_latents_with_layers():
    knots, share = np.random.RandomState(1).randn(4, 7, 3, 8), np.linspace(0, 1, 7)
    for path, function in PATH.items():
        whole = function(knots, share, np.ones((3, 7)))
        assert whole.shape == (7, 3, 8)
        for layer in range(3):
            np.testing.assert_allclose(
                function(knots[:, :, layer], share, np.ones((3, 7))), whole[:, layer], atol=1e-12
            )
        assert path in PATH
    assert spline(knots[:, :0], share[:0], np.ones((3, 0))).shape == (0, 3, 8)


# classes on the way


def test_classes_fade_with_the_walk_and_jump_where_it_jumps():
    stops = tuple(Place(z=z, class_=class_) for z, class_ in zip(Z[:3], (2, 0, 2), strict=True))
    where = np.array([0, 0.25, 1, 1.5, 2, 2.5])
    weights = Track(Z[:3], where, stops=stops).classes(0, 6, 3)
    np.testing.assert_allclose(weights, [[0, 0, 1], [0.25, 0, 0.75], [1, 0, 0], [0.5, 0, 0.5], [0, 0, 1], [0, 0, 1]])
    jumps = Track(Z[:3], where, "step", stops=stops).classes(0, 6, 3)
    np.testing.assert_array_equal(jumps, [[0, 0, 1], [0, 0, 1], [1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 1]])
    assert Track(Z[:3], where, stops=stops).classes(0, 6, 0) is None
