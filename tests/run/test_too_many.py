"""A batch that doesn't fit into memory: the film goes on with half of it, and so does the next render."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gandream.base.errors import RenderError
from gandream.models.cppn.network import CPPN
from gandream.recipe.load import load_recipe
from gandream.run.film import render

WORDS = "model: cppn#7\nwalk: {through: [1, 2], every: 1}\nvideo: {size: 64, fps: 8, duration: 3}\n"


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GANDREAM_CACHE", str(tmp_path / "store"))
    (tmp_path / "r.yaml").write_text(WORDS)
    return load_recipe(tmp_path / "r.yaml")


def short_of_memory(monkeypatch: pytest.MonkeyPatch, room: int) -> list[int]:
    """A device that has memory for so many pictures at a time; gives the batches that were asked of it."""
    asked, own = [], CPPN.synthesise

    def synthesise(self, inputs, **given):
        asked.append(len(inputs.w))
        if len(inputs.w) > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return own(self, inputs, **given)

    monkeypatch.setattr(CPPN, "synthesise", synthesise)
    return asked


def test_half_of_it_is_tried_told_and_remembered(recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    notes: list[str] = []
    with monkeypatch.context() as short:
        asked = short_of_memory(short, 1)
        film = render(recipe, tmp_path / "short.mp4", device="cpu", note=notes.append)
    assert film.rendered == 24
    assert asked[:3] == [8, 4, 2]
    assert set(asked[3:]) == {1}
    assert len(notes) == 3
    assert "8 pictures at a time" in notes[0]
    assert "goes on with 4" in notes[0]
    # What is remembered holds for another film of the same pictures, whatever memory is free then.
    with monkeypatch.context() as later:
        asked = short_of_memory(later, 1)
        again = render(recipe, tmp_path / "again.mp4", device="cpu", note=notes.append)
    assert (again.rendered, asked, len(notes)) == (0, [], 3)
    assert again.path.read_bytes() == film.path.read_bytes()


def test_one_picture_that_is_too_much_is_an_error(recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    short_of_memory(monkeypatch, 0)
    with pytest.raises(RenderError, match="needs more memory than there is"):
        render(recipe, tmp_path / "film.mp4", device="cpu")
