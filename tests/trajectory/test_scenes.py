"""Scenes laid out in time: where they begin and end, what they inherit, how they come in, what is told of mistakes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gandream.audio.analyse import Analysis
from gandream.audio.sections import Section
from gandream.base.errors import RecipeError
from gandream.models.registry import describe
from gandream.recipe.load import load_recipe
from gandream.trajectory.compose import compose
from gandream.trajectory.scenes import Cut, compose_scenes

FILM = "video: {fps: 10, size: 64}\ntempo: {bpm: 120}\n"


@pytest.fixture
def laid(written) -> Callable[[str], tuple[Cut, ...]]:
    return lambda text: compose_scenes(written(FILM + text), lambda recipe: describe(recipe.model.written))[1]


def spans(cuts: tuple[Cut, ...]) -> list[tuple[int, int]]:
    return [(cut.start, cut.stop) for cut in cuts]


def of(cut: Cut, values: np.ndarray, frames) -> np.ndarray:
    """Values of a scene at frames of the film."""
    return values[np.array(frames) - cut.trajectory.first]


def psi(cut: Cut, frame: int) -> float:
    return float(of(cut, cut.trajectory.psi, frame))


# where


@pytest.mark.parametrize(
    ("scenes", "found"),
    [
        ("[{for: 2s}, {for: 3s}]", [(0, 20), (20, 50)]),
        ("[{}, {at: 2s}, {at: 2.5s, for: 1s}]", [(0, 20), (20, 25), (25, 35)]),
        ("[{for: 2 bars}, {at: 2 bars, for: 4 beats}]", [(0, 40), (40, 60)]),
        ("[{for: 15 frames}, {at: 1.5s, for: 250ms}]", [(0, 15), (15, 18)]),
        ("[{for: 1.01s}, {for: 1s}]", [(0, 11), (11, 20)]),
    ],
)
def test_cuts_are_exact_to_the_frame(laid, scenes, found):
    """The first frame of a scene is the first one that is not before its time; F is rounded as every film's."""
    assert spans(laid(f"scenes: {scenes}")) == found


def test_the_last_scene_lasts_to_the_end_of_what_moves_in_it(laid):
    assert spans(laid("scenes: [{for: 1s}, {walk: {through: [1, 2, 3], every: 2s}}]")) == [(0, 10), (10, 70)]


def test_scenes_beyond_the_films_end_are_told_and_left_out(written):
    recipe = written("scenes: [{for: 2s}, {for: 2s}, {for: 2s}]\nvideo: {fps: 10, duration: 3s}")
    score, cuts = compose_scenes(recipe, lambda one: describe(one.model.written))
    assert spans(cuts) == [(0, 20), (20, 30)]
    assert score.warnings == ("scenes[2]: begins at 0:04.000, and the film ends at 0:03.000",)


@pytest.mark.parametrize("fps", ["24000/1001", "30", "59.94"])
def test_frames_of_scenes_make_the_film_without_gap_or_overlap(written, fps):
    text = "tempo: {bpm: 97}\nscenes: [{for: 3 beats}, {for: 7 beats}, {for: 1.3s}, {}]\n"
    recipe = written(text + f"video: {{fps: {fps}, duration: 12s}}")
    _, cuts = compose_scenes(recipe, lambda one: describe(one.model.written))
    assert [cut.stop for cut in cuts[:-1]] == [cut.start for cut in cuts[1:]]
    assert (cuts[0].start, cuts[-1].stop) == (0, cuts[0].trajectory.frames)
    rate = float(recipe.video.fps)
    for cut, seconds in zip(cuts, np.cumsum([0, 3 * 60 / 97, 7 * 60 / 97, 1.3]), strict=True):
        assert (cut.start - 1) / rate < seconds <= cut.start / rate + 1e-9


# what they inherit


