"""Classes by weights, along other paths and in other orders; weights of any sum in what is mapped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gandream.base.errors import RecipeError
from gandream.models.registry import describe, load_generator
from gandream.recipe.classes import CLASS_PATHS
from gandream.trajectory.class_words import normalised
from gandream.trajectory.classes import Passage
from gandream.trajectory.compose import compose
from gandream.trajectory.feed import Feed
from gandream.trajectory.interpolate import PATH

SPEC = replace(describe("cppn#7"), name="paints", classes=("silk", "nebula", "moss", "3", "rust"))
FILM = "\nvideo: {duration: 8s, fps: 10, loop: %s}"


@pytest.fixture
def film(written, tmp_path):
    return lambda text, spec=SPEC, loop="false": compose(written(text + FILM % loop), spec).trajectory


@pytest.fixture
def weights(film):
    def make(classes: str, walk: str = "walk: {through: 1}", **more) -> np.ndarray:
        return film(f"{walk}\nclasses: {classes}", **more).track.classes(0, 80, 5)

    return make


def passage(path: str, K: int, *, loop=True, spans=None, places=None) -> np.ndarray:
    places = np.linspace(0, 2.5 * K, 400) if places is None else places
    return Passage(K, np.arange(K), places, np.zeros(K), "linear", loop, path, spans).weights(0, len(places))


# paths


@given(st.integers(2, 9), st.sampled_from(list(CLASS_PATHS)), st.booleans(), st.integers(0, 2**31))
@settings(deadline=None, max_examples=60)
def test_along_every_path_weights_sum_to_1_and_meet_each_class(K, path, loop, seed):
    spans = np.random.RandomState(seed).rand(K) + 0.1
    made = passage(path, K, loop=loop, spans=spans)
    np.testing.assert_allclose(made.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_array_equal(passage(path, K, loop=loop, spans=spans, places=np.arange(K, dtype=float)), np.eye(K))


def test_a_spline_is_smooth_where_a_line_has_corners():
    line, spline = (np.abs(np.diff(passage(path, 5), n=2, axis=0)).max() for path in ("lerp", "spline"))
    assert spline < line / 5
    direct = PATH["spline"](np.eye(5)[[0, 1, 2, 3]][:, None], np.array([0.3]), np.ones((3, 1)))
    np.testing.assert_allclose(passage("spline", 5, places=np.array([1.3])), direct)


def test_a_step_stays_and_jumps(weights):
    made = weights("{through: [silk, moss], every: 2s, path: step}")
    np.testing.assert_array_equal(made[:20, 0], 1)
    np.testing.assert_array_equal(made[20:40, 2], 1)


def test_a_film_that_loops_closes_along_a_spline(film):
    made = film("walk: {through: 1}\nclasses: {through: [0, 1, 2], every: 1.9s, path: spline}", loop="true")
    moved = made.track.stops[0].class_
    assert (moved.places[-1] + moved.places[-1] - moved.places[-2]) / 3 == pytest.approx(1)


# orders


def visited(made: np.ndarray, step: int = 10) -> list[int]:
    return made[::step].argmax(axis=1).tolist()


def test_orders(weights):
    written = "through: [0, 1, 2, 4], every: 1s"
    assert visited(weights(f"{{{written}}}")) == [0, 1, 2, 4, 0, 1, 2, 4]
    assert visited(weights(f"{{{written}, order: as written}}")) == [0, 1, 2, 4, 0, 1, 2, 4]
    assert visited(weights(f"{{{written}, order: reverse}}")) == [4, 2, 1, 0, 4, 2, 1, 0]
    assert visited(weights(f"{{{written}, order: ping-pong}}")) == [0, 1, 2, 4, 2, 1, 0, 1]
    assert visited(weights("{through: [1, 3], every: 1s, order: ping-pong}")) == [1, 3] * 4
    seeds = [visited(weights(f"{{{written}, shuffle: {seed}}}"))[:4] for seed in range(8)]
    assert all(sorted(seen) == [0, 1, 2, 4] for seen in seeds)
    assert len({tuple(seen) for seen in seeds}) > 3
    assert visited(weights(f"{{{written}, order: shuffle, shuffle: 3}}"))[:4] == seeds[3]
    own = [
        visited(weights(f"{{{written}, order: shuffle}}", f"walk: {{through: 1}}\nseed: {seed}")) for seed in range(9)
    ]
    assert len({tuple(seen) for seen in own}) > 3


def test_there_and_back_at_times(weights):
    made = weights("{through: [0, 1, 2], order: ping-pong, at: [0, 1, 3, 4], ease: linear}")
    assert made[[0, 10, 30, 40, 50]].argmax(axis=1).tolist() == [0, 1, 2, 1, 0]


def test_without_music_a_film_is_as_long_as_the_way_there_and_back(written):
    text = "walk: {through: 1}\nclasses: {through: [0, 1, 2], every: 2s, order: ping-pong}\nvideo: {fps: 10}"
    assert compose(written(text), SPEC).trajectory.frames == 80
    for other in ("{weights: {0: 1, 2: t}}", "{weights: {0: 1}}"):
        text = f"walk: {{through: 1}}\nclasses: {other}\nvideo: {{fps: 10}}"
        assert compose(written(text), SPEC).trajectory.frames == 100


# weights


def test_several_at_once_by_curves(weights):
    made = weights("{weights: {silk: 0.7, 2: t}}")
    t = np.arange(80) / 10
    np.testing.assert_allclose(made[:, 0], 0.7 / (0.7 + t), atol=1e-6)
    np.testing.assert_allclose(made[:, 2], t / (0.7 + t), atol=1e-6)
    assert not made[:, [1, 3, 4]].any()


def test_weights_that_need_not_sum_to_1(weights):
    made = weights("{weights: {silk: 0.7, 2: t, rust: -0.5}, normalise: false}")
    t = np.arange(80) / 10
    np.testing.assert_allclose(made, np.stack([0.7 + 0 * t, 0 * t, t, 0 * t, -0.5 + 0 * t], axis=1), atol=1e-6)


@given(st.integers(0, 2**31), st.floats(0, 2))
@settings(deadline=None, max_examples=40)
def test_normalised_weights_sum_to_1_and_change_by_little(seed, loud):
    values = np.random.RandomState(seed).randn(50, 4) * loud
    made = normalised(values)
    np.testing.assert_allclose(made.sum(axis=1), 1, atol=1e-12)
    assert made.min() >= 0
    heard = np.maximum(values, 0)
    clear = heard.sum(axis=1) > 0.011
    np.testing.assert_allclose(made[clear], heard[clear] / heard[clear].sum(axis=1, keepdims=True))


def test_next_to_nothing_gives_way_to_the_first_smoothly():
    fading = np.linspace(0.03, 0, 3000)[:, None] * np.array([0.0, 1.0, 1.0])
    made = normalised(fading)
    np.testing.assert_array_equal(made[-1], [1, 0, 0])
    assert np.abs(np.diff(made, axis=0)).max() < 0.004


def test_a_class_of_its_own_wins_over_weights(weights):
    made = weights("{weights: {silk: 1, 2: 1}}", "walk: {through: [{seed: 1, class: rust}, 2], every: 4s}")
    np.testing.assert_allclose(made[0], [0, 0, 0, 0, 1])
    np.testing.assert_allclose(made[40], [0.5, 0, 0.5, 0, 0], atol=1e-6)
    np.testing.assert_allclose(made[20], [0.25, 0, 0.25, 0, 0.5], atol=1e-6)


def test_mistakes(film):
    for text, where, problem in (
        ("{weights: {silk: 1, mos: 1}}", "classes.weights.mos = 1", "paints has no class 'mos'"),
        ("{weights: {silk: 1, 9: 1}}", "classes.weights[9] = 1", "paints has classes 0 to 4"),
        ("{weights: {silk: 1/t}}", "classes.weights.silk = 1/t", "divides by zero"),
    ):
        with pytest.raises(RecipeError) as caught:
            film(f"classes: {text}")
        assert caught.value.where.endswith(where)
        assert problem in caught.value.problem
    with pytest.raises(RecipeError, match="cppn#7 has no classes"):
        film("classes: {weights: {0: 1}}", spec=describe("cppn#7"))


# keys, and what is mapped


def test_keys_change_where_the_weights_do(film):
    keys = [
        [made.key(start, start + 10) for start in range(0, 80, 10)]
        for made in (film(f"classes: {{weights: {{0: 1, 2: '{curve}'}}}}") for curve in ("t", "min(t, 5)"))
    ]
    assert [one == two for one, two in zip(*keys, strict=True)] == [True] * 5 + [False] * 3


@pytest.fixture(scope="module")
def generator(stylegan2_file):
    return load_generator(str(stylegan2_file(classes=5, z=10, w=12)), "cpu")


def test_what_is_mapped_has_the_weights_as_they_are(film, generator):
    text = "walk: {through: [4, 5], every: 3s}\nclasses: {weights: {0: 0.7, 2: 2*t}, normalise: false}"
    made = film(text, spec=generator.spec)
    weights = np.zeros((80, 5), np.float32)
    weights[:, 0], weights[:, 2] = 0.7, np.arange(80) / 5
    z = torch.as_tensor(made.latents(0, 80))
    expected = generator.map(z, torch.as_tensor(weights)).w
    torch.testing.assert_close(Feed(made, generator).inputs(0, 80).w, expected)
    torch.testing.assert_close(Feed(made, generator).inputs(33, 37).w, expected[33:37])
