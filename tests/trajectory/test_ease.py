import numpy as np
import pytest

from gandream.recipe.curve import EASES
from gandream.trajectory.ease import EASE, eased

X = np.linspace(0, 1, 2001)
OVERSHOOTING = ("back", "bounce", "elastic")
SMOOTH = [name for name in EASE if not any(word in name for word in ("bounce", "elastic", "hold"))]


def test_the_table_has_a_meaning_for_each_word_of_the_language():
    assert set(EASE) == set(EASES)


@pytest.mark.parametrize("name", EASE)
def test_begins_at_exactly_0_and_ends_at_exactly_1(name):
    for ends in (np.array([0.0, 1.0]), np.linspace(0, 1, 11)):
        shape = EASE[name](ends)
        assert (shape[0], shape[-1]) == (0, 1)


@pytest.mark.parametrize("name", EASE)
def test_is_finite_and_stays_near_the_unit_range(name):
    y = EASE[name](X)
    assert y.shape == X.shape
    assert np.isfinite(y).all()
    swing = 0.4 if "elastic" in name else 0.11
    assert y.min() > -swing
    assert y.max() < 1 + swing


@pytest.mark.parametrize("name", [name for name in EASE if not any(word in name for word in OVERSHOOTING)])
def test_rises_all_the_way(name):
    assert (np.diff(EASE[name](X)) >= -1e-15).all()


@pytest.mark.parametrize("name", [name for name in EASE if any(word in name for word in OVERSHOOTING)])
def test_does_turn_round_where_its_name_says_so(name):
    assert (np.diff(EASE[name](X)) < 0).any()


@pytest.mark.parametrize("name", SMOOTH)
def test_is_continuous(name):
    # The steepest is expo's, about 7 per unit; but for circ's end, which is that of a circle.
    most = np.sqrt(2 / 2000) if "circ" in name else 12 / 2000
    assert np.abs(np.diff(EASE[name](X))).max() < most


@pytest.mark.parametrize(
    "family", ["sine", "quad", "cubic", "quart", "quint", "circ", "expo", "back", "elastic", "bounce"]
)
def test_out_is_in_turned_round_and_in_out_is_both(family):
    go_in, go_out, both = (EASE[f"{kind}_{family}"] for kind in ("in", "out", "in_out"))
    np.testing.assert_allclose(go_out(X), 1 - go_in(1 - X), atol=1e-15)
    np.testing.assert_allclose(both(X), 1 - both(1 - X), atol=1e-15)
    first = X[X < 0.5]
    np.testing.assert_allclose(both(first), go_in(2 * first) / 2, atol=1e-15)


def test_known_values():
    at = {"in_quad": 0.25, "in_cubic": 0.125, "in_quart": 0.0625, "smooth": 0.5, "in_sine": 1 - np.sqrt(0.5)}
    at |= {"in_quint": 1 / 32, "in_circ": 1 - np.sqrt(0.75), "soft": 0.5}
    for name, expected in at.items():
        assert EASE[name](np.array([0.5]))[0] == pytest.approx(expected, abs=1e-15)
    assert EASE["in_back"](X).min() == pytest.approx(-0.1, abs=1e-3)  # draws back by a tenth
    np.testing.assert_allclose(EASE["soft"](X), (X + EASE["smooth"](X)) / 2, atol=1e-15)
    assert list(EASE["hold"](np.array([0, 0.3, 0.999, 1]))) == [0, 0, 0, 1]


def test_a_place_is_whole_steps_and_the_eased_rest():
    left, share = eased(np.array([0.0, 0.5, 1.0, 2.25, -0.5]), "in_quad")
    assert list(left) == [0, 0, 1, 2, -1]
    np.testing.assert_array_equal(share, [0, 0.25, 0, 0.0625, 0.25])


def test_rounding_does_not_delay_a_jump():
    late, early = np.nextafter(3.0, 0), np.nextafter(3.0, 4)
    for place in (late, 3.0, early):
        left, share = eased(np.array([place]), "hold")
        assert (left[0], share[0]) == (3, 0)
