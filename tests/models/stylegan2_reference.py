"""A slow StyleGAN2 in float64, step by step from the definitions, and random tensors of any configuration."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def random_tensors(
    *,
    z=16,
    w=16,
    layers=2,
    classes=0,
    channels=(8, 6, 4),
    colours=3,
    const=(4, 4),
    architecture="skip",
    kernel=3,
    taps=(1, 3, 3, 1),
    noise=True,
    average=True,
    seed=0,
) -> dict[str, np.ndarray]:
    rng = np.random.RandomState(seed)

    def normal(*shape):
        return np.asarray(rng.randn(*shape), np.float32)

    t = {}
    line = np.asarray(taps, np.float32) / sum(taps)
    filters = np.outer(line, line)
    if classes:
        t["mapping.embed.weight"], t["mapping.embed.bias"] = normal(w, classes), normal(w)
    width = z + (w if classes else 0)
    for n in range(layers):
        t[f"mapping.fc{n}.weight"], t[f"mapping.fc{n}.bias"] = 100 * normal(w, width), 20 * normal(w)
        width = w
    if average:
        t["mapping.w_avg"] = 0.3 * normal(w)

    def layer(key, inputs, outputs, k):
        t[f"{key}.weight"], t[f"{key}.bias"] = normal(outputs, inputs, k, k), 0.3 * normal(outputs)
        t[f"{key}.affine.weight"], t[f"{key}.affine.bias"] = normal(inputs, w), 1 + 0.1 * normal(inputs)

    inputs = channels[0]
    t["synthesis.b4.const"] = normal(inputs, *const)
    for number, outputs in enumerate(channels):
        key, (height, width) = f"synthesis.b{4 * 2**number}", (n * 2**number for n in const)
        t[f"{key}.resample_filter"] = filters
        for name in ("conv0", "conv1")[0 if number else 1 :]:
            layer(f"{key}.{name}", inputs if name == "conv0" else outputs, outputs, kernel)
            t[f"{key}.{name}.resample_filter"] = filters
            if noise:
                t[f"{key}.{name}.noise_const"] = normal(height, width)
                t[f"{key}.{name}.noise_strength"] = np.asarray(0.3 + 0.1 * number, np.float32)
        if architecture == "skip" or number == len(channels) - 1:
            layer(f"{key}.torgb", outputs, colours, 1)
        if architecture == "resnet" and number:
            t[f"{key}.skip.weight"], t[f"{key}.skip.resample_filter"] = normal(outputs, inputs, 1, 1), filters
        inputs = outputs
    return t


class Reference:
    """The whole network; ``clamp`` is conv_clamp, ``act`` the activation of convolutions (a torch function, gain)."""

    def __init__(self, tensors, clamp=math.inf, act=None):
        self.t = {name: torch.from_numpy(np.asarray(array)).double() for name, array in tensors.items()}
        self.clamp = clamp
        self.act, self.gain = act or (lambda x: F.leaky_relu(x, 0.2), math.sqrt(2))

    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        def unit(x):
            return x / torch.sqrt((x**2).mean(dim=1, keepdim=True) + 1e-8)

        x, t = unit(z.double()), self.t
        if c is not None:
            weight = t["mapping.embed.weight"]
            y = c.double() @ weight.T / math.sqrt(weight.shape[1]) + t["mapping.embed.bias"]
            x = torch.cat([x, unit(y)], dim=1)
        n = 0
        while f"mapping.fc{n}.weight" in t:
            weight = t[f"mapping.fc{n}.weight"]
            x = x @ weight.T * (0.01 / math.sqrt(weight.shape[1])) + 0.01 * t[f"mapping.fc{n}.bias"]
            x = F.leaky_relu(x, 0.2) * math.sqrt(2)
            n += 1
        return x

    def double(self, x: Tensor, taps: Tensor, weight: Tensor | None = None) -> Tensor:
        """Zeros between pixels, then true convolutions with ``weight`` [N, O, I, k, k] and with the filter."""
        N, C, H, W = x.shape
        n, k = taps.shape[0], 1 if weight is None else weight.shape[-1]
        spread = x.new_zeros(N, C, H, 2, W, 2)
        spread[:, :, :, 0, :, 0] = x
        before, after = k // 2 + (n + 1) // 2, k // 2 + (n - 2) // 2
        x = F.pad(spread.reshape(N, C, 2 * H, 2 * W), (before, after, before, after))
        if weight is not None:
            x = torch.stack([F.conv2d(x[i : i + 1], weight[i].flip(-1, -2))[0] for i in range(N)])
        kernel = 4 * taps.flip(0, 1).expand(x.shape[1], 1, n, n)
        return F.conv2d(x, kernel, groups=x.shape[1])

    def style(self, key: str, w: Tensor) -> Tensor:
        weight = self.t[f"{key}.affine.weight"]
        return w @ weight.T / math.sqrt(weight.shape[1]) + self.t[f"{key}.affine.bias"]

    def layer(self, key: str, x: Tensor, w: Tensor, up: bool, noise: bool, extra: float) -> Tensor:
        t = self.t
        weight = t[f"{key}.weight"][None] * self.style(key, w)[:, None, :, None, None]
        weight = weight / torch.sqrt((weight**2).sum(dim=(2, 3, 4), keepdim=True) + 1e-8)
        if up:
            x = self.double(x, t[f"{key}.resample_filter"], weight)
        else:
            pad = weight.shape[-1] // 2
            x = torch.stack([F.conv2d(x[i : i + 1], weight[i], padding=pad)[0] for i in range(len(x))])
        if noise and f"{key}.noise_const" in t:
            x = x + t[f"{key}.noise_const"] * t[f"{key}.noise_strength"]
        x = self.act(x + t[f"{key}.bias"][:, None, None]) * self.gain * extra
        return x.clamp(-self.clamp * extra, self.clamp * extra)

    def synthesise(self, w: Tensor, noise=True) -> Tensor:
        t, w = self.t, w.double()
        x, picture, row = t["synthesis.b4.const"].expand(len(w), -1, -1, -1), None, 0
        side = 4
        while (key := f"synthesis.b{side}") and f"{key}.conv1.weight" in t:
            before, extra = x, math.sqrt(0.5) if f"{key}.skip.weight" in t else 1.0
            if side > 4:
                x = self.layer(f"{key}.conv0", x, w[:, row], True, noise, 1.0)
                row += 1
            x = self.layer(f"{key}.conv1", x, w[:, row], False, noise, extra)
            row += 1
            if f"{key}.skip.weight" in t:
                weight = t[f"{key}.skip.weight"]
                y = F.conv2d(before, weight / math.sqrt(weight.shape[1]))
                x = x + extra * self.double(y, t[f"{key}.skip.resample_filter"])
            if picture is not None:
                picture = self.double(picture, t[f"{key}.resample_filter"])
            if f"{key}.torgb.weight" in t:
                s = self.style(f"{key}.torgb", w[:, row]) / math.sqrt(x.shape[1])
                weight = t[f"{key}.torgb.weight"][None, :, :, 0, 0] * s[:, None, :]
                y = torch.einsum("noi,nihw->nohw", weight, x) + t[f"{key}.torgb.bias"][:, None, None]
                y = y.clamp(-self.clamp, self.clamp)
                picture = y if picture is None else picture + y
            side *= 2
        assert picture is not None
        return picture
