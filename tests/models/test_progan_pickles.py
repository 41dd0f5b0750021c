"""ProGANs of TensorFlow and Theano days: published numbers, and all kinds against the operations of the original."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tensorflow_pickles import Networks, stds, there_and_back

from gandream.base.errors import CheckpointError
from gandream.models.registry import describe, load_generator

HERE = Path(__file__).parent / "data"
GOLDEN = Path(__file__).parents[3] / "shared" / "golden"
PROGANS = [*HERE.glob("pgan*/network_tf.pkl"), *GOLDEN.glob("tf_legacy/pgan*/network_tf.pkl")]


@pytest.mark.parametrize("file", PROGANS, ids=lambda file: f"{file.parts[-3]}-{file.parts[-2]}")
def test_published_numbers_of_progan(file, tmp_path):
    generator, io = load_generator(str(file), device="cpu"), np.load(file.parent / "io.npz")
    made = generator.synthesise(generator.map(torch.from_numpy(io["z"])))
    assert stds(made, io["img"]) < 1e-4
    there_and_back(generator, tmp_path)


def progan_variables(depths=(6, 5, 4), inputs=7, colours=3, fused=False, seed=0, swapped=False, lod=0.0):
    """Variables of a G_paper; ``swapped`` is the order of channels that later code bases have in Conv0_up."""
    rng, last = np.random.RandomState(seed), len(depths) - 1

    def normal(*shape):
        return rng.randn(*shape).astype(np.float32)

    made = {"lod": np.float32(lod), "4x4/Dense/weight": normal(inputs, depths[0] * 16)}
    made |= {"4x4/Dense/bias": normal(depths[0]), "4x4/Conv/weight": normal(3, 3, depths[0], depths[0])}
    made |= {"4x4/Conv/bias": normal(depths[0])}
    for n, (old, new) in enumerate(pairwise(depths)):
        side = f"{8 << n}x{8 << n}"
        if fused:
            kernel = normal(3, 3, new, old)
            made[f"{side}/Conv0_up/weight"] = np.swapaxes(kernel, 2, 3) if swapped else kernel
        else:
            made[f"{side}/Conv0/weight"] = normal(3, 3, old, new)
        made[f"{side}/Conv0_up/bias" if fused else f"{side}/Conv0/bias"] = normal(new)
        made |= {f"{side}/Conv1/weight": normal(3, 3, new, new), f"{side}/Conv1/bias": normal(new)}
    for n, depth in enumerate(depths):
        made |= {
            f"ToRGB_lod{last - n}/weight": normal(1, 1, depth, colours),
            f"ToRGB_lod{last - n}/bias": normal(colours),
        }
    return made


def g_paper(
    variables, x, use_wscale=True, use_pixelnorm=True, normalize_latents=True, use_leakyrelu=True, swapped=False
):
    """The network in float64, operation by operation: Karras et al. 2018, table 2, sections 4.1, 4.2 and figure 2."""
    v = {name: torch.as_tensor(np.asarray(array)).double() for name, array in variables.items()}

    def norm(x):
        return x / (x.square().mean(1, keepdim=True) + 1e-8).sqrt()

    def end(x, name):
        x = F.leaky_relu(x + v[f"{name}/bias"][:, None, None], 0.2 if use_leakyrelu else 0.0)
        return norm(x) if use_pixelnorm else x

    def scaled(name, gain, inputs):
        return v[f"{name}/weight"] * (gain / math.sqrt(inputs) if use_wscale else 1)

    def conv(x, name, gain=2**0.5):
        kernel = v[f"{name}/weight"]
        weight = scaled(name, gain, kernel[..., 0].numel()).permute(3, 2, 0, 1)
        return F.conv2d(x, weight, padding=kernel.shape[0] // 2)

    def conv_up(x, name):
        """A transposed convolution whose 4 x 4 kernel is the sum of four shifted 3 x 3 ones."""
        weight = scaled(name, math.sqrt(2), 9 * x.shape[1])  # [3, 3, O, I]
        weight = weight.transpose(2, 3) if swapped else weight
        weight = F.pad(weight, (0, 0, 0, 0, 1, 1, 1, 1))
        weight = weight[1:, 1:] + weight[:-1, 1:] + weight[1:, :-1] + weight[:-1, :-1]
        # Every pixel writes a whole kernel, from one pixel before its place on.
        out = x.new_zeros(x.shape[0], weight.shape[2], 2 * x.shape[2] + 2, 2 * x.shape[3] + 2)
        for i in range(x.shape[2]):
            for j in range(x.shape[3]):
                out[:, :, 2 * i : 2 * i + 4, 2 * j : 2 * j + 4] += torch.einsum("ni,hwoi->nohw", x[:, :, i, j], weight)
        return out[:, :, 1:-1, 1:-1]

    def colours(x, lod):
        name = f"ToRGB_lod{lod}"
        return conv(x, name, 1.0) + v[f"{name}/bias"][:, None, None]

    last = sum(name.startswith("ToRGB") for name in v) // 2 - 1
    x = norm(x.double()) if normalize_latents else x.double()
    x = x @ scaled("4x4/Dense", math.sqrt(2) / 4, x.shape[1])
    x = end(end_first := x.view(len(x), -1, 4, 4), "4x4/Dense")
    assert end_first.shape[1] == v["4x4/Dense/bias"].shape[0]
    x = end(conv(x, "4x4/Conv"), "4x4/Conv")
    picture = colours(x, last)
    for n in range(last):
        side = f"{8 << n}x{8 << n}"
        if f"{side}/Conv0_up/weight" in v:
            x = end(conv_up(x, f"{side}/Conv0_up"), f"{side}/Conv0_up")
        else:
            x = end(conv(F.interpolate(x, scale_factor=2), f"{side}/Conv0"), f"{side}/Conv0")
        x = end(conv(x, f"{side}/Conv1"), f"{side}/Conv1")
        picture, new = F.interpolate(picture, scale_factor=2), colours(x, last - n - 1)
        picture = new + (picture - new) * (v["lod"] - (last - n - 1)).clamp(0, 1)
    return picture


PROGAN = {
    "plain": ({}, {}),
    "fused": ({"fused": True}, {}),
    "fused, as many channels": ({"fused": True, "depths": (5, 5, 5)}, {}),
    "fused, later order": ({"fused": True, "swapped": True, "depths": (5, 5, 4)}, {}),
    "one resolution": ({"depths": (5,)}, {}),
    "grey": ({"colours": 1, "depths": (8, 4)}, {}),
    "raw weights": ({"fused": True}, {"use_wscale": False}),
    "not normalised": ({}, {"use_pixelnorm": False}),
    "raw latents": ({}, {"normalize_latents": False}),
    "only latents normalised": ({}, {"use_pixelnorm": False, "normalize_latents": True}),
    "rectifiers": ({}, {"use_leakyrelu": False}),
    **{f"lod {lod}": ({"lod": lod, "depths": (6, 5, 4, 3)}, {}) for lod in (0.3, 1, 1.6, 3, 7)},
    "fused, lod": ({"lod": 0.8, "fused": True}, {}),
}


@pytest.mark.parametrize(("options", "arguments"), PROGAN.values(), ids=PROGAN.keys())
def test_progan(options, arguments, tmp_path):
    variables, network = progan_variables(**options), Networks("tfutil")
    networks = (network("G", "G_paper", progan_variables(seed=1)), network("D", "D_paper", {"lod": 0.0}),
                network("Gs", "G_paper", variables, **arguments))  # fmt: skip
    file = network.save(networks, tmp_path / "m.pkl")
    generator = load_generator(str(file), device="cpu")
    side = 4 << (len(options.get("depths", (1, 2, 3))) - 1)
    assert (generator.spec.family, generator.spec.size, generator.spec.latent_size) == ("progan", (side, side), 7)
    z = generator.latents([1, 2, 3])
    wanted = g_paper(variables, z, **arguments, swapped=options.get("swapped", False))
    assert stds(generator.synthesise(generator.map(z)), wanted) < 5e-5
    there_and_back(generator, tmp_path)


def test_progan_with_classes(tmp_path):
    variables, network = progan_variables(inputs=9), Networks("tfutil")
    file = network.save(network("Gs", "G_paper", variables, label_size=4, latent_size=5), tmp_path / "m.pkl")
    generator = load_generator(str(file), device="cpu")
    assert (generator.spec.latent_size, generator.spec.classes) == (5, ("0", "1", "2", "3"))
    z, classes = generator.latents([1, 2]), torch.tensor([3, 1])
    wanted = g_paper(variables, torch.cat([z, F.one_hot(classes, 4)], dim=1))
    assert stds(generator.synthesise(generator.map(z, classes)), wanted) < 5e-5
    there_and_back(generator, tmp_path)


def theano_arrays(variables: dict, scaled: bool, resolution: int) -> list:
    """The same network as Theano had it: in order, weights divided by a number that follows them."""
    made, doublings = [], int(np.log2(resolution)) - 2
    names = ["4x4/Dense", "4x4/Conv", *(f"{8 << n}x{8 << n}/Conv{m}" for n in range(doublings) for m in (0, 1))]
    for number, name in enumerate([*names, *(f"ToRGB_lod{n}" for n in range(doublings + 1))]):
        weight = variables[f"{name}/weight"]
        if name == "4x4/Dense":  # [I, C 16] -> [C, I, 4, 4]
            weight = np.transpose(weight.reshape(len(weight), -1, 4, 4), (1, 0, 2, 3))
        elif name.startswith("ToRGB"):
            weight = weight[0, 0]
        else:  # As true convolutions, [O, I, 3, 3].
            weight = np.transpose(weight[::-1, ::-1], (3, 2, 0, 1))
        scale = np.float32(0.5 + 0.1 * number)
        made += [weight / scale, scale] if scaled else [weight]
        made.append(variables[f"{name}/bias"])
    return made


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("depths", [(6, 5, 4), (5,)])
def test_progan_of_theano_days(scaled, depths, tmp_path):
    """Arrays without names; only what is known of their order is tested, since no such file was at hand."""
    resolution = 4 << (len(depths) - 1)

    def state(seed, lod=0.3):
        arrays = theano_arrays(progan_variables(depths, seed=seed), scaled, resolution)
        spec = {"func": "G_paper", "resolution": resolution} | ({} if scaled else {"use_wscale": False})
        return {"build_func_spec": spec, "param_values": arrays, "toplevel_params": {"cur_lod": lod}}

    network = Networks("network")
    D = network.of({"build_func_spec": {"func": "D_paper"}, "param_values": [np.zeros(3)], "toplevel_params": {}})
    file = network.save((network.of(state(1)), D, network.of(state(0))), tmp_path / "m.pkl", 2)
    generator = load_generator(str(file), device="cpu")
    z, variables = generator.latents([1, 2]), progan_variables(depths, lod=0.3)
    assert stds(generator.synthesise(generator.map(z)), g_paper(variables, z, use_wscale=False)) < 5e-5
    there_and_back(generator, tmp_path)
    short = state(0)
    short["param_values"].pop()
    with pytest.raises(CheckpointError, match=f"ToRGB_lod{len(depths) - 1} is missing"):
        describe(str(network.save(network.of(short), tmp_path / "m.pkl", 2)))
