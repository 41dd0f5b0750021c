"""StyleGAN2: ms per picture, a direct transcription of the papers in float32 against ours, side by side, on a CPU.

    OMP_WAIT_POLICY=PASSIVE python tests/benchmarks/stylegan2.py [--rounds 5] [--size 256] [--base 16384] [--batch 1]
        [--threads 2]

The transcription scales the weights of each picture, convolves the batch as groups, and makes every step a tensor of
its own, as equations 1 to 3 of Karras et al. 2020a read.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from side_by_side import compare, moving, options
from torch import Tensor

from gandream.models.checkpoint import Network
from gandream.models.checkpoint.records import Storage, StoredTensor, contiguous
from gandream.models.families import Identity
from gandream.models.stylegan2 import describe_network
from gandream.models.stylegan2.network import StyleGAN2
from gandream.models.stylegan2.plan import plan


def random_tensors(size: int, base: int, most: int = 512, latent: int = 512, seed: int = 0) -> dict[str, np.ndarray]:
    """A skip generator of normal weights."""
    rng = np.random.RandomState(seed)

    def normal(*shape: int) -> np.ndarray:
        return np.asarray(rng.randn(*shape), np.float32)

    found: dict[str, np.ndarray] = {"mapping.w_avg": 0.1 * normal(latent)}
    for n in range(8):
        found[f"mapping.fc{n}.weight"], found[f"mapping.fc{n}.bias"] = 100 * normal(latent, latent), normal(latent)

    def layer(key: str, inputs: int, outputs: int, kernel: int, noise: int = 0) -> None:
        found[f"{key}.weight"] = normal(outputs, inputs, kernel, kernel)
        found[f"{key}.bias"] = 0.1 * normal(outputs)
        found[f"{key}.affine.weight"], found[f"{key}.affine.bias"] = normal(inputs, latent), 1 + 0 * normal(inputs)
        if noise:
            found[f"{key}.noise_const"] = normal(noise, noise)
            found[f"{key}.noise_strength"] = np.full((), 0.1, np.float32)

    inputs = min(base // 4, most)
    found["synthesis.b4.const"] = normal(inputs, 4, 4)
    for power in range(2, int(math.log2(size)) + 1):
        side = 2**power
        outputs = min(base // side, most)
        if side > 4:
            layer(f"synthesis.b{side}.conv0", inputs, outputs, 3, side)
        layer(f"synthesis.b{side}.conv1", outputs, outputs, 3, side)
        layer(f"synthesis.b{side}.torgb", outputs, 3, 1)
        inputs = outputs
    return found


def ours(tensors: dict[str, np.ndarray], dtype: torch.dtype | None = None) -> StyleGAN2:
    """Our generator of these tensors."""

    def stored(array: np.ndarray) -> StoredTensor:
        return StoredTensor(Storage("float32", array.size, array.tobytes), array.shape, contiguous(array.shape))

    network = Network("", {name: stored(array) for name, array in tensors.items()})
    spec = describe_network(network, Identity("random", ""))
    return StyleGAN2(spec, plan(network), tensors, {}, torch.device("cpu"), dtype)


def transcription(t: dict[str, Tensor], w: Tensor) -> Tensor:
    """Pictures of w [N, L, D], step by step."""
    N = w.shape[0]
    line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    taps = torch.outer(line, line)

    def filtered(x: Tensor, before: int, after: int) -> Tensor:
        x = F.pad(x, (before, after, before, after))
        return F.conv2d(x, 4 * taps.expand(x.shape[1], 1, 4, 4), groups=x.shape[1])

    def doubled(x: Tensor) -> Tensor:
        n, c, h, width = x.shape
        spread = x.new_zeros(n, c, h, 2, width, 2)
        spread[:, :, :, 0, :, 0] = x
        return filtered(spread.reshape(n, c, 2 * h, 2 * width), 2, 1)

    def style(key: str, row: int) -> Tensor:
        weight = t[f"{key}.affine.weight"]
        return F.linear(w[:, row], weight / math.sqrt(weight.shape[1]), t[f"{key}.affine.bias"])

    def modulated(x: Tensor, key: str, s: Tensor, up: bool, demodulate: bool) -> Tensor:
        weight = t[f"{key}.weight"] * s[:, None, :, None, None]  # [N, O, I, k, k]
        if demodulate:
            weight = weight * torch.rsqrt(weight.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8)
        outputs, inputs, k = weight.shape[1], weight.shape[2], weight.shape[3]
        x = x.reshape(1, N * inputs, *x.shape[2:])
        if up:
            weight = weight.transpose(1, 2).reshape(N * inputs, outputs, k, k)
            x = F.conv_transpose2d(x, weight, stride=2, groups=N)
        else:
            x = F.conv2d(x, weight.reshape(N * outputs, inputs, k, k), padding=k // 2, groups=N)
        x = x.reshape(N, outputs, *x.shape[2:])
        return filtered(x, 1, 1) if up else x

    def layer(x: Tensor, key: str, row: int, up: bool) -> Tensor:
        x = modulated(x, key, style(key, row), up, True)
        x = x + t[f"{key}.noise_const"] * t[f"{key}.noise_strength"]
        return F.leaky_relu(x + t[f"{key}.bias"][:, None, None], 0.2) * math.sqrt(2)

    x = t["synthesis.b4.const"].expand(N, -1, -1, -1)
    picture, row, side = None, 0, 4
    while f"synthesis.b{side}.conv1.weight" in t:
        key = f"synthesis.b{side}"
        if side > 4:
            x = layer(x, f"{key}.conv0", row, True)
            row += 1
        x = layer(x, f"{key}.conv1", row, False)
        row += 1
        s = style(f"{key}.torgb", row) / math.sqrt(x.shape[1])
        colours = modulated(x, f"{key}.torgb", s, False, False) + t[f"{key}.torgb.bias"][:, None, None]
        picture = colours if picture is None else doubled(picture) + colours
        side *= 2
    assert picture is not None
    return picture


def main() -> None:
    asked = options(__doc__, size=256, base=16384).parse_args()
    arrays = random_tensors(asked.size, asked.base)
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    nets = {name: ours(arrays, dtype) for name, dtype in (("float32", None), ("bfloat16", torch.bfloat16))}
    w = nets["float32"].map(nets["float32"].latents(range(asked.batch))).w

    def theirs() -> Tensor:
        with torch.no_grad():
            return transcription(tensors, w)

    ways = {"transcription": theirs, **{name: moving(net, w) for name, net in nets.items()}}
    print(f"StyleGAN2, {asked.size} x {asked.size}, {asked.base} base channels")
    compare(ways, asked.batch, asked.rounds, asked.threads)


if __name__ == "__main__":
    main()
