"""The same pictures on a GPU. Skipped where there is none, unless GANDREAM_NEEDS_GPU=1 says that there must be one.

GANDREAM_NEEDS_GPU=1 pytest tests/test_cuda.py
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(
        not torch.cuda.is_available() and os.environ.get("GANDREAM_NEEDS_GPU") != "1", reason="no CUDA device is here"
    ),
]

BENCHMARKS = Path(__file__).parent / "benchmarks"
FAMILIES = ("stylegan2", "stylegan3-t", "stylegan3-r", "biggan", "biggan-deep")


def psnr_db(a, b) -> float:
    """Peak signal-to-noise ratio of display values (0 to 255), scaled so that the second one fills them."""
    scale = 127.5 / (2 * b.double().std().item())
    shown = [torch.round(scale * x.double().cpu() + 127.5).clamp(0, 255) for x in (a, b)]
    error = (shown[0] - shown[1]).square().mean().item()
    return float("inf") if error == 0 else float(10 * torch.log10(torch.tensor(255.0**2 / error)))


@contextmanager
def beside() -> Iterator[None]:
    """With the benchmarks' modules, which make random networks."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield
    finally:
        sys.path.remove(str(BENCHMARKS))


def network(family: str, device: str, dtype=None):
    """A small network of random weights, and inputs for three pictures."""
    with beside():
        from on_gpu import small

        return small(family, torch.device(device), dtype)


def test_cppn_pictures_agree_with_the_cpu():
    from gandream.models.registry import load_generator

    made = []
    for device in ("cpu", "cuda"):
        generator = load_generator("cppn#7", device)
        inputs = generator.map(generator.latents([1, 2, 3]), psi=0.8)
        made.append(generator.synthesise(inputs, size=(256, 320)))
    assert psnr_db(*made) >= 60


@pytest.mark.parametrize("family", FAMILIES)
def test_networks_agree_with_the_cpu(family: str):
    made = []
    for device in ("cpu", "cuda"):
        generator, inputs = network(family, device)
        made.append(generator.synthesise(inputs))
    assert psnr_db(made[1], made[0]) >= 60


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("family", FAMILIES)
def test_halves_look_the_same(family: str, dtype):
    exact, inputs = network(family, "cuda")
    halved, _ = network(family, "cuda", dtype)
    wanted, made = exact.synthesise(inputs), halved.synthesise(inputs)
    assert torch.isfinite(made).all()
    # Random networks round far worse than trained ones, and bfloat16 has three bits less.
    assert psnr_db(made, wanted) >= (40 if dtype == torch.float16 else 30)


@pytest.mark.parametrize("dtype", [None, torch.float16])
@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_recorded_gives_the_same_and_is_replayed(family: str, dtype):
    from dataclasses import replace

    from gandream.rendering.graphs import Replayed

    generator, inputs = network(family, "cuda", dtype)
    again = Replayed(generator)
    for number in range(5):
        given = replace(inputs, w=inputs.w * (1 + 0.1 * number))
        wanted, made = generator.synthesise(given), again.synthesise(given)
        torch.testing.assert_close(made, wanted, rtol=1e-4, atol=1e-4 if dtype is None else 1e-2)
    assert not again.failure
    assert again.replays == 4


def test_two_models_and_several_shapes_share_their_memory():
    from dataclasses import replace

    from gandream.rendering.graphs import CudaRecorder, Replayed

    recorder = CudaRecorder()
    nets = [network(family, "cuda", torch.float16) for family in ("stylegan2", "biggan-deep")]
    again = [Replayed(generator, recorder) for generator, _ in nets]
    kept = []
    for number in range(6):
        for (generator, inputs), replayed in zip(nets, again, strict=True):
            for count in (3, 2):
                psi = None if inputs.psi is None else inputs.psi[:count]
                given = replace(inputs, w=inputs.w[:count] * (1 + 0.05 * number), psi=psi)
                kept.append((replayed.synthesise(given), generator.synthesise(given)))
    for made, wanted in kept:  # what came first was not written over by what came later
        torch.testing.assert_close(made, wanted, rtol=1e-4, atol=1e-2)
    assert [one.replays for one in again] == [10, 10]


