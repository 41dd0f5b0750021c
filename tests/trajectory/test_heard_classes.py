"""Classes by the bands of a signal: against the formulas of the tools whose look it is, and the same at every fps."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandream.base.clock import Clock
from gandream.base.tempo import BeatGrid
from gandream.models.registry import describe
from gandream.recipe.recipe import Recipe
from gandream.trajectory.class_words import lay_classes
from gandream.trajectory.classes import Chord
from gandream.trajectory.compose import compose
from gandream.trajectory.evaluate import Curves
from gandream.trajectory.heard_classes import RATE, Hearing, follow, levelled, smoothed, turned
from gandream.trajectory.timeline import Timeline

NAMES = tuple(f"class {number}" for number in range(20))
SPEC = replace(describe("cppn#7"), name="paints", classes=NAMES)
TOOLS = Fraction(22050, 512)


def heard(bands: np.ndarray, fps=TOOLS, grid: BeatGrid | None = None, **words) -> Chord:
    """The word `classes` with `from` bands [F, B] at some fps."""
    words = {"through": list(range(12)), **words}
    recipe = Recipe.model_validate(
        {
            "model": "x",
            "audio": "bundled:night_drive",
            "signals": {"notes": "chroma"},
            "classes": {"from": "notes", **words},
        }
    )
    line = Timeline(Clock(Fraction(fps), len(bands)), Fraction(0), grid)
    morph = lay_classes(recipe, SPEC, Curves(recipe, line, {"notes": bands.astype(np.float32)}))
    assert isinstance(morph, Chord)
    return morph


def song(times: np.ndarray, bands: int = 12) -> np.ndarray:
    """Bands that come and go slowly, [F, B], from 0 to 1."""
    pace = 0.05 + 0.02 * np.arange(bands)
    return 0.5 + 0.5 * np.sin(2 * np.pi * (pace * times[:, None] + np.arange(bands) * 0.37))


def struck(frames: int, seed: int = 0) -> np.ndarray:
    """Bands that jump about, with silence at first, [F, 12]."""
    bands = np.random.RandomState(seed).rand(frames, 12).astype(np.float32) ** 3
    bands[:7] = 0
    return bands


# REACTIVE.md, sections 1 and 2, as they stand there


def lucid(chroma, fps, react=0.5, complexity=1.0, seconds=1.0):
    vectors = []
    for frame, row in enumerate(chroma.astype(float)):
        if frame == 0:
            c = chroma[np.argmax(chroma.sum(axis=1) > 0)].astype(float)
        else:
            c = vectors[-1] + react * 43 / fps * row
        c[c < 0] = c[c >= 0].min()
        if c.max() > c.min():
            c = (c - c.min()) / (c.max() - c.min())
        else:
            c = np.zeros(12)
            c[0] += 0.1
        vectors.append(complexity * c)
    return bins(vectors, int(seconds * fps))


def deep(chroma, sensitivity=220, depth=1.0, factor=20, length=512):
    ps = (300 - sensitivity) * 512 / length
    order = np.argsort(-chroma.mean(axis=0))
    vectors = []
    for row in chroma.astype(float):
        c = (vectors[-1] + row[order] / ps) / (1 + 1 / ps) if vectors else row[order]
        c = (c - c.min()) / (c.max() - c.min()) * depth  # more than 6 classes
        vectors.append(c)
    return bins(vectors, int(factor * 512 / length))


def bins(vectors, width):
    means = [np.mean(vectors[at : at + width], axis=0) for at in range(0, len(vectors), width)]
    out = []
    for number, mean in enumerate(means):
        after = means[min(number + 1, len(means) - 1)]
        out += [mean + (after - mean) * j / (width - 1) for j in range(width)]
    return np.array(out[: len(vectors)])


@pytest.mark.parametrize("complexity", [1.0, 0.6, 1.5])
def test_the_classes_of_lucid_sonic_dreams(complexity):
    chroma, fps = struck(500), 22050 / 512
    made = heard(chroma, leak="never", react=0.5 * 43, complexity=complexity, normalise=False)
    np.testing.assert_allclose(made.values, lucid(chroma, fps, complexity=complexity), atol=1e-6)
    np.testing.assert_array_equal(made.numbers, range(12))
    assert made.values.sum(axis=1).max() > 2  # more than one class at once


def test_the_classes_of_deep_music_visualizer():
    chroma = struck(500, 3)
    chroma[:7] = chroma[7:14]  # there it begins with the first frame, sounding or not
    leak = 512 / 22050 / math.log(81 / 80)
    words = {"order": "strength", "smooth": 20 * 512 / 22050, "normalise": False}
    made = heard(chroma, leak=leak, **words)
    np.testing.assert_allclose(made.values, deep(chroma), atol=1e-6)


def test_complexity_that_is_fed_back_changes_what_comes_of_it():
    bands = struck(200)
    one, half = (heard(bands, complexity=c, normalise=False, smooth=0).values for c in (1, 0.5))
    assert np.abs(half - 0.5 * one).max() > 0.01


# the mathematics


@given(st.integers(0, 2**31), st.floats(0.05, 20))
@settings(deadline=None, max_examples=20)
def test_a_leak_forgets_to_37_percent_in_its_time(seed, leak):
    bands = np.zeros((400, 3))
    bands[0] = np.random.RandomState(seed).rand(3) + 0.1
    made = follow(bands, Hearing(leak_s=leak, levels="none"))
    times = np.arange(400) / float(RATE)
    np.testing.assert_allclose(made, bands[0] * np.exp(-times / leak)[:, None], rtol=1e-9)
    steady = follow(np.tile(bands[0], (400, 1)), Hearing(leak_s=leak, levels="none"))
    np.testing.assert_allclose(steady, np.tile(bands[0], (400, 1)), rtol=1e-9)  # what lasts keeps its strength


def test_react_is_per_second():
    bands = np.ones((87, 2))
    for leak, expected in ((None, 1 + 3 * 2), (1.0, 3 - 2 * math.exp(-2))):  # c' = 3 b - c / leak, from 1 on
        made = follow(bands, Hearing(leak_s=leak, react=3.0, levels="none", floor=0))
        at_2s = made[86] + (86 / float(RATE) - 2) * -3
        assert at_2s[1] == pytest.approx(expected, abs=0.02)


def test_levels():
    row = np.array([0.2, 0.6, 0.4])
    np.testing.assert_allclose(levelled(row, "minmax", 0), [0, 1, 0.5])
    np.testing.assert_allclose(levelled(row, "peak", 0), [1 / 3, 1, 2 / 3])
    np.testing.assert_array_equal(levelled(row, "none", 0), row)
    np.testing.assert_array_equal(levelled(np.array([-1, 0.5, 1]), "none", 0), [0.5, 0.5, 1])  # smallest from 0 up
    for levels, rest in (("minmax", 0), ("peak", 1)):
        np.testing.assert_allclose(levelled(np.full(3, 0.3), levels, 0.1), [rest + 0.1, rest, rest])
    np.testing.assert_allclose(levelled(np.zeros(3), "peak", 0.1), [0.1, 0, 0])


@given(st.integers(1, 200), st.floats(0, 6))
@settings(deadline=None, max_examples=40)
def test_smoothing_keeps_what_is_steady_and_stays_between(steps, seconds):
    values = np.random.RandomState(steps).rand(steps, 3)
    made = smoothed(values, seconds)
    assert made.shape == values.shape
    assert (made.min(axis=0) >= values.min(axis=0) - 1e-12).all()
    assert (made.max(axis=0) <= values.max(axis=0) + 1e-12).all()
    np.testing.assert_allclose(smoothed(np.full((steps, 2), 0.7), seconds), 0.7)


# independent of fps


@pytest.mark.parametrize("levels", ["minmax", "peak", "none"])
@pytest.mark.parametrize("leak", ["never", 0.5, 4])
def test_30_and_60_frames_a_second_are_the_same_film(leak, levels):
    if (leak, levels) == ("never", "none"):
        return  # grows without end
    words = {"leak": leak, "levels": levels, "normalise": levels == "none"}
    one, two = (heard(song(np.arange(20 * fps) / fps), fps, **words).values for fps in (30, 60))
    # Up to the last second, since the last frame stands for what the film has no frame of.
    np.testing.assert_allclose(one[:570], two[:1140:2], atol=1e-3)
    ntsc = heard(song(np.arange(480) * 1001 / 24000), Fraction(24000, 1001), **words).values
    at = np.arange(19) * 1.001
    again = np.stack([np.interp(at, np.arange(1200) / 60, column) for column in two.T], axis=1)
    np.testing.assert_allclose(ntsc[::24][:19], again, atol=2e-3)


def test_what_comes_late_changes_nothing_before():
    bands = struck(400)
    later = bands.copy()
    later[300:] = 1 - later[300:]
    one, two = (heard(each, smooth=0).values for each in (bands, later))
    np.testing.assert_array_equal(one[:299], two[:299])
    assert np.abs(one[300:] - two[300:]).max() > 0.01


# which class has which band


def test_fewer_classes_are_repeated_and_their_weights_add_up():
    bands = song(np.arange(200) / 30)
    made = heard(bands, 30, through=[3, 5, 7], normalise=False)
    weights = made.weights(0, 200)
    for place, number in enumerate((3, 5, 7)):
        np.testing.assert_allclose(weights[:, number], made.values[:, place::3].sum(axis=1))
    assert not np.delete(weights, [3, 5, 7], axis=1).any()


def test_the_strongest_band_has_the_first_class():
    bands = np.tile(np.arange(12) / 20, (200, 1))
    weights = heard(bands, 30, order="strength").weights(0, 200)
    assert (np.diff(weights[100, :12]) < 0).all()
    assert (np.diff(heard(bands, 30).weights(0, 200)[100, :12]) > 0).all()


def test_without_names_twelve_classes_are_drawn(written):
    bands = song(np.arange(20) / 30)
    drawn = heard(bands, 30, through=[]).numbers
    assert len(set(drawn.tolist())) == 12
    assert drawn.max() < 20
    np.testing.assert_array_equal(drawn, heard(bands, 30, through=[]).numbers)


def test_a_shuffle_turns_the_list():
    changes = np.array([0, 0, 1, 2, 3])
    made = turned(12, changes, 0.5, None)
    np.testing.assert_array_equal(made[[0, 2, 3]], [np.arange(12), (np.arange(12) + 6) % 12, np.arange(12)])
    np.testing.assert_array_equal(turned(12, changes, 0.25, None)[2], (np.arange(12) + 3) % 12)
    drawn = turned(12, changes, 0.5, 7)
    for before, after in pairwise(drawn[1:]):
        assert (before != after).sum() == 6
        assert sorted(after) == list(range(12))
    np.testing.assert_array_equal(turned(12, changes, 0, 7), np.tile(np.arange(12), (5, 1)))


@pytest.mark.parametrize("shuffle", [{"every": "2s"}, {"every": "4 beats"}, {"at": [2, 4, 6, 8]}])
def test_a_shuffle_changes_who_hears_what_while_the_music_plays(shuffle):
    bands = np.zeros((300, 12))
    bands[:, 0] = 1
    words = {"leak": 0.1, "smooth": 0, "shuffle": {**shuffle, "strength": 0.25}}
    weights = heard(bands, 30, BeatGrid.steady(120), **words).weights(0, 300)
    strongest = weights.argmax(axis=1)
    np.testing.assert_array_equal(strongest[[0, 30, 55, 75, 115, 135]], [0, 0, 0, 3, 3, 6])
    np.testing.assert_allclose(weights.sum(axis=1), 1)


# in a film


def test_silence_is_the_first_class():
    made = heard(np.zeros((90, 12)), 30, through=[4, 5, 6])
    np.testing.assert_allclose(made.weights(0, 90)[:, 4], 1)


@given(st.integers(0, 2**31))
@settings(deadline=None, max_examples=15)
def test_normalised_weights_sum_to_1(seed):
    weights = heard(struck(120, seed) * (seed % 3), 30).weights(0, 120)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-12)
    assert weights.min() >= 0


def test_a_film_follows_its_notes(written, tmp_path):
    import soundfile

    time = np.arange(8 * 22050) / 22050
    sound = np.where(time < 4, np.sin(2 * np.pi * 440 * time), np.sin(2 * np.pi * 261.63 * time))
    soundfile.write(tmp_path / "notes.wav", 0.5 * sound, 22050)
    text = f"""
        audio: {tmp_path}/notes.wav
        signals: {{notes: chroma}}
        video: {{fps: 10}}
        classes: {{from: notes, leak: 0.5, through: {list(range(12))}}}
    """
    trajectory = compose(written(text), SPEC, tmp_path / "heard").trajectory
    weights = trajectory.track.classes(0, 80, 20)
    assert weights[25].argmax() == 9  # A
    assert weights[65].argmax() == 0  # C
    np.testing.assert_array_equal(trajectory.track.classes(37, 45, 20), weights[37:45])