def test_inherited_words_go_through_the_whole_film_and_own_ones_begin_with_the_scene(laid, written):
    walk = "walk: {through: [1, 2, 3], every: 2s}\n"
    cuts = laid(walk + "scenes: [{for: 3s}, {truncation: 0.5, for: 3s}, {walk: {through: [7, 8], every: 2s}, for: 3s}]")
    whole = compose(written(walk + "video: {fps: 10, duration: 9s}"), describe("cppn#7")).trajectory
    first, second, third = cuts
    for cut in (first, second):
        found = cut.trajectory.latents(cut.start, cut.stop)
        np.testing.assert_array_equal(found, whole.latents(cut.start, cut.stop))
    assert [psi(cut, cut.start) for cut in cuts] == [1, 0.5, 1]
    alone = compose(
        written("walk: {through: [7, 8], every: 2s}\nvideo: {fps: 10, duration: 9s}"), describe("cppn#7")
    ).trajectory
    np.testing.assert_allclose(third.trajectory.latents(60, 90), alone.latents(0, 30), atol=1e-6)


def test_speed_and_drift_of_a_scene_begin_with_it(laid):
    text = (
        "scenes: [{for: 4s}, {for: 4s, walk: {through: [1, 2], every: 2s, speed: 2}, push: {random: 1, mode: drift}}]"
    )
    _, cut = laid(text)
    places = of(cut, cut.trajectory.track.places, [40, 50])
    np.testing.assert_allclose(places, [0, 1], atol=1e-9)
    amounts = of(cut, cut.trajectory.shoves[0].amounts, range(40, 80))
    np.testing.assert_allclose(amounts, np.arange(40) / 10, atol=1e-9)


def test_a_walk_by_times_keeps_to_the_films_clock(laid):
    _, cut = laid("scenes: [{for: 2s}, {for: 4s, walk: {through: [1, 2, 3], at: [2s, 4s, 5s]}}]")
    np.testing.assert_allclose(of(cut, cut.trajectory.track.places, [20, 30, 40, 45, 50]), [0, 0.5, 1, 1.5, 2])


def test_curves_see_the_films_time_and_the_scenes(laid):
    cuts = laid("scenes: [{for: 2s}, {for: 4s}]\ntruncation: 100*progress + 10*scene_t + scene_progress")
    for cut, begin, lasts in ((cuts[0], 0, 2), (cuts[1], 2, 4)):
        t = np.arange(cut.start, cut.stop) / 10
        wanted = 100 * t / 6 + 10 * (t - begin) + (t - begin) / lasts
        np.testing.assert_allclose(cut.trajectory.psi, wanted)


def test_own_curves_are_used_by_name_and_by_each_other(written):
    recipe = written(
        """
        curves: {double: 2*base, base: {0s: 0, 1s: 1}, deep: double + base}
        truncation: deep + sin(t)
        video: {fps: 10, duration: 2s}
        """
    )
    t = np.arange(20) / 10
    found = compose(recipe, describe("cppn#7")).trajectory.psi
    np.testing.assert_allclose(found, 3 * np.minimum(t, 1) + np.sin(t))


def test_a_long_chain_of_curves_is_worked_out(written):
    chain = ", ".join(f"c{index}: -(-(-(-c{index - 1}))) + 1" for index in range(1, 199))
    recipe = written(f"curves: {{c0: t, {chain}}}\ntruncation: c198\nvideo: {{fps: 10, duration: 1s}}")
    assert compose(recipe, describe("cppn#7")).trajectory.psi[5] == pytest.approx(198.5)


def test_mistakes_in_a_curve_stand_where_it_is_written(written):
    recipe = written("curves: {bad: 1/(t - 1)}\ntruncation: bad\nvideo: {fps: 10, duration: 2s}")
    with pytest.raises(RecipeError, match=r"divides by zero at 0:01\.000") as caught:
        compose(recipe, describe("cppn#7"))
    assert "curves.bad" in caught.value.where


def test_fades_of_a_scene_are_at_its_own_ends(laid):
    own, inherited = (
        laid(text)[1].effects.links[0].values["fade"]
        for text in (
            "scenes: [{for: 2s}, {for: 4s, effects: [fade]}]",
            "effects: [fade]\nscenes: [{for: 2s}, {for: 4s}]",
        )
    )
    assert own[20] == own[59] == 1
    assert (own[31:49] == 0).all()
    assert inherited[0] == inherited[59] == 1
    assert (inherited[11:49] == 0).all()


def test_memories_begin_with_their_scene(laid):
    _, cut = laid("effects: [{trails: 0.9}]\nscenes: [{for: 2s}, {for: 4s}]")
    assert cut.effects.begin(20, 30) == cut.effects.begin(25, 30) == 20


