"""What is made beside the pictures: the sound of films."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from gandream.base.errors import RenderError
from gandream.recipe.load import load_recipe
from gandream.rendering.device import pick
from gandream.run.ahead import sounds_of
from gandream.run.film import ready, render
from gandream.run.outputs import outputs
from gandream.run.prepare import prepare
from gandream.run.targets import targets
from gandream.video.facts import read_back

RECIPE = """
model: cppn#7
audio: tone.wav
video: [{size: 32, fps: 4}, {size: 64, fps: 4, file: mkv, codec: ffv1}, {size: 32, fps: 4, file: gif}]
"""


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.setenv("GANDREAM_CACHE", str(tmp_path / "cache"))
    soundfile.write(tmp_path / "tone.wav", np.sin(np.arange(44_100) / 20) / 2, 22_050)
    (tmp_path / "film.yaml").write_text(RECIPE)
    return load_recipe(tmp_path / "film.yaml", ())


def made_of(recipe, out: Path):
    places = targets(recipe, out, None)
    return outputs(places, prepare(recipe, ready(places, recipe)), pick("cpu"), None)


def test_each_film_has_its_own_sound_for_as_long_as_it_is_wanted(recipe, tmp_path):
    made = made_of(recipe, tmp_path / "out" / "film.mp4")
    with sounds_of(made) as sound_of:
        heard = [sound_of(output) for output in made]
        assert [path and path.suffix for path in heard] == [".m4a", ".mov", None]
        assert [path.parent for path in heard if path] == [tmp_path / "out"] * 2
    assert not list((tmp_path / "out").iterdir())


def test_films_have_the_sound_that_was_made_beside_their_pictures(recipe, tmp_path):
    film = render(recipe, tmp_path / "out" / "film.mp4")
    lengths = [float(read_back(one.path).sound_s) for one in (film, film.others[0])]
    assert lengths == pytest.approx([2, 2], abs=0.05)
    assert not [path for path in (tmp_path / "out").iterdir() if ".part" in path.name]


def test_a_render_that_fails_leaves_no_sound(recipe, tmp_path):
    def broken(*words):
        raise RenderError("the model", "it can't be loaded")

    with pytest.raises(RenderError, match="can't be loaded"):
        render(recipe, tmp_path / "out" / "film.mp4", models=broken)
    assert not [path for path in (tmp_path / "out").iterdir() if path.suffix in (".m4a", ".mov")]
    assert not list((tmp_path / "out").glob(".*.part*"))
