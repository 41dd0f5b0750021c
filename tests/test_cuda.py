"""The same pictures on a GPU. Skipped where there is none, unless GANDREAM_NEEDS_GPU=1 says that there must be one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(
        not torch.cuda.is_available() and os.environ.get("GANDREAM_NEEDS_GPU") != "1", reason="no CUDA device is here"
    ),
]


def psnr_db(a, b) -> float:
    """Peak signal-to-noise ratio of display values (0 to 255)."""
    shown = [torch.round(127.5 * x.double().cpu().clamp(-1, 1) + 127.5) for x in (a, b)]
    error = (shown[0] - shown[1]).square().mean().item()
    return float("inf") if error == 0 else float(10 * torch.log10(torch.tensor(255.0**2 / error)))


def test_cppn_pictures_agree_with_the_cpu():
    from gandream.models.registry import load_generator

    made = []
    for device in ("cpu", "cuda"):
        generator = load_generator("cppn#7", device)
        inputs = generator.map(generator.latents([1, 2, 3]), psi=0.8)
        made.append(generator.synthesise(inputs, size=(256, 320)))
    assert psnr_db(*made) >= 60


def test_planes_agree_with_the_cpu():
    from gandream.video.colour import planar_yuv

    images = torch.rand(3, 3, 64, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert torch.equal(planar_yuv(images), planar_yuv(images.cuda()).cpu())


def test_a_film_is_the_same_twice(tmp_path: Path):
    from gandream.recipe.load import load_recipe
    from gandream.run.film import render

    (tmp_path / "r.yaml").write_text("model: cppn#7\nvideo: {size: 128, fps: 30, duration: 3}\n")
    recipe = load_recipe(tmp_path / "r.yaml")
    films = [render(recipe, tmp_path / name / "film.mp4", device="cuda") for name in ("a", "b")]
    assert films[0].path.read_bytes() == films[1].path.read_bytes()
