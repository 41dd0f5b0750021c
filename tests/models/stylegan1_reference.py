"""A slow StyleGAN in float64 on TensorFlow's own tensors, step by step; and the same tensors as others write them."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def random_tensors(
    *, channels=(8, 6, 4), colours=3, z=16, w=16, hidden=16, layers=3, classes=0, noise=True, lod=0.0, average=True,
    const=(4, 4), seed=0, **_,
) -> dict[str, np.ndarray]:  # fmt: skip
    rng = np.random.RandomState(seed)

    def normal(*shape):
        return np.asarray(rng.randn(*shape), np.float32)

    t = {"lod": np.asarray(lod, np.float32), "synthesis/lod": np.asarray(lod, np.float32)}
    if average:
        t["dlatent_avg"] = 0.3 * normal(w)
    if classes:
        t["mapping/LabelConcat/weight"] = normal(classes, z)
    width = 2 * z if classes else z
    for n in range(layers):
        outputs = w if n == layers - 1 else hidden
        t[f"mapping/Dense{n}/weight"], t[f"mapping/Dense{n}/bias"] = 100 * normal(width, outputs), 20 * normal(outputs)
        width = outputs
    t["synthesis/4x4/Const/const"] = normal(1, channels[0], *const)
    inputs, last = channels[0], len(channels) - 1
    for n, outputs in enumerate(channels):
        side = 4 << n
        for row, name in ((2 * n, "Conv0_up" if n else "Const"), (2 * n + 1, "Conv1" if n else "Conv")):
            key = f"synthesis/{side}x{side}/{name}"
            if name != "Const":
                t[f"{key}/weight"] = normal(3, 3, inputs, outputs)
            t[f"{key}/bias"] = 0.3 * normal(outputs)
            t[f"{key}/StyleMod/weight"], t[f"{key}/StyleMod/bias"] = normal(w, 2 * outputs), 0.3 * normal(2 * outputs)
            if noise:
                t[f"{key}/Noise/weight"] = 0.3 * normal(outputs)
                t[f"synthesis/noise{row}"] = normal(1, 1, const[0] << n, const[1] << n)
            inputs = outputs
        t[f"synthesis/ToRGB_lod{last - n}/weight"] = normal(1, 1, outputs, colours)
        t[f"synthesis/ToRGB_lod{last - n}/bias"] = normal(colours)
    return t


class Reference:
    """The whole network; options are TensorFlow's, and what ports do otherwise: ``epsilon``, ``bias_first``."""

    def __init__(self, tensors, *, epsilon=1e-8, bias_first=False, **given):
        self.t = {name: torch.from_numpy(np.asarray(array)).double() for name, array in tensors.items()}
        self.epsilon, self.bias_first, self.given = epsilon, bias_first, given
        slopes = {"lrelu": 0.2, "relu": 0.0}
        self.slope = slopes[given.get("nonlinearity", "lrelu")]
        self.mapping_slope = slopes[given.get("mapping_nonlinearity", "lrelu")]

    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        t, x = self.t, z.double()
        if c is not None:
            x = torch.cat([x, c.double() @ t["mapping/LabelConcat/weight"]], dim=1)
        if self.given.get("normalize_latents", True):
            x = x / torch.sqrt((x**2).mean(dim=1, keepdim=True) + 1e-8)
        rate, n = self.given.get("mapping_lrmul", 0.01), 0
        while f"mapping/Dense{n}/weight" in t:
            weight = t[f"mapping/Dense{n}/weight"]
            scale = math.sqrt(2 / len(weight)) if self.given.get("mapping_use_wscale", True) else 1
            x = F.leaky_relu(x @ weight * (scale * rate) + t[f"mapping/Dense{n}/bias"] * rate, self.mapping_slope)
            n += 1
        return x

    def weight(self, name: str, gain: float) -> Tensor:
        weight = self.t[f"{name}/weight"]
        return weight * (gain / math.sqrt(weight[..., 0].numel()) if self.given.get("use_wscale", True) else 1)

    def up(self, x: Tensor, key: str) -> Tensor:
        weight, fused = self.weight(key, math.sqrt(2)), self.given.get("fused_scale", "auto")
        if min(x.shape[2:]) * 2 >= 128 if fused == "auto" else fused:
            four = [F.pad(weight.permute(2, 3, 0, 1), (a, 1 - a, b, 1 - b)) for a in (0, 1) for b in (0, 1)]
            x = F.conv_transpose2d(x, torch.stack(four).sum(dim=0), stride=2, padding=1)
        else:
            x = F.conv2d(F.interpolate(x, scale_factor=2), weight.permute(3, 2, 0, 1), padding=1)
        if self.bias_first:
            x = x + self.t[f"{key}/bias"][:, None, None]
        if taps := self.given.get("blur_filter", [1, 2, 1]):
            line = torch.tensor(taps, dtype=torch.float64) / sum(taps)
            low = torch.outer(line, line).expand(x.shape[1], 1, -1, -1)
            before = (len(taps) - 1) // 2
            x = F.conv2d(F.pad(x, (before, len(taps) - 1 - before) * 2), low, groups=x.shape[1])
        return x if self.bias_first else x + self.t[f"{key}/bias"][:, None, None]

    def epilogue(self, x: Tensor, key: str, row: int, w: Tensor, noise: bool) -> Tensor:
        t = self.t
        if noise and f"synthesis/noise{row}" in t:
            x = x + t[f"synthesis/noise{row}"] * t[f"{key}/Noise/weight"][:, None, None]
        x = F.leaky_relu(x, self.slope)
        if self.given.get("use_pixel_norm", False):
            x = x / torch.sqrt((x**2).mean(dim=1, keepdim=True) + 1e-8)
        if self.given.get("use_instance_norm", True):
            x = x - x.mean(dim=(2, 3), keepdim=True)
            x = x / torch.sqrt((x**2).mean(dim=(2, 3), keepdim=True) + self.epsilon)
        style = w[:, row] @ self.weight(f"{key}/StyleMod", 1) + t[f"{key}/StyleMod/bias"]
        scale, shift = style[:, :, None, None].chunk(2, dim=1)
        return x * (scale + 1) + shift

    def synthesise(self, w: Tensor, noise=True) -> Tensor:
        t, w = self.t, w.double()
        last = max(int(name.split("ToRGB_lod")[1].split("/")[0]) for name in t if "ToRGB_lod" in name)
        lod, picture = float(t["lod"]), None
        x = t["synthesis/4x4/Const/const"].expand(len(w), -1, -1, -1)
        for n in range(last + 1):
            side = 4 << n
            key = f"synthesis/{side}x{side}"
            if n:
                x = self.epilogue(self.up(x, f"{key}/Conv0_up"), f"{key}/Conv0_up", 2 * n, w, noise)
            else:
                x = self.epilogue(x + t[f"{key}/Const/bias"][:, None, None], f"{key}/Const", 0, w, noise)
            name = f"{key}/{'Conv1' if n else 'Conv'}"
            weight = self.weight(name, math.sqrt(2)).permute(3, 2, 0, 1)
            x = F.conv2d(x, weight, padding=1) + t[f"{name}/bias"][:, None, None]
            x = self.epilogue(x, name, 2 * n + 1, w, noise)
            torgb = f"synthesis/ToRGB_lod{last - n}"
            if f"{torgb}/weight" not in t:
                continue
            new = F.conv2d(x, self.weight(torgb, 1).permute(3, 2, 0, 1)) + t[f"{torgb}/bias"][:, None, None]
            old = new if picture is None else F.interpolate(picture, scale_factor=2)
            picture = new + (old - new) * min(max(lod - (last - n), 0), 1)
        assert picture is not None
        return picture


