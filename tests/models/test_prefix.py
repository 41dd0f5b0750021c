"""Layers that are computed once while their styles stay: pictures are the same, bit for bit, whatever came before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from stylegan1_reference import random_tensors as stylegan1_tensors
from stylegan2_reference import random_tensors
from stylegan3_reference import random_network
from test_stylegan1 import tensorflow_file
from test_stylegan3 import native_file

from gandream.models.checkpoint.safe_tensors import write_safetensors
from gandream.models.registry import load_generator
from gandream.models.spec import Generator

Load = Callable[[], Generator]


@pytest.fixture(params=["skip", "resnet", "orig", "halves", "stylegan3", "stylegan1", "half grown"])
def load(request: pytest.FixtureRequest, tmp_path: Path) -> Load:
    """Loads a model anew."""
    file, dtype = tmp_path / "net.safetensors", torch.float32
    if request.param == "stylegan3":
        native_file(file, *random_network(num_layers=8, resolution=32))
    elif request.param in ("stylegan1", "half grown"):
        lod = 0.3 if request.param == "half grown" else 0.0
        file = tensorflow_file(tmp_path / "net.pkl", stylegan1_tensors(channels=(24, 16, 8, 8), lod=lod))
    else:
        shape = "skip" if request.param == "halves" else request.param
        dtype = torch.bfloat16 if request.param == "halves" else dtype
        write_safetensors(file, random_tensors(channels=(24, 16, 8, 8), architecture=shape), {})
    return lambda: load_generator(str(file), "cpu", dtype)


def batches(generator: Generator) -> list[torch.Tensor]:
    """w of films in which first layers stay, change, and come back; of one picture and of several."""
    w = generator.map(generator.latents([1, 2, 3, 4])).w
    half = w.shape[1] // 2
    fine = torch.cat([w[:1, :half].expand(4, -1, -1), w[:, half:]], dim=1)
    other = torch.cat([w[1:2, :half].expand(4, -1, -1), w[:, half:]], dim=1)
    deeper = torch.cat([w[:1, : half + 1].expand(4, -1, -1), w[:, half + 1 :]], dim=1)
    still = w[:1].expand(3, -1, -1)
    return [fine, fine, deeper, fine, still, still, w[:1], still, w[:1], other, fine, w, fine, deeper[:2], deeper]


def test_what_came_before_makes_no_difference(load: Load):
    running = load()
    for number, w in enumerate(batches(running)):
        made = running.synthesise(w)
        assert torch.equal(made, load().synthesise(w)), number
        made.fill_(9)  # who gets pictures may write into them


def test_grey_pictures_may_be_written_into(tmp_path: Path):
    write_safetensors(tmp_path / "grey.safetensors", random_tensors(colours=1), {})
    generator = load_generator(str(tmp_path / "grey.safetensors"), "cpu")
    w = generator.map(generator.latents([1])).w
    first = generator.synthesise(w).clone()
    for _ in range(3):
        made = generator.synthesise(w)
        assert torch.equal(made, first)
        made.add_(1)
