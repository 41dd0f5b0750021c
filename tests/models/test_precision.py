"""Half precision looks the same as float32 in every family that has it, and what is computed once is the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from biggan_reference import Kind, random_state
from stylegan2_reference import random_tensors

from gandream.base.errors import CheckpointError
from gandream.models.attention import attended
from gandream.models.bending import Bend
from gandream.models.checkpoint.safe_tensors import write_safetensors
from gandream.models.masks import Mask
from gandream.models.noise import LayerNoise, NoiseMaps, Setting
from gandream.models.precision import chosen, dtype_of, multiplies_bfloat16, pays
from gandream.models.reduced import Packed
from gandream.models.regions import LatentRegion
from gandream.models.registry import describe, load_generator
from gandream.models.spec import Inputs
from gandream.models.stylegan2.resample import Low, interleaved, phases

DATA = Path(__file__).parent / "data"
GOLDEN = Path(__file__).parents[3] / "shared" / "golden"
FILES = [DATA / name / "network.pkl" for name in ("clamp_chlast_r32", "resnet_r32", "r_cond_r64_transform")]
FILES += [
    file
    for folder in ("stylegan2_ada", "stylegan3", "stylegan_xl", "tf_legacy", "biggan_deep_hf", "biggan_ajbrock")
    for name in ("network.pkl", "sg1*/network_tf.pkl", "pytorch_model.bin", "G_ema.pth")
    for file in sorted(GOLDEN.glob(f"{folder}/{name}" if "/" in name else f"{folder}/*/{name}"))
]
LEAST = 45
"""dB, of display values."""


def psnr(pictures: torch.Tensor, reference: torch.Tensor) -> float:
    """Pictures of random weights are scaled to a deviation of a half, as those of trained ones have."""
    shown = [(127.5 * one / (2 * reference.std()) + 127.5).round().clamp(0, 255) for one in (pictures, reference)]
    return float(10 * torch.log10(255**2 / (shown[0] - shown[1]).square().mean()))


def stylegan2(path: Path, **more) -> str:
    native = {"gandream": 1, "family": "stylegan2", "configuration": {"attributes": {}}}
    write_safetensors(path, random_tensors(**more), {"gandream": json.dumps(native)})
    return str(path)


def inputs_of(generator, count: int, psi: float = 0.8) -> Inputs:
    classes = torch.arange(count) % len(generator.spec.classes) if generator.spec.classes else None
    return generator.map(generator.latents(range(count)), classes, psi)


def looks_the_same(source: str, dtype: torch.dtype, **more) -> None:
    exact, reduced = load_generator(source, "cpu"), load_generator(source, "cpu", dtype)
    for count in (1, 3):
        inputs = inputs_of(exact, count)
        made = reduced.synthesise(inputs, **more)
        assert made.dtype == torch.float32
        assert made.is_contiguous()
        wanted = exact.synthesise(inputs, **more)
        assert psnr(made, wanted) >= LEAST
        assert not torch.equal(made, wanted)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parts[-3]}-{file.parts[-2]}")
def test_files(file):
    looks_the_same(str(file), torch.bfloat16)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"architecture": "resnet"},
        {"taps": (1, 5, 3, 2)},
        {"const": (4, 6), "channels": (40, 24, 16)},
        {"kernel": 1},
    ],
    ids=str,
)
def test_stylegan2_of_any_kind(tmp_path, dtype, more):
    looks_the_same(stylegan2(tmp_path / "m.safetensors", **more), dtype)


@pytest.mark.parametrize(
    "kind", [Kind(), Kind(hier=False, attention=()), Kind(widths=(16, 16, 8, 8), depth=2, attention=(3,))]
)
def test_biggan_of_any_kind(tmp_path, kind):
    torch.save(random_state(kind), tmp_path / "G_ema.pth")
    looks_the_same(str(tmp_path / "G_ema.pth"), torch.bfloat16)


def test_biggan_deep(biggan_deep_file):
    looks_the_same(str(biggan_deep_file), torch.bfloat16)


def test_with_everything_that_touches_layers(tmp_path):
    source = stylegan2(tmp_path / "m.safetensors", channels=(24, 24, 24, 16))
    exact, reduced = load_generator(source, "cpu"), load_generator(source, "cpu", torch.bfloat16)
    inputs, count = inputs_of(exact, 3), 3
    layers = len(exact.spec.layers)
    setting = Setting("animate", np.ones(layers, bool), np.full(count, 0.7), np.arange(count) / 3)
    noise = LayerNoise(NoiseMaps(torch.device("cpu")), [setting])
    bend = Bend("multiply", frozenset(range(layers - 1)), {"multiply": np.full(count, 0.8)}, np.ones(count),
                np.array([True, False, True]))  # fmt: skip
    inputs = Inputs(inputs.w, inputs.psi, (LatentRegion(inputs.w.flip(0), Mask("left"), torch.full((count,), 0.5)),))
    ways: list[dict[str, Any]] = [{"noise": noise}, {"noise": "off"}, {"bend": [bend]}, {"size": (48, 40)}]
    for more in ways:
        assert psnr(reduced.synthesise(inputs, **more), exact.synthesise(inputs, **more)) >= LEAST
    for layer in range(len(exact.spec.shown)):
        made, wanted = (one.synthesise(inputs, layer=layer) for one in (reduced, exact))
        assert made.dtype == torch.float32
        assert (made - wanted).std() < 0.02 * wanted.std()


def test_exact_is_float32(tmp_path):
    source = stylegan2(tmp_path / "m.safetensors")
    default, exact = load_generator(source, "cpu"), load_generator(source, "cpu", torch.float32)
    assert torch.equal(default.synthesise(inputs_of(default, 2)), exact.synthesise(inputs_of(default, 2)))
    with pytest.raises(CheckpointError, match="float64"):
        load_generator(source, "cpu", torch.float64)


def test_words():
    assert chosen("exact", "cpu", reducible=True) == chosen("exact", "cuda", reducible=True) == "float32"
    assert chosen("auto", "cpu", reducible=False) == chosen("auto", "cuda", reducible=False) == "float32"
    assert chosen("auto", "cuda", reducible=True) == "float16"
    assert chosen("auto", "cpu", reducible=True) == ("bfloat16" if multiplies_bfloat16() else "float32")
    assert dtype_of("bfloat16") == torch.bfloat16


@pytest.mark.skipif(not hasattr(torch.cpu, "_is_avx512_bf16_supported"), reason="this torch doesn't say")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="flags are read from Linux")
def test_the_processor_is_asked_without_torch():
    code = "import sys; from gandream.models.precision import *; print(multiplies_bfloat16(), 'torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    torch_says = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    assert found == [str(torch_says), "False"]


def test_small_models_stay_exact(tmp_path):
    assert not describe(stylegan2(tmp_path / "small.safetensors")).reducible
    assert describe(stylegan2(tmp_path / "wide.safetensors", channels=(128, 128, 128))).reducible
    assert not pays([(8, 512), (64, 64)])


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("taps", [None, (1.0,), (1.0, 2.0, 1.0), (1.0, 5.0, 3.0, 2.0), (1.0, 4.0, 6.0, 4.0, 1.0)])
def test_doubling_and_its_filter_are_one_convolution(kernel, taps):
    random = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(*shape, generator=random) for shape in ((2, 5, 6, 7), (3, 5, kernel, kernel)))
    if taps is None:
        filters = np.asarray([[1.0, 2.0, 0.5], [0.0, 3.0, 1.0]], np.float32)  # no product, and not square
    else:
        filters = np.asarray(taps, np.float32)
    low = Low(filters, 3, torch.device("cpu"))
    wanted = low.after_transposed(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), kernel, None)
    folded = phases(weight, filters)
    noise = torch.randn(1, 1, 12, 14, generator=random)
    y = F.conv2d(x, folded, padding=folded.shape[2] // 2)
    torch.testing.assert_close(interleaved(y), wanted, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(interleaved(y, noise), wanted + noise, atol=1e-4, rtol=1e-4)


def test_attention_keeps_what_decides():
    random = torch.Generator().manual_seed(0)
    x = torch.randn(2, 32, 8, 8, generator=random).contiguous(memory_format=torch.channels_last)
    convs = [torch.randn(outputs, inputs, 1, 1, generator=random) / inputs**0.5
             for outputs, inputs in ((4, 32), (4, 32), (16, 32), (32, 16))]  # fmt: skip
    convs[0] = convs[0] * 30  # large exponents: one place takes nearly all
    exact, reduced = attended(x, convs) - x, attended(x, convs, torch.bfloat16) - x
    assert (exact - reduced).std() < 0.01 * exact.std()
    coarse = [conv.bfloat16().float() for conv in convs]
    assert (exact - reduced).std() < (exact - (attended(x.bfloat16().float(), coarse) - x)).std() / 2


def test_packed_weights_serve_any_shape():
    random = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(24, 20, 3, 3, generator=random).bfloat16(), torch.randn(24, generator=random).bfloat16()
    convolve = Packed(weight, 1)
    for shape in ((1, 20, 16, 16), (3, 20, 16, 16), (1, 20, 9, 30), (1, 20, 16, 16)):
        x = torch.randn(*shape, generator=random).bfloat16().contiguous(memory_format=torch.channels_last)
        wanted = F.conv2d(x.float(), weight.float(), bias.float(), padding=1)
        assert (convolve(x, bias).float() - wanted).std() < 0.005 * wanted.std()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", ["", pytest.param("r_cond_r64_transform", marks=pytest.mark.slow)])
def test_first_layers_are_computed_once(tmp_path, dtype, name):
    source = str(DATA / name / "network.pkl") if name else stylegan2(tmp_path / "m.safetensors")
    fresh = load_generator(source, "cpu", dtype)
    w = inputs_of(fresh, 6).w
    for alike in range(0, w.shape[1] + 1, 6 if name else 1):
        mixed = w.clone()
        mixed[:, :alike] = w[:1, :alike]
        warm = load_generator(source, "cpu", dtype)
        made = [warm.synthesise(mixed[part]) for part in (slice(3), slice(3, 6), slice(3))]
        assert torch.equal(made[0], made[2])
        assert torch.equal(made[1], load_generator(source, "cpu", dtype).synthesise(mixed[3:]))
        other = warm.synthesise(w[3:])  # and nothing is left of them where styles change
        assert torch.equal(other, load_generator(source, "cpu", dtype).synthesise(w[3:]))


@pytest.mark.slow
def test_a_camera_that_moves_is_followed():
    source = str(DATA / "r_cond_r64_transform" / "network.pkl")
    warm = load_generator(source, "cpu")
    w = inputs_of(warm, 1).w.expand(2, -1, -1)
    turned = torch.eye(3)[None].repeat(2, 1, 1)
    turned[1, 0, 2] = 0.1
    for transform in (None, None, turned[:1], turned, turned[1:], turned[1:], None):
        wanted = load_generator(source, "cpu").synthesise(w, transform=transform)
        assert torch.equal(warm.synthesise(w, transform=transform), wanted)


def test_first_layers_follow_what_else_changes(tmp_path):
    source = stylegan2(tmp_path / "m.safetensors")
    warm = load_generator(source, "cpu")
    w = inputs_of(warm, 1).w.expand(2, -1, -1)
    count, layers = 2, w.shape[1]
    still = Setting("fixed", np.ones(layers, bool), np.full(count, 0.5), np.zeros(count))
    moving = Setting("animate", np.ones(layers, bool), np.ones(count), np.array([0.2, 0.6]))
    bend = Bend("multiply", frozenset({1}), {"multiply": np.full(count, 0.5)}, np.ones(count), np.ones(count, bool))
    noises: list[dict[str, Any]] = [
        {"noise": LayerNoise(NoiseMaps(torch.device("cpu")), [one])} for one in (still, moving)
    ]
    others: list[dict[str, Any]] = [{"bend": [bend]}, {"noise": "off"}, {"size": (40, 16)}, {"size": (40, 16)}]
    for more in ({}, {}, *noises, *noises, *others, {}):
        assert torch.equal(warm.synthesise(w, **more), load_generator(source, "cpu").synthesise(w, **more))
