"""ProGAN that learns: what its files show, growth, its layers' arithmetic, what a penalty needs of it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TypeVar

import pytest
import torch

from gandream.models.checkpoint.safe_tensors import write_safetensors
from gandream.models.registry import load_generator
from gandream.training.networks import progan
from gandream.training.networks.base import Stage
from gandream.training.networks.progan import Discriminator, Generator, ProGANConfig

Network = TypeVar("Network", Generator, Discriminator)
RANDOM = torch.Generator()
UNUSED = torch.Generator()
STAGES = [Stage(4), Stage(8), Stage(16, 0.3), Stage(32), Stage(32, 0.75)]


@pytest.fixture(autouse=True)
def seeded():
    RANDOM.manual_seed(0)
    torch.manual_seed(0)


def config(classes: int = 0, resolution: int = 32) -> ProGANConfig:
    return ProGANConfig(resolution, latent_size=24, classes=classes, channel_base=512, channel_max=32)


def as_bfloat16(network: Network) -> Network:
    network.compute = torch.bfloat16
    return network


def shaken(network: Network) -> Network:
    """A network whose biases aren't 0 either."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.5 * torch.randn(parameter.shape, generator=RANDOM))
    return network


def batch(network: Generator, count: int = 4) -> tuple[torch.Tensor, torch.Tensor | None]:
    z = torch.randn(count, network.latent_size, generator=RANDOM)
    return z, torch.arange(count) % network.classes if network.classes else None


def write(path: Path, network: Generator, stage: Stage) -> None:
    tensors, configuration = network.export(stage)
    native = {"gandream": 1, "family": "progan", "configuration": configuration}
    write_safetensors(
        path, {name: tensor.numpy() for name, tensor in tensors.items()}, {"gandream": json.dumps(native)}
    )


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("stage", STAGES, ids=str)
def test_its_files_show_the_same_pictures(stage, classes, tmp_path):
    network = shaken(Generator(config(classes)))
    write(tmp_path / "m.safetensors", network, stage)
    generator = load_generator("m.safetensors", device="cpu", base=tmp_path)
    assert (generator.spec.family, generator.spec.size) == ("progan", (stage.resolution, stage.resolution))
    assert (generator.spec.latent_size, len(generator.spec.classes)) == (24, classes)
    z, labels = batch(network)
    wanted = network(z, labels, stage, UNUSED).detach()
    assert wanted.dtype == torch.float32
    assert (generator.synthesise(generator.map(z, labels)) - wanted).abs().max() < 1e-5 * max(1, wanted.std())


