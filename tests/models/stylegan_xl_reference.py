"""A slow StyleGAN-XL in float64, step by step from the definitions, and random networks of any configuration."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.signal
import scipy.special
import torch
import torch.nn.functional as F
from torch import Tensor

MARGIN, FILTER = 10, 6


@dataclass
class Model:
    """Tensors, the attributes of modules, and what was put in."""

    tensors: dict[str, np.ndarray]
    attributes: dict[str, dict[str, Any]]
    size: int
    latent: int
    classes: int
    layers: list[str] = field(default_factory=list)


def lowpass(taps: int, cutoff: float, width: float, rate: float, radial: bool) -> np.ndarray:
    if not radial:
        return scipy.signal.firwin(taps, cutoff, width=width, fs=rate).astype(np.float32)
    x = (np.arange(taps) - (taps - 1) / 2) / rate
    r = np.sqrt(x[:, None] ** 2 + x[None] ** 2)
    f = scipy.special.j1(2 * np.pi * cutoff * r) / (np.pi * r)
    window = np.kaiser(taps, scipy.signal.kaiser_beta(scipy.signal.kaiser_atten(taps, 2 * width / rate)))
    f = f * window[:, None] * window[None]
    return (f / f.sum()).astype(np.float32)


def progression(first: tuple[float, float], size: int, count: int) -> list[dict[str, float]]:
    """Cutoffs, half widths, rates and sizes of ``count`` + 1 layers; ``first`` is (cutoff, stopband)."""
    made = []
    for n in range(count + 1):
        share = min(n / (count - 2), 1)
        cutoff = first[0] * (size / 2 / first[0]) ** share
        stopband = first[1] * (size / 2 * 2**0.3 / first[1]) ** share
        rate = 2 ** math.ceil(math.log2(min(2 * stopband, size)))
        side = size if n >= count - 1 else rate + 2 * MARGIN
        made.append({"cutoff": cutoff, "half": max(stopband, rate / 2) - cutoff, "rate": rate, "size": side})
    return made


def random_model(
    *,
    size=16,
    count=6,
    heads=(),
    channels=6,
    z=8,
    w=12,
    classes=5,
    rows=None,
    features=7,
    depth=2,
    kernel=3,
    clamp=256.0,
    colours=3,
    average=True,
    seed=0,
) -> Model:
    """``heads`` are (layers, factor) of each step to a higher resolution; ``rows`` of the table may be too many."""
    rng = np.random.RandomState(seed)
    t: dict[str, np.ndarray] = {}
    a: dict[str, dict[str, Any]] = {}

    def normal(*shape):
        return np.asarray(rng.randn(*shape), np.float32)

    t["mapping.embed.weight"] = normal(rows or classes or 3, features)
    if classes:
        t["mapping.embed_proj.weight"], t["mapping.embed_proj.bias"] = normal(z, features), normal(z)
    width = 2 * z if classes else z
    for n in range(depth):
        t[f"mapping.fc{n}.weight"], t[f"mapping.fc{n}.bias"] = 100 * normal(w, width), 20 * normal(w)
        width = w
    if average:
        t["mapping.w_avg"] = 0.5 * normal(classes, w) if classes else 0.5 * normal(w)

    points = progression((2.0, 2**2.1), size, count)
    t["synthesis.input.freqs"], t["synthesis.input.phases"] = normal(channels, 2), normal(channels)
    t["synthesis.input.weight"] = normal(channels, channels)
    t["synthesis.input.affine.weight"] = 0.3 * normal(4, w)
    t["synthesis.input.affine.bias"] = np.asarray([1, 0.2, 0.1, -0.1], np.float32)
    t["synthesis.input.transform"] = np.asarray([[0.9, 0.1, 0.05], [-0.1, 0.9, 0.02], [0, 0, 1]], np.float32)
    a["synthesis.input"] = {"size": [points[0]["size"]] * 2, "sampling_rate": points[0]["rate"], "bandwidth": 2.0}

    layers: list[tuple[str, dict, bool]] = []  # name, what it gives, whether it is dropped by the next step

    def layer(number, before, after, inputs, outputs, last, critical):
        name, key = f"L{number}_{after['size']}_{outputs}", f"synthesis.L{number}_{after['size']}_{outputs}"
        k = 1 if last else kernel
        t[f"{key}.weight"], t[f"{key}.bias"] = normal(outputs, inputs, k, k), 0.3 * normal(outputs)
        t[f"{key}.affine.weight"], t[f"{key}.affine.bias"] = normal(inputs, w), 1 + 0.1 * normal(inputs)
        t[f"{key}.magnitude_ema"] = np.asarray(0.5 + rng.rand(), np.float32)
        rate = max(before["rate"], after["rate"]) * (1 if last else 2)
        up, down = rate // before["rate"], rate // after["rate"]
        taps = [FILTER * factor if factor > 1 and not last else 1 for factor in (up, down)]
        if taps[0] > 1:
            t[f"{key}.up_filter"] = lowpass(taps[0], before["cutoff"], 2 * before["half"], rate, False)
        if taps[1] > 1:
            radial = kernel == 1 and not critical
            t[f"{key}.down_filter"] = lowpass(taps[1], after["cutoff"], 2 * after["half"], rate, radial)
        total = (after["size"] - 1) * down + 1 - (before["size"] + k - 1) * up + sum(taps) - 2
        low = (total + up) // 2
        a[key] = {
            "is_torgb": last,
            "up_factor": up,
            "down_factor": down,
            "padding": [low, total - low, low, total - low],
            "conv_clamp": clamp,
            "up_taps": taps[0],
            "down_taps": taps[1],
        }
        layers.append((name, after, critical))

    def grow(start, points, inputs):
        before = points[0]
        for n, after in enumerate(points):
            last = n == len(points) - 1
            outputs = colours if last else max(4, channels - (start + n) // 3)
            layer(start + n, before, after, inputs, outputs, last, n >= len(points) - 3)
            before, inputs = after, outputs

    grow(0, points, channels)
    for more, factor in heads:
        for name in [name for name, _, critical in layers if critical]:
            for key in [key for key in t if key.startswith(f"synthesis.{name}.")]:
                del t[key]
            del a[f"synthesis.{name}"]
        layers[:] = [one for one in layers if not one[2]]
        name, last, _ = layers[-1]
        size *= factor
        points = progression((last["cutoff"], last["cutoff"] + last["half"]), size, more)
        points[0] |= {"rate": last["rate"], "size": last["rate"] + 2 * MARGIN}
        points[0]["half"] = max(last["cutoff"] + last["half"], last["rate"] / 2) - last["cutoff"]
        grow(len(layers) + 1, points, t[f"synthesis.{name}.weight"].shape[0])
    return Model(t, a, size, z, classes, [name for name, _, _ in layers])


class Reference:
    """The whole network in float64."""

    def __init__(self, model: Model):
        self.t = {name: torch.from_numpy(np.asarray(array)).double() for name, array in model.tensors.items()}
        self.model = model

    def dense(self, key: str, x: Tensor, rate: float = 1, act: bool = False) -> Tensor:
        weight = self.t[f"{key}.weight"] * rate / math.sqrt(x.shape[1])
        y = x @ weight.T + self.t[f"{key}.bias"] * rate
        return F.leaky_relu(y, 0.2) * math.sqrt(2) if act else y

    def map(self, z: Tensor, weights: Tensor | None = None) -> Tensor:
        """w [N, D] at psi 1; weights are of rows of the table, [N, C]."""

        def unit(x):
            return x / torch.sqrt((x**2).mean(dim=1, keepdim=True) + 1e-8)

        x = unit(z.double())
        if weights is not None:
            row = weights.double() @ self.t["mapping.embed.weight"][: weights.shape[1]]
            x = torch.cat([x, unit(self.dense("mapping.embed_proj", row, act=True))], dim=1)
        n = 0
        while f"mapping.fc{n}.weight" in self.t:
            x, n = self.dense(f"mapping.fc{n}", x, 0.01, act=True), n + 1
        return x

    def synthesise(self, w: Tensor) -> Tensor:
        """Pictures of w [N, L, D]."""
        w = w.double()
        x = self.waves(w[:, 0])
        for n, name in enumerate(self.model.layers):
            x = self.layer(f"synthesis.{name}", x, w[:, n + 1])
        return x * 0.25

    def waves(self, w: Tensor) -> Tensor:
        own, key = self.model.attributes["synthesis.input"], "synthesis.input"
        rate, (side, _) = own["sampling_rate"], own["size"]
        at = (torch.arange(side).double() + 0.5 - side / 2) / rate
        y, x = torch.meshgrid(at, at, indexing="ij")
        places = torch.stack([x, y, torch.ones_like(x)], dim=-1)  # homogeneous, [H, W, 3]
        made = []
        for c, s, tx, ty in self.dense(f"{key}.affine", w):
            norm = torch.sqrt(c**2 + s**2)
            c, s, tx, ty = c / norm, s / norm, tx / norm, ty / norm
            turn = torch.tensor([[c, -s, 0], [s, c, 0], [0, 0, 1]]).double()
            move = torch.tensor([[1, 0, -tx], [0, 1, -ty], [0, 0, 1]]).double()
            matrix = turn @ move @ self.t[f"{key}.transform"]
            seen = places @ matrix.T
            frequencies = self.t[f"{key}.freqs"]
            waves = torch.sin(2 * math.pi * (seen[..., :2] @ frequencies.T + self.t[f"{key}.phases"]))
            size = (frequencies @ matrix[:2, :2]).norm(dim=1)
            waves = waves * (1 - (size - own["bandwidth"]) / (rate / 2 - own["bandwidth"])).clamp(0, 1)
            made.append(waves @ self.t[f"{key}.weight"].T / math.sqrt(len(frequencies)))
        return torch.stack(made).permute(0, 3, 1, 2)

    def layer(self, key: str, x: Tensor, w: Tensor) -> Tensor:
        own, weight = self.model.attributes[key], self.t[f"{key}.weight"]
        style, k = self.dense(f"{key}.affine", w), weight.shape[-1]
        gain = 1 / math.sqrt(float(self.t[f"{key}.magnitude_ema"]))
        made = []
        for one, s in zip(x, style, strict=True):
            if own["is_torgb"]:
                kernel = weight * s[None, :, None, None] / math.sqrt(weight[0].numel())
            else:
                kernel = weight / torch.sqrt((weight**2).mean(dim=(1, 2, 3), keepdim=True))
                kernel = kernel * (s / torch.sqrt((style**2).mean()))[None, :, None, None]
                kernel = kernel / torch.sqrt((kernel**2).sum(dim=(1, 2, 3), keepdim=True) + 1e-8)
            made.append(F.conv2d(one[None], kernel * gain, padding=k - 1)[0])
        x = torch.stack(made) + self.t[f"{key}.bias"][:, None, None]
        x = self.filtered(self.zeros_between(x, own["up_factor"]), own["padding"], f"{key}.up_filter", own["up_factor"])
        x = x if own["is_torgb"] else F.leaky_relu(x, 0.2) * math.sqrt(2)
        x = x.clamp(-own["conv_clamp"], own["conv_clamp"]) if own["conv_clamp"] else x
        return self.filtered(x, [0] * 4, f"{key}.down_filter", 1)[..., :: own["down_factor"], :: own["down_factor"]]

    @staticmethod
    def zeros_between(x: Tensor, up: int) -> Tensor:
        n, c, h, w = x.shape
        y = x.new_zeros(n, c, h * up, w * up)
        y[..., ::up, ::up] = x
        return y

    def filtered(self, x: Tensor, padding: list[int], name: str, up: int) -> Tensor:
        """Padded (or cropped), convolved, with the gain up^2."""
        x = F.pad(x, padding)
        taps = self.t.get(name)
        if taps is None:
            return x
        kernels = [taps.flip(0, 1)] if taps.ndim == 2 else [taps.flip(0)[:, None], taps.flip(0)[None]]
        for kernel in kernels:
            x = F.conv2d(x.flatten(0, 1)[:, None], kernel[None, None]).unflatten(0, x.shape[:2])[:, :, 0]
        return x * up**2
