"""Internal layers: their activations as each family gives them, and the colours that are made of them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
import torch.nn.functional as F

from gandream.models.activations import LayerColours
from gandream.models.registry import describe, load_generator
from gandream.models.spec import Inputs, Layer

# what families give


def check_all(generator, size=None) -> list[torch.Tensor]:
    """Every layer that is declared has the declared size, differs with w, and those around them are refused."""
    spec = generator.spec
    classes = torch.zeros(2, dtype=torch.int64) if spec.classes else None
    inputs = generator.map(generator.latents([1, 2]), classes)
    made = [generator.synthesise(inputs, layer=number, size=size) for number in range(len(spec.shown))]
    for layer, x in zip(spec.shown, made, strict=True):
        assert x.shape[0] == 2
        assert layer.resolution in (0, min(x.shape[2:]))
        assert layer.channels == x.shape[1]
        assert torch.isfinite(x).all()
        assert not torch.equal(x[0], x[1])
    assert len({layer.name for layer in spec.shown}) == len(spec.shown)
    for wrong in (-1, len(spec.shown)):
        with pytest.raises(ValueError, match="layer"):
            generator.synthesise(inputs, layer=wrong)
    return made


def colours(tensors, name, x, w):
    """toRGB of a StyleGAN2 as the paper has it."""
    weight = tensors[f"{name}.affine.weight"]
    style = w @ weight.T / math.sqrt(weight.shape[1]) + tensors[f"{name}.affine.bias"]
    weight = tensors[f"{name}.weight"] / math.sqrt(x.shape[1])
    return F.conv2d(x * style[:, :, None, None], weight) + tensors[f"{name}.bias"][:, None, None]


@pytest.mark.parametrize("architecture", ["orig", "skip", "resnet"])
def test_stylegan2(stylegan2_file, architecture):
    file = stylegan2_file(architecture=architecture)
    generator = load_generator(str(file), "cpu")
    made = check_all(generator)
    assert [layer.name for layer in generator.spec.shown] == [
        "b4.conv1", "b8.conv0", "b8.conv1", "b16.conv0", "b16.conv1",
    ]  # fmt: skip
    assert [x.shape[1:] for x in made] == [(8, 4, 4), (6, 8, 8), (6, 8, 8), (4, 16, 16), (4, 16, 16)]
    tensors = {name: torch.from_numpy(array) for name, array in safetensors.numpy.load_file(file).items()}
    w = generator.map(generator.latents([1, 2])).w
    if architecture == "orig":  # then the last layer's colours are the picture
        picture = colours(tensors, "synthesis.b16.torgb", made[-1], w[:, -1])
        torch.testing.assert_close(picture, generator.synthesise(w), atol=1e-5, rtol=1e-4)
    first = generator.synthesise(w, layer=0, noise="off")
    style = generator.map(generator.latents([1, 2])).w[:, 0]
    key = "synthesis.b4.conv1"
    style = style @ tensors[f"{key}.affine.weight"].T / 4 + tensors[f"{key}.affine.bias"]
    weight = tensors[f"{key}.weight"][None] * style[:, None, :, None, None]
    weight = weight * weight.square().sum(dim=(2, 3, 4), keepdim=True).rsqrt()
    x = torch.stack([F.conv2d(tensors["synthesis.b4.const"], one, padding=1) for one in weight])
    plain = F.leaky_relu(x + tensors[f"{key}.bias"][:, None, None], 0.2) * math.sqrt(2)
    torch.testing.assert_close(first, plain, atol=1e-5, rtol=1e-4)


def test_stylegan2_of_other_sizes_shows_the_same_part(stylegan2_file):
    generator = load_generator(str(stylegan2_file()), "cpu")
    shapes = [tuple(x.shape[2:]) for x in check_all(generator, size=(16, 28))[:1]]
    assert shapes == [(4, 7)]
    w = generator.map(generator.latents([3])).w
    whole = generator.synthesise(w, layer=4, size=(16, 32))
    assert torch.equal(generator.synthesise(w, layer=4, size=(16, 28)), whole[:, :, :, 2:30])


def test_pattern_networks():
    generator = load_generator("cppn#7", "cpu")
    made = check_all(generator, size=(24, 40))
    assert [x.shape[2:] for x in made] == [(24, 40)] * 7
    assert all(x.min() >= -1.0 and x.max() <= 1.0 for x in made)
    w = generator.map(generator.latents([1])).w
    picture = generator.synthesise(w, size=(24, 40))
    assert torch.equal(generator.synthesise(w, size=(24, 40)), picture)


def saved(tmp_path: Path, tensors) -> str:
    path = tmp_path / "net.pt"
    torch.save(tensors, path)
    return str(path)


def test_dcgan(tmp_path):
    torch.manual_seed(0)
    state = {}
    for number, (inputs, outputs) in enumerate(((12, 16), (16, 8), (8, 3))):
        state[f"main.{3 * number}.weight"] = torch.randn(inputs, outputs, 4, 4)
        if outputs > 3:
            for part in ("weight", "bias", "running_mean"):
                state[f"main.{3 * number + 1}.{part}"] = torch.randn(outputs)
            state[f"main.{3 * number + 1}.running_var"] = torch.rand(outputs) + 0.5
    generator = load_generator(saved(tmp_path, state), "cpu")
    made = check_all(generator)
    assert [layer.name for layer in generator.spec.shown] == ["main.0", "main.3"]
    picture = F.conv_transpose2d(made[-1], state["main.6.weight"], stride=2, padding=1).tanh()
    torch.testing.assert_close(picture, generator.synthesise(generator.map(generator.latents([1, 2]))))


def test_progan(tmp_path):
    torch.manual_seed(0)
    shapes = {"formatLayer": (96, 7), "groupScale0.0": (6, 6, 3, 3), "toRGBLayers.0": (3, 6, 1, 1)}
    for scale, (old, new) in enumerate(((6, 5), (5, 4))):
        shapes |= {f"scaleLayers.{scale}.0": (new, old, 3, 3), f"scaleLayers.{scale}.1": (new, new, 3, 3)}
        shapes[f"toRGBLayers.{scale + 1}"] = (3, new, 1, 1)
    state = {f"{layer}.module.weight": torch.randn(shape) for layer, shape in shapes.items()}
    state |= {f"{layer}.module.bias": torch.randn(shape[0]) for layer, shape in shapes.items()}
    generator = load_generator(saved(tmp_path, state), "cpu")
    made = check_all(generator)
    assert [(layer.name, layer.resolution) for layer in generator.spec.shown] == [
        ("groupScale0", 4), ("scaleLayers.0", 8), ("scaleLayers.1", 16),
    ]  # fmt: skip
    torch.testing.assert_close(made[1].square().mean(dim=1), torch.ones(2, 8, 8), atol=1e-4, rtol=1e-4)
    weight, bias = (state[f"toRGBLayers.2.module.{part}"] * math.sqrt(2 / 4) for part in ("weight", "bias"))
    picture = F.conv2d(made[-1], weight, bias)
    torch.testing.assert_close(picture, generator.synthesise(generator.map(generator.latents([1, 2]))))


def test_biggan_deep(biggan_deep_file):
    generator = load_generator(str(biggan_deep_file), "cpu")
    made = check_all(generator)
    assert [x.shape[2] for x in made] == [layer.resolution for layer in generator.spec.layers]
    inputs = generator.map(generator.latents([1, 2]), torch.zeros(2, dtype=torch.int64))
    rows = generator._rows(torch.ones(2))
    scale, shift = generator._affine(generator.last, rows, generator.gain, generator.offset)
    x = torch.relu(made[-1] * scale[:, :, None, None] + shift[:, :, None, None])
    picture = generator.colours(x).tanh()
    torch.testing.assert_close(picture, generator.synthesise(inputs))


# colours


class Fake:
    """A model whose activations are a given function of the seed: [C, 24, 24]."""

    device = torch.device("cpu")

    def __init__(self, activations):
        self.activations = activations
        self.spec = replace(describe("cppn#7"), size=(24, 24), shown=(Layer("only", 24),))

    def latents(self, seeds):
        return torch.as_tensor(seeds, dtype=torch.float32)[:, None]

    def map(self, z, classes=None, psi=1.0):
        return Inputs(z[:, None])

    def synthesise(self, inputs, *, layer=None, size=None, **_):
        assert layer == 0
        assert size is None
        return torch.stack([self.activations(int(seed)) for seed in inputs.w[:, 0, 0]])


SPREAD = torch.tensor([9.0, 4, 2, 0.1, 0.1, 0.05])


def noise(seed: int, channels: int = 6) -> torch.Tensor:
    """Channels that are independent and skewed; the first ones vary most."""
    random = np.random.RandomState(seed)
    return torch.from_numpy(random.exponential(size=(channels, 24, 24))).float() * SPREAD[:channels, None, None] + 3


def test_colours_are_in_range_and_the_same_each_time():
    one, two = (LayerColours(Fake(noise), 0)(noise(99)[None]) for _ in range(2))
    assert one.shape == (1, 3, 24, 24)
    assert torch.equal(one, two)
    assert -1 <= one.min() < -0.8
    assert 0.7 < one.max() <= 1


def test_what_varies_most_is_lightness_and_what_is_rare_is_light():
    light = LayerColours(Fake(noise), 0)(noise(99)[None]).mean(dim=1).flatten()
    assert torch.corrcoef(torch.stack((light, noise(99)[0].flatten())))[0, 1] > 0.8
    turned = LayerColours(Fake(lambda seed: -noise(seed)), 0)(-noise(99)[None])
    torch.testing.assert_close(turned.mean(dim=1).flatten(), light, atol=1e-3, rtol=0)


def test_colours_don_t_depend_on_how_channels_are_mixed_and_scaled():
    """Principal components are those of the cloud of points, however its axes are laid."""
    mixed = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(3)))[0]

    def turned(seed):
        return 40 * torch.einsum("ab,bhw->ahw", mixed, noise(seed)) - 5

    plain = LayerColours(Fake(noise), 0)(noise(99)[None])
    torch.testing.assert_close(LayerColours(Fake(turned), 0)(turned(99)[None]), plain, atol=1e-3, rtol=0)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_layers_of_few_channels(channels):
    made = LayerColours(Fake(lambda seed: noise(seed, channels)), 0)(noise(99, channels)[None])
    assert torch.isfinite(made).all()
    assert made.std() > 0.2
    if channels == 1:
        assert (made.amax(dim=1) - made.amin(dim=1)).max() < 0.02  # grey


def test_a_layer_that_never_changes_is_plain_grey():
    made = LayerColours(Fake(lambda seed: torch.full((4, 24, 24), 7.0)), 0)(torch.full((1, 4, 24, 24), 7.0))
    assert torch.isfinite(made).all()
    assert made.max() - made.min() < 1e-3
    assert abs(made.mean()) < 0.5


def test_colours_belong_to_the_model(stylegan2_file):
    generator = load_generator(str(stylegan2_file(classes=3)), "cpu")
    w = generator.map(generator.latents([5]), torch.tensor([1])).w
    made = [
        LayerColours(generator, number)(generator.synthesise(w, layer=number))
        for number in range(len(generator.spec.shown))
    ]
    assert [tuple(x.shape[1:]) for x in made] == [(3, 4, 4), (3, 8, 8), (3, 8, 8), (3, 16, 16), (3, 16, 16)]
    assert all(torch.isfinite(x).all() and x.std() > 0.05 for x in made)