def test_noise_that_moves_is_replayed():
    import numpy as np

    from gandream.models.noise import LayerNoise, NoiseMaps, Setting
    from gandream.rendering.graphs import Replayed

    generator, inputs = network("stylegan2", "cuda")
    again, maps = Replayed(generator), NoiseMaps(torch.device("cuda"))
    count = len(generator.spec.layers)
    for number in range(4):
        phases = np.arange(len(inputs.w)) / 5 + number
        noise = LayerNoise(maps, [Setting("animate", np.ones(count, bool), np.ones(len(phases)), phases, 3)])
        made, wanted = again.synthesise(inputs, noise=noise), generator.synthesise(inputs, noise=noise)
        torch.testing.assert_close(made, wanted, rtol=1e-4, atol=1e-4)
    assert again.replays == 3


def test_flags_of_torch_are_as_they_were():
    flags = torch.backends.cudnn
    before = (flags.enabled, flags.benchmark, flags.deterministic, flags.allow_tf32)
    generator, inputs = network("stylegan2", "cuda")
    generator.synthesise(inputs)
    assert (flags.enabled, flags.benchmark, flags.deterministic, flags.allow_tf32) == before


@pytest.mark.parametrize("subsampling", ["420", "422", "444", "rgb"])
@pytest.mark.parametrize("depth", [8, 10])
def test_planes_agree_with_the_cpu(subsampling, depth: int):
    from gandream.video.colour import planes

    images = torch.rand(3, 3, 64, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    there = planes(images.cuda(), subsampling, depth, first=5)
    assert torch.equal(planes(images, subsampling, depth, first=5), there.cpu())


def test_frames_arrive_as_they_were_when_they_were_handed_over():
    """Copies wait for what makes the frames, and memory that is used again doesn't reach into them."""
    from gandream.video.handover import host_copy

    waiting, wanted = [], []
    busy = torch.randn(2048, 2048, device="cuda")
    for number in range(24):
        for _ in range(4):
            busy = torch.mm(busy, busy).clamp_(-1, 1)  # so that the copies lag behind
        frames = torch.full((4, 1 << 20), number, dtype=torch.uint8, device="cuda")
        waiting.append(host_copy(frames))
        wanted.append(number)
        del frames  # the next ones take its place
    for arrived, number in zip(waiting, wanted, strict=True):
        assert (arrived() == number).all()


def test_a_film_is_the_same_twice(tmp_path: Path):
    from gandream.recipe.load import load_recipe
    from gandream.run.film import render

    (tmp_path / "r.yaml").write_text("model: cppn#7\nvideo: {size: 128, fps: 30, duration: 3}\n")
    recipe = load_recipe(tmp_path / "r.yaml")
    films = [render(recipe, tmp_path / name / "film.mp4", device="cuda") for name in ("a", "b")]
    assert films[0].path.read_bytes() == films[1].path.read_bytes()


def test_a_film_of_a_network_is_the_same_twice(tmp_path: Path):
    from gandream.models.files import save_native
    from gandream.recipe.load import load_recipe
    from gandream.run.film import render

    generator, _ = network("stylegan2", "cpu")
    save_native(generator, tmp_path / "net.safetensors", name="net")
    words = "model: net.safetensors\nwalk: {through: [1, 2, 3], every: 1}\nvideo: {fps: 25, duration: 5}\n"
    (tmp_path / "r.yaml").write_text(words)
    recipe = load_recipe(tmp_path / "r.yaml")
    films = [render(recipe, tmp_path / name / "film.mp4", device="cuda") for name in ("a", "b")]
    assert films[0].path.read_bytes() == films[1].path.read_bytes()


def test_there_is_memory_and_it_is_told_alike_by_driver_and_torch():
    from gandream.rendering.device import cuda_memory
    from gandream.rendering.room import room

    found = room("cuda")
    assert 0 < found.free <= found.total
    assert abs(cuda_memory() - found.total) < found.total // 20
