"""The pictures of the reference: curves are what is drawn, and pictures are what the recipe gives today."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pytest

from gandream.audio.envelope import ENVELOPE
from gandream.recipe.bend import BENDS
from gandream.recipe.effects import EFFECTS
from gandream.recipe.functions import FUNCTIONS
from gandream.recipe.walk import PATHS, WALKS
from gandream.run.reference.plots import EDGE, ENVELOPES, ease_plot, envelope_plot, function_plot, path_plot
from gandream.trajectory.ease import EASE

DOCS = Path(__file__).parents[2] / "docs"
LINE = "{http://www.w3.org/2000/svg}polyline"


def lines(svg: str) -> list[np.ndarray]:
    """The points of every curve in a picture, [P, 2]."""
    found = ElementTree.fromstring(svg).iter(LINE)
    return [np.array([list(map(float, point.split(","))) for point in one.attrib["points"].split()]) for one in found]


@pytest.mark.parametrize("name", EASE)
def test_an_ease_is_drawn_as_it_is(name: str):
    svg = ease_plot(name)
    (points,) = lines(svg)
    levels = re.findall(r'y1="([\d.]+)"', svg)  # where 0 and 1 are
    bottom, top = map(float, levels)
    x = (points[:, 0] - EDGE) / (112 - 2 * EDGE)
    y = (bottom - points[:, 1]) / (bottom - top)
    assert np.abs(y - EASE[name](np.round(x, 2))).max() < 0.06


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_its_curve(name: str):
    drawn = lines(function_plot(name))
    assert len(drawn[-1]) >= 2
    if name != "db":  # of a number, which stays
        assert np.ptp(drawn[-1][:, 1]) > 10, "it moves within its twelve seconds"


def test_every_word_of_an_envelope_is_drawn():
    assert set(ENVELOPES) == {*ENVELOPE, "causal", "range"}


@pytest.mark.parametrize("word", ENVELOPES)
def test_what_an_envelope_does_is_seen(word: str):
    before, after = lines(envelope_plot(word))
    x = np.linspace(EDGE, 314, 600)
    change = np.interp(x, before[:, 0], before[:, 1]) - np.interp(x, after[:, 0], after[:, 1])
    assert np.abs(change).max() > 8, "of 96"


def test_a_way_in_a_plane_is_drawn_as_it_is():
    """A circle in a plane of a space with many dimensions is a circle."""
    turns = np.linspace(0, 2 * np.pi, 200)
    plane = np.linalg.qr(np.random.RandomState(0).randn(64, 2))[0].T
    points = np.concatenate(lines(path_plot(np.stack([np.cos(turns), np.sin(turns)], 1) @ plane)))
    radius = np.hypot(*(points - 84).T)
    assert np.ptp(radius) < 1.5
    assert radius.mean() > 70


@pytest.fixture(scope="module")
def draw() -> ModuleType:
    found = importlib.util.spec_from_file_location("draw", DOCS / "draw.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_everything_is_drawn(draw: ModuleType):
    assert draw.WALKED.keys() == WALKS.keys()
    assert draw.PATHS.keys() == PATHS.keys()
    assert draw.DONE.keys() == EFFECTS.keys()
    assert draw.BENT.keys() == BENDS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["effects.invert", "effects.glow", "bend.flip", "walk.circle", "recipe.orbit"])
def test_pictures_are_those_of_today(draw: ModuleType, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from PIL import Image

    monkeypatch.setattr(draw, "PICTURES", tmp_path / "pictures")
    monkeypatch.chdir(tmp_path)
    draw.main([name])
    ours, theirs = (
        np.asarray(Image.open(folder / f"{name}.webp").convert("RGB"), float)
        for folder in (DOCS / "pages" / "pictures", tmp_path / "pictures")
    )
    assert np.abs(ours - theirs).mean() < 2, f"python docs/draw.py {name}"
