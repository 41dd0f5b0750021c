"""Trained models that ship with gandream: small, free, and telling where they come from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from gandream.models.registry import describe, load_generator, shipped

ROOT = Path(__file__).resolve().parents[2]
MODELS = shipped()
MOST_BYTES = 16_000_000


def test_all_assets_together_are_small():
    assert sum(path.stat().st_size for path in (ROOT / "assets").rglob("*") if path.is_file()) <= 60_000_000


@pytest.mark.parametrize("name", MODELS)
def test_a_shipped_model_is_small_free_and_says_how_it_came_to_be(name: str):
    path = MODELS[name]
    assert path.stat().st_size <= MOST_BYTES
    spec = describe(name)
    assert (spec.name, spec.licence) == (name, "CC0-1.0")
    raw = path.read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    training = json.loads(header["__metadata__"]["gandream"])["training"]
    assert training["data"]["data"] == "procedural:dreams"
    assert training["images"] >= 100_000
    words = (ROOT / "assets/models/README.md").read_text("utf-8")
    assert f"`{name}`" in words
    assert f"{training['images']:,}".replace(",", " ") in words


@pytest.mark.parametrize("name", MODELS)
def test_its_classes_are_different_and_so_are_its_pictures(name: str):
    model = load_generator(f"bundled:{name}", "cpu")
    count = len(model.spec.classes)
    z = model.latents([1]).expand(count, -1)
    classes = model.synthesise(model.map(z, torch.arange(count)))
    assert classes.shape == (count, 3, *model.spec.size)
    between = (classes[:, None] - classes[None]).abs().mean(dim=(2, 3, 4))
    assert between[~torch.eye(count, dtype=torch.bool)].min() > 0.05
    seeds = model.synthesise(model.map(model.latents(range(8)), torch.zeros(8, dtype=torch.int64)))
    assert (seeds[1:] - seeds[:-1]).abs().mean() > 0.1
    assert seeds.abs().max() < 1.5
