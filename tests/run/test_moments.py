"""Which frames a storyboard shows."""

from __future__ import annotations

from fractions import Fraction

import pytest

from gandream.base.clock import Clock
from gandream.base.errors import OutputError
from gandream.base.tempo import BeatGrid
from gandream.run.moments import Span, chosen
from gandream.trajectory.timeline import Timeline


def line(seconds: float, fps: int = 30, bpm: float | None = None, start: float = 0, **more) -> Timeline:
    grid = None if bpm is None else BeatGrid.steady(bpm, first_beat_s=more.pop("first", 0.0))
    return Timeline(Clock(Fraction(fps), round(seconds * fps)), Fraction(str(start)), grid, **more)


@pytest.mark.parametrize("seconds", [8, 20, 61, 200, 1000, 7200])
@pytest.mark.parametrize("bpm", [None, 70, 120, 175])
def test_about_so_many_as_are_seen_at_a_glance(seconds, bpm):
    assert 16 <= len(chosen(line(seconds, bpm=bpm), (), None, None).frames) <= 48


def test_a_song_has_a_frame_every_four_bars():
    found = chosen(line(300, bpm=120), (), None, None)
    assert found.step == "a frame every 4 bars"
    assert found.frames == tuple(range(0, 300 * 30, 8 * 30))


def test_the_first_frame_that_is_not_before_a_beat():
    film = line(4, fps=30, bpm=110, start=1.3)
    grid = film.grid
    assert grid is not None
    for frame in chosen(film, (), "1 beat", None).frames[1:]:
        here, before = (float(grid.beat_at(1.3 + at / 30)) % 1 for at in (frame, frame - 1))
        assert before > here, "a beat is between the frame before and this one, or on it"


def test_bars_are_those_of_the_music():
    # Bars begin at 0.5, 2.5, 4.5 ... of the music, and the film at 2.0: at 0.5, 2.5 of the film.
    film = line(6, fps=10, bpm=120, start=2, first=0.5)
    assert chosen(film, (), "1 bar", None).frames == (5, 25, 45)
    assert chosen(film, (), "2 bars", None).frames == (0, 25), "where the first comes late, the opening is shown too"


def test_what_is_hardly_left_at_the_end_is_no_moment_of_its_own():
    assert chosen(line(10.2), (), "2s", None).frames == (0, 60, 120, 180, 240)
    assert chosen(line(10.5), (), "2s", None).frames == (0, 60, 120, 180, 240, 300)


def test_sections_and_told_times():
    spans = (Span(-3, 2, "A"), Span(2, 5.01, "B"), Span(5.01, 9, "A"))
    assert chosen(line(8, fps=10), spans, "section", None).frames == (0, 20, 51)
    film = line(8, fps=10, bpm=120, sections_s=(0.0, 2.0))
    assert chosen(film, (), None, "50%, 0:01,section 2,20 frames").frames == (10, 20, 40)
    assert chosen(film, (), None, "100%").frames == (79,)


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_films_of_a_few_frames(frames):
    film = Timeline(Clock(Fraction(30), frames))
    assert chosen(film, (), None, None).frames == tuple(range(frames))
    assert chosen(film, (), "1s", None).frames == (0,)


@pytest.mark.parametrize(
    ("every", "at", "words"),
    [
        ("0s", None, "more than nothing"),
        ("-1 bar", None, "more than nothing"),
        ("often", None, "wanted a time, `section` or `scene`"),
        ("2 bras", None, "Did you mean 'bars'?"),
        ("section", None, "no sections to tell"),
        ("scene", None, "no scenes to tell"),
        ("0.001s", None, "8 000 frames, and a sheet has 1000 at most"),
        (None, "soon", "wanted a time"),
        (None, "1s,,2s", "wanted a time"),
        (None, "9s", "that is at 9.000 s, and the film goes from 0 to 8.000 s (240 frames)"),
        (None, "-1s", "the film goes from 0"),
        (None, "section 2", "this film has none to tell"),
    ],
)
def test_bad_input(every, at, words):
    with pytest.raises(OutputError) as error:
        chosen(line(8, bpm=120), (), every, at)
    assert words in str(error.value)
    assert str(error.value).startswith("--every" if at is None else "--at")
