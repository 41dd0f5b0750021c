"""A slow StyleGAN3 in float64, step by step from the paper, and random tensors and attributes of any configuration."""

from __future__ import annotations

import math

import numpy as np
import scipy.signal
import scipy.special
import torch
import torch.nn.functional as F
from torch import Tensor


def lowpass(taps, cutoff, width, rate, radial):
    """Kaiser-windowed sinc, or jinc; None where one tap is the identity."""
    if taps == 1:
        return None
    if not radial:
        return scipy.signal.firwin(taps, cutoff, width=width, fs=rate)
    beta = scipy.signal.kaiser_beta(scipy.signal.kaiser_atten(taps, width / (rate / 2)))
    window = scipy.signal.windows.kaiser(taps, beta)
    found = np.empty((taps, taps))
    for i in range(taps):
        for j in range(taps):
            r = math.hypot(i - (taps - 1) / 2, j - (taps - 1) / 2) / rate
            jinc = scipy.special.j1(2 * math.pi * cutoff * r) / (math.pi * r) if r else cutoff
            found[i, j] = jinc * window[i] * window[j]
    return found / found.sum()


def random_network(
    *,
    resolution=16,
    z=12,
    w=10,
    classes=0,
    num_layers=6,
    critical=2,
    margin=4,
    base=64,
    most=8,
    kernel=3,
    radial=False,
    filter_size=6,
    upsampling=2,
    colours=3,
    clamp=256,
    mapping=2,
    average=True,
    transform=None,
    first_cutoff=2.0,
    shape=(1, 1),
    seed=0,
):
    """Tensors by name, and the attributes of modules; ``shape`` multiplies height and width of every layer."""
    rng = np.random.RandomState(seed)

    def normal(*dims):
        return np.asarray(rng.randn(*dims), np.float32)

    last = resolution / 2
    steps = [min(n / (num_layers - critical), 1) for n in range(num_layers + 1)]
    cutoffs = [first_cutoff * (last / first_cutoff) ** step for step in steps]
    stopbands = [2**2.1 * (last * 2**0.3 / 2**2.1) ** step for step in steps]
    rates = [2 ** math.ceil(math.log2(min(2 * stop, resolution))) for stop in stopbands]
    halves = [max(stop, rate / 2) - cut for stop, rate, cut in zip(stopbands, rates, cutoffs, strict=True)]
    sizes = [rate + 2 * margin for rate in rates[:-2]] + [resolution] * 2
    channels = [round(min(base / 2 / cut, most)) for cut in cutoffs[:-1]] + [colours]

    t, attributes = {}, {}
    if classes:
        t["mapping.embed.weight"], t["mapping.embed.bias"] = normal(w, classes), normal(w)
    width = z + (w if classes else 0)
    for n in range(mapping):
        t[f"mapping.fc{n}.weight"], t[f"mapping.fc{n}.bias"] = 100 * normal(w, width), 20 * normal(w)
        width = w
    if average:
        t["mapping.w_avg"] = 0.3 * normal(w)

    def wide(size):
        return [size * shape[1], size * shape[0]]  # The published order: width, height.

    key = "synthesis.input"
    t[f"{key}.freqs"], t[f"{key}.phases"] = 1.5 * normal(channels[0], 2), normal(channels[0])
    t[f"{key}.weight"] = normal(channels[0], channels[0])
    t[f"{key}.affine.weight"], t[f"{key}.affine.bias"] = 0.3 * normal(4, w), np.array([1, 0, 0, 0], np.float32)
    if transform is not None:
        t[f"{key}.transform"] = np.asarray(transform, np.float32)
    attributes[key] = {"size": wide(sizes[0]), "sampling_rate": float(rates[0]), "bandwidth": first_cutoff}
    attributes["synthesis"] = {"output_scale": 0.25}
    for n in range(num_layers + 1):
        before, torgb = max(n - 1, 0), n == num_layers
        k = 1 if torgb else kernel
        fine = max(rates[before], rates[n]) * (1 if torgb else upsampling)
        up, down = fine // rates[before], fine // rates[n]
        up_taps, down_taps = (1 if torgb or factor == 1 else filter_size * factor for factor in (up, down))
        padding = []
        for was, now in zip(wide(sizes[before]), wide(sizes[n]), strict=True):
            total = (now - 1) * down + 1 - (was + k - 1) * up + up_taps + down_taps - 2
            padding += [(total + up) // 2, total - (total + up) // 2]
        round_one = radial and n < num_layers - critical
        key = f"synthesis.L{n}_{wide(sizes[n])[0]}_{channels[n]}"
        for way, taps, cut, half, one in (
            ("up", up_taps, cutoffs[before], halves[before], False),
            ("down", down_taps, cutoffs[n], halves[n], round_one),
        ):
            if (made := lowpass(taps, cut, 2 * half, fine, one)) is not None:
                t[f"{key}.{way}_filter"] = made.astype(np.float32)
        inputs, outputs = channels[before], channels[n]
        t[f"{key}.weight"], t[f"{key}.bias"] = normal(outputs, inputs, k, k), 0.3 * normal(outputs)
        t[f"{key}.affine.weight"], t[f"{key}.affine.bias"] = normal(inputs, w), 1 + 0.1 * normal(inputs)
        t[f"{key}.magnitude_ema"] = np.asarray(0.5 + rng.rand(), np.float32)
        attributes[key] = {
            **{"is_torgb": torgb, "up_factor": up, "down_factor": down, "padding": padding, "conv_clamp": clamp},
            **{"up_taps": up_taps, "down_taps": down_taps, "down_radial": round_one, "tmp_sampling_rate": fine},
            **{"in_cutoff": cutoffs[before], "in_half_width": halves[before]},
            **{"out_cutoff": cutoffs[n], "out_half_width": halves[n]},
        }
    return t, attributes


class Reference:
    """The whole network."""

    def __init__(self, tensors, attributes):
        self.t = {name: torch.from_numpy(np.asarray(array)).double() for name, array in tensors.items()}
        self.attributes = attributes
        names = {name.split(".")[1] for name in tensors if name.startswith("synthesis.L")}
        self.layers = [f"synthesis.{name}" for name in sorted(names, key=lambda name: int(name[1:].split("_")[0]))]

    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        def unit(x):
            return x / torch.sqrt((x**2).mean(dim=1, keepdim=True) + 1e-8)

        x, t = unit(z.double()), self.t
        if c is not None:
            weight = t["mapping.embed.weight"]
            x = torch.cat([x, unit(c.double() @ weight.T / math.sqrt(weight.shape[1]) + t["mapping.embed.bias"])], 1)
        n = 0
        while f"mapping.fc{n}.weight" in t:
            weight = t[f"mapping.fc{n}.weight"]
            x = x @ weight.T * (0.01 / math.sqrt(weight.shape[1])) + 0.01 * t[f"mapping.fc{n}.bias"]
            x = F.leaky_relu(x, 0.2) * math.sqrt(2)
            n += 1
        return x

    def style(self, key, w):
        weight = self.t[f"{key}.affine.weight"]
        return w @ weight.T / math.sqrt(weight.shape[1]) + self.t[f"{key}.affine.bias"]

    def waves(self, w, transform):
        """One picture's input, pixel by pixel of the grid."""
        t, made = self.t, self.attributes["synthesis.input"]
        (width, height), rate, band = made["size"], made["sampling_rate"], made["bandwidth"]
        if transform is None:
            transform = t.get("synthesis.input.transform", torch.eye(3).double())
        c, s, x, y = self.style("synthesis.input", w) / self.style("synthesis.input", w)[:2].norm()
        turn = torch.tensor([[c, -s, 0], [s, c, 0], [0, 0, 1]]).double()
        move = torch.tensor([[1, 0, -x], [0, 1, -y], [0, 0, 1]]).double()
        matrix = turn @ move @ transform.double()
        ys, xs = ((torch.arange(n).double() + 0.5 - n / 2) / rate for n in (height, width))
        places = torch.stack([*torch.meshgrid(xs, ys, indexing="xy"), torch.ones(height, width).double()], dim=-1)
        places = places @ matrix[:2].T  # [H, W, 2]
        angles = places @ t["synthesis.input.freqs"].T + t["synthesis.input.phases"]
        lengths = (t["synthesis.input.freqs"] @ matrix[:2, :2]).norm(dim=1)
        heights = (1 - (lengths - band) / (rate / 2 - band)).clamp(0, 1)
        x = torch.sin(2 * math.pi * angles) * heights
        weight = t["synthesis.input.weight"]
        return (x @ weight.T / math.sqrt(len(weight))).permute(2, 0, 1)[None]

    @staticmethod
    def filtered(x, taps, up, down, padding):
        N, C, H, W = x.shape
        spread = x.new_zeros(N, C, H, up, W, up)
        spread[:, :, :, 0, :, 0] = x
        x = F.pad(spread.reshape(N, C, H * up, W * up), padding)
        if taps is not None:
            kernel = torch.outer(taps, taps) if taps.ndim == 1 else taps
            kernel = up**2 * kernel.flip(0, 1)
            x = F.conv2d(x, kernel.expand(C, 1, *kernel.shape), groups=C)
        return x[:, :, ::down, ::down]

    def layer(self, key, x, w):
        """One picture's layer; styles by their own mean square."""
        t, made = self.t, self.attributes[key]
        weight, style = t[f"{key}.weight"], self.style(key, w)
        if made["is_torgb"]:
            style = style / math.sqrt(weight[0].numel())
        else:
            weight = weight / (weight**2).mean(dim=(1, 2, 3), keepdim=True).sqrt()
            style = style / (style**2).mean().sqrt()
        weight = weight * style[None, :, None, None]
        if not made["is_torgb"]:
            weight = weight / torch.sqrt((weight**2).sum(dim=(1, 2, 3), keepdim=True) + 1e-8)
        x = F.conv2d(x, weight / t[f"{key}.magnitude_ema"].sqrt(), t[f"{key}.bias"], padding=weight.shape[-1] - 1)
        x = self.filtered(x, t.get(f"{key}.up_filter"), made["up_factor"], 1, made["padding"])
        if not made["is_torgb"]:
            x = F.leaky_relu(x, 0.2) * math.sqrt(2)
        if made["conv_clamp"] is not None:
            x = x.clamp(-made["conv_clamp"], made["conv_clamp"])
        return self.filtered(x, t.get(f"{key}.down_filter"), 1, made["down_factor"], (0, 0, 0, 0))

    def synthesise(self, w: Tensor, transform: Tensor | None = None) -> Tensor:
        pictures = []
        for n, rows in enumerate(w.double()):
            x = self.waves(rows[0], transform if transform is None or transform.ndim == 2 else transform[n])
            for row, key in zip(rows[1:], self.layers, strict=True):
                x = self.layer(key, x, row)
            pictures.append(x * self.attributes["synthesis"]["output_scale"])
        return torch.cat(pictures)
