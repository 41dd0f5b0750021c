"""StyleGAN, the first: ms per picture, a direct transcription of the paper in float32 against ours, side by side.

    OMP_WAIT_POLICY=PASSIVE python tests/benchmarks/stylegan1.py [--rounds 5] [--size 256] [--base 8192] [--batch 1]
        [--threads 2]

The transcription repeats each pixel and convolves, up to 128 pixels, and from there on up-samples by a transposed
convolution, as the original does; every step of it makes a tensor of its own.
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
from gandream.models.stylegan1 import describe_network
from gandream.models.stylegan1.network import StyleGAN1
from gandream.models.stylegan1.plan import plan

FUSED_FROM = 128


def random_tensors(size: int, base: int, most: int = 512, latent: int = 512, seed: int = 0) -> dict[str, np.ndarray]:
    """A generator of normal weights."""
    rng = np.random.RandomState(seed)

    def normal(*shape: int) -> np.ndarray:
        return np.asarray(rng.randn(*shape), np.float32)

    found: dict[str, np.ndarray] = {"mapping.w_avg": 0.1 * normal(latent)}
    for n in range(8):
        found[f"mapping.fc{n}.weight"], found[f"mapping.fc{n}.bias"] = 100 * normal(latent, latent), normal(latent)
    inputs = min(base // 2, most)
    found["synthesis.b4.const"] = normal(inputs, 4, 4)
    for power in range(2, int(math.log2(size)) + 1):
        side, outputs = 2**power, min(base // 2 ** (power - 1), most)
        for layer in ("conv0", "conv1"):
            key = f"synthesis.b{side}.{layer}"
            if (side, layer) != (4, "conv0"):
                found[f"{key}.weight"] = normal(outputs, inputs, 3, 3)
            found[f"{key}.bias"] = 0.1 * normal(outputs)
            found[f"{key}.affine.weight"] = normal(2 * outputs, latent)
            found[f"{key}.affine.bias"] = np.repeat([1.0, 0.0], outputs).astype(np.float32)
            found[f"{key}.noise_const"], found[f"{key}.noise_strength"] = normal(side, side), 0.1 * normal(outputs)
            inputs = outputs
        found[f"synthesis.b{side}.torgb.weight"] = normal(3, outputs, 1, 1)
        found[f"synthesis.b{side}.torgb.bias"] = normal(3)
    return found


def ours(tensors: dict[str, np.ndarray], dtype: torch.dtype | None = None) -> StyleGAN1:
    """Our generator of these tensors."""

    def stored(array: np.ndarray) -> StoredTensor:
        return StoredTensor(Storage("float32", array.size, array.tobytes), array.shape, contiguous(array.shape))

    network = Network("", {name: stored(array) for name, array in tensors.items()})
    spec = describe_network(network, Identity("random", ""))
    return StyleGAN1(spec, plan(network), tensors, {}, torch.device("cpu"), dtype)


def transcription(t: dict[str, Tensor], w: Tensor) -> Tensor:
    """Pictures of w [N, L, D], step by step."""
    line = torch.tensor([1.0, 2.0, 1.0]) / 4
    taps = torch.outer(line, line)[None, None]

    def scaled(key: str, gain: float) -> Tensor:
        weight = t[f"{key}.weight"]
        return weight * (gain / math.sqrt(weight[0].numel()))

    def convolved(x: Tensor, key: str, side: int) -> Tensor:
        weight = scaled(key, math.sqrt(2))
        if not key.endswith("conv0"):
            return F.conv2d(x, weight, padding=1)
        if side < FUSED_FROM:
            x = F.conv2d(x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3), weight, padding=1)
        else:
            weight = F.pad(weight.flip(2, 3).transpose(0, 1), (1, 1, 1, 1))
            weight = weight[:, :, 1:, 1:] + weight[:, :, :-1, 1:] + weight[:, :, 1:, :-1] + weight[:, :, :-1, :-1]
            x = F.conv_transpose2d(x, weight, stride=2, padding=1)
        return F.conv2d(x, taps.expand(x.shape[1], 1, 3, 3), padding=1, groups=x.shape[1])

    def finished(x: Tensor, key: str, row: int) -> Tensor:
        x = x + t[f"{key}.noise_const"] * t[f"{key}.noise_strength"][:, None, None]
        x = F.leaky_relu(x + t[f"{key}.bias"][:, None, None], 0.2)
        x = x - x.mean(dim=(2, 3), keepdim=True)
        x = x * torch.rsqrt(x.square().mean(dim=(2, 3), keepdim=True) + 1e-8)
        style = F.linear(w[:, row], scaled(f"{key}.affine", 1), t[f"{key}.affine.bias"])[:, :, None, None]
        scale, shift = style.chunk(2, dim=1)
        return x * scale + shift

    x, side, row = t["synthesis.b4.const"].expand(w.shape[0], -1, -1, -1), 4, 0
    while f"synthesis.b{side}.conv1.weight" in t:
        for layer in ("conv0", "conv1"):
            key = f"synthesis.b{side}.{layer}"
            x = finished(convolved(x, key, side) if row else x, key, row)
            row += 1
        side *= 2
    last = f"synthesis.b{side // 2}.torgb"
    return F.conv2d(x, scaled(last, 1), t[f"{last}.bias"])


def main() -> None:
    asked = options(__doc__, size=256, base=8192).parse_args()
    arrays = random_tensors(asked.size, asked.base)
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    nets = {name: ours(arrays, dtype) for name, dtype in (("float32", None), ("bfloat16", torch.bfloat16))}
    w = nets["float32"].map(nets["float32"].latents(range(asked.batch))).w

    def theirs() -> Tensor:
        with torch.no_grad():
            return transcription(tensors, w)

    print(f"StyleGAN, {asked.size} x {asked.size}, {asked.base} base channels")
    ways = {"transcription": theirs, **{name: moving(net, w) for name, net in nets.items()}}
    compare(ways, asked.batch, asked.rounds, asked.threads)


if __name__ == "__main__":
    main()