def _layers(t):
    """(TensorFlow's name, style layer, resolution) of each layer."""
    names = [name.removesuffix("/StyleMod/bias") for name in t if name.endswith("/StyleMod/bias")]
    return [(name, row, row // 2) for row, name in enumerate(names)]


def genforce(t: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same network as genforce writes it."""
    made, blocks = {"synthesis.lod": t["lod"], "truncation.w_avg": t["dlatent_avg"]}, len(_layers(t)) // 2
    for name, row, n in _layers(t):
        key = f"synthesis.layer{row}"
        if row == 0:
            made[f"{key}.const"] = t[f"{name}/const"]
        else:
            made[f"{key}.weight"] = t[f"{name}/weight"].transpose(3, 2, 0, 1)
        made[f"{key}.bias"] = t[f"{name}/bias"]
        made[f"{key}.style.weight"], made[f"{key}.style.bias"] = (
            t[f"{name}/StyleMod/weight"].T,
            t[f"{name}/StyleMod/bias"],
        )
        made[f"{key}.apply_noise.weight"], made[f"{key}.apply_noise.noise"] = (
            t[f"{name}/Noise/weight"],
            t[f"synthesis/noise{row}"],
        )
        if row and row % 2 == 0:
            made[f"{key}.blur.kernel"] = np.zeros((len(t[f"{name}/bias"]), 1, 3, 3), np.float32)
        torgb = f"synthesis/ToRGB_lod{blocks - 1 - n}"
        made[f"synthesis.output{n}.weight"] = t[f"{torgb}/weight"].transpose(3, 2, 0, 1)
        made[f"synthesis.output{n}.bias"] = t[f"{torgb}/bias"]
    for n in range(sum("/Dense" in name for name in t) // 2):
        made[f"mapping.dense{n}.weight"] = t[f"mapping/Dense{n}/weight"].T
        made[f"mapping.dense{n}.bias"] = t[f"mapping/Dense{n}/bias"]
    if "mapping/LabelConcat/weight" in t:
        made["mapping.label_weight"] = t["mapping/LabelConcat/weight"]
    return made


def lernapparat(t: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same network as lernapparat writes it: no noise, no centre of w, only the last colours."""
    made = {}
    for name, row, n in _layers(t):
        side = 4 << n
        block = f"g_synthesis.blocks.{side}x{side}"
        conv = ("conv0_up" if n else "") if row % 2 == 0 else ("conv1" if n else "conv")
        if not conv:
            made[f"{block}.const"], made[f"{block}.bias"] = t[f"{name}/const"], t[f"{name}/bias"]
        else:
            made[f"{block}.{conv}.weight"] = t[f"{name}/weight"].transpose(3, 2, 0, 1)
            made[f"{block}.{conv}.bias"] = t[f"{name}/bias"]
        if conv == "conv0_up":
            made[f"{block}.conv0_up.intermediate.kernel"] = np.zeros((1, 1, 3, 3), np.float32)
        epilogue = f"{block}.epi{1 + row % 2}"
        made[f"{epilogue}.top_epi.noise.weight"] = t[f"{name}/Noise/weight"]
        made[f"{epilogue}.style_mod.lin.weight"] = t[f"{name}/StyleMod/weight"].T
        made[f"{epilogue}.style_mod.lin.bias"] = t[f"{name}/StyleMod/bias"]
    made["g_synthesis.torgb.weight"] = t["synthesis/ToRGB_lod0/weight"].transpose(3, 2, 0, 1)
    made["g_synthesis.torgb.bias"] = t["synthesis/ToRGB_lod0/bias"]
    for n in range(sum("/Dense" in name for name in t) // 2):
        made[f"g_mapping.dense{n}.weight"] = t[f"mapping/Dense{n}/weight"].T
        made[f"g_mapping.dense{n}.bias"] = t[f"mapping/Dense{n}/bias"]
    return made


def rosinality(t: dict[str, np.ndarray], untrained: int = 0) -> dict[str, np.ndarray]:
    """The same network without a bias of the constant, with rosinality's gains; resolutions that never were trained."""
    made, blocks = {}, len(_layers(t)) // 2
    for name, row, n in _layers(t):
        block, half = f"generator.progression.{n}", 1 + row % 2
        bias, channels = t[f"{name}/bias"], len(t[f"{name}/bias"])
        if row == 0:
            made[f"{block}.conv1.input"] = t[f"{name}/const"]
        elif half == 1 and 4 << n >= 128:
            made[f"{block}.conv1.0.weight"], made[f"{block}.conv1.0.bias"] = (
                4 * t[f"{name}/weight"].transpose(2, 3, 0, 1),
                bias,
            )
        else:
            conv = f"{block}.conv1.1.conv" if half == 1 else f"{block}.conv2.conv"
            made[f"{conv}.weight_orig"], made[f"{conv}.bias"] = t[f"{name}/weight"].transpose(3, 2, 0, 1), bias
        if half == 1 and row:
            made[f"{block}.conv1.{1 if 4 << n >= 128 else 2}.weight_flip"] = np.zeros((channels, 1, 3, 3), np.float32)
        style = t[f"{name}/StyleMod/bias"] + np.repeat([1.0, 0.0], channels).astype(np.float32)
        made[f"{block}.adain{half}.style.linear.weight_orig"] = t[f"{name}/StyleMod/weight"].T / np.sqrt(np.float32(2))
        made[f"{block}.adain{half}.style.linear.bias"] = style
        strength = t[f"{name}/Noise/weight"] / np.sqrt(np.float32(2 / channels))
        made[f"{block}.noise{half}.weight_orig"] = strength.reshape(1, -1, 1, 1)
        torgb = f"synthesis/ToRGB_lod{blocks - 1 - n}"
        weight = t[f"{torgb}/weight"].transpose(3, 2, 0, 1) / np.sqrt(np.float32(2))
        made[f"generator.to_rgb.{n}.conv.weight_orig"], made[f"generator.to_rgb.{n}.conv.bias"] = (
            weight,
            t[f"{torgb}/bias"],
        )
    for n in range(sum("/Dense" in name for name in t) // 2):
        made[f"style.{2 * n + 1}.linear.weight_orig"] = t[f"mapping/Dense{n}/weight"].T / np.float32(100)
        made[f"style.{2 * n + 1}.linear.bias"] = t[f"mapping/Dense{n}/bias"] / np.float32(100)
    for n in range(blocks, blocks + untrained):  # as they began
        like = f"generator.progression.{blocks - 1}."
        for name in [name for name in made if name.startswith(like)]:
            array = np.zeros_like(made[name]) if name.endswith("bias") and "style" not in name else made[name]
            made[f"generator.progression.{n}.{name.removeprefix(like)}"] = array
        made[f"generator.to_rgb.{n}.conv.weight_orig"] = made[f"generator.to_rgb.{blocks - 1}.conv.weight_orig"]
        made[f"generator.to_rgb.{n}.conv.bias"] = np.zeros_like(made[f"generator.to_rgb.{blocks - 1}.conv.bias"])
    return made
