"""DCGAN: the layout of PyTorch's example, in all its wrappings, and a trained one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import nn

from gandream.base.errors import CheckpointError, LatentError
from gandream.base.hashing import file_fingerprint
from gandream.models.files import save_native
from gandream.models.registry import describe, load_generator

WHEEL = "gan-face-generate==1.1.1"
SHA256 = "0c3b90b138cfc4e8a73310b9fd5ce2a8f1f3a542a037de277412307fcd28771f"


class Example(nn.Module):
    """The example's generator, of any size."""

    def __init__(self, channels=(12, 16, 8, 3), bias=False):
        super().__init__()
        parts: list[nn.Module] = []
        for n, (inputs, outputs) in enumerate(pairwise(channels)):
            parts.append(nn.ConvTranspose2d(inputs, outputs, 4, 2 if n else 1, 1 if n else 0, bias=bias))
            parts += [nn.BatchNorm2d(outputs), nn.ReLU(True)] if n + 2 < len(channels) else [nn.Tanh()]
        self.main = nn.Sequential(*parts)
        for part in parts:
            if isinstance(part, nn.BatchNorm2d):
                nn.init.normal_(part.weight, 1, 0.3)
                nn.init.normal_(part.bias, 0, 0.3)
                nn.init.normal_(part.running_mean, 0, 0.3)
                nn.init.uniform_(part.running_var, 0.5, 2)

    def forward(self, z):
        return self.main(z[:, :, None, None])


@pytest.fixture
def example():
    torch.manual_seed(0)
    return Example().eval()


WRAPPINGS = {
    "bare": lambda state: state,
    "netG_state_dict": lambda state: {"epoch": 3, "netG_state_dict": state, "lr": 2e-4},
    "state_dict": lambda state: {"state_dict": state},
    "generator": lambda state: {"generator": state, "discriminator": {"main.0.weight": torch.zeros(8, 3, 4, 4)}},
    "module": lambda state: {f"module.{key}": value for key, value in state.items()},
    "netG": lambda state: {f"netG.{key}": value for key, value in state.items()} | {"netD.main.0.bias": torch.zeros(2)},
    "twice": lambda state: {"model": {f"generator.module.{key}": value for key, value in state.items()}},
    "half": lambda state: {key: value.half() if value.is_floating_point() else value for key, value in state.items()},
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS.keys())
def test_wrappings(wrap, stream, example, tmp_path):
    torch.save(wrap(example.state_dict()), tmp_path / "m.tar", _use_new_zipfile_serialization=not stream)
    spec = describe("m.tar", tmp_path)
    assert (spec.family, spec.size, spec.channels, spec.latent_size) == ("dcgan", (16, 16), 3, 12)
    assert len(spec.layers) == 1
    generator = load_generator("m.tar", device="cpu", base=tmp_path)
    z = generator.latents([1, 2, 3])
    made, wanted = generator.synthesise(generator.map(z)), example(z).detach()
    assert (made - wanted).abs().max() < (2e-6 if wrap is not WRAPPINGS["half"] else 5e-3)


@pytest.mark.parametrize("channels", [(5, 4, 1), (100, 8, 16, 8, 4), (3, 2, 2, 2, 2, 2, 3)])
def test_sizes_and_native_file(channels, tmp_path):
    network = Example(channels, bias=True).eval()
    torch.save(network.state_dict(), tmp_path / "m.pth")
    generator = load_generator("m.pth", device="cpu", base=tmp_path)
    assert generator.spec.size == (2 ** len(channels),) * 2
    save_native(generator, tmp_path / "m.safetensors")
    again = load_generator("m.safetensors", device="cpu", base=tmp_path)
    z = generator.latents([4, 5])
    assert torch.equal(generator.synthesise(generator.map(z)), again.synthesise(again.map(z)))
    assert (again.synthesise(again.map(z)) - network(z)).abs().max() < 2e-6
    assert again.spec.layers == generator.spec.layers


def test_truncation_and_batches(example, tmp_path):
    torch.save(example.state_dict(), tmp_path / "m")
    generator = load_generator("m", device="cpu", base=tmp_path)
    z = generator.latents(range(4))
    torch.testing.assert_close(generator.map(z, psi=0.5).w[:, 0], 0.5 * z)
    assert torch.equal(generator.w_avg, torch.zeros(1, 12))
    whole = generator.synthesise(generator.map(z))
    for n in range(4):
        torch.testing.assert_close(whole[n], generator.synthesise(generator.map(z[n : n + 1]))[0], atol=1e-5, rtol=0)
    with pytest.raises(LatentError, match="no classes"):
        generator.map(z, torch.tensor([0, 0, 0, 0]))
    with pytest.raises(ValueError, match="size"):
        generator.synthesise(generator.map(z), size=(32, 32))


def test_a_discriminator_of_this_layout_is_refused(tmp_path):
    network = nn.Module()
    network.main = nn.Sequential(
        nn.Conv2d(3, 8, 4, 2, 1), nn.LeakyReLU(), nn.Conv2d(8, 8, 4, 2, 1), nn.BatchNorm2d(8), nn.Conv2d(8, 1, 4)
    )
    torch.save(network.state_dict(), tmp_path / "d.pth")
    with pytest.raises(CheckpointError, match="nearest: dcgan"):
        describe("d.pth", tmp_path)


@pytest.fixture(scope="module")
def faces():
    """The trained file, from PyPI by way of a cache outside of the project: its data may not be passed on."""
    cache = Path(os.environ.get("GANDREAM_TEST_CACHE", Path(tempfile.gettempdir()) / "gandream-test-models"))
    file = cache / "faces64-weights.tar"
    if not file.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--timeout", "5", "--retries", "0"]
        with tempfile.TemporaryDirectory() as folder:
            try:
                subprocess.run([*pip, "-d", folder, WHEEL], check=True, capture_output=True, timeout=40)
            except (OSError, subprocess.SubprocessError):
                pytest.skip(f"{WHEEL} can't be fetched here")
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
                part = file.with_name(f"{file.name}.{os.getpid()}")
                part.write_bytes(wheel.read("gan_face_generate/weights.tar"))
                os.replace(part, file)
    assert file_fingerprint(file) == SHA256
    return file


def test_a_trained_one(faces):
    generator = load_generator(str(faces), device="cpu")
    assert (generator.spec.family, generator.spec.size, generator.spec.latent_size) == ("dcgan", (64, 64), 100)
    z = generator.latents(range(16))
    made = generator.synthesise(generator.map(z))
    state = torch.load(faces, map_location="cpu", weights_only=True)["netG_state_dict"]
    network = Example((100, 512, 256, 128, 64, 3)).eval()
    network.load_state_dict(state)
    assert (made - network(z).detach()).abs().max() < 1e-5
    # Pictures, not noise: neighbouring pixels are alike, different seeds are not.
    assert (made[..., 1:] - made[..., :-1]).abs().mean() < 0.3 * made.std()
    assert (made[1:] - made[:-1]).abs().mean() > 0.3 * made.std()
