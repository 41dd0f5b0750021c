"""ProGAN: the published implementation's numbers, its configuration, files there and back, and what is refused."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gandream.base.errors import CheckpointError, LatentError
from gandream.models.checkpoint import read_checkpoint
from gandream.models.files import save_native
from gandream.models.registry import describe, load_generator

HERE = Path(__file__).parent / "data"
GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "pgan_fb"
CASES = [HERE / "acgan_r16" / "golden_s2_i1000.pt", *sorted(GOLDEN.glob("*/*.pt"))]
CLASSES = ("blue a", "blue b", "green a", "green b", "red a", "red b")
LABELS = torch.tensor([[1, 0, 0, 1, 0], [1, 0, 0, 0, 1], [0, 1, 0, 1, 0], [0, 1, 0, 0, 1], [0, 0, 1, 1, 0],
                       [0, 0, 1, 0, 1.0]])  # fmt: skip


def layers(depths=(6, 5, 4), inputs=7, colours=3, seed=0) -> dict[str, torch.Tensor]:
    """A network of random numbers."""
    random = torch.Generator().manual_seed(seed)
    shapes = {"formatLayer": (depths[0] * 16, inputs), "groupScale0.0": (depths[0], depths[0], 3, 3)}
    for n, (old, new) in enumerate(pairwise(depths)):
        shapes |= {f"scaleLayers.{n}.0": (new, old, 3, 3), f"scaleLayers.{n}.1": (new, new, 3, 3)}
    shapes |= {f"toRGBLayers.{n}": (colours, depth, 1, 1) for n, depth in enumerate(depths)}
    made = {}
    for layer, shape in shapes.items():
        made[f"{layer}.module.weight"] = torch.randn(shape, generator=random)
        made[f"{layer}.module.bias"] = torch.randn(shape[0], generator=random)
    return made


def plain(state, z, slope=0.2, alpha=0.0, tanh=False, equalised=True, normalised=True):
    """The network as section by section of the paper has it, in float64 and in no hurry."""

    def layer(x, name):
        weight, bias = state[f"{name}.module.weight"].double(), state[f"{name}.module.bias"].double()
        scale = math.sqrt(2 / weight[0].numel()) if equalised else 1
        y = F.linear(x, weight) if weight.ndim == 2 else F.conv2d(x, weight, padding=weight.shape[-1] // 2)
        return scale * (y + bias.view(-1, *[1] * (y.ndim - 2)))

    def norm(x):
        return x / (x.square().mean(1, keepdim=True) + 1e-8).sqrt() if normalised else x

    x = F.leaky_relu(layer(norm(z.double()), "formatLayer"), slope)
    x = norm(x.view(len(z), -1, 4, 4))
    x = norm(F.leaky_relu(layer(x, "groupScale0.0"), slope))
    pictures, scales = [layer(x, "toRGBLayers.0")], sum(key.startswith("toRGB") for key in state) // 2 - 1
    for n in range(scales):
        x = F.interpolate(x, scale_factor=2)
        for order in (0, 1):
            x = norm(F.leaky_relu(layer(x, f"scaleLayers.{n}.{order}"), slope))
        pictures.append(layer(x, f"toRGBLayers.{n + 1}"))
    made = pictures[-1]
    if alpha and scales:
        made = alpha * F.interpolate(pictures[-2], scale_factor=2) + (1 - alpha) * made
    return made.tanh() if tanh else made


@pytest.mark.parametrize("file", CASES, ids=lambda file: f"{file.parts[-3]}-{file.stem}")
def test_published_numbers(file):
    generator, io = load_generator(str(file), device="cpu"), np.load(file.parent / "io.npz")
    for z, wanted in ((io["z"], io["img_avgG"]), (io["z"] * 3, io["img_avgG_z3"])):
        made = generator.synthesise(torch.from_numpy(z)[:, None])
        assert made.shape == wanted.shape
        assert np.abs(made.numpy() - wanted).max() < 1e-4 * wanted.std()


def test_facts():
    spec = describe(str(CASES[0]))
    assert (spec.family, spec.size, spec.channels) == ("progan", (16, 16), 3)
    assert (spec.latent_size, spec.w_size, spec.classes) == (18, 23, CLASSES)
    assert [layer.name for layer in spec.layers] == ["z"]
    assert not spec.noise


CONFIGURATIONS = {
    "bare": ({}, {}),
    "fading": ({"alpha": 0.3}, {"alpha": 0.3}),
    "faded": ({"alpha": 1}, {"alpha": 1}),
    "slope": ({"leakyReluLeak": 0.05}, {"slope": 0.05}),
    "tanh": ({"lossCriterion": "DCGAN"}, {"tanh": True}),
    "raw": ({"equalizedlR": False, "perChannelNormalization": False}, {"equalised": False, "normalised": False}),
    "unsaid": ({"alpha": None, "attribKeysOrder": None}, {}),
}


@pytest.mark.parametrize("depths", [(6,), (5, 4), (6, 5, 4), (24, 12, 16, 8)], ids=str)
@pytest.mark.parametrize(("config", "means"), CONFIGURATIONS.values(), ids=CONFIGURATIONS.keys())
def test_configurations(config, means, depths, tmp_path):
    state = layers(depths)
    torch.save({"avgG": state, "config": config} if config else state, tmp_path / "m.pt")
    generator = load_generator("m.pt", device="cpu", base=tmp_path)
    z = generator.latents(range(3))
    wanted = plain(state, z, **means)
    made = generator.synthesise(generator.map(z))
    assert (made - wanted).abs().max() < 1e-4 * wanted.std()
    save_native(generator, tmp_path / "m.safetensors")
    again = load_generator("m.safetensors", device="cpu", base=tmp_path)
    assert torch.equal(again.synthesise(again.map(z)), made)


class Settings:
    """What a file's configuration was made by; it stays a record."""


