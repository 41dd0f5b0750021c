"""StyleGAN2: the published implementation's numbers, odd configurations, files there and back."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch
import torch.nn.functional as F
from stylegan2_reference import Reference, random_tensors

from gandream.base.errors import CheckpointError, LatentError
from gandream.models.checkpoint.safe_tensors import write_safetensors
from gandream.models.files import save_native
from gandream.models.registry import describe, load_generator

HERE = Path(__file__).parent / "data"
GOLDEN = Path(__file__).parents[3] / "shared" / "golden"
CASES = [HERE / name / "network.pkl" for name in ("clamp_chlast_r32", "resnet_r32")]
CASES += sorted(GOLDEN.glob("stylegan2_ada/*/network.pkl"))
CASES += sorted(GOLDEN.glob("stylegan3/sg2*/network.pkl"))


def stds(ours: torch.Tensor, wanted: np.ndarray) -> float:
    assert ours.dtype == torch.float32
    assert list(ours.shape) == list(wanted.shape)
    return float(np.abs(ours.numpy() - wanted).max() / wanted.std())


def native_file(path: Path, tensors: dict, attributes: dict | None = None, **more) -> Path:
    native = {"gandream": 1, "family": "stylegan2", "configuration": {"attributes": attributes or {}}, **more}
    write_safetensors(path, tensors, {"gandream": json.dumps(native)})
    return path


@pytest.mark.parametrize("file", CASES, ids=lambda file: f"{file.parts[-3]}-{file.parts[-2]}")
def test_published_numbers(file):
    generator, io = load_generator(str(file), device="cpu"), np.load(file.parent / "io.npz")
    z = torch.from_numpy(io["z"])
    classes = torch.from_numpy(io["c"]) if io["c"].shape[1] else None
    for name, psi, cutoff in (("psi1", 1, None), ("psi07", 0.7, None), ("psi05cut", 0.5, 4), ("psineg", -0.4, None)):
        assert stds(generator.map(z, classes, psi, cutoff=cutoff).w, io[f"ws_{name}"]) < 1e-5
    for name, ws, noise in (
        ("psi1_const", "psi1", "fixed"),
        ("psi1_none", "psi1", "off"),
        ("psi07", "psi07", "fixed"),
        ("psi05cut", "psi05cut", "fixed"),
        ("wplus", "wplus", "fixed"),
    ):
        assert stds(generator.synthesise(torch.from_numpy(io[f"ws_{ws}"]), noise=noise), io[f"img_{name}"]) < 1e-4


ODD = {
    "plain": {"architecture": "orig", "z": 24, "layers": 5},
    "residual": {"architecture": "resnet", "channels": (5, 7, 3)},
    "alpha": {"colours": 4, "channels": (8, 8)},
    "grey": {"colours": 1, "w": 40},
    "wide": {"const": (4, 7), "channels": (6, 4, 4, 3)},
    "classes": {"classes": 5, "z": 10, "w": 12},
    "without noise": {"noise": False},
    "without average": {"average": False, "classes": 3},
    "big kernel": {"kernel": 5, "architecture": "resnet"},
    "tiny kernel": {"kernel": 1},
    "odd filter": {"taps": (1, 2, 4), "architecture": "resnet"},
    "long filter": {"taps": (1, 2, 5, 9, 2, 1)},
    "no filter": {"taps": (1,)},
    "many channels": {"channels": (70, 70, 4)},
    "one block": {"channels": (6,)},
}


@pytest.mark.parametrize("options", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize("container", ["zip", "stream", "safetensors"])
def test_odd_configurations(options, container, tmp_path):
    tensors, file = random_tensors(**options), tmp_path / "model"
    state = {name: torch.from_numpy(np.array(array)) for name, array in tensors.items()}
    if container == "safetensors":
        safetensors.torch.save_file(state, file)
    else:
        torch.save({"g_ema": state}, file, _use_new_zipfile_serialization=container == "zip")
    spec, generator = describe(str(file)), load_generator(str(file), device="cpu")
    assert generator.spec == spec
    const, channels = options.get("const", (4, 4)), options.get("channels", (8, 6, 4))
    assert spec.size == tuple(n * 2 ** (len(channels) - 1) for n in const)
    assert (spec.latent_size, spec.channels) == (options.get("z", 16), options.get("colours", 3))
    assert len(spec.layers) == 2 * len(channels) == generator.w_avg.shape[0]
    assert spec.classes == tuple(str(n) for n in range(options.get("classes", 0)))

    z, reference = generator.latents([1, 2]), Reference(tensors)
    classes = torch.tensor([1, 2]) if spec.classes else None
    weights = F.one_hot(classes, len(spec.classes)) if classes is not None else None
    w = generator.map(z, classes).w
    wanted = reference.map(z, weights)
    assert float((w - wanted[:, None]).abs().max() / wanted.std()) < 1e-5
    w = generator.w_avg + torch.randn(2, *generator.w_avg.shape, generator=torch.Generator().manual_seed(0))
    for noise in ("fixed", "off"):
        wanted = reference.synthesise(w, noise == "fixed")
        assert float((generator.synthesise(w, noise=noise) - wanted).abs().max() / wanted.std()) < 2e-5


ACTIVATIONS = {
    "linear": (lambda x: x, 1),
    "relu": (F.relu, math.sqrt(2)),
    "tanh": (torch.tanh, 1),
    "sigmoid": (torch.sigmoid, 1),
    "elu": (F.elu, 1),
    "selu": (F.selu, 1),
    "softplus": (F.softplus, 1),
    "swish": (F.silu, math.sqrt(2)),
}


@pytest.mark.parametrize("architecture", ["skip", "resnet"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_and_clamp(name, architecture, tmp_path):
    tensors = random_tensors(architecture=architecture)
    convs = [key.removesuffix(".weight") for key in tensors if key.startswith("synthesis.b") and key.count(".") == 3]
    attributes = {
        key: {"conv_clamp": 1.2} | ({"activation": name} if "conv" in key else {}) for key in convs if "skip" not in key
    }
    generator = load_generator(str(native_file(tmp_path / "m", tensors, attributes)), device="cpu")
    w = generator.map(generator.latents([3, 4])).w
    wanted = Reference(tensors, 1.2, ACTIVATIONS[name]).synthesise(w)
    assert float((generator.synthesise(w) - wanted).abs().max() / wanted.std()) < 2e-5


def test_native_file_there_and_back(tmp_path):
    source = HERE / "clamp_chlast_r32" / "network.pkl"
    first = load_generator(str(source), device="cpu")
    file = tmp_path / "native.safetensors"
    save_native(first, file, name="faces", licence="CC0")
    again = load_generator(str(file), device="cpu")
    assert again.spec.name == "faces"
    assert again.spec.licence == "CC0"
    assert again.spec.layers == first.spec.layers
    assert again.configuration == first.configuration
    inputs = first.map(first.latents([1, 2]), psi=0.7)
    assert torch.equal(inputs.w, again.map(again.latents([1, 2]), psi=0.7).w)
    assert torch.equal(first.synthesise(inputs), again.synthesise(inputs))
    with safetensors.safe_open(file, "numpy") as opened:  # An independent reader agrees.
        assert sorted(opened.keys()) == sorted(first.tensors)
        for name in opened.keys():  # noqa: SIM118
            np.testing.assert_array_equal(opened.get_tensor(name), first.tensors[name])
    before = file.read_bytes()
    save_native(again, file)
    assert file.read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_the_configuration_is_told(tmp_path):
    for options, said in (
        ({}, "skip architecture, 2 mapping layers, channels 8 6 4"),
        ({"architecture": "orig", "layers": 5}, "plain architecture, 5 mapping layers, channels 8 6 4"),
        ({"architecture": "resnet"}, "residual architecture, 2 mapping layers, channels 8 6 4"),
    ):
        assert describe(str(native_file(tmp_path / "m", random_tensors(**options)))).configuration == said


def test_names_of_classes(tmp_path):
    names = ["rose", "tulip", "daisy"]
    file = native_file(tmp_path / "m", random_tensors(classes=3), classes=names)
    assert describe(str(file)).classes == tuple(names)
    too_few = native_file(tmp_path / "n", random_tensors(classes=3), classes=["a"])
    assert describe(str(too_few)).classes == ("0", "1", "2")


@pytest.mark.parametrize("kind", ["native", "pickle"])
def test_describe_loads_no_torch(kind, tmp_path):
    file = native_file(tmp_path / "m", random_tensors()) if kind == "native" else HERE / "resnet_r32" / "network.pkl"
    code = (
        "import sys, gandream.models.registry as r; "
        f"assert r.describe({str(file)!r}).family == 'stylegan2'; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.fixture(scope="module")
def conditional(tmp_path_factory):
    tensors = random_tensors(classes=4, channels=(24, 12, 6, 4))
    file = native_file(tmp_path_factory.mktemp("m") / "m", tensors, classes=["ash", "birch", "cedar", "elm"])
    return load_generator(str(file), device="cpu")


def test_classes(conditional):
    z = conditional.latents([1, 2])
    with pytest.raises(LatentError, match="ash, birch, cedar, elm"):
        conditional.map(z)
    numbers = conditional.map(z, torch.tensor([1, 3])).w
    weights = conditional.map(z, torch.tensor([[0.0, 1, 0, 0], [0, 0, 0, 1]])).w
    assert torch.equal(numbers, weights)
    assert torch.equal(conditional.map(z, torch.tensor(2)).w, conditional.map(z, torch.tensor([2, 2])).w)
    half = conditional.map(z, torch.tensor([[0.5, 0.5, 0, 0]])).w
    assert not torch.allclose(half, conditional.map(z, torch.tensor(0)).w, atol=1e-3)
    for wrong in (torch.tensor([4, 0]), torch.tensor([-1, 0]), torch.tensor([0.5, 1]), torch.zeros(2, 3)):
        with pytest.raises(LatentError):
            conditional.map(z, wrong)


def test_pictures_of_a_batch_are_independent(conditional):
    seeds = list(range(5))
    inputs = conditional.map(conditional.latents(seeds), torch.arange(5) % 4)
    whole = conditional.synthesise(inputs)
    for n in seeds:
        alone = conditional.synthesise(inputs.w[n : n + 1])[0]
        assert float((whole[n] - alone).abs().max() / whole.std()) < 1e-5
    assert conditional.synthesise(inputs.w[:0]).shape == (0, 3, 32, 32)
    assert torch.equal(whole, conditional.synthesise(inputs))


def test_truncation(conditional):
    z, none = conditional.latents([1, 2]), torch.tensor([0, 1])
    full, centre = conditional.map(z, none).w, conditional.w_avg
    half = conditional.map(z, none, 0.5, cutoff=3).w
    torch.testing.assert_close(half[:, :3], centre[:3] + 0.5 * (full[:, :3] - centre[:3]))
    assert torch.equal(half[:, 3:], full[:, 3:])
    each = conditional.map(z, none, torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(each.w[0], centre)
    assert torch.equal(each.w[1], full[1])
    assert each.psi.tolist() == [0, 1]


def test_what_it_refuses(conditional):
    w = conditional.map(conditional.latents([1]), torch.tensor([0])).w
    assert conditional.synthesise(w, size=(32, 32)).shape == (1, 3, 32, 32)
    with pytest.raises(ValueError, match="size"):
        conditional.synthesise(w, size=(0, 64))
    with pytest.raises(ValueError, match="transform"):
        conditional.synthesise(w, transform=torch.eye(3))
    with pytest.raises(ValueError, match="noise"):
        conditional.synthesise(w, noise="loud")
    with pytest.raises(LatentError, match=r"\[1, 3, 16\]"):
        conditional.synthesise(w[:, :3])
    with pytest.raises(LatentError, match="z has shape"):
        conditional.map(torch.zeros(1, 3))
    generator = load_generator(str(HERE / "resnet_r32" / "network.pkl"), device="cpu")
    with pytest.raises(LatentError, match="no classes"):
        generator.map(generator.latents([1]), torch.tensor([0]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"synthesis.b8.conv0.weight": (6, 9, 3, 3)}, "has shape"),
        ({"synthesis.b8.conv1.noise_const": (9, 8)}, "noise_const has shape"),
        ({"mapping.fc1.weight": (16, 17)}, "mapping.fc1.weight has shape"),
        ({"synthesis.b16.torgb.weight": (4, 4, 1, 1)}, "torgb.weight has shape"),
        ({"synthesis.b8.resample_filter": (900, 900)}, "no filter"),
        ({"synthesis.b8.conv1.affine.bias": None}, "affine.bias"),
        ({"synthesis.b4.const": None}, "nearest: stylegan2 — .* keys; missing synthesis.b4.const"),
    ],
)
def test_tensors_that_do_not_fit(change, words, tmp_path):
    tensors = random_tensors()
    for name, shape in change.items():
        if shape is None:
            del tensors[name]
        else:
            tensors[name] = np.zeros(shape, np.float32)
    write_safetensors(tmp_path / "m", tensors, {})
    with pytest.raises(CheckpointError, match=words):
        describe(str(tmp_path / "m"))


def test_weights_that_are_not_finite(tmp_path):
    tensors = random_tensors()
    tensors["synthesis.b8.conv0.weight"][0, 0] = np.nan
    write_safetensors(tmp_path / "m", tensors, {})
    (warning,) = load_generator(str(tmp_path / "m"), device="cpu").spec.warnings
    assert "infinite or no numbers, in synthesis.b8.conv0.weight" in warning


def test_a_discriminator_is_named_as_one(tmp_path):
    state = {"b4.out.weight": torch.zeros(1, 8), "b8.fromrgb.weight": torch.zeros(4, 3, 1, 1)}
    torch.save({"D": state}, tmp_path / "m")
    with pytest.raises(CheckpointError, match="discriminator"):
        describe(str(tmp_path / "m"))


def test_noise_as_a_function(conditional):
    """What a function gives for each layer comes in the place of the model's own maps, picture by picture."""
    w = conditional.map(conditional.latents([1, 2, 3]), torch.tensor([0, 1, 2])).w
    fixed, off = conditional.synthesise(w), conditional.synthesise(w, noise="off")
    asked = []

    def same(layer, height, width, own):
        asked.append((layer, height, width, tuple(own.shape)))
        return own[None, None]

    assert torch.equal(conditional.synthesise(w, noise=same), fixed)
    sides = [layer.resolution for layer in conditional.spec.layers[:-1]]
    assert asked == [(row, side, side, (side, side)) for row, side in enumerate(sides)]
    assert torch.equal(conditional.synthesise(w, noise=lambda *_: None), off)
    strengths = torch.tensor([0.0, 1.0, 0.5])[:, None, None, None]
    mixed = conditional.synthesise(w, noise=lambda layer, height, width, own: own * strengths)
    torch.testing.assert_close(mixed[0], off[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(mixed[1], fixed[1], atol=1e-5, rtol=1e-4)
    assert (mixed[2] - fixed[2]).abs().max() > 0.01
    assert conditional.spec.noise
    assert conditional.spec.w_size == conditional.w_avg.shape[1]
