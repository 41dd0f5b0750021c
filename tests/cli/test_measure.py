"""``gandream measure``: a figure beside its floor, and clear words where there can be none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gandream.training.data import Dreams
from gandream.training.export import export
from gandream.training.learner import Learner
from gandream.training.presets import Asked, settings


@pytest.fixture
def model(here: Path) -> Path:
    """A StyleGAN2 that has learnt nothing."""
    found = settings(Asked("stylegan2", 16, Dreams().classes, 1000, "small"))
    learner = Learner(found, torch.device("cpu"))
    export(learner, Dreams(), here / "m.safetensors", name="m", licence="", weights="float16", more={})
    return here / "m.safetensors"


@pytest.mark.slow
def test_mush_is_far_from_the_floor(gandream, model: Path):
    said = gandream("measure", model, "procedural:dreams", "--samples", "128")
    assert said.status == 0, said.err
    head, mine, floor, last = said.out.splitlines()
    assert head.split() == ["SWD", "x", "1000", "16x16", "mean"]
    mine, floor = (float(line.split()[-1]) for line in (mine, floor))
    assert mine > 2 * floor > 0
    assert last == f"{mine / floor:.1f} x the floor, 128 pictures of each side"
    assert gandream("measure", model, "procedural:dreams", "--samples", "128").out == said.out


def test_too_few_pictures_to_judge_by(gandream, here: Path):
    (here / "few").mkdir()
    random = np.random.default_rng(0)
    for number in range(30):
        Image.fromarray(random.integers(0, 255, (16, 16, 3), np.uint8)).save(here / "few" / f"{number}.png")
    learner = Learner(settings(Asked("dcgan", 16, (), 1000, "small")), torch.device("cpu"))
    export(learner, Dreams(), here / "d.safetensors", name="d", licence="", weights="float16", more={})
    said = gandream("measure", "d.safetensors", "few", "--samples", "64")
    assert said.status == 2
    assert "held out of training" in said.err


def test_other_classes_and_other_models(gandream, model: Path, here: Path):
    (here / "plain").mkdir()
    for number in range(3):
        Image.new("RGB", (16, 16), (number, 0, 0)).save(here / "plain" / f"{number}.png")
    said = gandream("measure", model, "plain", "--samples", "64")
    assert said.status == 2
    assert "its classes are silk" in said.err
    said = gandream("measure", "cppn#7", "procedural:dreams")
    assert said.status == 2
    assert "any size" in said.err
