"""Mixes that come again: on the beat, faded in and out, through a list of latents."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gandream.base.clock import Clock
from gandream.base.errors import RecipeError
from gandream.base.tempo import BeatGrid
from gandream.models.spec import Layer, Spec
from gandream.recipe.layering import Mix
from gandream.trajectory.compose import compose
from gandream.trajectory.ease import EASE
from gandream.trajectory.feed import Feed
from gandream.trajectory.layering import Repeats, gate
from gandream.trajectory.timeline import Timeline

SPEC = Spec("stylegan2", "net", "0", 64, tuple(Layer(f"b{n}") for n in range(10)), (64, 64), noise=True)
FILM = "walk: {through: 1}\ntempo: {bpm: 120}\nvideo: {duration: 10s, fps: 30}\n"


def there(fps=30, frames=300, grid=None, loop=False, source=9, **words) -> np.ndarray:
    mix = Mix.model_validate({"from": source, **{word.rstrip("_"): value for word, value in words.items()}})
    line = Timeline(Clock(Fraction(fps), frames), Fraction(0), grid or BeatGrid.steady(120))
    return gate(mix, line, Repeats.of(mix, line, loop))


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60)])
@given(every=st.integers(2, 40), long=st.integers(1, 40), first=st.integers(0, 60))
@settings(deadline=None, max_examples=40)
def test_it_is_there_for_its_frames_each_time_to_the_frame(fps, every, long, first):
    long = min(every, long)
    since = np.arange(300) - first
    expected = (since >= 0) & (since % every < long)
    words = {"every": f"{every} frames", "for_": f"{long} frames", "at": f"{first} frames"}
    np.testing.assert_array_equal(there(fps, **words), expected)
    seconds = {word: f"{int(value.split()[0]) / fps}s" for word, value in words.items()}
    np.testing.assert_array_equal(there(fps, **seconds), expected)


def test_on_the_beat():
    frames = np.arange(300)
    np.testing.assert_array_equal(there(every="4 beats", for_="1 beat"), frames % 60 < 15)
    np.testing.assert_array_equal(
        there(every="1 bar", for_="0.5s", at="2 beats"), (frames >= 30) & ((frames - 30) % 60 < 15)
    )
    np.testing.assert_array_equal(there(every="4 beats", for_="1 beat", until="3s"), (frames % 60 < 15) & (frames < 90))


def test_beats_are_those_that_are_played():
    beats = np.concatenate([np.arange(0, 4, 0.5), np.arange(4, 10.9, 0.8)])
    made = there(grid=BeatGrid(tuple(beats), 4, None), every="2 beats", for_="1 beat")
    comes = np.flatnonzero(np.diff(np.concatenate([[0], made])) > 0)
    np.testing.assert_array_equal(comes, np.ceil(beats[::2][: len(comes)] * 30 - 1e-9))


def test_it_fades_in_and_out_each_time():
    since = np.arange(300) % 60
    rise, fall = np.clip(since / 10, 0, 1), np.clip((30 - since) / 10, 0, 1)
    words = {"every": "2s", "for_": "1s", "fade": "10 frames"}
    np.testing.assert_allclose(there(**words), rise * fall, atol=1e-9)
    smooth = EASE["in_out_sine"]
    np.testing.assert_allclose(there(**words, ease="in_out_sine"), smooth(rise) * smooth(fall), atol=1e-9)
    once = Mix.model_validate({"from": 9, "at": "2s", "until": "5s", "fade": "1s", "ease": "smooth"})
    frames, line = np.arange(300), Timeline(Clock(Fraction(30), 300))
    expected = EASE["smooth"](np.clip((frames - 60) / 30, 0, 1)) * EASE["smooth"](np.clip((150 - frames) / 30, 0, 1))
    np.testing.assert_allclose(gate(once, line), expected, atol=1e-9)


@pytest.mark.parametrize(("every", "source", "times"), [("1.7s", 9, 6), ("1.7s", [1, 2, 3, 4], 4), ("9s", [1, 2], 2)])
def test_in_a_film_that_loops_it_comes_a_whole_number_of_times(every, source, times):
    made = there(loop=True, every=every, for_="0.5s", source=source)
    assert (np.diff(np.concatenate([[0], made])) > 0).sum() == times
    shifted = np.roll(made, -round(300 / times))
    assert (shifted != made).sum() <= 2 * times  # but for rounding to frames, each is like the next


# lists


@pytest.fixture
def film(written):
    return lambda text, spec=SPEC: compose(written(FILM + text), spec).trajectory


def test_the_next_latent_each_time(film):
    (mix,) = film("mix: {from: [5, 6, mean], every: 4 beats, for: 1 beat, layers: coarse}").mixes
    np.testing.assert_array_equal(mix.amounts, np.arange(300) % 60 < 15)
    np.testing.assert_array_equal(mix.track.places, np.arange(300) // 60)
    np.testing.assert_array_equal(mix.track.stops[1].z, np.random.RandomState(6).randn(64))
    (mix,) = film("mix: {from: [5, 6], every: 4 beats, at: 1s}").mixes  # without `for` it stays
    np.testing.assert_array_equal(mix.amounts, np.arange(300) >= 30)
    np.testing.assert_array_equal(mix.track.places, np.maximum(np.arange(300) - 30, 0) // 60)


def test_without_gaps_one_fades_into_the_next(film):
    (mix,) = film("mix: {from: [5, 6], every: 2s, fade: 1s, ease: smooth}").mixes
    frames = np.arange(300)
    np.testing.assert_allclose(mix.amounts, EASE["smooth"](np.clip(frames / 30, 0, 1)), atol=1e-9)
    into = EASE["smooth"](np.clip(frames % 60 / 30, 0, 1))
    np.testing.assert_allclose(mix.track.places[60:], (frames // 60 - 1 + into)[60:], atol=1e-9)
    assert np.abs(np.diff(mix.track.places)).max() < 0.1


def test_swaps_change_no_keys_but_their_own(film):
    one, two = (film(f"mix: {{from: [5, 6, {seed}], every: 2s}}") for seed in (7, 8))
    same = [one.key(start, start + 60) == two.key(start, start + 60) for start in range(0, 300, 60)]
    assert same == [True, True, False, True, True]
    assert one.key(10, 20) == film("mix: {from: [5, 6, 7], every: 2s, for: 1s}").key(10, 20)


def test_any_range_expands_alone_and_swaps_are_to_the_last_bit(film, stylegan2):
    generator = stylegan2()
    made = film("mix: {from: [5, 6, mean], every: 1s, layers: 2-}", generator.spec)
    w = Feed(made, generator).inputs(0, 300).w
    for second, source in enumerate([*[5, 6, None] * 3, 5]):
        mapped = generator.w_avg if source is None else generator.map(generator.latents([source])).w[0]
        assert torch.equal(w[second * 30 + 29, 2:], mapped[2:])
        assert torch.equal(w[second * 30, 2:], mapped[2:])
    assert torch.equal(Feed(made, generator).inputs(55, 95).w, w[55:95])


def test_the_styles_of_b_in_the_layers_of_a(film, stylegan2):
    """Karras et al. 2019, figure 3: coarse, middle or fine styles of B, the rest of A."""
    generator = stylegan2()
    a, b = (generator.map(generator.latents([seed])).w[0] for seed in (1, 2))
    for word, rows in (("coarse", range(4)), ("middle", range(4, len(a)))):
        w = Feed(film(f"mix: {{from: 2, layers: {word}}}", generator.spec), generator).inputs(0, 1).w[0]
        for row in range(len(a)):
            torch.testing.assert_close(w[row], (b if row in rows else a)[row])


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        ("{from: 9, every: 1s, for: 2s}", "mix.for = 2s", "it comes every 1s, so it can't be there for 2s each time"),
        ("{from: 9, every: 1 beat, for: 1s}", "mix.for = 1s", "it comes every 1 beats, so it can't be there for 1s"),
        ("{from: [1, {seed: 3, class: 0}], every: 1s}", "mix.from[1].class = 0", "net has no classes"),
    ],
)
def test_mistakes(film, text, where, problem):
    with pytest.raises(RecipeError) as caught:
        film(f"mix: {text}")
    assert caught.value.where.endswith(where)
    assert problem in caught.value.problem
