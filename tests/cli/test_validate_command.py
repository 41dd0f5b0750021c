"""``gandream validate`` knows what a recipe wants of its model, without music, torch or a render."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def conditional(stylegan2_file: Callable[..., Path]) -> Path:
    """A small StyleGAN2 of three classes."""
    return stylegan2_file(classes=3)


def mistakes(gandream, text: str) -> list[tuple[str, str]]:
    """Where the mistakes of a recipe are, and what they are."""
    Path("r.yaml").write_text(text)
    said = gandream("validate", "r.yaml")
    assert said.status == (2 if said.err else 0)
    blocks = [block.splitlines() for block in said.err.strip().split("\n\n") if block]
    return [(block[0].removeprefix("r.yaml:"), block[1].strip()) for block in blocks]


def test_layers_and_channels(gandream, here: Path):
    found = mistakes(gandream, """\
model: cppn#7
mix: [{from: 3, layers: 8-12}, {from: 4, layers: 0-8}]
truncation: {psi: 1, cutoff: 40}
bend: [{layer: 9, rotate: 3}, {layer: 2, channels: 40, rotate: 3}]
""")  # fmt: skip
    assert found == [
        ("2:17  mix[0].layers = 8-12", "cppn#7 has layers 0 to 8; 12 is beyond them"),
        ("3:22  truncation.cutoff = 40", "cppn#7 has layers 0 to 8; 40 is beyond them"),
        ("4:9  bend[0].layer = 9", "cppn#7 has layers 0 to 6; 9 is beyond them"),
        ("4:42  bend[1].channels = 40", "cppn#7 has no such channels"),
    ]
    assert mistakes(gandream, "model: cppn#7\nlayer: 30\n") == [("2:1  layer = 30", "cppn#7 has no such layer")]


def test_classes(gandream, here: Path, conditional: Path):
    walk = "walk: {through: [1, {seed: 2, class: 7}, 3, {seeds: 0-3, class: 8}]}\n"
    name = conditional.name
    assert mistakes(gandream, f"model: {conditional}\n{walk}") == [
        ("2:18  walk.through[0] = 1", f"{name} has 3 classes, and this latent names none"),
        ("2:31  walk.through[1].class = 7", f"{name} has classes 0 to 2"),
    ]
    assert mistakes(gandream, f"model: {conditional}\nclasses: [0, 1, 3]\n") == [
        ("2:17  classes[2] = 3", f"{name} has classes 0 to 2")
    ]
    assert mistakes(gandream, f"model: {conditional}\nclasses: {{weights: {{0: 1, fish: 0.5}}}}\n") == [
        ("2:27  classes.weights.fish = 0.5", f"{name} has no class 'fish'")
    ]
    assert not mistakes(gandream, f"model: {conditional}\nclasses: [0, 1]\nmix: {{from: 3, layers: coarse}}\n")
    assert mistakes(gandream, "model: cppn#7\nclasses: [0, 1]\n") == [("2:1  classes", "cppn#7 has no classes")]
    assert not mistakes(gandream, "model: cppn#7\nclasses: {through: [0, 1], optional: true}\n")


def test_directions(gandream, here: Path):
    np.save("wrong.npy", np.zeros((7, 3)))
    np.save("right.npy", np.zeros((5, 64)))
    push = "[{along: right.npy#4}, {along: right.npy#5}, {along: wrong.npy}]"
    assert mistakes(gandream, f"model: cppn#7\npush: {push}\n") == [
        ("2:31  push[1].along = right.npy#5", "there is no direction 5"),
        (
            "2:53  push[2].along = wrong.npy",
            "the saved direction is [7, 3], but cppn#7 wants z [64] or w [64] or [9, 64]",
        ),
    ]


def test_scenes_and_cells_by_their_own_words(gandream, here: Path, conditional: Path):
    scenes = f"[{{for: 1s, bend: {{layer: 9, rotate: 3}}}}, {{model: {{file: {conditional}, class: 5}}}}]"
    (first, second) = mistakes(gandream, f"model: cppn#7\nscenes: {scenes}\n")
    assert first[0] == "2:27  scenes[0].bend.layer = 9"
    assert second[1] == f"{conditional.name} has classes 0 to 2"
    cells = "grid: {vary: {mix.layers: [0-2, 5-9]}}\nmix: {from: 3}\n"
    assert mistakes(gandream, f"model: cppn#7\n{cells}")[0][1] == "cppn#7 has layers 0 to 8; 9 is beyond them"


def test_torch_is_not_loaded(here: Path, conditional: Path):
    Path("r.yaml").write_text(f"model: {conditional}\nclasses: [0, 1]\nbend: {{layer: 1, blur: 0.1, channels: 0-3}}\n")
    code = (
        "import sys; sys.argv = ['gandream', 'validate', 'r.yaml']\n"
        "from gandream.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "assert 'torch' not in sys.modules and 'librosa' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
