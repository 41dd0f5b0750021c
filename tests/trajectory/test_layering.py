"""Mixes, blends, noise and truncation by layer, laid out in time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandream.base.clock import Clock
from gandream.base.errors import RecipeError
from gandream.base.tempo import BeatGrid
from gandream.models.registry import describe
from gandream.models.spec import Layer, Spec
from gandream.recipe.latent import Latent
from gandream.recipe.layering import Mix
from gandream.recipe.times import parse_time
from gandream.trajectory.compose import compose
from gandream.trajectory.layering import FAINT, gate, shares
from gandream.trajectory.timeline import Timeline

CPPN = describe("cppn#7")
SPEC = Spec("stylegan2", "net", "0", 64, tuple(Layer(f"b{n}") for n in range(10)), (64, 64), noise=True)
FILM = "walk: {through: [1, 2, 3], every: 2s}\nvideo: {duration: 6s, fps: 20}\n"


@pytest.fixture
def film(written):
    def make(text: str = "", first: str = FILM, spec: Spec = SPEC):
        return compose(written(first + text), spec).trajectory

    return make


@pytest.fixture
def wrong(written):
    def make(text: str) -> RecipeError:
        with pytest.raises(RecipeError) as caught:
            compose(written(FILM + text), SPEC)
        return caught.value

    return make


# at, until, fade


def there(fps=30, frames=300, **times) -> np.ndarray:
    mix = Mix(**{"from": Latent(seed=1)}, **{word: parse_time(time) for word, time in times.items()})
    return gate(mix, Timeline(Clock(Fraction(fps), frames), Fraction(0), BeatGrid.steady(120)))


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60)])
@given(first=st.integers(0, 250), length=st.integers(1, 50))
@settings(deadline=None, max_examples=40)
def test_a_mix_is_there_from_its_first_frame_up_to_its_last_to_the_frame(fps, first, length):
    frames = np.arange(300)
    inside = (frames >= first) & (frames < first + length)
    np.testing.assert_array_equal(there(fps, at=f"{first} frames", until=f"{first + length} frames"), inside)
    np.testing.assert_array_equal(there(fps, at=f"{first} frames"), frames >= first)
    np.testing.assert_array_equal(there(fps, until=f"{first} frames"), frames < first)
    times = first / fps, (first + length) / fps
    np.testing.assert_array_equal(there(fps, at=f"{times[0]}s", until=f"{times[1]}s"), inside)


def test_times_of_every_kind():
    for at, until in (("2s", "4s"), ("20%", "40%"), ("1 bar", "2 bars"), ("4 beats", "0:04"), ("2000ms", "120 frames")):
        np.testing.assert_array_equal(there(at=at, until=until), (np.arange(300) >= 60) & (np.arange(300) < 120))
    np.testing.assert_array_equal(there(), np.ones(300))


def test_a_fade_comes_in_at_and_is_gone_until():
    frames = np.arange(300)
    expected = np.clip((frames - 60) / 30, 0, 1) * np.clip((150 - frames) / 30, 0, 1)
    np.testing.assert_allclose(there(at="2s", until="5s", fade="1s"), expected, atol=1e-12)
    np.testing.assert_allclose(there(at="2s", until="5s", fade="2 beats"), expected, atol=1e-12)
    np.testing.assert_allclose(there(at="2s", fade="1s"), np.clip((frames - 60) / 30, 0, 1), atol=1e-12)
    np.testing.assert_array_equal(there(at="2s", until="5s", fade="0s"), there(at="2s", until="5s"))
    short = there(at="2s", until="3s", fade="1s")  # half way in when it begins to go
    assert short.max() == pytest.approx(0.25)
    assert not short[:61].any()
    assert not short[90:].any()


def test_amounts_are_the_curve_times_the_gate(film):
    (mix,) = film("mix: {from: 9, layers: fine, amount: 2*t, at: 1s, until: 2s}").mixes
    t = np.arange(120) / 20
    np.testing.assert_allclose(mix.amounts, np.where((t >= 1) & (t < 2), 2 * t, 0))
    np.testing.assert_array_equal(np.flatnonzero(mix.layers), [8, 9])


def test_a_mix_that_ends_before_it_begins_is_an_error(wrong):
    for at, until in (("3s", "2s"), ("3s", "60 frames"), ("50%", "1s"), ("2s", "2s")):
        error = wrong(f"mix:\n  - {{from: 9, at: {at}, until: {until}}}")
        assert error.where.endswith(f"mix[0].until = {until}")
        assert error.problem == f"a mix ends after it begins, and this is not after {at}"


# a second walk as the source


def test_a_second_walk_has_its_own_time_and_speed(film):
    (mix,) = film("mix: {from: {through: [7, 8], every: 1s, speed: 0.5*t, loop: false}}").mixes
    np.testing.assert_allclose(mix.track.places, (np.arange(120) / 20) ** 2 / 4, atol=1e-12)
    np.testing.assert_array_equal(mix.track.waypoints[0], np.random.RandomState(7).randn(64))
    (mix,) = film("mix: {from: {through: [7, 8], at: [1s, 4s]}}").mixes
    np.testing.assert_allclose(mix.track.places[[0, 20, 50, 80]], [0, 0, 0.5, 1])


def test_a_second_walk_closes_with_the_film(film):
    (mix,) = film(
        "mix: {from: {through: [7, 8], every: 0.8s}}",
        "walk: {through: [1, 2, 3], every: 2s}\nvideo: {duration: 6s, fps: 20, loop: true}\n",
    ).mixes
    after = mix.track.places[-1] + np.diff(mix.track.places)[-1]
    assert after / 2 == pytest.approx(round(after / 2), abs=1e-9)


def test_mistakes_in_a_second_walk_are_told_at_their_place(wrong):
    error = wrong("mix:\n  - {from: 3}\n  - {from: {through: [1, 2], at: [2s, 1s]}}")
    assert "film.yaml:5:39  mix[1].from.at[1] = 1s" in error.where
    error = wrong("mix: {from: {through: [1, 2], speed: 1/t}}")
    assert error.where.endswith("mix.from.speed = 1/t")
    error = wrong("mix: {from: 3, layers: 12}")
    assert error.problem == "net has layers 0 to 9; 12 is beyond them"


# blends


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
@settings(deadline=None, max_examples=60)
def test_weights_sum_to_1_and_fade_out_below_the_floor(seed, loud):
    bands = (np.random.RandomState(seed % 2**31).rand(20, 12) * loud).astype(np.float32)
    bands[5] = 0
    weights, clear = shares(bands)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-9)
    assert weights.min() >= 0
    assert (clear[bands.sum(axis=1) >= FAINT + 1e-6] == 1).all()
    assert clear[5] == 0
    assert 0 <= clear.min() <= clear.max() <= 1
    shown = bands.sum(axis=1) > 1e-6
    np.testing.assert_allclose(weights[shown], bands[shown] / bands[shown].sum(axis=1, keepdims=True), atol=1e-5)


def test_a_blend_comes_and_goes_smoothly():
    bands = np.zeros((1000, 12), np.float32)
    bands[:, 3] = np.linspace(0, 0.5, 1000)
    bands[:, 4] = -1  # a range may go below 0
    weights, clear = shares(bands)
    assert np.abs(np.diff(clear)).max() < 0.01
    assert (np.diff(clear) >= 0).all()
    np.testing.assert_array_equal(weights[1:, 3], np.ones(999))


def test_a_blend_follows_a_chroma(written, tmp_path):
    import soundfile

    time = np.arange(4 * 22050) / 22050
    sound = np.where(time < 2, np.sin(2 * np.pi * 440 * time), np.sin(2 * np.pi * 261.63 * time))
    soundfile.write(tmp_path / "notes.wav", 0.5 * sound, 22050)
    latents = list(range(100, 112))
    text = (
        f"audio: {tmp_path}/notes.wav\nsignals: {{notes: chroma}}\nblend: {{by: notes, latents: {latents}, layers: 2-}}"
    )
    (blend,) = compose(written(text), SPEC).trajectory.blends
    assert blend.weights[30].argmax() == 9  # A
    assert blend.weights[90].argmax() == 0  # C
    np.testing.assert_allclose(blend.weights.sum(axis=1), 1, atol=1e-6)
    assert blend.amounts[30] == 1
    np.testing.assert_array_equal(np.flatnonzero(blend.layers), range(2, 10))
    np.testing.assert_array_equal(blend.stops[9].z, np.random.RandomState(109).randn(64))


# truncation by layer


def test_layers_that_are_not_listed_are_not_truncated_and_the_last_entry_counts(film):
    psi = film("truncation: [{layers: coarse, psi: 0.5}, {layers: 3-5, psi: {0s: 0, 6s: 1}}]").psi
    assert psi.shape == (120, 10)
    np.testing.assert_array_equal(psi[:, :3], np.full((120, 3), 0.5))
    np.testing.assert_allclose(psi[:, 3:6], np.arange(120)[:, None] / 120 * np.ones(3))
    np.testing.assert_array_equal(psi[:, 6:], np.ones((120, 4)))
    np.testing.assert_array_equal(film("truncation: {layers: fine, psi: 0.5}").psi[0], [1] * 8 + [0.5] * 2)
    np.testing.assert_array_equal(film("truncation: []").psi, np.ones((120, 10)))


def test_mistakes_in_truncation_by_layer(wrong):
    error = wrong("truncation:\n  - {layers: fine, psi: 1}\n  - {layers: 12, psi: 0.5}")
    assert "film.yaml:5:6  truncation[1].layers = 12" in error.where
    assert wrong("truncation: [{layers: fine, psi: 1/t}]").where.endswith("truncation[0].psi = 1/t")


# noise


def test_phases_are_the_integral_of_speed(film):
    (noised,) = film("noise: {mode: animate, speed: 2*t, strength: 0.5 + t, layers: fine, seed: 9}").noises
    np.testing.assert_allclose(noised.phases, (np.arange(120) / 20) ** 2, atol=1e-9)
    np.testing.assert_allclose(noised.strengths, 0.5 + np.arange(120) / 20)
    assert (noised.seed, noised.period) == (9, None)


def test_a_noise_without_a_seed_has_one_of_the_recipe_and_its_place(film):
    one, two = (noised.seed for noised in film("noise: [animate, animate]").noises)
    assert one != two
    assert film("noise: animate").noises[0].seed == one
    assert film("seed: 5\nnoise: animate").noises[0].seed != one


@pytest.mark.parametrize(
    "speed", ["1", "0.7", "-1.3", "0.01", "5", "1 + 0.5*sin(tau*progress)", "sin(tau*progress)", "0"]
)
def test_noise_closes_with_a_looped_film(film, speed):
    looped = "walk: {through: [1, 2, 3], every: 2s}\nvideo: {duration: 6s, fps: 20, loop: true}\n"
    (noised,) = film(f"noise: {{mode: animate, speed: '{speed}'}}", looped).noises
    after = noised.phases[-1] + (noised.phases[-1] - noised.phases[-2])
    assert after / noised.period == pytest.approx(round(after / noised.period), abs=0.01)
    assert noised.period >= 2
    assert np.abs(noised.phases).max() < 60  # nothing is blown up


def test_noise_that_a_model_does_not_have_is_warned_of(written):
    score = compose(written("noise: animate"), CPPN)
    assert score.warnings == ("noise: cppn#7 has no noise maps, so this changes nothing",)
    assert score.trajectory.key(0, 60) == compose(written(""), CPPN).trajectory.key(0, 60)
    assert not compose(written("noise: animate"), SPEC).warnings


# keys


def keys(trajectory, length=12):
    return [trajectory.key(start, start + length) for start in range(0, trajectory.frames, length)]


def changed(before, after):
    return [tenth for tenth, (a, b) in enumerate(zip(keys(before), keys(after), strict=True)) if a != b]


WORDS = [
    "mix: {from: 9}",
    "mix: {from: 8}",
    "mix: {from: mean}",
    "mix: {from: 9, layers: fine}",
    "mix: {from: 9, amount: 0.5}",
    "mix: {from: {through: [9, 8]}}",
    "mix: {from: {through: [9, 8], path: spline}}",
    "mix: {from: {through: [9, 8], space: w}}",
    "mix: {from: {through: [9, 8], space: w, path: spline}}",
    "mix: {from: {through: [9, 8], speed: 2}}",
    "mix: {from: {between: [9, 8]}}",
    "mix: {from: {between: [9, mean]}}",
    "mix: {from: {between: [9, mean], amount: 0.6}}",
    "mix: [{from: 9}, {from: 8, amount: 0.5}]",
    "mix: [{from: 8, amount: 0.5}, {from: 9}]",
    "truncation: {layers: fine, psi: 0.5}",
    "truncation: {layers: 9, psi: 0.5}",
    "noise: 'off'",
    "noise: {mode: 'off', layers: fine}",
    "noise: {strength: 0.5}",
    "noise: animate",
    "noise: {mode: animate, seed: 3}",
    "noise: {mode: animate, speed: 2}",
    "noise: {mode: animate, layers: 2-}",
]


def test_each_word_has_its_own_key_and_equal_recipes_have_equal_ones(film):
    films = [film(text) for text in ("", *WORDS)]
    assert len({trajectory.key(12, 120) for trajectory in films}) == len(films)
    for text, before in zip(("", *WORDS), films, strict=True):
        assert keys(film(text)) == keys(before)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "mix: {from: 9, at: 5.4s}"),
        ("", "mix: {from: {through: [9, 8]}, at: 5.4s, fade: 0.2s}"),
        ("mix: {from: 9, layers: fine}", "mix: [{from: 9, layers: fine}, {from: 8, at: 90%}]"),
        ("", "mix: {from: 9, amount: {5.4s: 0, 6s: 1}}"),
        ("mix: {from: {through: [9, 8], speed: 1}}", "mix: {from: {through: [9, 8], speed: {5.4s: 1, 6s: 2}}}"),
        ("noise: animate", "noise: {mode: animate, speed: {5.4s: 1, 6s: 2}}"),
        ("noise: fixed", "noise: {strength: {5.4s: 1, 6s: 2}}"),
        ("truncation: {layers: fine, psi: 1}", "truncation: {layers: fine, psi: {5.4s: 1, 6s: 2}}"),
    ],
)
def test_what_comes_in_the_last_tenth_leaves_the_keys_before_it_alone(film, before, after):
    assert changed(film(before), film(after)) == [9]


@pytest.mark.parametrize(
    ("path", "space", "first"),
    [("lerp", "w", 6), ("lerp", "z", 6), ("spline", "w", 3), ("spline", "z", 3), ("step", "w", 9), ("step", "z", 9)],
)
def test_another_last_latent_leaves_the_keys_of_what_is_far_from_it(film, path, space, first):
    """The step to it begins at 4 s, in the seventh tenth, and the one before at 2 s, in the fourth."""
    walk = f"walk: {{through: [1, 2, 3, %s], at: [0s, 2s, 4s, 5.4s], path: {path}, space: {space}, loop: false}}\n"
    one, two = (film("", walk % last + "video: {duration: 6s, fps: 20}\n") for last in (4, 5))
    assert changed(one, two) == list(range(first, 10))