# how they come in


def test_a_crossfade_lasts_from_where_the_scene_begins(laid):
    first, second = laid("scenes: [{for: 2s}, {for: 3s, transition: crossfade 1s}]")
    assert (first.stop, second.start) == (30, 20)
    np.testing.assert_allclose(second.shares, np.arange(10) / 10)


def test_a_crossfade_in_beats_with_an_ease(laid):
    first, second, third = laid(
        "transition: {crossfade: 1 beat, ease: smooth}\nscenes: [{for: 2s}, {for: 3s, transition: cut}, {for: 2s}]"
    )
    assert len(second.shares) == 0
    x = np.arange(5) / 5
    np.testing.assert_allclose(third.shares, x * x * (3 - 2 * x))
    assert (first.stop, second.stop, third.stop) == (20, 55, 70)


# sections


SECTIONS = (Section(0.0, 2.0, "A"), Section(2.0, 5.0, "B"), Section(5.0, 7.0, "A"), Section(7.0, 8.0, "B"))


@pytest.fixture
def sectioned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Cut, ...]]:
    """Lays out scenes against music of four sections, A B A B."""
    (tmp_path / "song.wav").write_bytes(b"sound")
    heard = Analysis("x", Fraction(8), sections=SECTIONS)
    monkeypatch.setattr("gandream.trajectory.listen.analyse", lambda *args, **words: heard)

    def lay(text: str, video: str = "") -> tuple[Cut, ...]:
        file = tmp_path / "r.yaml"
        file.write_text(f"model: cppn#7\naudio: song.wav\nvideo: {{fps: 10, size: 64{video}}}\n{text}\n")
        return compose_scenes(load_recipe(file), lambda recipe: describe(recipe.model.written))[1]

    return lay


def test_scenes_by_sections_are_where_they_were_heard(sectioned):
    assert spans(sectioned("scenes: sections")) == [(0, 20), (20, 50), (50, 70), (70, 80)]
    assert spans(sectioned("scenes: sections", ", start: 3s")) == [(0, 20), (20, 40), (40, 50)]
    assert spans(sectioned("scenes: sections", ", duration: 6s")) == [(0, 20), (20, 50), (50, 60)]


def test_sections_that_are_alike_return_to_the_same_latents(sectioned):
    a, b, again, b_again = sectioned("scenes: sections\nwalk: {every: 0.5s}")
    latents = [cut.trajectory.latents(cut.start, cut.start + 10) for cut in (a, b, again, b_again)]
    np.testing.assert_allclose(latents[0], latents[2], atol=1e-6)
    np.testing.assert_allclose(latents[1], latents[3], atol=1e-6)
    assert np.abs(latents[0] - latents[1]).max() > 0.5
    (other, *_) = sectioned("scenes: {palette: {seeds: 4, seed: 9}}\nwalk: {every: 0.5s}")
    assert np.abs(other.trajectory.latents(0, 10) - latents[0]).max() > 0.5


def test_a_random_walk_returns_with_its_label_too(sectioned):
    a, b, again, _ = sectioned("scenes: sections\nwalk: wander")
    first, second = (cut.trajectory.latents(cut.start, cut.start + 20) for cut in (a, again))
    np.testing.assert_allclose(first, second, atol=1e-5)
    assert np.abs(b.trajectory.latents(20, 40) - first).max() > 0.5


def test_a_palette_names_its_latents(sectioned):
    a, b, *_ = sectioned("scenes: {palette: {A: [1, 2, mean]}}\nwalk: {space: w}")
    assert a.trajectory.track.count == 3
    assert b.trajectory.track.count == 4
    np.testing.assert_array_equal(a.trajectory.track.stops[1].z, describe("cppn#7").latents([2])[0])


def test_sections_of_a_label_have_words_of_their_own(sectioned):
    cuts = sectioned("scenes: {labels: {B: {truncation: 0.4, model: cppn#3, transition: crossfade 0.5s}}}")
    assert [psi(cut, cut.start) for cut in cuts] == [1, 0.4, 1, 0.4]
    assert [cut.recipe.model.written for cut in cuts] == ["cppn#7", "cppn#3"] * 2
    assert [len(cut.shares) for cut in cuts] == [0, 5, 0, 5]
    (_, own, *_) = sectioned("scenes: {labels: {B: {walk: {through: [7, 8]}}}}")
    assert own.trajectory.track.count == 2, "a walk of its own needs no palette"


