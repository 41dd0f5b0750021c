"""StyleGAN2s in rosinality's layout: the published numbers, odd configurations, wrappings, old files."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from stylegan2_reference import Reference, random_tensors

from gandream.base.errors import CheckpointError
from gandream.models.files import save_native
from gandream.models.registry import describe, load_generator

HERE = Path(__file__).parent / "data" / "rosinality_cm1_r64"
GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "rosinality"
CASES = [HERE / "converted_legacy.pt", *sorted(GOLDEN.glob("*/*.pt"))]


def stds(ours: torch.Tensor, wanted) -> float:
    wanted = torch.as_tensor(wanted)
    assert list(ours.shape) == list(wanted.shape)
    return float((ours - wanted).abs().max() / wanted.std())


@pytest.mark.parametrize("file", CASES, ids=lambda file: f"{file.parts[-3]}-{file.stem}")
def test_published_numbers(file, tmp_path):
    generator, io = load_generator(str(file), device="cpu"), np.load(file.parent / "io.npz")
    z = torch.from_numpy(io["z"])
    assert stds(generator.map(z).w, io["ws_psi1"]) < 1e-5
    if file.stem != "train":  # What trains keeps no centre of w.
        for psi, name in ((0.7, "psi07"), (0, "psi0")):
            assert stds(generator.map(z, psi=psi).w, io[f"ws_{name}"]) < 1e-5
    for name in ("psi1", "psi07", "psi0", "wplus"):
        if f"img_{name}" in io:
            assert stds(generator.synthesise(torch.from_numpy(io[f"ws_{name}"])), io[f"img_{name}"]) < 1e-4
    made = generator.synthesise(torch.from_numpy(io["ws_psi1"]), noise="off")
    assert stds(made, io["img_psi1_none"]) < 1e-4
    save_native(generator, tmp_path / "native.safetensors")
    again, inputs = load_generator(str(tmp_path / "native.safetensors"), device="cpu"), generator.map(z, psi=0.5)
    assert torch.equal(again.map(z, psi=0.5).w, inputs.w)
    assert torch.equal(again.synthesise(inputs), generator.synthesise(inputs))
    assert again.spec.layers == generator.spec.layers


def rosinality(tensors: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Tensors by the names of NVIDIA's torch files as the state of a Generator; without the centre of w."""
    made = {}
    for name, array in tensors.items():
        tensor, (part, *rest) = torch.from_numpy(np.array(array)), name.split(".")
        if part == "mapping":
            if rest[0] != "w_avg":
                made[f"style.{int(rest[0][2:]) + 1}.{rest[1]}"] = tensor
            continue
        block, kind = int(np.log2(int(rest[0][1:]))) - 3, ".".join(rest[2:])
        if rest[1] == "const":
            made["input.input"] = tensor[None]
        elif rest[1] == "resample_filter":
            if block >= 0:
                made[f"to_rgbs.{block}.upsample.kernel"] = 4 * tensor
        elif rest[1] == "torgb":
            there = "to_rgb1" if block < 0 else f"to_rgbs.{block}"
            here = {"weight": (f"{there}.conv.weight", tensor[None]),
                    "bias": (f"{there}.bias", tensor[None, :, None, None]),
                    "affine.weight": (f"{there}.conv.modulation.weight", tensor),
                    "affine.bias": (f"{there}.conv.modulation.bias", tensor)}  # fmt: skip
            made |= dict([here[kind]])
        else:
            order = 2 * block + int(rest[1][-1])
            there = "conv1" if block < 0 else f"convs.{order}"
            here = {"weight": (f"{there}.conv.weight", tensor[None]), "bias": (f"{there}.activate.bias", tensor),
                    "affine.weight": (f"{there}.conv.modulation.weight", tensor),
                    "affine.bias": (f"{there}.conv.modulation.bias", tensor),
                    "noise_strength": (f"{there}.noise.weight", tensor[None]),
                    "noise_const": (f"noises.noise_{order + 1}", tensor[None, None]),
                    "resample_filter": (f"{there}.conv.blur.kernel", 4 * tensor)}  # fmt: skip
            if kind != "resample_filter" or rest[1] == "conv0":
                made |= dict([here[kind]])
    return made


ODD = {
    "usual": {},
    "narrow w": {"z": 12, "w": 12, "layers": 5},
    "one block": {"channels": (6,)},
    "many blocks": {"channels": (6, 5, 4, 3, 3)},
    "alpha": {"colours": 4},
    "wide": {"const": (4, 7)},
    "long filter": {"taps": (1, 2, 5, 9, 2, 1)},
    "short filter": {"taps": (1, 2, 1)},
}


@pytest.mark.parametrize("options", ODD.values(), ids=ODD.keys())
def test_odd_configurations(options, tmp_path):
    tensors = random_tensors(**options)
    torch.save(
        {"g_ema": rosinality(tensors), "latent_avg": torch.from_numpy(tensors["mapping.w_avg"])}, tmp_path / "m.pt"
    )
    generator, reference = load_generator(str(tmp_path / "m.pt"), device="cpu"), Reference(tensors)
    z, centre = generator.latents([1, 2]), torch.from_numpy(tensors["mapping.w_avg"])
    w = generator.map(z, psi=0.5).w
    assert stds(w, (centre + 0.5 * (reference.map(z) - centre))[:, None].expand_as(w)) < 1e-5
    for noise in ("fixed", "off"):
        assert stds(generator.synthesise(w, noise=noise), reference.synthesise(w, noise == "fixed")) < 2e-5


