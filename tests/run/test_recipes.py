"""The recipes that are there to be shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandream.base import ffmpeg
from gandream.base.errors import CheckpointError
from gandream.recipe.load import load_recipe
from gandream.run.film import render
from gandream.run.prepare import prepare

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))
SIDE = 64


def decoded(path: Path, width: int, height: int) -> np.ndarray:
    raw = ffmpeg.run("-loglevel", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3).astype(np.float32)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_compiles(heard: Path, path: Path):
    try:
        prepared = prepare(load_recipe(path), heard)
    except CheckpointError as error:
        if "models add" not in error.hint:
            raise
        pytest.skip("its model was not added here")
    assert prepared.score.trajectory.frames > 30
    notes = [note for note in prepared.warnings if not note.startswith("walk.pace: ")]  # what it evened is told
    assert notes == []


@pytest.mark.parametrize("seconds", [6, pytest.param(20, marks=pytest.mark.slow)])
def test_music_viz_follows_the_kick(here: Path, seconds: int):
    words = [f"video.size={SIDE}", "video.preset=ultrafast", f"video.duration={seconds}"]
    recipe = load_recipe(RECIPES[0].parent / "music_viz.yaml", words)
    film = render(recipe, device="cpu")
    frames = decoded(film.path, SIDE, SIDE)
    assert len(frames) == film.frames == 30 * seconds
    signals = prepare(recipe, Path("outputs/.gandream")).score.trajectory.signals
    assert signals is not None
    change = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
    assert np.corrcoef(signals["kick"][1:], change)[0, 1] >= 0.5


@pytest.mark.parametrize("fps", [10, pytest.param(30, marks=pytest.mark.slow)])
def test_latent_walk_ends_where_it_began(here: Path, fps: int):
    words = ["video.size=64x36", "video.preset=ultrafast", f"video.fps={fps}"]
    recipe = load_recipe(RECIPES[0].parent / "latent_walk.yaml", words)
    film = render(recipe, device="cpu")
    frames = decoded(film.path, 64, 36)
    steps = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
    closing = np.abs(frames[0] - frames[-1]).mean()
    assert closing <= np.percentile(steps, 99), "the last frame's successor is the first"
