from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

from gandream.base.clock import Clock
from gandream.base.tempo import BeatGrid
from gandream.recipe.load import load_recipe
from gandream.recipe.recipe import Recipe
from gandream.recipe.signals import Signal
from gandream.trajectory.evaluate import Curves
from gandream.trajectory.timeline import Timeline


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Recipe]:
    """A recipe from text, whose lines count from 1; the model is added below it."""

    def write(text: str) -> Recipe:
        file = tmp_path / "film.yaml"
        file.write_text(dedent(text).strip() + "\nmodel: cppn#7\n")
        return load_recipe(file)

    return write


@pytest.fixture(scope="session")
def stylegan2(stylegan2_file: Callable[..., Path]) -> Callable[..., Any]:
    """A small StyleGAN2 of random weights, 16 x 16; the options are those of ``random_tensors``."""
    from gandream.models.registry import load_generator

    return lambda **options: load_generator(str(stylegan2_file(**options)), "cpu")


@pytest.fixture(scope="session")
def value() -> Callable[..., np.ndarray]:
    """A curve's values at every frame of a film without a file."""

    def evaluate(
        curve: Any,
        *,
        frames: int = 90,
        fps: int | Fraction = 30,
        grid: BeatGrid | None = None,
        start_s: int | Fraction = 0,
        signals: dict[str, np.ndarray] | None = None,
        **words: Any,
    ) -> np.ndarray:
        recipe = Recipe.model_validate({"model": "cppn#7", "truncation": curve, **words})
        banded = [name for name, values in (signals or {}).items() if values.ndim == 2]
        recipe = recipe.model_copy(update={"signals": {name: Signal.model_validate("chroma") for name in banded}})
        line = Timeline(Clock(Fraction(fps), frames), Fraction(start_s), grid)
        assert not isinstance(recipe.truncation, tuple)
        return Curves(recipe, line, signals or {}).values(recipe.truncation, ("truncation",))

    return evaluate


RATE = 22050


def clicks(times_s: np.ndarray, length_s: float) -> np.ndarray:
    """Bursts of noise that ring off within some hundredths of a second, over a faint hiss."""
    random = np.random.RandomState(0)
    sound = 1e-3 * random.randn(int(length_s * RATE))
    burst = random.randn(1500) * np.exp(-np.arange(1500) / 250)
    for time in times_s:
        at = round(time * RATE)
        sound[at : at + 1500] += burst[: len(sound) - at]
    return sound / np.abs(sound).max() * 0.9


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """16 s of clicks, 120 a minute from 0.5 s on, then from 8 s on 100 a minute."""
    import soundfile

    file = tmp_path_factory.mktemp("music") / "clicks.wav"
    times = np.concatenate([np.arange(0.5, 8, 0.5), np.arange(8, 15.9, 0.6)])
    soundfile.write(file, clicks(times, 16), RATE)
    return file


@pytest.fixture(scope="session")
def silence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3 s of nothing."""
    import soundfile

    file = tmp_path_factory.mktemp("music") / "silence.wav"
    soundfile.write(file, np.zeros(3 * RATE), RATE)
    return file
