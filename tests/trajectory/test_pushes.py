from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gandream.base.clock import Clock
from gandream.trajectory.places import Place
from gandream.trajectory.pushes import Shove, accumulated, within

PLACES = np.random.RandomState(0).randn(6, 16)
LATENT = np.random.RandomState(1).randn(16)


def moved(amounts, *, toward=False, box=None):
    amounts = np.broadcast_to(np.asarray(amounts, np.float64), (6,))
    return Shove(toward, Place(z=LATENT), amounts, box).move(PLACES, LATENT, amounts[:, None])


def test_toward_by_1_arrives_and_by_less_is_on_the_way():
    np.testing.assert_array_equal(moved(0, toward=True), PLACES)
    np.testing.assert_allclose(moved(1, toward=True), np.tile(LATENT, (6, 1)), atol=1e-15)
    np.testing.assert_allclose(moved(0.25, toward=True), 0.75 * PLACES + 0.25 * LATENT)
    np.testing.assert_allclose(moved(2, toward=True), 2 * LATENT - PLACES)


def test_random_goes_along_the_latent():
    np.testing.assert_allclose(moved([0, 1, 2, -1, 0.5, 3]) - PLACES, np.outer([0, 1, 2, -1, 0.5, 3], LATENT))


def test_places_may_be_tensors_with_layers():
    w, target = torch.randn(6, 3, 8, dtype=torch.float64), torch.randn(3, 8, dtype=torch.float64)
    amounts = torch.linspace(-2, 2, 6, dtype=torch.float64)[:, None, None]
    offset = Shove(False, Place(z=LATENT), np.zeros(6), box=0.7).move(w, target, amounts) - w
    np.testing.assert_allclose(offset.numpy(), within((amounts * target).numpy(), 0.7), atol=1e-12)


@given(st.floats(-1e3, 1e3), st.floats(0.01, 10))
@settings(deadline=None)
def test_a_fold_stays_in_the_box_and_has_its_period(offset, box):
    folded = within(np.array([offset, offset + 4 * box, 2 * box - offset]), box)
    assert np.abs(folded).max() <= box + 1e-9
    np.testing.assert_allclose(folded, folded[0], atol=1e-9)


@pytest.mark.parametrize("box", [0.1, 0.3, 1, 1.7])
def test_a_fold_changes_nothing_inside_and_is_continuous(box):
    inside = np.linspace(-box, box, 101)
    np.testing.assert_allclose(within(inside, box), inside, atol=1e-15)
    assert within(np.zeros(1), box)[0] == 0
    way = np.linspace(-10, 10, 20_001)
    np.testing.assert_allclose(np.abs(np.diff(within(way, box))).max(), 0.001, atol=1e-9)
    assert within(np.array([1.5 * box]), box)[0] == pytest.approx(0.5 * box)


def test_a_large_box_costs_no_digits_even_in_float32():
    offsets = torch.linspace(-1, 1, 1001)
    for box in (1.0, 1e3, 1e9):
        assert torch.equal(within(offsets, box), offsets)


def test_no_box_folds_nothing():
    assert within(1e9, None) == 1e9


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(60)])
def test_drift_is_the_integral_of_its_speed_from_0(fps):
    clock = Clock(fps, 600)
    t = clock.times
    np.testing.assert_allclose(accumulated(np.full(600, 0.5), clock), 0.5 * t, atol=1e-9)
    np.testing.assert_allclose(accumulated(t, clock), t**2 / 2, atol=1e-9)
    np.testing.assert_allclose(accumulated(np.cos(t), clock), np.sin(t), atol=1e-3)


def test_a_later_edit_leaves_the_drift_before_it_alone():
    clock = Clock(Fraction(30), 300)
    speed = np.random.RandomState(3).rand(300)
    edited = np.where(np.arange(300) < 270, speed, 5)
    np.testing.assert_array_equal(accumulated(speed, clock)[:270], accumulated(edited, clock)[:270])
