"""The Python face: five names, on which notebooks and other tools live."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gandream as face
from gandream.base.errors import RecipeError


def test_the_import_is_light_and_has_five_names():
    program = "import sys, gandream; print(*dir(gandream)); print({'torch', 'librosa', 'numpy'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    names, loaded = said.stdout.splitlines()
    assert set(names.split()) == {"load_recipe", "render", "analyse", "load_generator", "__version__"}
    assert loaded == "set()"
    with pytest.raises(AttributeError, match="rendr"):
        face.rendr  # noqa: B018


def test_a_recipe_becomes_a_film(here: Path):
    (here / "r.yaml").write_text("model: cppn#7\nvideo: {size: 32, fps: 10, duration: 0.5, preset: ultrafast}\n")
    film = face.render(face.load_recipe("r.yaml"), "film.mp4")
    assert film.path.is_file()
    assert film.frames == 5
    assert face.render(face.load_recipe("r.yaml"), "film.mp4").rendered == 0, "no package may hide the function"


def test_music_becomes_arrays(clicks: Path):
    heard = face.analyse(clicks, {"hit": {"from": "onset", "release": 0.1}, "notes": "chroma"}, fps=25)
    assert heard["hit"].shape == heard.times.shape == (150,)
    assert heard["notes"].shape == (150, 12)
    assert heard.duration_s == 6
    assert heard.bpm == pytest.approx(120, abs=1)
    peaks = np.flatnonzero((heard["hit"][1:-1] > heard["hit"][:-2]) & (heard["hit"][1:-1] > 0.5)) + 1
    assert np.abs(heard.times[peaks] * 2 - np.round(heard.times[peaks] * 2)).max() < 0.1


def test_wrong_words_are_told(clicks: Path):
    with pytest.raises(RecipeError, match=r"signals\.hit\.from = onst"):
        face.analyse(clicks, {"hit": {"from": "onst"}})
    with pytest.raises(RecipeError, match="no such file"):
        face.analyse("nowhere.wav")


def test_a_generator_makes_pictures():
    generator = face.load_generator("cppn#7", "cpu")
    inputs = generator.map(generator.latents([1, 2]), psi=0.7)
    assert generator.synthesise(inputs, size=(16, 24)).shape == (2, 3, 16, 24)
    assert generator.synthesise(inputs.w, size=(16, 24)).shape == (2, 3, 16, 24)