def test_a_configuration_that_is_an_object(tmp_path):
    state, settings = layers(), Settings()
    settings.__dict__.update(alpha=0.25, lossCriterion="MSE", leakyReluLeak=0.1)
    torch.save({"netG": layers(seed=1), "config": settings, "avgG": state}, tmp_path / "m.pt")
    generator = load_generator("m.pt", device="cpu", base=tmp_path)
    z = generator.latents([1, 2])
    wanted = plain(state, z, slope=0.1, alpha=0.25, tanh=True)
    assert (generator.synthesise(generator.map(z)) - wanted).abs().max() < 1e-5


def test_classes(tmp_path):
    generator = load_generator(str(CASES[0]), device="cpu")
    z = generator.latents(range(6))
    rows = generator.map(z, torch.arange(6)).w
    assert rows.shape == (6, 1, 23)
    torch.testing.assert_close(rows[:, 0], torch.cat([z, LABELS], dim=1))
    halves = generator.map(z, torch.full((6, 6), 1 / 6)).w[:, 0, 18:]
    torch.testing.assert_close(halves, LABELS.mean(0).expand(6, 5))
    pictures = generator.synthesise(generator.map(z[:1].expand(6, -1), torch.arange(6)))
    assert (pictures[1:] - pictures[:-1]).abs().amax(dim=(1, 2, 3)).min() > 0.05
    with pytest.raises(LatentError, match="needs a class"):
        generator.map(z)
    with pytest.raises(LatentError, match="class 6"):
        generator.map(z, torch.full((6,), 6))
    save_native(generator, tmp_path / "m.safetensors")
    again = load_generator("m.safetensors", device="cpu", base=tmp_path)
    assert again.spec.classes == CLASSES
    assert torch.equal(again.map(z, torch.arange(6)).w, rows)


def test_classes_without_names_or_with_too_many_combinations(tmp_path):
    torch.save({"avgG": layers(inputs=9), "config": {"categoryVectorDim": 3}}, tmp_path / "a.pt")
    spec = describe("a.pt", tmp_path)
    assert (spec.latent_size, spec.classes) == (6, ("0", "1", "2"))
    order = {f"a{n}": {"order": 10 - n, "values": ["yes", "no"]} for n in range(11)}
    config = {"categoryVectorDim": 22, "attribKeysOrder": order}
    torch.save({"avgG": layers(inputs=30), "config": config}, tmp_path / "b.pt")
    assert describe("b.pt", tmp_path).classes == ("yes", "no") * 11


