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
        line = Timeline(Clock(Fraction(fps), frames), Fraction(start_s), grid)
        return Curves(recipe, line, signals or {}).values(recipe.truncation, ("truncation",))

    return evaluate