def test_moments_are_sections_anywhere(sectioned):
    assert spans(sectioned("scenes: [{}, {at: section 3}]")) == [(0, 50), (50, 80)]
    text = "scenes: [{}, {at: section 2}]\ntruncation: {section 2: 0, section 3: 1}\nmix: {from: 3, at: section 4}"
    cuts = sectioned(text, ", start: 1s")
    found, amounts = (
        np.concatenate([part(cut.trajectory) for cut in cuts])
        for part in (lambda one: one.psi, lambda one: one.mixes[0].amounts)
    )
    np.testing.assert_allclose(found[[0, 10, 25, 40, 60]], [0, 0, 0.5, 1, 1])
    np.testing.assert_array_equal(amounts, np.arange(70) >= 60)


MISTAKES = [
    ("scenes: [{for: 3s}, {at: 2s}]", "scenes[1].at", "scenes overlap: the one before ends at 0:03.000"),
    ("scenes: [{for: 1s}, {at: 2s}]", "scenes[1].at", "there is a gap: the one before ends at 0:01.000"),
    ("scenes: [{at: 1s}]", "scenes[0].at", "there is a gap: the film begins at 0:00.000"),
    ("scenes: [{}, {at: 2s}, {at: 1s}]", "scenes[2].at", "the one before begins at 0:02.000"),
    ("scenes: [{}, {}]", "scenes[1]", "nobody says when this scene begins"),
    ("scenes: [{for: 1s, transition: crossfade}, {}]", "scenes[0].transition", "no scene before the first one"),
    ("scenes: [{for: 1s}, {for: 1s, transition: crossfade 2s}]", "scenes[1].transition", "lasts 1.000 s, and its"),
    ("transition: crossfade 2s\nscenes: [{for: 1s}, {for: 1s}]", "transition", "its crossfade 2.000 s"),
    ("scenes: [{for: 1.01s}, {for: 0.01s}, {for: 1s}]", "scenes[1]", "this scene lasts less than a frame"),
    ("scenes: [{for: 1s}, {at: 50%, for: 1s}]", "scenes[1].at", "a share of a film whose scenes say how long it is"),
]


@pytest.mark.parametrize(("text", "where", "words"), MISTAKES, ids=[one[2][:30] for one in MISTAKES])
def test_what_is_told(laid, text, where, words):
    with pytest.raises(RecipeError) as caught:
        laid(text)
    assert caught.value.where.split("  ")[1].split(" = ")[0] == where
    assert words in caught.value.problem


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("scenes: [{}, {at: section 5}]", "scenes[1].at", "there is no section 5: the music has 4 sections"),
        ("truncation: {section 9: 1}\nscenes: sections", "truncation", "there is no section 9"),
        ("scenes: {palette: {C: [1]}}", "scenes.palette.C", "no section of this music is labelled C; there is: A, B"),
        ("scenes: {labels: {D: {}}}", "scenes.labels.D", "no section of this music is labelled D"),
        ("scenes: sections\nwalk: {through: [1, 2], at: [0, 1]}", "walk.at", "begins with each section"),
        ("scenes: [{for: 3s}]", "scenes[0].for", "the last scene ends at 0:03.000"),
    ],
)
def test_what_is_told_of_sections(sectioned, text, where, words):
    with pytest.raises(RecipeError) as caught:
        sectioned(text, ", duration: 8")
    assert caught.value.where.split("  ")[1].split(" = ")[0] == where
    assert words in caught.value.problem


def test_a_scenes_curves_are_the_films_own(laid):
    """Each scene works curves out on the film's clock, so that they go on where the one before left them."""
    cuts = laid("scenes: [{for: 2s}, {for: 4s}]\ncurves: {slow: 'lag(t, 1)'}\ntruncation: slow")
    t = np.arange(60) / 10
    found = np.concatenate([cut.trajectory.psi for cut in cuts])
    np.testing.assert_allclose(found, t - 1 + np.exp(-t), atol=1e-9)  # y' = t - y
