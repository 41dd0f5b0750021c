"""What shipped recipes feed their generators stays what it was, at eight moments of each film.

After a change that is meant, make the files anew and look at the films (names are optional; without them it is every
recipe of a pattern network):  python tests/run/test_golden_trajectories.py NAME ...
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from gandream.models.registry import load_generator
from gandream.recipe.load import load_recipe
from gandream.run.prepare import prepare
from gandream.trajectory.feed import Feed
from gandream.trajectory.grid import GridTrajectory

RECIPES = Path(__file__).parents[2] / "recipes"
GOLDEN = Path(__file__).parent / "golden_trajectories"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.npz"))
MOMENTS = 8
CLOSE = 1e-4


def fed(name: str, cache: Path) -> dict[str, np.ndarray]:
    """w [8, L, D'] of each scene or cell, or of the one film, and of its regions; ``frames`` [8] of each beside it."""
    prepared = prepare(load_recipe(RECIPES / f"{name}.yaml"), cache, device="cpu")
    whole = prepared.score.trajectory
    parts = [(cut.trajectory, cut.start, cut.stop) for cut in prepared.cuts]
    parts = parts or [(one, 0, one.frames) for one in (whole.cells if isinstance(whole, GridTrajectory) else (whole,))]
    made: dict[str, np.ndarray] = {}
    for number, (trajectory, start, stop) in enumerate(parts):
        feed = Feed(trajectory, load_generator(trajectory.spec.name, "cpu"))
        frames = np.linspace(start, stop - 1, MOMENTS).astype(int)
        inputs = [feed.inputs(int(frame), int(frame) + 1) for frame in frames]
        made[f"frames_{number}"] = frames
        made[f"w_{number}"] = np.concatenate([one.w.float().numpy() for one in inputs])
        for region in range(len(inputs[0].regions)):
            made[f"region_{number}_{region}"] = np.concatenate([one.regions[region].w.numpy() for one in inputs])
    return made


HEAR_MUCH = ("lucid_sonic", "wavefunk")
"""Whose music takes long to be heard; their latents are compared in tests/trajectory/test_presets.py too."""
FED = [pytest.param(name, marks=pytest.mark.slow if name in HEAR_MUCH else []) for name in NAMES]


@pytest.mark.parametrize("name", FED)
def test_a_film_is_fed_what_it_was(name: str, heard: Path):
    made, golden = fed(name, heard), np.load(GOLDEN / f"{name}.npz")
    assert set(made) == set(golden.files)
    for part, value in made.items():
        np.testing.assert_allclose(value, golden[part], rtol=0, atol=CLOSE, err_msg=f"{name}: {part}")


@pytest.mark.parametrize("name", NAMES)
def test_golden_films_move(name: str):
    golden = np.load(GOLDEN / f"{name}.npz")
    assert all(np.abs(np.diff(golden[part], axis=0)).max() > 100 * CLOSE for part in golden.files)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for each in sys.argv[1:] or [path.stem for path in sorted(RECIPES.glob("*.yaml"))]:
            if each != "faces_walk":  # its model is fetched
                made = fed(each, Path(folder))
                np.savez_compressed(GOLDEN / f"{each}.npz", **made)  # pyright: ignore[reportArgumentType]
