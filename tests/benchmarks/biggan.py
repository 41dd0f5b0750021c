"""BigGANs: ms per picture, direct transcriptions of the papers in float32 against ours, side by side, on a CPU.

    OMP_WAIT_POLICY=PASSIVE python tests/benchmarks/biggan.py [--size 128] [--width 96] [--batch 1] [--threads 2]
        [--deep]

The transcriptions follow figures 15 and 16 of Brock et al. 2018, every step a tensor of its own, up-sampling before
convolutions; their spectral norms are divided out beforehand, as ours are, so that only the network is compared.
Without ``--deep`` it is BigGAN in Brock's layout, with it BigGAN-deep in that of the PyTorch conversion; where
``pytorch-pretrained-biggan`` is installed, all are compared to the package itself, on the same weights.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from side_by_side import Way, compare, moving, options
from torch import Tensor

from gandream.models import biggan, biggan_deep
from gandream.models.biggan.network import BigGAN
from gandream.models.biggan.plan import plan as plan_of
from gandream.models.biggan_deep.network import BigGANDeep
from gandream.models.biggan_deep.plan import plan as plan_of_deep
from gandream.models.checkpoint import Network
from gandream.models.checkpoint.records import Storage, StoredTensor, contiguous
from gandream.models.families import Identity

WIDTHS = {
    32: (4, 4, 4, 4), 64: (16, 16, 8, 4, 2), 128: (16, 16, 8, 4, 2, 1), 256: (16, 16, 8, 8, 4, 2, 1),
    512: (16, 16, 8, 8, 4, 2, 1, 1),
}  # fmt: skip
"""Channels by the size of the picture (tables 4 to 9), over the width."""
EMBED = 128


class Random:
    """Tensors of normal numbers, as large as keeps activations near 1."""

    def __init__(self, seed: int = 0):
        self.rng, self.found = np.random.RandomState(seed), {}

    def normal(self, key: str, *shape: int, scale: float = 1.0, shift: float = 0.0) -> None:
        self.found[key] = np.asarray(self.rng.standard_normal(shape) * scale + shift, np.float32)

    def weight(self, key: str, *shape: int, bias: bool = True) -> None:
        self.normal(f"{key}.weight", *shape, scale=1 / math.sqrt(math.prod(shape[1:])))
        if bias:
            self.normal(f"{key}.bias", shape[0], scale=0.1)


def plain_tensors(size: int, width: int) -> dict[str, np.ndarray]:
    """A BigGAN with hierarchical z and shared embedding."""
    made, widths = Random(), [one * width for one in WIDTHS[size]]
    chunk = 120 // len(widths)
    made.normal("shared.weight", 1000, EMBED)
    made.weight("linear", widths[0] * 16, chunk)

    def norm(key: str, channels: int) -> None:
        made.normal(f"{key}.stored_mean", channels, scale=0.1)
        made.normal(f"{key}.stored_var", channels, scale=0.05, shift=1)

    for number, (inputs, outputs) in enumerate(pairwise(widths)):
        key = f"blocks.{number}.0"
        for part, a, b, kernel in (("conv1", outputs, inputs, 3), ("conv2", outputs, outputs, 3),
                                   ("conv_sc", outputs, inputs, 1)):  # fmt: skip
            made.weight(f"{key}.{part}", a, b, kernel, kernel)
        for part, channels in (("bn1", inputs), ("bn2", outputs)):
            norm(f"{key}.{part}", channels)
            for kind in ("gain", "bias"):
                made.normal(f"{key}.{part}.{kind}.weight", channels, EMBED + chunk, scale=0.02)
        if 8 << number == min(size // 2, 64):
            made.normal(f"blocks.{number}.1.gamma", scale=0.5)
            for part, a, b in (("theta", 8, 1), ("phi", 8, 1), ("g", 2, 1), ("o", 1, 2)):
                made.weight(f"blocks.{number}.1.{part}", outputs // a, outputs // b, 1, 1, bias=False)
    norm("output_layer.0", widths[-1])
    made.normal("output_layer.0.gain", widths[-1], scale=0.1, shift=1)
    made.normal("output_layer.0.bias", widths[-1], scale=0.1)
    made.weight("output_layer.2", 3, widths[-1], 3, 3)
    return made.found


def deep_tensors(size: int, width: int) -> dict[str, np.ndarray]:
    """A BigGAN-deep with two bottlenecks for each resolution."""
    made, widths = Random(), [one * width for one in WIDTHS[size]]
    rows, condition = 51, 2 * EMBED
    made.normal("embeddings.weight", EMBED, 1000)
    made.weight("generator.gen_z", widths[0] * 16, condition)
    pairs = [(a, c) for a, b in pairwise(widths) for c in (a, b)]
    index = 0
    for number, (inputs, outputs) in enumerate(pairs):
        key = f"generator.layers.{index}"
        if number == 8:
            made.normal(f"{key}.gamma", 1, scale=0.5)
            for part, a, b in (("theta", 8, 1), ("phi", 8, 1), ("g", 2, 1), ("o_conv", 1, 2)):
                made.weight(f"{key}.snconv1x1_{part}", inputs // a, inputs // b, 1, 1, bias=False)
            index += 1
            key = f"generator.layers.{index}"
        middle = inputs // 4
        for part, (a, b, kernel) in enumerate(((middle, inputs, 1), *[(middle, middle, 3)] * 2, (outputs, middle, 1))):
            made.normal(f"{key}.bn_{part}.running_means", rows, b, scale=0.1)
            made.normal(f"{key}.bn_{part}.running_vars", rows, b, scale=0.05, shift=1)
            for kind in ("scale", "offset"):
                made.normal(f"{key}.bn_{part}.{kind}.weight", b, condition, scale=0.02)
            made.weight(f"{key}.conv_{part}", a, b, kernel, kernel)
        index += 1
    made.normal("generator.bn.running_means", rows, widths[-1], scale=0.1)
    made.normal("generator.bn.running_vars", rows, widths[-1], scale=0.05, shift=1)
    made.normal("generator.bn.weight", widths[-1], scale=0.1, shift=1)
    made.normal("generator.bn.bias", widths[-1], scale=0.1)
    made.weight("generator.conv_to_rgb", widths[-1], widths[-1], 3, 3)
    return made.found


def network_of(tensors: dict[str, np.ndarray]) -> Network:
    """As a file would hold it."""

    def stored(array: np.ndarray) -> StoredTensor:
        return StoredTensor(Storage("float32", array.size, array.tobytes), array.shape, contiguous(array.shape))

    return Network("", {name: stored(array) for name, array in tensors.items()})


class Transcription:
    """Both networks, step by step, in the published order of operations."""

    def __init__(self, tensors: dict[str, np.ndarray]):
        self.t = {name: torch.from_numpy(array) for name, array in tensors.items()}

    def conv(self, x: Tensor, key: str) -> Tensor:
        weight = self.t[f"{key}.weight"]
        return F.conv2d(x, weight, self.t.get(f"{key}.bias"), padding=weight.shape[2] // 2)

    def attend(self, x: Tensor, key: str, names: tuple[str, ...]) -> Tensor:
        theta, phi, g = (self.conv(x, f"{key}.{name}") for name in names[:3])
        phi, g = F.max_pool2d(phi, 2).flatten(2), F.max_pool2d(g, 2).flatten(2)
        beta = F.softmax(torch.bmm(theta.flatten(2).transpose(1, 2), phi), dim=-1)
        found = torch.bmm(g, beta.transpose(1, 2)).view(len(x), -1, *x.shape[2:])
        return self.t[f"{key}.gamma"] * self.conv(found, f"{key}.{names[3]}") + x

    def plain(self, z: Tensor, y: Tensor) -> Tensor:
        t, blocks = self.t, sum(name.endswith(".0.conv1.weight") for name in self.t)
        chunks, embedded = z.chunk(blocks + 1, dim=1), t["shared.weight"][y]
        x = F.linear(chunks[0], t["linear.weight"], t["linear.bias"]).view(len(z), -1, 4, 4)

        def norm(x: Tensor, key: str, condition: Tensor) -> Tensor:
            gain, bias = (F.linear(condition, t[f"{key}.{kind}.weight"])[:, :, None, None] for kind in ("gain", "bias"))
            x = F.batch_norm(x, t[f"{key}.stored_mean"], t[f"{key}.stored_var"], eps=1e-4)
            return F.relu(x * (1 + gain) + bias)

        for number in range(blocks):
            key, condition = f"blocks.{number}.0", torch.cat((embedded, chunks[number + 1]), dim=1)
            h = F.interpolate(norm(x, f"{key}.bn1", condition), scale_factor=2)
            x = F.interpolate(x, scale_factor=2)
            h = self.conv(norm(self.conv(h, f"{key}.conv1"), f"{key}.bn2", condition), f"{key}.conv2")
            x = h + self.conv(x, f"{key}.conv_sc")
            if f"blocks.{number}.1.gamma" in t:
                x = self.attend(x, f"blocks.{number}.1", ("theta", "phi", "g", "o"))
        mean, variance, gain, bias = (
            t[f"output_layer.0.{part}"] for part in ("stored_mean", "stored_var", "gain", "bias")
        )
        x = F.batch_norm(x, mean, variance, gain, bias, eps=1e-5)
        return torch.tanh(self.conv(F.relu(x), "output_layer.2"))

    def deep(self, z: Tensor, y: Tensor) -> Tensor:
        t = self.t
        condition = torch.cat((z, t["embeddings.weight"].T[y]), dim=1)
        x = F.linear(condition, t["generator.gen_z.weight"], t["generator.gen_z.bias"])
        x = x.view(len(z), 4, 4, -1).permute(0, 3, 1, 2).contiguous()

        def norm(x: Tensor, key: str) -> Tensor:
            means, variances = (t[f"{key}.running_{part}"][-1][:, None, None] for part in ("means", "vars"))
            x = (x - means) / torch.sqrt(variances + 1e-4)
            if f"{key}.weight" in t:
                return F.relu(x * t[f"{key}.weight"][:, None, None] + t[f"{key}.bias"][:, None, None])
            scale, offset = (F.linear(condition, t[f"{key}.{kind}.weight"]) for kind in ("scale", "offset"))
            return F.relu(x * (1 + scale[:, :, None, None]) + offset[:, :, None, None])

        index, number = 0, 0
        while any(name.startswith(f"generator.layers.{index}.") for name in t):
            key = f"generator.layers.{index}"
            index += 1
            if f"{key}.gamma" in t:
                x = self.attend(x, key, tuple(f"snconv1x1_{part}" for part in ("theta", "phi", "g", "o_conv")))
                continue
            h = self.conv(norm(x, f"{key}.bn_0"), f"{key}.conv_0")
            h = norm(h, f"{key}.bn_1")
            h = F.interpolate(h, scale_factor=2) if number % 2 else h
            h = self.conv(norm(self.conv(h, f"{key}.conv_1"), f"{key}.bn_2"), f"{key}.conv_2")
            h = self.conv(norm(h, f"{key}.bn_3"), f"{key}.conv_3")
            x = x[:, : h.shape[1]]
            x = h + (F.interpolate(x, scale_factor=2) if number % 2 else x)
            number += 1
        return torch.tanh(self.conv(norm(x, "generator.bn"), "generator.conv_to_rgb")[:, :3])


def packaged(tensors: dict[str, np.ndarray], size: int, width: int) -> Callable[..., Tensor] | None:
    """BigGAN-deep as ``pip install pytorch-pretrained-biggan`` has it, of these tensors; None where it isn't there."""
    if importlib.util.find_spec("pytorch_pretrained_biggan") is None:
        return None
    module = importlib.import_module("pytorch_pretrained_biggan.model")
    pairs = [(a, c) for a, b in pairwise(WIDTHS[size]) for c in (a, b)]
    blocks = [(number % 2 == 1, a, b) for number, (a, b) in enumerate(pairs)]
    model = module.BigGAN(module.BigGANConfig(output_dim=size, channel_width=width, layers=blocks)).eval()
    held = {name: torch.from_numpy(array) for name, array in tensors.items()}
    for name in model.state_dict():
        base = name.removesuffix("_orig")
        if base != name:  # spectral norm u W v, which is made 1
            matrix = held[base].flatten(1)
            u = torch.ones(len(matrix)) / len(matrix) ** 0.5
            v = matrix.T @ u
            held[name] = held.pop(base)
            held[f"{base}_u"], held[f"{base}_v"] = u, v / v.square().sum()
    model.load_state_dict(held)
    return model


