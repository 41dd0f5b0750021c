"""Chains and pictures for the tests of effects."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import TypeAdapter
from torch import Tensor

from gandream.base.clock import Clock
from gandream.effects.chain import Chain, chain
from gandream.recipe.effects import EFFECTS, Effects
from gandream.recipe.recipe import Recipe
from gandream.trajectory.evaluate import Curves
from gandream.trajectory.timeline import Timeline

READ = TypeAdapter(Effects)

# Every effect as a recipe may write it; where its main word must be given, with what shows.
LOGO = str(Path(__file__).parent / "logo.png")
SHOWN = {"hue": 90, "flash": 0.5, "zoom": 1.3, "rotate": 20, "pan": 0.2, "text": "Ab", "image": LOGO, "mask": LOGO}
ENTRIES: list[Any] = [{name: SHOWN[name]} if name in SHOWN else name for name in EFFECTS]


def made_chain(*written: Any, frames: int = 240, fps: int = 30, seed: int = 0) -> Chain:
    """The chain of effects as a recipe writes them."""
    recipe = Recipe.model_validate({"model": "cppn#7", "seed": seed})
    line = Timeline(Clock(Fraction(fps), frames), Fraction(0), None)
    curves = Curves(recipe, line, {})
    return chain(READ.validate_python(list(written)), recipe, line.clock, curves.values, line.length_s, line.moment_s)


def done(images: Tensor, *written: Any, first: int = 0, **film: Any) -> Tensor:
    """Pictures of frames from `first` on, with effects, in one batch."""
    run = made_chain(*written, **film).run()
    assert run.seek(first, first + len(images)) == first or first == 0, "effects with a memory begin at frame 0 here"
    return run.apply(images, first)


def shown(images: Tensor) -> np.ndarray:
    """Display values, uint8 [N, H, W, C]."""
    return (images.clamp(-1, 1) * 127.5 + 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