@pytest.mark.parametrize("resolution", [8, 32])
def test_growth(resolution):
    network, judge = (
        shaken(Generator(config())),
        shaken(Discriminator(config())),
    )
    z, _ = batch(network)

    def made(alpha, side=resolution):
        return network(z, None, Stage(side, alpha), UNUSED).detach()

    smaller = made(1, resolution // 2)
    big = smaller.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    torch.testing.assert_close(made(0), big)
    torch.testing.assert_close(made(0.25), torch.lerp(big, made(1), 0.25), atol=1e-5, rtol=0)
    assert (made(1) - big).abs().max() > 0.1

    images = torch.randn(4, 3, resolution, resolution, generator=RANDOM)
    means = images.unfold(2, 2, 2).unfold(3, 2, 2).mean(dim=(4, 5))
    torch.testing.assert_close(
        judge(images, None, Stage(resolution, 0)), judge(means, None, Stage(resolution // 2)), atol=1e-5, rtol=1e-5
    )
    assert not torch.allclose(judge(images, None, Stage(resolution)), judge(images, None, Stage(resolution, 0)))


def test_only_what_is_used_learns():
    network, judge = Generator(config()), Discriminator(config())
    z, _ = batch(network)
    judge(network(z, None, Stage(8, 0.5), UNUSED), None, Stage(8, 0.5)).sum().backward()
    for part, grown in ((network, network.blocks), (judge, judge.blocks)):
        without = {name for name, parameter in part.named_parameters() if parameter.grad is None}
        # 4 and 8 of the colours, and the block between them.
        unused = {f"{kind}.{n}" for kind, count in (("colours", 4), ("blocks", 3)) for n in range(count)}
        unused -= {"colours.0", "colours.1", "blocks.0"}
        assert without == {name for name in dict(part.named_parameters()) if ".".join(name.split(".")[:2]) in unused}
        assert len(grown) == 3


def test_pixel_norm_by_hand():
    x = torch.tensor([[3.0, -4.0], [0.0, 2.0]]).T.reshape(2, 2, 1, 1).transpose(0, 1)  # pixels (3, -4) and (0, 2)
    y = progan.pixel_norm(x)
    root = math.sqrt(12.5)
    torch.testing.assert_close(y[0, :, 0, 0], torch.tensor([3 / root, -4 / root]))
    torch.testing.assert_close(y[1, :, 0, 0], torch.tensor([0, math.sqrt(2)]))
    torch.testing.assert_close(progan.pixel_norm(x[:, :, 0, 0]), y[:, :, 0, 0])


def test_pixel_norm_has_the_gradients_of_its_formula():
    x = torch.randn(2, 3, 4, 2, dtype=torch.float64, generator=RANDOM, requires_grad=True)
    plain = x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)
    weights = torch.randn(x.shape, dtype=torch.float64, generator=RANDOM)

    def gradients(y):
        (first,) = torch.autograd.grad((y * weights).sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first.square().sum(), x)
        return first, second

    torch.testing.assert_close(gradients(progan.pixel_norm(x)), gradients(plain))


def test_minibatch_deviation_by_hand():
    x = torch.zeros(6, 2, 1, 2)
    x[0], x[1], x[2] = 1, 2, 3  # the first group of three: a standard deviation of sqrt(2 / 3) everywhere
    x[3, 0, 0, 0] = 3  # the second: sqrt(2) at one of four places
    y = progan.minibatch_deviation(x)
    assert y.shape == (6, 3, 1, 2)
    assert torch.equal(y[:, :2], x)
    wanted = torch.tensor([math.sqrt(2 / 3)] * 3 + [math.sqrt(2) / 4] * 3)
    torch.testing.assert_close(y[:, 2], wanted[:, None, None].expand(6, 1, 2), atol=1e-4, rtol=0)
    assert progan.minibatch_deviation(x[:4])[:, 2].unique().numel() == 1  # four at once
    assert progan.minibatch_deviation(x[:1])[0, 2].abs().max() < 1e-3


def test_equalised_learning_rate_keeps_the_size_of_activations(monkeypatch):
    wide = ProGANConfig(64, latent_size=256, channel_base=4096, channel_max=256)
    network, seen = Generator(wide), {}

    def watch(name):
        return lambda module, given, gave: seen.__setitem__(name, float(given[0].square().mean()))

    for name, module in network.named_modules():
        if isinstance(module, progan._Equalised):
            module.register_forward_hook(watch(name))
            assert abs(float(module.weight.detach().std()) - 1) < 4 / math.sqrt(module.weight.numel())
    monkeypatch.setattr(progan, "pixel_norm", lambda x: x)  # the weights alone have to do it
    with torch.no_grad():
        network(torch.randn(8, 256, generator=RANDOM), None, Stage(64), UNUSED)
    assert set(seen) == {"dense", "first", "colours.4"} | {f"blocks.{n}.{m}" for n in range(4) for m in (0, 1)}
    # Zeros around the small pictures take some away; a gain of 1 would leave a thousandth at the end.
    assert all(0.25 < power < 2.5 for power in seen.values()), seen
    layer = progan._Equalised((4, 50))
    assert layer.scale == math.sqrt(2 / 50)
    with torch.no_grad():
        layer.bias.fill_(3.0)
    x = torch.randn(2, 50, generator=RANDOM)
    torch.testing.assert_close(layer(x), math.sqrt(2 / 50) * (x @ layer.weight.T + 3))


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("stage", [Stage(8), Stage(16, 0.5)], ids=str)
def test_a_penalty_can_be_taken_of_the_discriminator(stage, classes):
    judge = shaken(Discriminator(config(classes))).double()
    judge.compute = torch.float64
    images = torch.randn(4, 3, stage.resolution, stage.resolution, dtype=torch.float64, generator=RANDOM)
    labels = torch.tensor([0, 1, 2, 0]) if classes else None

    def penalty() -> torch.Tensor:
        given = images.clone().requires_grad_()
        (slope,) = torch.autograd.grad(judge(given, labels, stage).sum(), given, create_graph=True)
        return slope.square().sum()

    penalty().backward()
    weight = judge.blocks[0][1].weight
    direction = torch.randn(weight.shape, dtype=torch.float64, generator=RANDOM)
    slope, step = float((weight.grad * direction).sum()), 1e-7  # so short that no rectifier turns on the way
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            weight.add_(sign * step * direction)
        values.append(penalty().item())
        with torch.no_grad():
            weight.sub_(sign * step * direction)
    assert (values[0] - values[1]) / (2 * step) == pytest.approx(slope, rel=1e-4)


def test_bfloat16_is_near_float32():
    exact = shaken(Generator(config(3)))
    rough = as_bfloat16(Generator(config(3)))
    rough.load_state_dict(exact.state_dict())
    judge = shaken(Discriminator(config(3)))
    rough_judge = as_bfloat16(Discriminator(config(3)))
    rough_judge.load_state_dict(judge.state_dict())
    (z, labels), stage = batch(exact), Stage(32, 0.5)
    wanted, made = exact(z, labels, stage, UNUSED).detach(), rough(z, labels, stage, UNUSED).detach()
    assert made.dtype == torch.float32
    assert 0 < (made - wanted).abs().mean() < 0.05 * wanted.std()
    logits, near = judge(wanted, labels, stage), rough_judge(wanted, labels, stage)
    assert near.dtype == torch.float32
    assert (near - logits).abs().max() < 0.1 * logits.abs().max()
    given = wanted.clone().requires_grad_()
    (slope,) = torch.autograd.grad(rough_judge(given, labels, stage).sum(), given, create_graph=True)
    slope.square().sum().backward()
    reached = [parameter for parameter in rough_judge.parameters() if parameter.grad is not None]
    assert len(reached) > 4
    assert all(one.dtype == torch.float32 and one.grad.isfinite().all() for one in reached)


def test_classes_change_pictures_and_logits():
    network, judge = Generator(config(3)), Discriminator(config(3))
    z = torch.randn(1, 24, generator=RANDOM).expand(3, -1)
    labels = torch.arange(3)
    pictures = network(z, labels, Stage(16), UNUSED).detach()
    assert (pictures[1:] - pictures[:-1]).abs().amax(dim=(1, 2, 3)).min() > 0.05
    logits = judge(pictures[:1].expand(3, -1, -1, -1), labels, Stage(16)).detach()
    assert logits.std() > 0.05
    with pytest.raises(ValueError, match="labels"):
        network(z, None, Stage(16), UNUSED)
    with pytest.raises(ValueError, match="labels"):
        judge(pictures, None, Stage(16))


def test_what_it_refuses_and_that_it_draws_nothing():
    network, judge = Generator(config()), Discriminator(config())
    z, _ = batch(network)
    for stage in (Stage(64), Stage(2), Stage(12), Stage(8, 1.5)):
        with pytest.raises(ValueError, match="no stage"):
            network(z, None, stage, UNUSED)
    with pytest.raises(ValueError, match="pictures have shape"):
        judge(torch.zeros(2, 3, 8, 8), None, Stage(16))
    for wrong in ({"resolution": 48}, {"resolution": 2}, {"latent_size": 0}, {"classes": -1}):
        with pytest.raises(ValueError):  # noqa: PT011
            ProGANConfig(**wrong)
    before, state = torch.get_rng_state(), UNUSED.get_state()
    judge(network(z, None, Stage(8), UNUSED), None, Stage(8))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(state, UNUSED.get_state())


def test_the_sizes_of_table_2():
    table = ProGANConfig(1024)
    assert [table.channels(side) for side in table.resolutions] == [512, 512, 512, 512, 256, 128, 64, 32, 16]
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in Generator(table).parameters())
        judged = sum(parameter.numel() for parameter in Discriminator(table).parameters())
    # Table 2 counts 23.1 million in each, with the last colours only.
    assert count == pytest.approx(23.1e6, rel=0.01)
    assert judged == pytest.approx(23.1e6, rel=0.01)
