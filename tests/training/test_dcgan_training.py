"""DCGAN that learns: what its files show, its statistics, what a penalty needs of it."""

from __future__ import annotations

import json
from typing import TypeVar

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gandream.models.checkpoint.safe_tensors import write_safetensors
from gandream.models.registry import load_generator
from gandream.training.networks.base import Stage
from gandream.training.networks.dcgan import DCGANConfig, Discriminator, Generator

Network = TypeVar("Network", Generator, Discriminator)
RANDOM = torch.Generator()
UNUSED = torch.Generator()


@pytest.fixture(autouse=True)
def seeded():
    RANDOM.manual_seed(0)
    torch.manual_seed(0)


def config(resolution: int = 16) -> DCGANConfig:
    return DCGANConfig(resolution, latent_size=12, channels=8, channel_max=32)


def as_bfloat16(network: Network) -> Network:
    network.compute = torch.bfloat16
    return network


def shaken(network: Network) -> Network:
    """A network as if it had learned: larger weights, other gains and shifts."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=RANDOM))
    return network


@pytest.mark.parametrize("resolution", [16, 32, 64, 128])
def test_its_files_show_the_same_pictures(resolution, tmp_path):
    network, stage = shaken(Generator(config(resolution))), Stage(resolution)
    z = torch.randn(4, 12, generator=RANDOM)
    network(z, None, stage, UNUSED)  # statistics other than 0 and 1
    network.eval()
    tensors, configuration = network.export(stage)
    native = {"gandream": 1, "family": "dcgan", "configuration": configuration}
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    write_safetensors(tmp_path / "m.safetensors", arrays, {"gandream": json.dumps(native)})
    torch.save(tensors, tmp_path / "m.pt")
    wanted = network(z, None, stage, UNUSED).detach()
    assert wanted.dtype == torch.float32
    for name in ("m.safetensors", "m.pt"):
        generator = load_generator(name, device="cpu", base=tmp_path)
        assert (generator.spec.family, generator.spec.size) == ("dcgan", (resolution, resolution))
        assert generator.spec.latent_size == 12
        assert (generator.synthesise(generator.map(z)) - wanted).abs().max() < 1e-5
    assert wanted.std() > 0.1


def test_the_sizes_of_the_example():
    assert DCGANConfig().widths == [512, 256, 128, 64]
    assert DCGANConfig(64, channels=128).widths == [1024, 512, 256, 128]  # figure 1
    assert DCGANConfig(128, channels=128).widths == [1024, 1024, 512, 256, 128]


def test_it_is_the_network_of_the_paper():
    """By PyTorch's own layers, in training: batch norms, rectifiers, tanh; and the running statistics after it."""
    network, stage = shaken(Generator(config())), Stage(16)
    tensors, _ = network.export(stage)
    main = nn.Sequential(
        nn.ConvTranspose2d(12, 16, 4, 1, 0, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        nn.ConvTranspose2d(16, 8, 4, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
        nn.ConvTranspose2d(8, 3, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    main.load_state_dict({name.removeprefix("main."): tensor.clone() for name, tensor in tensors.items()}, strict=False)
    z = torch.randn(5, 12, generator=RANDOM)
    torch.testing.assert_close(network(z, None, stage, UNUSED), main(z[:, :, None, None]), atol=1e-5, rtol=0)
    for name, tensor in network.export(stage)[0].items():
        torch.testing.assert_close(tensor, main.state_dict()[name.removeprefix("main.")].detach())
    assert (network.export(stage)[0]["main.1.running_var"] - 1).abs().max() > 0.01


def test_the_discriminator_of_the_paper():
    judge = shaken(Discriminator(config()))
    images = torch.randn(5, 3, 16, 16, generator=RANDOM)
    first, second, last = judge.weights
    x = F.leaky_relu(F.conv2d(images, first, stride=2, padding=1), 0.2)
    x = F.conv2d(x, second, stride=2, padding=1)
    x = (x - x.mean((0, 2, 3), keepdim=True)) / (x.var((0, 2, 3), unbiased=False, keepdim=True) + 1e-5).sqrt()
    norm = judge.norms[0]
    x = F.leaky_relu(x * norm.weight[:, None, None] + norm.bias[:, None, None], 0.2)
    torch.testing.assert_close(judge(images, None, Stage(16)), F.conv2d(x, last)[:, 0, 0, 0], atol=1e-5, rtol=1e-4)


def test_two_batches_before_one_backward_pass():
    """Real pictures, then generated ones, then one step: running statistics don't get in the way."""
    network, judge = Generator(config()), Discriminator(config())
    z, stage = torch.randn(4, 12, generator=RANDOM), Stage(16)
    real = torch.randn(4, 3, 16, 16, generator=RANDOM)
    made = network(z, None, stage, UNUSED)
    network(z + 1, None, stage, UNUSED)
    loss = judge(real, None, stage).sum() - judge(made, None, stage).sum()
    loss.backward()
    assert all(parameter.grad is not None for part in (network, judge) for parameter in part.parameters())


def penalty(judge: Discriminator, images: torch.Tensor) -> torch.Tensor:
    given = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(judge(given, None, Stage(16)).sum(), given, create_graph=True)
    return slope.square().sum()


def test_a_penalty_can_be_taken_of_the_discriminator():
    judge = shaken(Discriminator(config())).double()
    judge.compute = torch.float64
    images = torch.randn(4, 3, 16, 16, dtype=torch.float64, generator=RANDOM)
    penalty(judge, images).backward()
    for weight in (judge.weights[1], judge.norms[0].weight):
        direction = torch.randn(weight.shape, dtype=torch.float64, generator=RANDOM)
        slope, step = float((weight.grad * direction).sum()), 1e-7  # so short that no rectifier turns on the way
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                weight.add_(sign * step * direction)
            values.append(penalty(judge, images).item())
            with torch.no_grad():
                weight.sub_(sign * step * direction)
        assert (values[0] - values[1]) / (2 * step) == pytest.approx(slope, rel=1e-4)


def test_a_penalty_in_bfloat16():
    exact = shaken(Discriminator(config()))
    rough = as_bfloat16(Discriminator(config()))
    rough.load_state_dict(exact.state_dict())
    images = torch.randn(4, 3, 16, 16, generator=RANDOM)
    for judge in (exact, rough):
        penalty(judge, images).backward()
    for wanted, made in zip(exact.weights, rough.weights, strict=True):
        assert F.cosine_similarity(wanted.grad.flatten(), made.grad.flatten(), dim=0) > 0.95


def test_bfloat16_is_near_float32():
    exact = shaken(Generator(config()))
    rough = as_bfloat16(Generator(config()))
    rough.load_state_dict(exact.state_dict())
    z = torch.randn(8, 12, generator=RANDOM)
    wanted, made = (network(z, None, Stage(16), UNUSED).detach() for network in (exact, rough))
    assert made.dtype == torch.float32
    assert 0 < (made - wanted).abs().mean() < 0.05 * wanted.std()
    for norm in rough.norms:
        assert norm.running_mean.dtype == torch.float32
    assert all(parameter.dtype == torch.float32 for parameter in rough.parameters())


def test_what_it_refuses_and_that_it_draws_nothing():
    network, judge = Generator(config()), Discriminator(config())
    z = torch.randn(2, 12, generator=RANDOM)
    for stage in (Stage(8), Stage(32), Stage(16, 0.5)):
        for call in (
            lambda stage=stage: network(z, None, stage, UNUSED),
            lambda stage=stage: judge(torch.zeros(2, 3, 16, 16), None, stage),
            lambda stage=stage: network.export(stage),
        ):
            with pytest.raises(ValueError, match="doesn't grow"):
                call()
    with pytest.raises(ValueError, match="no classes"):
        network(z, torch.zeros(2, dtype=torch.int64), Stage(16), UNUSED)
    for resolution in (8, 48, 256):
        with pytest.raises(ValueError, match="power of two"):
            DCGANConfig(resolution)
    before, state = torch.get_rng_state(), UNUSED.get_state()
    judge(network(z, None, Stage(16), UNUSED), None, Stage(16))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(state, UNUSED.get_state())
