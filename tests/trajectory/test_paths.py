"""Paths as functions of their phase: against their mathematics, transcribed here in the slow way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandream.models.registry import describe
from gandream.recipe.roams import NOISES
from gandream.recipe.walk import WALKS
from gandream.trajectory.laying import LAID
from gandream.trajectory.paths.bounce import Bounce
from gandream.trajectory.paths.circle import Circle, spanned
from gandream.trajectory.paths.noise import NOISE, SKEW, UNSKEW, NoiseLoop, perlin, simplex
from gandream.trajectory.paths.plane import Plane
from gandream.trajectory.paths.recorded import Recorded
from gandream.trajectory.paths.wander import Wander

SPEC = describe("cppn#7")


def test_the_tables_have_a_meaning_for_each_word_of_the_language():
    assert {"through", *LAID} == set(WALKS)
    assert set(NOISE) == set(NOISES)


# wander


def knots(numbers, size=64):
    return np.stack([np.random.RandomState(number % 2**32).randn(size) for number in numbers.tolist()])


def test_a_wander_is_white_noise_smoothed_by_a_gaussian():
    phases = np.array([-3.3, 0.0, 0.4, 17.77])
    expected = []
    for phase in phases:
        at = np.arange(-60, 60)
        weights = np.exp(-((phase - 0.75 * at) ** 2) / 2)
        weights[np.abs(phase - 0.75 * at) > 9] = 0
        expected.append(weights @ knots(at) / np.sqrt((weights**2).sum()))
    np.testing.assert_allclose(Wander(knots)(phases), expected, atol=1e-6)


@pytest.mark.parametrize("period", [None, 40.0, 5.3])
def test_a_wander_has_unit_variance_at_every_moment_and_a_gaussian_spectrum(period):
    path = Wander(lambda numbers: knots(numbers, 20000), period)
    phases = np.array([0.0, 0.1, 0.37, 1.0, 2.0, 3.0])
    way = path(phases)
    np.testing.assert_allclose(way.var(axis=1), 1, atol=0.04)  # 4 standard errors
    if period is None or period > 20:
        correlation = (way * way[0]).mean(axis=1)
        np.testing.assert_allclose(correlation, np.exp(-(phases**2) / 4), atol=0.04)  # (g * g)(d) of g = exp(-x²/2)


def test_the_variance_is_exact_and_not_measured():
    # Knots that are unit vectors of their own: then the squares of a frame's numbers are its weights' squares.
    def own(numbers):
        return np.eye(1000)[numbers + 500]

    np.testing.assert_allclose((Wander(own)(np.linspace(-9, 90, 300)) ** 2).sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose((Wander(own, 3.1)(np.linspace(-9, 90, 300)) ** 2).sum(axis=1), 1, atol=1e-12)


@given(period=st.floats(0.5, 200), phase=st.floats(-50, 50), laps=st.integers(1, 5))
@settings(deadline=None, max_examples=50)
def test_a_wander_with_a_period_repeats(period, phase, laps):
    path = Wander(knots, period)
    np.testing.assert_allclose(path(np.array([phase])), path(np.array([phase + laps * period])), atol=1e-7)


def test_a_wander_is_smooth():
    way = Wander(knots)(np.arange(0, 20, 0.01))
    speed = np.diff(way, axis=0) / 0.01
    assert np.sqrt((speed**2).mean()) == pytest.approx(np.sqrt(0.5), rel=0.1)  # -R''(0) of R = exp(-d²/4)
    assert np.abs(np.diff(speed, axis=0)).max() < 0.1


# circle


@given(st.integers(0, 10**6), st.integers(2, 64))
@settings(deadline=None, max_examples=50)
def test_a_circle_is_one(seed, size):
    a, b = np.random.RandomState(seed).randn(2, size)
    axes = spanned(a, b)
    assert axes is not None
    way = Circle(*axes)(np.linspace(-2, 3, 101))
    np.testing.assert_allclose(np.sqrt((way**2).mean(axis=1)), 1, atol=1e-12)
    plane = np.linalg.qr(np.stack([a, b], axis=1))[0]
    np.testing.assert_allclose(way @ plane @ plane.T, way, atol=1e-8)
    steps = np.linalg.norm(np.diff(way, axis=0), axis=1)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-9)
    np.testing.assert_allclose(way[40], a / np.sqrt(np.mean(a**2)), atol=1e-9)  # phase 0
    np.testing.assert_allclose(way[:21], way[20:41], atol=1e-12)


def test_what_spans_no_plane_is_none():
    a = np.random.RandomState(0).randn(8)
    for b in (a, -3 * a, 0 * a):
        assert spanned(a, b) is None
    assert spanned(0 * a, a) is None


# noise


def slow_simplex(gradient, x, y):
    """Simplex noise of one point, by the published algorithm; ``gradient`` is that of a corner."""
    i, j = np.floor(x + (x + y) * SKEW), np.floor(y + (x + y) * SKEW)
    dx, dy = x - i + (i + j) * UNSKEW, y - j + (i + j) * UNSKEW
    total = 0.0
    for di, dj in ((0, 0), (1, 0) if dx > dy else (0, 1), (1, 1)):
        rx, ry = dx - di + (di + dj) * UNSKEW, dy - dj + (di + dj) * UNSKEW
        weight = max(0.0, 0.5 - rx * rx - ry * ry) ** 4
        gx, gy = gradient(i + di, j + dj)
        total += weight * (gx * rx + gy * ry)
    return total


def test_simplex_noise_is_the_published_one():
    from gandream.trajectory.paths import noise

    seeds = np.array([5, 99], np.uint64)
    points = np.random.RandomState(0).uniform(-9, 9, (40, 2, 2))
    found = simplex(seeds, points[:, :, 0], points[:, :, 1])
    for dimension, seed in enumerate(seeds):

        def gradient(i, j, seed=seed):
            which = noise._hashed(np.array([seed]), np.array([i]), np.array([j]))[0]
            return np.cos(2 * np.pi * (which + 0.5) / 256), np.sin(2 * np.pi * (which + 0.5) / 256)

        expected = [slow_simplex(gradient, *point[dimension]) for point in points]
        np.testing.assert_allclose(found[:, dimension] * np.sqrt(noise.SIMPLEX_VARIANCE), expected, atol=1e-15)


@pytest.mark.parametrize(("noise", "bound"), [(simplex, 1.9), (perlin, 3.3)])
@pytest.mark.parametrize("points", [500, pytest.param(2000, marks=pytest.mark.slow)])
def test_noise_has_unit_variance_is_bounded_and_continuous(noise, bound, points):
    random = np.random.RandomState(1)
    seeds = random.randint(0, 2**32, 400, dtype=np.uint64)
    x, y = random.uniform(-500, 500, (2, points, 400))
    values = noise(seeds, x, y)
    assert values.var() == pytest.approx(1, abs=0.02)
    assert abs(values.mean()) < 0.01
    assert np.abs(values).max() < bound
    assert np.abs(values).max() > bound * 0.75
    assert abs(np.corrcoef(values[:, 0], noise(seeds + np.uint64(1), x, y)[:, 0])[0, 1]) < 0.1
    line = np.linspace(0, 20, 4001)[:, None] * np.ones((1, 400))
    steps = np.diff(noise(seeds, line * 0.6, line * 0.8), axis=0) / 0.005
    assert np.abs(steps).max() < 16
    assert np.abs(np.diff(steps, axis=0)).max() < 0.6  # so is its slope


@pytest.mark.parametrize("kind", NOISES)
def test_a_loop_through_noise_closes_and_its_norm_stays(kind):
    loop = NoiseLoop(kind, 3, 512, 1.5)
    phases = np.linspace(0, 1, 201)
    way = loop(phases)
    np.testing.assert_allclose(way[0], way[-1], atol=1e-12)
    np.testing.assert_allclose(way, loop(phases + 4), atol=1e-9)
    norms = np.sqrt((way**2).mean(axis=1))
    assert 0.85 < norms.min() < norms.max() < 1.15
    assert abs(np.corrcoef(loop(phases)[:, 0], NoiseLoop(kind, 4, 512, 1.5)(phases)[:, 0])[0, 1]) < 0.99
    assert np.abs(np.corrcoef(way[:, :20].T) - np.eye(20)).mean() < 0.5  # dimensions go their own ways


# bounce


def slow_bounce(begin, way, slower, box, randomness, phase, steps=20000):
    """One small step after the other; a sign flips at the walls."""
    place, sign = begin.copy(), np.ones(len(begin))
    for step in range(steps):
        draw = int(phase * step / steps)
        place += sign * way * np.where(slower[draw], 1 - randomness, 1) * phase / steps
        sign = np.where(place > box, -np.sign(way), np.where(place < -box, np.sign(way), sign))
    return place


def test_a_bounce_is_what_flipping_signs_gives():
    random = np.random.RandomState(0)
    begin, way, slower = random.uniform(-1.5, 1.5, 12), random.randn(12), random.uniform(size=(6, 12)) < 0.5
    path = Bounce(begin, way, slower, 0, 1.5, 0.7)
    for phase in (0.0, 0.5, 1.0, 2.9, 5.99):
        expected = slow_bounce(begin, way, slower, 1.5, 0.7, phase)
        np.testing.assert_allclose(path(np.array([[phase, 0]]))[0], expected, atol=4e-3)


def test_a_bounce_stays_in_its_box_and_is_continuous():
    random = np.random.RandomState(0)
    path = Bounce(np.zeros(64), 3 * random.randn(64), random.uniform(size=(40, 64)) < 0.5, -20, 2.0, 0.5)
    phases = np.linspace(-20, 19.9, 8000)
    way = path(np.stack([phases, phases], 1))
    assert np.abs(way).max() <= 2
    assert np.abs(way).max() > 1.99
    assert (np.abs(np.diff(way, axis=0)) <= np.abs(path.way) * (phases[1] - phases[0]) * 1.001 + 1e-12).all()
    np.testing.assert_allclose(path(np.zeros((1, 2))), 0, atol=1e-12)


# recorded


def test_rows_are_met_to_the_last_bit_and_between_them_it_is_smooth():
    rows = np.random.RandomState(0).randn(7, 3, 5).astype(np.float32)
    for loop in (True, False):
        path = Recorded(rows, loop)
        np.testing.assert_array_equal(path(np.arange(7.0)), rows)
        way = path(np.linspace(0, 6.999, 4000))
        assert np.abs(np.diff(way, axis=0)).max() < 0.02
    np.testing.assert_array_equal(Recorded(rows)(np.array([7.0, 15.0, -1.0])), rows[[0, 1, 6]])
    np.testing.assert_array_equal(Recorded(rows, False)(np.array([7.0, 15.0, -1.0])), rows[[6, 6, 0]])


def test_a_smooth_trajectory_survives_another_frame_rate():
    times = np.arange(120) / 30
    rows = np.stack([np.sin(times), np.cos(2 * times)], axis=1)
    fine = np.arange(2, 230) / 60
    way = Recorded(rows, loop=False)(fine * 30)
    np.testing.assert_allclose(way, np.stack([np.sin(fine), np.cos(2 * fine)], axis=1), atol=1e-4)


# plane


def test_a_plane_has_a_seed_at_every_whole_place():
    def draw(seeds):
        return SPEC.latents(seeds.tolist())

    path = Plane(draw, seed=50, stride=10)
    places = np.array([[0, 0], [3, 0], [-2, 1], [0, -5], [0, -6]], np.float64)
    np.testing.assert_allclose(path(places), SPEC.latents([50, 53, 58, 0, 2**32 - 10]), atol=1e-12)


def test_between_seeds_it_is_bilinear_and_keeps_its_variance():
    path = Plane(lambda seeds: np.eye(500)[seeds], seed=0, stride=10)
    corners = path.corners(np.array([[2.25, 3.5]]))
    weights = corners.sum(corners.latents)[0]
    expected = {32: 0.75 * 0.5, 33: 0.25 * 0.5, 42: 0.75 * 0.5, 43: 0.25 * 0.5}
    assert {index: weights[index] for index in np.flatnonzero(weights)} == pytest.approx(expected)
    random = np.random.RandomState(0).uniform(0, 20, (200, 2))
    np.testing.assert_allclose((path(random) ** 2).sum(axis=1), 1, atol=1e-12)
