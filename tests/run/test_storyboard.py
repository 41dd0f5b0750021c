"""Storyboards: the pictures are the film's, in their places, with what the music does under them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gandream.base.errors import OutputError
from gandream.recipe.load import recipe_from
from gandream.run import page
from gandream.run.film import render
from gandream.run.plot import LINES
from gandream.run.storyboard import Panel, Storyboard, facts, storyboard
from gandream.run.storyboard_page import CAPTION, GAP, LANE, spoken_time

FILM = {"model": "cppn#7", "walk": {"through": [1, 2, 3], "every": 1}, "truncation": "0.4 + 0.2*t"}


def board(words, **options) -> tuple[Storyboard, np.ndarray]:
    made = storyboard(recipe_from(words), "sheet.png", device="cpu", **options)
    return made, np.asarray(Image.open(made.path).convert("RGB"))


def seen(pixels: np.ndarray, panel: Panel) -> np.ndarray:
    return pixels[panel.y : panel.y + panel.h, panel.x : panel.x + panel.w]


def pictures(words, size: tuple[int, int]) -> dict[int, np.ndarray]:
    """The film's frames in a size, rendered as a folder of pictures."""
    video = {**words.get("video", {}), "size": list(size), "file": "png"}
    render(recipe_from({**words, "video": video}), "frames", device="cpu")
    return {int(file.stem): np.asarray(Image.open(file)) for file in Path("frames").glob("[0-9]*.png")}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"effects": [{"trails": 0.7}]},
        {"scenes": [{"for": 1}, {"model": "cppn#9", "for": 1, "transition": "crossfade 0.4s"}]},
        {"grid": {"columns": 2, "rows": 1, "seeds": [1, 2]}},
    ],
    ids=["plain", "an effect that remembers", "scenes", "a grid"],
)
def test_pictures_are_those_of_the_film(here, more):
    words = {**FILM, **more, "video": {"size": [60, 40], "fps": 5, "duration": 2}}
    made, pixels = board(words, every="0.4s", width=400)
    first = made.panels[0]
    frames = pictures(words, (first.w, first.h))
    assert [panel.frame for panel in made.panels] == [0, 2, 4, 6, 8]
    for panel in made.panels:
        # Where frames are painted one by one, what is equal on paper is rounded otherwise.
        difference = np.abs(seen(pixels, panel).astype(int) - frames[panel.frame])
        assert difference.max() <= 1, f"frame {panel.frame}"


def test_the_first_of_several_outputs_is_shown(here):
    words = {**FILM, "video": [{"size": [64, 32], "duration": 1, "fps": 5}, {"size": 32, "file": "gif"}]}
    made, _ = board(words, at="0,0.5", width=400)
    assert {(panel.w, panel.h) for panel in made.panels} == {(62, 32)}
    assert [panel.time_s for panel in made.panels] == [0, 0.4]


def test_strips_show_when_a_signal_does_what(here):
    Path("step.csv").write_text("t,x\n0,0\n1.19,0\n1.2,1\n2,1\n")
    words = {**FILM, "signals": {"x": {"csv": "step.csv#x"}}, "video": {"size": 64, "fps": 20, "duration": 2}}
    made, pixels = board(words, every="0.5s", columns=4, width=800)
    ink = np.array(LINES[0])
    for panel in made.panels:
        wide = panel.w + (GAP if panel is not made.panels[-1] else 0)
        lane = pixels[panel.y + panel.h + CAPTION :][: LANE - 2, panel.x : panel.x + wide].astype(int)
        high = (np.abs(lane[LANE // 2] - page.LANE).sum(axis=1) > 60).astype(int)  # half up, the area is filled
        times = panel.time_s + (np.arange(wide) + 0.5) / wide * 0.5
        wrong = (high != (times > 1.2)) & (np.abs(times - 1.2) > 0.06)
        assert not wrong.any(), panel
    assert (np.abs(pixels.astype(int) - ink).sum(axis=2) < 6).any()


def test_a_tempo_tells_bars(here):
    words = {**FILM, "tempo": {"bpm": 120}, "video": {"size": 32, "fps": 10, "duration": 5}}
    made, _ = board(words, every="1 bar", width=300, columns=2)
    found = facts(made)
    assert json.loads(json.dumps(found)) == found
    assert [(cell["bar"], cell["time_s"], cell["frame"]) for cell in found["cells"]] == [
        (0, 0, 0),
        (1, 2, 20),
        (2, 4, 40),
    ]
    assert (found["width"], found["step"]) == (300, "a frame every bar")


@pytest.mark.slow
def test_music_tells_bars_and_sections(here):
    words = {**FILM, "audio": "bundled:night_drive", "video": {"size": 32, "fps": 10}}
    made, pixels = board(words, every="section", width=600)
    starts = [panel.time_s for panel in made.panels]
    assert [panel.section for panel in made.panels][:3] == ["A", "B", "C"]
    assert starts[0] == 0
    assert sorted(starts) == starts
    bars = [panel.bar for panel in made.panels]
    assert all(bar is not None and abs(bar - round(bar)) < 0.1 for bar in bars), "sections begin with bars"
    loud = pixels[made.panels[0].y + made.panels[0].h + 4 + CAPTION :][:LANE]
    assert (np.abs(loud.astype(int) - LINES[0]).sum(axis=2) < 40).any(), "without signals, it is how loud it is"


def test_scenes_are_told(here):
    words = {**FILM, "scenes": [{"for": 1}, {"for": 0.5}, {"for": 0.5}], "video": {"size": 32, "fps": 10}}
    made, _ = board(words, every="scene", width=400)
    assert [(panel.frame, panel.section) for panel in made.panels] == [(0, "1"), (10, "2"), (15, "3")]


def test_it_carries_its_recipe(here, gandream):
    Path("r.yaml").write_text("model: cppn#7\nvideo: {size: 32, duration: 1}\n# mine\n")
    said = gandream("sheet", "r.yaml", "--at", "0s", "--width", "300")
    assert (said.status, said.out, said.err) == (0, "outputs/r_storyboard.png\n", "")
    with Image.open("outputs/r_storyboard.png") as picture:
        assert any("# mine" in str(text) for text in picture.info.values())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"every": "1s", "at": "1s"}, "so does --every"),
        ({"width": 100}, "wanted 240 to 16000"),
        ({"columns": 0}, "wanted 1 to 64"),
        ({"columns": 60, "width": 300}, "60 columns are too many"),
    ],
)
def test_bad_input(here, options, words):
    with pytest.raises(OutputError, match=words):
        board({**FILM, "video": {"duration": 1}}, **options)


def test_a_strip_is_as_high_as_its_signal():
    ramp = page.strip(np.linspace(0, 1, 400), 40, 20, (255, 255, 255)).astype(int).sum(axis=(0, 2))
    assert (ramp[4:] > ramp[:-4]).all()
    short = page.peaks(np.eye(1, 1000, 500)[0], 40)
    assert (short.max(), short.sum()) == (1, 1), "one frame's event is seen in one column"
    few = page.peaks(np.array([0.0, 1.0]), 4)
    assert few.tolist() == [0, 0.25, 0.75, 1]


def test_times_and_words_that_fit():
    assert spoken_time(83.0, [0, 83.0]) == "1:23"
    assert spoken_time(59.96, [59.96, 0.5]) == "1:00.0"
    assert page.writable("Café – 東 × 2") == "Cafe - ? x 2"
    assert page.width_of(page.fitted("a very long title indeed", 20, 100), 20) <= 100
    assert page.lines(["one", "two", "three"], 17, 95) == ["one   ·   two", "three"]