WRAPPINGS = {
    "plain": lambda state, average, other: state,
    "parallel": lambda state, average, other: {f"module.{name}": tensor for name, tensor in state.items()},
    "parallel, wrapped": lambda state, average, other: {
        "latent_avg": average, "g_ema": {f"module.{name}": tensor for name, tensor in state.items()}},
    "row": lambda state, average, other: {"g_ema": state, "latent_avg": average[None]},
    "inside": lambda state, average, other: state | {"latent_avg": average},
    "training": lambda state, average, other: {
        "g": other, "d": {"final_linear.0.weight": torch.zeros(3, 4)}, "g_ema": state, "g_optim": {"state": {}},
        "args": argparse.Namespace(size=16, ckpt=None), "ada_aug_p": 0.1},
}  # fmt: skip


FLAT = ("plain", "parallel", "inside")
"""Wrappings that hold tensors only, as safetensors does."""


@pytest.mark.parametrize(
    ("wrapping", "container"),
    [(name, container) for name in WRAPPINGS for container in ("zip", "stream")] + [(n, "safetensors") for n in FLAT],
)
def test_wrappings(wrapping, container, tmp_path):
    tensors, file = random_tensors(), tmp_path / "m"
    contents = WRAPPINGS[wrapping](rosinality(tensors), torch.full((16,), 2.5), rosinality(random_tensors(seed=1)))
    if container == "safetensors":
        safetensors.torch.save_file(contents, file)
    else:
        torch.save(contents, file, _use_new_zipfile_serialization=container == "zip")
    generator = load_generator(str(file), device="cpu")
    z = generator.latents([1, 2])
    w = generator.map(z).w
    assert stds(w[:, 0], Reference(tensors).map(z)) < 1e-5
    assert stds(generator.synthesise(w), Reference(tensors).synthesise(w)) < 2e-5
    if "latent_avg" in contents:
        assert generator.w_avg.unique().tolist() == [2.5]
    else:
        wanted = Reference(tensors).map(torch.from_numpy(np.random.RandomState(5).randn(20000, 16))).mean(dim=0)
        assert (generator.w_avg[0] - wanted).abs().max() < 0.1


def test_old_files_without_noise_maps(tmp_path):
    """They get some from a seed, the same each time, which carry over to gandream's own format."""
    tensors = random_tensors(const=(4, 6), channels=(16, 8, 4))
    state = {name: tensor for name, tensor in rosinality(tensors).items() if not name.startswith("noises.")}
    torch.save(state, tmp_path / "m.pt")
    generator = load_generator(str(tmp_path / "m.pt"), device="cpu")
    w = generator.map(generator.latents([1])).w
    assert stds(generator.synthesise(w, noise="off"), Reference(tensors).synthesise(w, False)) < 2e-5
    maps = [array for name, array in generator.tensors.items() if name.endswith("noise_const")]
    assert sorted(array.shape for array in maps) == [(4, 6), (8, 12), (8, 12), (16, 24), (16, 24)]
    assert len({float(array[0, 0]) for array in maps}) == 5
    assert 0.8 < np.concatenate([array.ravel() for array in maps]).std() < 1.2
    made = generator.synthesise(w)
    assert torch.equal(load_generator(str(tmp_path / "m.pt"), device="cpu").synthesise(w), made)
    save_native(generator, tmp_path / "native.safetensors")
    assert torch.equal(load_generator(str(tmp_path / "native.safetensors"), device="cpu").synthesise(w), made)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"convs.1.conv.weight": (6, 6, 3, 3)}, r"convs\.1\.conv\.weight: .* 1 is wanted in axis 0"),
        ({"convs.0.conv.weight": (1, 6, 9, 3, 3)}, r"b8\.conv0\.weight has shape"),
        ({"to_rgb1.bias": (3,)}, r"to_rgb1\.bias: "),
        ({"noises.noise_1": (1, 1, 4, 8)}, "noise_const has shape"),
        ({"convs.2.activate.bias": None}, r"nearest: stylegan2 .* missing synthesis\.b16\.conv0\.bias"),
    ],
)
def test_tensors_that_do_not_fit(change, words, tmp_path):
    state = rosinality(random_tensors()) | {name: torch.zeros(shape or ()) for name, shape in change.items()}
    torch.save({name: tensor for name, tensor in state.items() if change.get(name, 0) is not None}, tmp_path / "m.pt")
    with pytest.raises(CheckpointError, match=words):
        describe(str(tmp_path / "m.pt"))


def test_describe_loads_no_torch():
    code = (
        "import sys, gandream.models.registry as r; "
        f"assert r.describe({str(CASES[0])!r}).size == (64, 64); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
