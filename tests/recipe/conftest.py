from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from seen import refused

from gandream.base.errors import RecipeError
from gandream.recipe.load import load_recipe
from gandream.recipe.reader import read_document
from gandream.recipe.recipe import Recipe

MODEL = "model: cppn#7\n"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes r.yaml, a first line with a model and then the text, into a fresh working directory with a song.wav."""
    monkeypatch.chdir(tmp_path)
    Path("song.wav").write_bytes(b"sound")
    Path("song.npy").write_bytes(b"numbers")
    Path("song.lrc").write_bytes(b"[00:01.00]la")

    def write(text: str | bytes, first: str = MODEL) -> Path:
        data = text if isinstance(text, bytes) else (first + text).encode()
        Path("r.yaml").write_bytes(data)
        return Path("r.yaml")

    return write


@pytest.fixture
def load(write) -> Callable[..., Recipe]:
    """Loads a recipe; what loads is good to the schema, too."""

    def load(text: str | bytes, *sets: str) -> Recipe:
        recipe = load_recipe(write(text), sets)
        if len(text) < 20_000:
            assert refused(read_document(Path("r.yaml")).tree) == ""
        return recipe

    return load


@pytest.fixture
def mistake(load) -> Callable[..., RecipeError]:
    """What is wrong with a recipe; anything but a RecipeError fails the test."""

    def mistake(text: str | bytes, *sets: str) -> RecipeError:
        with pytest.raises(RecipeError) as caught:
            load(text, *sets)
        return caught.value

    return mistake
