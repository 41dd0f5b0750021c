"""Previews: the asked part of a draft with its sound, from the draft's own segments."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gandream.base import ffmpeg
from gandream.base.errors import OutputError
from gandream.recipe.load import load_recipe, recipe_from
from gandream.run.film import render
from gandream.run.prepare import prepare
from gandream.run.preview import Part, activity, busiest, preview

WORDS = {
    "model": "cppn#7",
    "tempo": {"bpm": 120},
    "walk": {"through": [1, 2, 3], "every": 5},
    "video": {"size": 64, "fps": 30, "duration": 12},
}


def pictures(film: Path) -> bytes:
    return ffmpeg.run("-loglevel", "error", "-i", film, "-f", "rawvideo", "-pix_fmt", "gray", "-")


def recipe_file(folder: Path, **more: object):
    (folder / "r.yaml").write_text(json.dumps({**WORDS, **more}))
    return load_recipe("r.yaml")


def test_it_is_the_draft_of_that_part(here: Path):
    recipe = recipe_file(here)
    part = preview(recipe, Part("4s", "3s"), device="cpu")
    assert (part.film.path, part.start_s, part.stop_s, part.where) == (Path("outputs/r.preview.mp4"), 4, 7, "")
    assert (part.film.frames, part.film.rendered) == (30, 30)
    whole = render(recipe, device="cpu", draft=True)
    assert (whole.frames, whole.rendered) == (120, 100), "the preview has made a segment of it"
    frame = 32 * 32
    assert pictures(part.film.path)[: 20 * frame] == pictures(whole.path)[40 * frame : 60 * frame]
    again = preview(recipe, Part("8 beats", "1 bar"), device="cpu")  # over the last preview, unasked
    assert (again.film.rendered, again.start_s, again.stop_s) == (0, 4, 6)


def test_it_tells_what_is_wrong_with_it(here: Path, gandream):
    recipe_file(here, effects={"brightness": "t >= 5"})
    said = gandream("preview", "r.yaml", "--at", "2s", "--for", "4s", "--device", "cpu")
    assert (said.status, said.out) == (0, "outputs/r.preview.mp4\n")
    assert "note: 0:02 to 0:05 is black: effects.brightness is 0 there\n" in said.err
    found = json.loads(gandream("preview", "r.yaml", "--at", "2s", "--for", "4s", "--device", "cpu", "--json").out)
    assert [(flaw["kind"], flaw["from_s"], flaw["to_s"]) for flaw in found["quality"]] == [("black", 2.0, 5.0)]


def test_it_has_the_sound_of_that_part(here: Path, clicks: Path):
    recipe = recipe_file(here, audio=str(clicks), video={"size": 32, "fps": 30})
    part = preview(recipe, Part("2.75s", "1s"), device="cpu")
    raw = ffmpeg.run("-loglevel", "error", "-i", part.film.path, "-f", "f32le", "-ac", "1", "-ar", "8000", "-")
    sound = np.abs(np.frombuffer(raw, np.float32))
    # Its first frame is the one on screen at 2.75 s, of ten in a second: clicks at 3.0 and 3.5 are heard in it so.
    assert part.start_s == pytest.approx(2.7)
    loud = np.flatnonzero(sound > 0.3) / 8000
    assert loud[0] == pytest.approx(0.3, abs=0.02)
    assert np.abs(loud[loud > 0.6] - 0.82).max() < 0.05


def test_without_a_time_it_is_where_most_happens(here: Path, clicks: Path):
    calm = prepare(recipe_from(WORDS), here)
    assert busiest(calm, 150) == (120, "a third into the film")
    loud = {"signals": {"loud": {"from": "rms"}}, "audio": str(clicks), "video": {"size": 64, "fps": 30}}
    start, why = busiest(prepare(recipe_from({**WORDS, **loud}), here), 60)
    assert (start % 60, why) == (0, "where the signals are strongest")
    rising = np.zeros(100)
    rising[40:60] = 1
    found = activity({"a": rising, "still": np.ones(100)})
    assert found is not None
    assert found[40:60].min() > found[:40].max()
    assert activity({"still": np.ones(100)}) is None
    assert Part(lasts="50s").frames(calm) == (0, 360, ""), "no longer than the film"


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (Part("0:40"), "--at 0:40\n  the film goes from 0 to 12.000 s (120 frames)"),
        (Part("8 bers"), "--at 8 bers\n  there is no unit 'bers'. Did you mean 'bars'?"),
        (Part("1s", "0"), "--for 0\n  wanted more than nothing\n  For instance --for 5s."),
        (Part("1s", "long"), "--for long\n  wanted a time: "),
        (Part("-1s"), "--at -1s\n  the film goes from 0"),
    ],
)
def test_wrong_times(here: Path, part: Part, words: str):
    recipe = recipe_file(here)
    with pytest.raises(OutputError) as error:
        preview(recipe, part, device="cpu")
    assert str(error.value).startswith(words)
    assert error.value.exit_code == 2


def test_the_command(here: Path, gandream):
    recipe_file(here)
    said = gandream("preview", "r.yaml", "--for", "1s", "--device", "cpu")
    assert (said.status, said.out) == (0, "outputs/r.preview.mp4\n")
    assert said.err == "note: this is 0:04.000 to 0:05.000, a third into the film; --at says another time\n"
    (here / "mine.mp4").write_text("mine")
    said = gandream("preview", "r.yaml", "--at", "1s", "-o", "mine.mp4")
    assert (said.status, (here / "mine.mp4").read_text()) == (2, "mine")


def test_no_draft_takes_the_place_of_a_film(here: Path, gandream):
    recipe_file(here)
    assert gandream("render", "r.yaml", "-o", "r.mp4", "--frames", "0:4", "--device", "cpu").status == 0
    film = (here / "r.mp4").read_bytes()
    for command in (("preview",), ("render", "--draft"), ("compare", "--vary", "seed=1,2")):
        said = gandream(command[0], "r.yaml", *command[1:], "-o", "r.mp4", "--device", "cpu")
        assert (said.status, (here / "r.mp4").read_bytes() == film) == (2, True)
        assert "a draft in its place" in said.err
