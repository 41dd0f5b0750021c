"""Families whose w holds the class (BigGAN-deep): truncation, the mean and random pushes leave it alone."""

from __future__ import annotations

import pytest
import torch

from gandream.base.errors import RecipeError
from gandream.models.files import write_native
from gandream.models.registry import load_generator
from gandream.trajectory.compose import compose
from gandream.trajectory.feed import Feed

FILM = "video: {duration: 3s, fps: 10}\n"
D = 6


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    from gandream.training.networks.base import Stage
    from gandream.training.networks.biggan_deep import BigGANDeepConfig, BigGANDeepGenerator

    torch.manual_seed(0)
    sizes = {"latent_size": D, "embed_size": 4, "width": 8, "attention": 0, "multipliers": (2, 1)}
    network = BigGANDeepGenerator(BigGANDeepConfig(8, classes=3, **sizes))
    tensors, configuration = network.export(Stage(8))
    file = tmp_path_factory.mktemp("model") / "own.safetensors"
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    write_native(
        file, arrays, family="biggan_deep", name="own", licence="", classes=("a", "b", "c"), size=(8, 8),
        configuration=configuration,
    )  # fmt: skip
    return load_generator(str(file), "cpu")


@pytest.fixture
def fed(written, generator):
    def make(text: str):
        return Feed(compose(written(FILM + text), generator.spec).trajectory, generator).inputs(0, 30)

    return make


def test_truncation_scales_z_and_chooses_the_statistics(fed, generator):
    whole, half = (fed(f"walk: {{through: [1, 2]}}\nclasses: b\ntruncation: {psi}\n") for psi in (1, 0.5))
    assert torch.allclose(half.w[..., :D], whole.w[..., :D] / 2, atol=1e-6)
    assert torch.equal(half.w[..., D:], whole.w[..., D:])
    assert torch.equal(half.w[0, 0, D:], generator.embeddings[1])
    assert torch.equal(half.psi, torch.full((30,), 0.5))
    mapped = generator.map(torch.as_tensor(generator.spec.latents([1]), dtype=torch.float32), torch.tensor([1]), 0.5)
    assert torch.allclose(generator.synthesise(mapped), generator.synthesise(half)[:1], atol=1e-5)


def test_the_mean_is_no_z_with_its_class(fed, generator):
    w = fed("walk: {through: mean}\nclasses: c\n").w
    assert not w[..., :D].any()
    assert torch.equal(w[0, 0, D:], generator.embeddings[2])
    with pytest.raises(RecipeError, match="class"):
        fed("walk: {through: mean}\n")


def test_random_pushes_in_w_leave_the_class(fed):
    before = fed("walk: {through: 1}\nclasses: b\n").w
    after = fed("walk: {through: 1}\nclasses: b\npush: [{random: 5, by: 0.5, layers: coarse}]\n").w
    assert torch.equal(after[..., D:], before[..., D:])
    assert not torch.equal(after[..., :D], before[..., :D])