def ways(size: int, width: int, batch: int, deep: bool) -> dict[str, Way]:
    """What is compared: functions that make the same pictures."""
    tensors = deep_tensors(size, width) if deep else plain_tensors(size, width)
    network, identity, cpu = network_of(tensors), Identity("random", ""), torch.device("cpu")
    theirs = Transcription(tensors)

    def ours(dtype: torch.dtype | None) -> BigGAN | BigGANDeep:
        if deep:
            spec = biggan_deep.describe_network(network, identity)
            return BigGANDeep(spec, plan_of_deep(network), tensors, cpu, dtype)
        return BigGAN(biggan.describe_network(network, identity), plan_of(network), tensors, cpu, dtype)

    nets = {"float32": ours(None), "bfloat16": ours(torch.bfloat16)}
    z, y = nets["float32"].latents(range(batch)), torch.arange(batch) * 7

    def transcribed() -> Tensor:
        with torch.no_grad():
            return theirs.deep(z, y) if deep else theirs.plain(z, y)

    inputs = nets["float32"].map(z, y)
    found: dict[str, Way] = {"transcription": transcribed}
    if deep and (model := packaged(tensors, size, width)) is not None:
        classes = F.one_hot(y, 1000).float()

        def package() -> Tensor:
            with torch.no_grad():
                return model(z, classes, 1.0)

        found = {"package": package, **found}
    return {**found, **{name: moving(net, inputs) for name, net in nets.items()}}


def main() -> None:
    parser = options(__doc__, size=128, width=0)
    parser.add_argument("--deep", action="store_true")
    asked = parser.parse_args()
    width = asked.width or (128 if asked.deep else 96)
    print(f"BigGAN{'-deep' if asked.deep else ''}, {asked.size} x {asked.size}, width {width}")
    compare(ways(asked.size, width, asked.batch, asked.deep), asked.batch, asked.rounds, asked.threads)


if __name__ == "__main__":
    main()
