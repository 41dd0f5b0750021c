"""BigGAN-deep in training: spectral norm, norms and their gradients, attention, growth, penalties, exports."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from gandream.models.files import write_native
from gandream.models.registry import load_generator
from gandream.models.spec import Inputs
from gandream.training.networks.attention import NonLocal
from gandream.training.networks.base import Stage
from gandream.training.networks.biggan_deep import BigGANDeepConfig, BigGANDeepDiscriminator, BigGANDeepGenerator, small
from gandream.training.networks.conditional_norm import EPSILON, MOMENTUM, ConditionalNorm
from gandream.training.networks.halving import doubled, halved
from gandream.training.networks.spectral import SpectralConv, SpectralWeight
from gandream.training.networks.standing_statistics import STATISTICS, standing_statistics, truncated_normal

RANDOM = torch.Generator()
TINY = BigGANDeepConfig(
    16, classes=3, latent_size=6, embed_size=4, width=8, attention=8, multipliers=(4, 2, 1),
    discriminator_multipliers=(4, 4, 1),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def moved(network: torch.nn.Module) -> None:
    """Move all parameters off their first values, so that nothing is 0 or orthogonal by chance."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)


def given(count=5, resolution=16):
    """Latents, labels and pictures."""
    return torch.randn(count, 6), torch.randint(0, 3, (count,)), torch.rand(count, 3, resolution, resolution) * 2 - 1


@pytest.mark.parametrize("stack", [0, 3])
def test_power_iteration_finds_the_largest_singular_value(stack):
    weight = SpectralWeight(6, 4, 3, 3, stack=stack)
    with torch.no_grad():
        weight.weight.copy_(torch.randn_like(weight.weight))
    weight.iterate(300)
    divided = weight()
    largest = torch.linalg.matrix_norm(weight.matrices(), ord=2)
    assert torch.allclose(weight.norm(), largest, rtol=1e-4)
    assert torch.allclose(torch.linalg.matrix_norm(divided.reshape(weight.matrices().shape), ord=2), torch.tensor(1.0))
    # and its gradient is that of the weight over its largest singular value
    direction = torch.randn_like(divided)
    own = torch.autograd.grad((divided * direction).sum(), weight.weight)[0]
    exact = (weight.matrices() / torch.linalg.matrix_norm(weight.matrices(), ord=2)[:, None, None]).view_as(divided)
    wanted = torch.autograd.grad((exact * direction).sum(), weight.weight)[0]
    assert torch.allclose(own, wanted, atol=1e-4)


def test_power_iteration_steps_only_in_training():
    weight = SpectralWeight(6, 5)
    moved(weight)
    before = weight.u.clone()
    with torch.no_grad():
        weight()
    weight.eval()()
    assert torch.equal(weight.u, before)
    weight.train()()
    assert not torch.equal(weight.u, before)


@pytest.mark.parametrize("shape", [(4, 8, 6, 6), (3, 40, 4, 4), (2, 256, 2, 2), (3, 5, 3, 3)])
def test_norm_and_its_gradient(shape):
    x = (torch.randn(shape) * 2 + 1).contiguous(memory_format=torch.channels_last).requires_grad_()
    gain, offset = (torch.randn(shape[:2], requires_grad=True) for _ in range(2))
    norm, wanted = ConditionalNorm(shape[1]), x.double()
    mean = wanted.mean((0, 2, 3), keepdim=True)
    variance = wanted.var((0, 2, 3), unbiased=False, keepdim=True)
    wanted = (wanted - mean) / (variance + EPSILON).sqrt() * gain[:, :, None, None] + offset[:, :, None, None]
    made, wanted = norm(x, gain, offset), wanted.relu()
    assert (made - wanted).abs().max() < 1e-5
    direction = torch.randn(shape)
    own = torch.autograd.grad((made * direction).sum(), (x, gain, offset))
    exact = torch.autograd.grad((wanted * direction).sum(), (x, gain, offset))
    for one, other in zip(own, exact, strict=True):
        assert (one - other).abs().max() < 1e-4
    assert torch.allclose(norm.mean, MOMENTUM * mean.flatten().float(), atol=1e-6)
    unbiased = x.detach().var((0, 2, 3))
    assert torch.allclose(norm.variance, 1 - MOMENTUM + MOMENTUM * unbiased, atol=1e-5)


def test_norm_in_bfloat16_is_near():
    x, gain, offset = torch.randn(8, 32, 8, 8), torch.rand(8, 32) + 0.5, torch.randn(8, 32)
    norm = ConditionalNorm(32)
    exact = norm(x, gain, offset)
    made = norm(x.bfloat16().contiguous(memory_format=torch.channels_last), gain, offset)
    assert made.dtype == torch.bfloat16
    assert (made.float() - exact).abs().max() < 0.05


