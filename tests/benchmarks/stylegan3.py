"""StyleGAN3: ms per picture, a direct transcription of the paper in float32 against ours, side by side, on a CPU.

    OMP_WAIT_POLICY=PASSIVE python tests/benchmarks/stylegan3.py [--rounds 2] [--size 256] [--base 16384] [--most 512]
        [--batch 1] [--threads 2] [--radial]

The transcription scales the weights of each picture, convolves the batch as groups, and makes every step a tensor of
its own: zeros between pixels, padding, the filter along rows and along columns, the activation, the clamp, the filters
again at full size, and every second pixel of that, as Karras et al. 2021 read (section 3.2, figure 4b). ``--radial``
is configuration R: 1 x 1 convolutions, twice the channels, two-dimensional filters.
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
from gandream.models.stylegan3 import describe_network
from gandream.models.stylegan3.filters import Design
from gandream.models.stylegan3.hyperparameters import attributes, bands
from gandream.models.stylegan3.network import StyleGAN3
from gandream.models.stylegan3.plan import Convolution, SynthesisPlan, plan


def random_tensors(
    size: int, base: int, most: int, radial: bool, layers: int = 14, latent: int = 512, seed: int = 0
) -> dict[str, np.ndarray]:
    """A generator of normal weights, with its filters."""
    rng = np.random.RandomState(seed)

    def normal(*shape: int) -> np.ndarray:
        return np.asarray(rng.randn(*shape), np.float32)

    found: dict[str, np.ndarray] = {"mapping.w_avg": 0.1 * normal(latent)}
    for n in range(2):
        found[f"mapping.fc{n}.weight"], found[f"mapping.fc{n}.bias"] = 100 * normal(latent, latent), normal(latent)
    passed, kernel = bands(layers, size), 1 if radial else 3
    channels = [round(min(base / 2 / band.cutoff, most)) for band in passed[:-1]] + [3]
    kernels = [kernel] * layers + [1]
    plans = attributes(passed, 2, kernels, [(None, None)] * len(passed), radial)
    count = channels[0]
    found["synthesis.input.freqs"], found["synthesis.input.phases"] = normal(count, 2), normal(count)
    found["synthesis.input.weight"], found["synthesis.input.transform"] = normal(count, count), np.eye(3)
    found["synthesis.input.affine.weight"] = 0.1 * normal(4, latent)
    found["synthesis.input.affine.bias"] = np.array([1, 0, 0, 0], np.float32)
    inputs = count
    for number, (outputs, band, made) in enumerate(zip(channels, passed, plans, strict=True)):
        key, k = f"synthesis.L{number}_{band.size}_{outputs}", kernels[number]
        found[f"{key}.weight"], found[f"{key}.bias"] = normal(outputs, inputs, k, k), 0.1 * normal(outputs)
        found[f"{key}.affine.weight"], found[f"{key}.affine.bias"] = normal(inputs, latent), 1 + 0 * normal(inputs)
        found[f"{key}.magnitude_ema"] = np.full((), 0.8, np.float32)
        for way, side in (("up", "in"), ("down", "out")):
            if made[f"{way}_taps"] > 1:
                numbers = (made[name] for name in (f"{side}_cutoff", f"{side}_half_width", "tmp_sampling_rate"))
                design = Design(made[f"{way}_taps"], *numbers, radial=way == "down" and made["down_radial"])
                found[f"{key}.{way}_filter"] = design.make().astype(np.float32)
        inputs = outputs
    return found


def network(tensors: dict[str, np.ndarray]) -> Network:
    """These tensors as if from a file."""

    def stored(array: np.ndarray) -> StoredTensor:
        array = array.astype(np.float32)
        return StoredTensor(Storage("float32", array.size, array.tobytes), array.shape, contiguous(array.shape))

    return Network("", {name: stored(array) for name, array in tensors.items()})


def filtered(x: Tensor, taps: Tensor | None, up: int, down: int, padding: tuple[int, int, int, int]) -> Tensor:
    """Zeros between pixels, padding or cropping, the filter, every ``down``-th pixel."""
    n, c, h, w = x.shape
    x = F.pad(x.reshape(n, c, h, 1, w, 1), (0, up - 1, 0, 0, 0, up - 1)).reshape(n, c, h * up, w * up)
    left, right, top, bottom = padding
    x = F.pad(x, (max(left, 0), max(right, 0), max(top, 0), max(bottom, 0)))
    x = x[:, :, max(-top, 0) : x.shape[2] - max(-bottom, 0), max(-left, 0) : x.shape[3] - max(-right, 0)]
    if taps is not None:
        kernel = (taps * up**taps.ndim).flip(tuple(range(taps.ndim)))
        if kernel.ndim == 2:
            x = F.conv2d(x, kernel.expand(c, 1, *kernel.shape), groups=c)
        else:
            x = F.conv2d(x, kernel[None, :].expand(c, 1, 1, -1), groups=c)
            x = F.conv2d(x, kernel[:, None].expand(c, 1, -1, 1), groups=c)
    return x[:, :, ::down, ::down]


def waves(t: dict[str, Tensor], made: SynthesisPlan, w: Tensor) -> Tensor:
    """The input."""
    key, start = "synthesis.input", made.input
    weight = t[f"{key}.affine.weight"]
    move = F.linear(w, weight / math.sqrt(weight.shape[1]), t[f"{key}.affine.bias"])
    move = move / move[:, :2].norm(dim=1, keepdim=True)
    turn, shift = (torch.eye(3).repeat(len(w), 1, 1) for _ in range(2))
    turn[:, 0, 0], turn[:, 0, 1], turn[:, 1, 0], turn[:, 1, 1] = move[:, 0], -move[:, 1], move[:, 1], move[:, 0]
    shift[:, 0, 2], shift[:, 1, 2] = -move[:, 2], -move[:, 3]
    matrix = turn @ shift @ t[f"{key}.transform"]
    phases = t[f"{key}.phases"] + (t[f"{key}.freqs"] @ matrix[:, :2, 2:]).squeeze(2)
    frequencies = t[f"{key}.freqs"] @ matrix[:, :2, :2]
    heights = (1 - (frequencies.norm(dim=2) - start.bandwidth) / (start.rate / 2 - start.bandwidth)).clamp(0, 1)
    height, width = start.size
    theta = torch.eye(2, 3)
    theta[0, 0], theta[1, 1] = 0.5 * width / start.rate, 0.5 * height / start.rate
    grid = F.affine_grid(theta[None], [1, 1, height, width], align_corners=False)
    x = (grid[:, :, :, None] @ frequencies.transpose(1, 2)[:, None, None]).squeeze(3)
    x = torch.sin(2 * math.pi * (x + phases[:, None, None])) * heights[:, None, None]
    return (x @ (t[f"{key}.weight"] / math.sqrt(start.channels)).T).permute(0, 3, 1, 2)


def layer(t: dict[str, Tensor], made: Convolution, x: Tensor, w: Tensor) -> Tensor:
    """A modulated convolution and what follows it."""
    key, count = made.key, x.shape[0]
    affine, weight = t[f"{key}.affine.weight"], t[f"{key}.weight"]
    style = F.linear(w[:, made.row], affine / math.sqrt(affine.shape[1]), t[f"{key}.affine.bias"])
    if made.colours:
        style = style / math.sqrt(weight[0].numel())
    else:
        weight = weight * weight.square().mean(dim=(1, 2, 3), keepdim=True).rsqrt()
        style = style * style.square().mean().rsqrt()
    weight = weight * style[:, None, :, None, None]
    if not made.colours:
        weight = weight * (weight.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    weight = weight * t[f"{key}.magnitude_ema"].rsqrt()
    x = x.reshape(1, -1, *x.shape[2:])
    x = F.conv2d(x, weight.reshape(-1, *weight.shape[2:]), padding=made.kernel - 1, groups=count)
    x = x.reshape(count, -1, *x.shape[2:]) + t[f"{key}.bias"][:, None, None]
    x = filtered(x, t.get(f"{key}.up_filter"), made.up, 1, made.padding)
    if not made.colours:
        x = F.leaky_relu(x, 0.2) * math.sqrt(2)
    if made.clamp is not None:
        x = x.clamp(-made.clamp, made.clamp)
    return filtered(x, t.get(f"{key}.down_filter"), 1, made.down, (0, 0, 0, 0))


def transcription(t: dict[str, Tensor], made: SynthesisPlan, w: Tensor) -> Tensor:
    """Pictures of w [N, L, D], step by step."""
    x = waves(t, made, w[:, 0])
    for each in made.layers:
        x = layer(t, each, x, w)
    return x * made.scale


def main() -> None:
    parser = options(__doc__, rounds=2, size=256, base=16384, most=512)
    parser.add_argument("--radial", action="store_true")
    asked = parser.parse_args()
    more = 2 if asked.radial else 1
    arrays = random_tensors(asked.size, asked.base * more, asked.most * more, asked.radial)
    found = network(arrays)
    made, spec = plan(found), describe_network(found, Identity("random", ""))
    tensors = {name: torch.from_numpy(array.astype(np.float32)) for name, array in arrays.items()}
    nets = {
        name: StyleGAN3(spec, made, arrays, {}, torch.device("cpu"), dtype)
        for name, dtype in (("float32", None), ("bfloat16", torch.bfloat16))
    }
    w = nets["float32"].map(nets["float32"].latents(range(asked.batch))).w

    def theirs() -> Tensor:
        with torch.no_grad():
            return transcription(tensors, made.synthesis, w)

    ways = {"transcription": theirs, **{name: moving(net, w) for name, net in nets.items()}}
    print(f"StyleGAN3-{'R' if asked.radial else 'T'}, {asked.size} x {asked.size}, channel_base {asked.base}")
    compare(ways, asked.batch, asked.rounds, asked.threads)


if __name__ == "__main__":
    main()
