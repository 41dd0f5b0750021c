"""`gandream trajectory`: what a walk gives at every frame, saved, and walked along again."""

import sys
from pathlib import Path

import numpy as np
import pytest

from gandream.base.errors import OutputError
from gandream.cli import main as front_door
from gandream.models.registry import describe
from gandream.recipe.load import load_recipe
from gandream.run.trajectory import BLOCK, write_trajectory
from gandream.trajectory.compose import compose

WALK = "walk: {wander: {sigma: 1s, seed: 3}}\npush: {random: 9, by: sin(t)}\n"


@pytest.fixture
def film(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text, fps=30):
        Path("film.yaml").write_text(f"model: cppn#7\n{text}video: {{duration: 10s, fps: {fps}, size: 32}}\n")
        return load_recipe("film.yaml")

    return write


def test_z_goes_there_and_back_to_the_last_bit(film):
    recipe = film(WALK)
    expected = compose(recipe, describe("cppn#7")).trajectory.latents(0, 300)
    assert len(expected) > BLOCK  # more than one block is written
    path, _ = write_trajectory(recipe, "way.npz")
    with np.load(path) as saved:
        assert sorted(saved.files) == ["fps", "z"]
        assert (float(saved["fps"]), saved["z"].dtype, saved["z"].shape) == (30, np.float32, (300, 64))
        np.testing.assert_array_equal(saved["z"], expected)
    again = film("walk: {file: way.npz}\n")
    np.testing.assert_array_equal(compose(again, describe("cppn#7")).trajectory.latents(0, 300), expected)
    twice = compose(film("walk: {file: way.npz}\n", 60), describe("cppn#7")).trajectory.latents(0, 600)
    np.testing.assert_array_equal(twice[::2], expected)


def test_w_is_what_synthesis_is_fed(film, stylegan2_file):
    from gandream.models.registry import load_generator
    from gandream.trajectory.feed import Feed

    file = str(stylegan2_file())
    film(f"truncation: 0.6\nmix: {{from: 9, layers: 2-3}}\n{WALK}")
    text = Path("film.yaml").read_text().replace("cppn#7", file)
    Path("film.yaml").write_text(text)
    recipe, generator = load_recipe("film.yaml"), load_generator(file, "cpu")
    expected = Feed(compose(recipe, generator.spec).trajectory, generator).inputs(0, BLOCK).w.numpy()
    path, _ = write_trajectory(recipe, "way.npz", space="w", device="cpu")
    with np.load(path) as saved:
        np.testing.assert_allclose(saved["w"][:BLOCK], expected, atol=1e-6)
        assert saved["w"].shape == (300, *generator.w_avg.shape)
        rows = saved["w"]
    Path("film.yaml").write_text(f"model: {file}\nwalk: {{file: way.npz}}\nvideo: {{duration: 10s, fps: 30}}\n")
    again = Feed(compose(load_recipe("film.yaml"), generator.spec).trajectory, generator).inputs(17, 40).w.numpy()
    np.testing.assert_array_equal(again, rows[17:40])


def test_what_can_not_be_saved_is_told(film):
    with pytest.raises(OutputError, match=r"an \.npz"):
        write_trajectory(film(WALK), "way.npy")
    with pytest.raises(OutputError, match="this walk is in w"):
        write_trajectory(film("walk: {through: [1, mean]}\n"), "way.npz", space="z")


def test_the_command(film, monkeypatch, capsys):
    film(WALK)
    words = ["film.yaml", "-o", "a.npz", "--set", "video.duration=1s"]
    monkeypatch.setattr(sys, "argv", ["gandream", "trajectory", *words])
    with pytest.raises(SystemExit) as done:
        front_door.main()
    assert done.value.code in (0, None)
    assert capsys.readouterr().out.strip() == "a.npz"
    with np.load("a.npz") as saved:
        assert saved["z"].shape == (30, 64)
    monkeypatch.setattr(sys, "argv", ["gandream", "trajectory", "film.yaml", "--space", "x"])
    with pytest.raises(SystemExit) as done:
        front_door.main()
    assert done.value.code == 2