def test_halving_and_doubling_differentiate_as_often_as_wanted():
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(halved, (x,))
    assert torch.autograd.gradcheck(doubled, (x,))
    assert torch.autograd.gradgradcheck(lambda x: halved(x).square(), (x,))
    assert torch.autograd.gradgradcheck(lambda x: doubled(x).square(), (x,))


def test_attention():
    block, x = NonLocal(16), torch.randn(2, 16, 8, 8)
    assert torch.equal(block(x), x), "it begins with no weight"
    with torch.no_grad():
        block.gamma.fill_(1)
    block.eval()
    far = x.clone()
    far[:, :, 7, 7] += 5
    made, other = block(x), block(far)
    assert made.shape == x.shape
    assert (made - other)[:, :, 0, 0].abs().max() > 1e-4, "places hear of places far away"
    shift = torch.roll(x, (2, 2), (2, 3))
    assert torch.allclose(block(shift), torch.roll(made, (2, 2), (2, 3)), atol=1e-5), "wherever they are"


def test_convolutions_before_a_norm_need_no_bias():
    assert torch.equal(SpectralConv(2, 3, 1, bias=False).tensors("x")["x.bias"], torch.zeros(3))


@pytest.mark.parametrize("resolution", [8, 16])
def test_growth_begins_where_the_stage_before_ended(resolution):
    generator, discriminator = BigGANDeepGenerator(TINY).eval(), BigGANDeepDiscriminator(TINY).eval()
    moved(generator)
    moved(discriminator)
    z, labels, images = given(resolution=resolution)
    before = generator(z, labels, Stage(resolution // 2), RANDOM)
    made = generator(z, labels, Stage(resolution, 0.0), RANDOM)
    assert made.shape == images.shape
    assert torch.allclose(made, F.interpolate(before, scale_factor=2), atol=1e-6)
    assert not torch.allclose(made, generator(z, labels, Stage(resolution, 0.5), RANDOM), atol=1e-3)
    judged = discriminator(images, labels, Stage(resolution, 0.0))
    assert torch.allclose(judged, discriminator(F.avg_pool2d(images, 2), labels, Stage(resolution // 2)), atol=1e-5)
    assert not torch.allclose(judged, discriminator(images, labels, Stage(resolution, 0.5)), atol=1e-3)


@pytest.mark.parametrize("compute", [torch.float32, torch.bfloat16])
def test_all_that_is_used_learns(compute):
    generator, discriminator = BigGANDeepGenerator(TINY), BigGANDeepDiscriminator(TINY)
    moved(generator)
    generator.compute = discriminator.compute = compute
    z, labels, _ = given()
    pictures = generator(z, labels, Stage(16), RANDOM)
    assert (pictures.shape, pictures.dtype) == ((5, 3, 16, 16), torch.float32)
    logits = discriminator(pictures, labels, Stage(16))
    assert (logits.shape, logits.dtype) == ((5,), torch.float32)
    logits.sum().backward()
    for network in (generator, discriminator):
        idle = {name for name, parameter in network.named_parameters() if parameter.grad is None}
        assert idle == {
            name
            for name, _ in network.named_parameters()
            if name.startswith(("heads.4", "heads.8", "from_rgb.4", "from_rgb.8"))
        }
        assert all(parameter.grad.isfinite().all() for parameter in network.parameters() if parameter.grad is not None)


def test_without_classes():
    config = BigGANDeepConfig(8, latent_size=6, embed_size=4, width=8, attention=0, multipliers=(2, 1))
    generator, discriminator = BigGANDeepGenerator(config), BigGANDeepDiscriminator(config)
    pictures = generator(torch.randn(4, 6), None, Stage(8), RANDOM)
    assert discriminator(pictures, None, Stage(8)).shape == (4,)


def test_penalty_on_gradients_can_be_learnt_from():
    discriminator = BigGANDeepDiscriminator(TINY).double()
    moved(discriminator)
    discriminator.compute = torch.float64
    _, labels, images = given()
    discriminator.eval()  # u and v stay, so that differences below are of the weights alone

    def penalty() -> torch.Tensor:
        wanted = images.double().requires_grad_()
        logits = discriminator(wanted, labels, Stage(16, 0.5))
        return torch.autograd.grad(logits.sum(), wanted, create_graph=True)[0].square().sum()

    penalty().backward()
    for name in ("steps.16.0.convs.1.normed.weight", "from_rgb.16.normed.weight", "embeddings.weight"):
        parameter = discriminator.get_parameter(name)
        assert parameter.grad is not None
        direction = parameter.grad / parameter.grad.norm()
        ends = []
        for step in (1e-7, -2e-7):
            with torch.no_grad():
                parameter.add_(direction * step)
            ends.append(penalty().item())
        with torch.no_grad():
            parameter.add_(direction * 1e-7)
        slope = (ends[0] - ends[1]) / 2e-7
        assert slope == pytest.approx(float(parameter.grad.norm()), rel=1e-3)


def test_pictures_of_an_export(tmp_path):
    generator = BigGANDeepGenerator(TINY)
    moved(generator)
    z, labels, _ = given()
    for stage in (Stage(8), Stage(16, 0.3)):
        for _ in range(3):
            generator.train()(z * 0.7, labels, Stage(stage.resolution), RANDOM)
        generator.standing = {}
        tensors, configuration = generator.export(stage)
        size = (stage.resolution, stage.resolution)
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        write_native(
            tmp_path / "own.safetensors", arrays, family="biggan_deep", name="own", licence="", classes=("a", "b", "c"),
            size=size, configuration=configuration,
        )  # fmt: skip
        loaded = load_generator(str(tmp_path / "own.safetensors"), device="cpu")
        assert (loaded.spec.size, loaded.spec.classes) == (size, ("a", "b", "c"))
        made = loaded.synthesise(loaded.map(z, labels))
        wanted = generator.eval()(z, labels, Stage(stage.resolution), RANDOM)
        assert (made - wanted).abs().max() < 1e-4 * wanted.std()


def test_export_has_the_statistics_of_each_truncation(tmp_path):
    generator = BigGANDeepGenerator(TINY)
    moved(generator)
    generator.settle(Stage(16), torch.Generator().manual_seed(1))
    tensors, configuration = generator.export(Stage(16))
    means, variances = (tensors[f"generator.layers.0.bn_0.running_{part}"] for part in ("means", "vars"))
    assert means.shape == (STATISTICS, 32)
    assert variances[25].mean() < variances[50].mean(), "smaller truncations vary less"
    # what the tables say is what truncated latents have: each norm's output is then standard
    z = truncated_normal((4000, 6), torch.Generator().manual_seed(2), torch.device("cpu"))
    labels = torch.randint(0, 3, (4000,))
    condition = torch.cat((z * 0.5, generator.embeddings(labels)), 1)
    first = F.linear(condition, generator.eval().gen_z(), generator.gen_z_bias).view(4000 * 16, 32)
    deviation = (variances[25] + EPSILON).sqrt()
    assert ((first.mean(0) - means[25]) / deviation).abs().max() < 0.2
    assert ((first.var(0) + EPSILON).sqrt() / deviation - 1).abs().max() < 0.15
    # pictures by the family at two truncations are those of the network with these rows
    write_native(
        tmp_path / "own.safetensors", {name: tensor.numpy() for name, tensor in tensors.items()}, family="biggan_deep",
        name="own", licence="", classes=("a", "b", "c"), size=(16, 16), configuration=configuration,
    )  # fmt: skip
    loaded = load_generator(str(tmp_path / "own.safetensors"), device="cpu")
    z, labels, _ = given()
    for row in (50, 20):
        for name, norm in generator.norms(Stage(16)).items():
            norm.mean.copy_(tensors[f"{name}.running_means"][row])
            norm.variance.copy_(tensors[f"{name}.running_vars"][row])
        inputs = Inputs(loaded.map(z, labels).w, torch.full((5,), row / 50))
        wanted = generator(z, labels, Stage(16), RANDOM)
        assert (loaded.synthesise(inputs) - wanted).abs().max() < 1e-3 * wanted.std()


def test_fewer_truncations_are_interpolated():
    generator = BigGANDeepGenerator(TINY)
    standing_statistics(generator, Stage(8), torch.Generator().manual_seed(1), truncations=3, batch=8, batches=2)
    means, _ = generator.standing["generator.layers.0.bn_1"]
    assert torch.equal(means[0], means[1])
    assert torch.allclose(means[37], torch.lerp(means[25], means[50], 12 / 25), atol=1e-6)
    assert generator.training
    assert all(norm.recorded is None for norm in generator.norms(Stage(8)).values())


def test_sizes():
    config = small(64, 10)
    counts = [
        sum(parameter.numel() for parameter in network.parameters())
        for network in (BigGANDeepGenerator(config), BigGANDeepDiscriminator(config))
    ]
    assert all(1.5e6 < count < 3e6 for count in counts)
    assert BigGANDeepConfig(512).multipliers == (16, 16, 8, 8, 4, 2, 1, 1)
    assert BigGANDeepConfig(128).channels(8) == 2048
    with pytest.raises(ValueError, match="power of two"):
        BigGANDeepConfig(48)
    with pytest.raises(ValueError, match="multipliers"):
        BigGANDeepConfig(16, multipliers=(1, 2, 4))