def test_truncation_scales_z_and_leaves_the_class(tmp_path):
    generator = load_generator(str(CASES[0]), device="cpu")
    z, classes, psi = generator.latents(range(3)), torch.tensor([0, 3, 5]), torch.tensor([0.5, 1, 2])
    whole, part = generator.map(z, classes), generator.map(z, classes, psi)
    assert generator.spec.class_size == 5
    torch.testing.assert_close(part.w[:, 0, :18], z * psi[:, None])
    assert torch.equal(part.w[:, 0, 18:], LABELS[classes])
    torch.testing.assert_close(generator.w_avg, torch.cat([torch.zeros(18), LABELS.mean(0)])[None])
    changes = (generator.synthesise(part) - generator.synthesise(whole)).abs().amax(dim=(1, 2, 3))
    assert changes[1] == 0
    assert changes[[0, 2]].min() > 0.05
    with pytest.raises(ValueError, match="size"):
        generator.synthesise(whole, size=(32, 32))
    # Without classes, everything that psi scales is normalised.
    torch.save(layers((12, 8)), tmp_path / "m.pt")
    generator = load_generator("m.pt", device="cpu", base=tmp_path)
    z = generator.latents(range(3))
    whole, part = generator.map(z), generator.map(z, psi=psi)
    assert torch.equal(generator.w_avg, torch.zeros(1, 7))
    torch.testing.assert_close(part.w, whole.w * psi[:, None, None])
    torch.testing.assert_close(generator.synthesise(part), generator.synthesise(whole), atol=5e-5, rtol=0)


def test_a_batch_is_its_pictures(tmp_path):
    torch.save(layers((32, 24, 16, 16)), tmp_path / "m.pt")
    generator = load_generator("m.pt", device="cpu", base=tmp_path)
    z = generator.latents(range(5))
    made = generator.synthesise(generator.map(z))
    for n in range(5):
        torch.testing.assert_close(made[n], generator.synthesise(generator.map(z[n : n + 1]))[0], atol=5e-5, rtol=0)
    assert generator.synthesise(generator.map(z[:0])).shape == (0, 3, 32, 32)


WRONG = {
    "formatLayer.module.weight": (90, 7),
    "formatLayer.module.bias": (95,),
    "scaleLayers.0.0.module.weight": (5, 7, 3, 3),
    "scaleLayers.1.1.module.weight": (4, 4, 5, 5),
    "toRGBLayers.2.module.weight": (3, 5, 1, 1),
    "toRGBLayers.1.module.bias": (4,),
}


@pytest.mark.parametrize("name", WRONG)
def test_shapes_that_do_not_fit(name, tmp_path):
    state = layers()
    state[name] = torch.zeros(WRONG[name])
    torch.save(state, tmp_path / "m.pt")
    with pytest.raises(CheckpointError, match=name.rsplit(".", 2)[0].split(".module")[0]):
        describe("m.pt", tmp_path)


@pytest.mark.parametrize(
    "config",
    [
        *({"alpha": 1.5}, {"alpha": "much"}, {"alpha": math.nan}, {"leakyReluLeak": -1}, {"categoryVectorDim": 7}),
        *({"categoryVectorDim": -1}, {"categoryVectorDim": 2.5}, {"categoryVectorDim": True}),
    ],
)
def test_impossible_configurations(config, tmp_path):
    torch.save({"avgG": layers(), "config": config}, tmp_path / "m.pt")
    with pytest.raises(CheckpointError):
        describe("m.pt", tmp_path)


@pytest.mark.parametrize("name", sorted(layers()))
def test_missing_keys_are_named(name, tmp_path):
    state = layers()
    del state[name]
    torch.save(state, tmp_path / "m.pt")
    with pytest.raises(CheckpointError, match=f"nearest: progan.*missing {name}"):
        describe("m.pt", tmp_path)


def test_the_discriminator_of_this_layout_is_refused(tmp_path):
    network = next(found for found in read_checkpoint(CASES[0]).networks if found.where == "netD")
    state = {name: torch.from_numpy(tensor.array().copy()) for name, tensor in network.tensors.items()}
    torch.save(state, tmp_path / "d.pt")
    with pytest.raises(CheckpointError, match="this is a discriminator"):
        describe("d.pt", tmp_path)


def test_describing_loads_no_torch():
    code = (
        "import sys; from gandream.models.registry import describe; "
        f"describe({str(CASES[0])!r}); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
