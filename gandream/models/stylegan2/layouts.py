"""Other ways in which StyleGAN2s are written: TensorFlow's, and rosinality's. Both become NVIDIA's torch layout.

In TensorFlow convolutions are [H, W, I, O] and dense weights [I, O], the biases of styles lack the 1 that they start
from, and the kernels of up-sampling convolutions are turned by 180 degrees against torch's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from gandream.models.checkpoint import Network, StoredTensor
from gandream.models.checkpoint.derived import axes, changed, computed, without
from gandream.models.checkpoint.records import DamagedError
from gandream.models.families import Condition, Layout
from gandream.models.style.reader import LEARNING_RATE
from gandream.models.stylegan2.plan import MAX_BLOCKS

Change = Callable[[StoredTensor], StoredTensor]
Row = tuple[str, str, Change]
"""A tensor's name there, its name here, and what becomes of it."""


def _same(tensor: StoredTensor) -> StoredTensor:
    return tensor


def _dense(tensor: StoredTensor) -> StoredTensor:
    return axes(tensor, (1, 0))


def _kernel(tensor: StoredTensor) -> StoredTensor:
    return axes(tensor, (3, 2, 0, 1))


def _turned(tensor: StoredTensor) -> StoredTensor:
    return changed(_kernel(tensor), lambda array: array[:, :, ::-1, ::-1])


def _plus_one(tensor: StoredTensor) -> StoredTensor:
    return changed(tensor, lambda array: array + 1)


def _first(tensor: StoredTensor) -> StoredTensor:
    return without(tensor, 0)


def _plane(tensor: StoredTensor) -> StoredTensor:
    return without(tensor, 0, 1)


def _flat(tensor: StoredTensor) -> StoredTensor:
    return without(tensor, 0, 2, 3)


def _average(tensor: StoredTensor) -> StoredTensor:
    """[D'], also of [1, D']."""
    return without(tensor, *range(len(tensor.shape) - 1))


def _quarter(tensor: StoredTensor) -> StoredTensor:
    return changed(tensor, lambda array: array / 4)


def _translated(tensors: dict[str, StoredTensor], rows: Iterable[Row]) -> dict[str, StoredTensor]:
    """The tensors that are there, by their names here."""
    made = {}
    for there, here, change in rows:
        if (tensor := tensors.get(there)) is not None:
            try:
                made[here] = change(tensor)
            except DamagedError as error:
                raise DamagedError(f"{there}: {error}") from error
    return made


def _tensorflow_layer(there: str, here: str, noise: str, kernel: Change) -> list[Row]:
    return [
        (f"{there}/weight", f"{here}.weight", kernel),
        (f"{there}/bias", f"{here}.bias", _same),
        (f"{there}/mod_weight", f"{here}.affine.weight", _dense),
        (f"{there}/mod_bias", f"{here}.affine.bias", _plus_one),
        (f"{there}/noise_strength", f"{here}.noise_strength", _same),
        (noise, f"{here}.noise_const", _plane),
    ]


def _tensorflow_rows(names: Iterable[str]) -> list[Row]:
    rows: list[Row] = [
        ("dlatent_avg", "mapping.w_avg", _same),
        ("mapping/LabelConcat/weight", "mapping.embed.weight", _dense),
        ("mapping/LabelEmbed/weight", "mapping.embed.weight", _dense),
        ("mapping/LabelEmbed/bias", "mapping.embed.bias", _same),
    ]
    sides = set()
    for name in names:
        if match := re.fullmatch(r"mapping/Dense(\d{1,3})/(weight|bias)", name):
            rows.append((name, f"mapping.fc{match[1]}.{match[2]}", _dense if match[2] == "weight" else _same))
        if match := re.match(r"synthesis/((\d{1,5})x\d{1,5})/", name):
            sides.add((int(match[2]), match[1]))
    ordered = [f"synthesis/{side}" for _, side in sorted(sides)[:MAX_BLOCKS]]
    for number, there in enumerate(ordered):
        here, plane = f"synthesis.b{4 << number}", f"synthesis/noise{2 * number}"
        if number == 0:
            rows.append((f"{there}/Const/const", f"{here}.const", _first))
            rows += _tensorflow_layer(f"{there}/Conv", f"{here}.conv1", plane, _kernel)
        else:
            before = f"synthesis/noise{2 * number - 1}"
            rows += _tensorflow_layer(f"{there}/Conv0_up", f"{here}.conv0", before, _turned)
            rows += _tensorflow_layer(f"{there}/Conv1", f"{here}.conv1", plane, _kernel)
            rows.append((f"{there}/Skip/weight", f"{here}.skip.weight", _turned))
        rows += _tensorflow_layer(f"{there}/ToRGB", f"{here}.torgb", "", _kernel)
    if ordered:
        rows += _tensorflow_layer("synthesis/ToRGB_lod0", f"synthesis.b{4 << len(ordered) - 1}.torgb", "", _kernel)
    return rows


def tensorflow(network: Network) -> Network:
    """From the variables of ``G_main`` and its components, and the arguments they were built with.

    The paper's configurations B to D, whose synthesis grows (``ToRGB_lod0``), are read when they are fully grown:
    they have the plain architecture then. DamagedError for what can't be expressed here.
    """
    given = network.attributes.get("", {})
    mapping, synthesis = (given | network.attributes.get(part, {}) for part in ("mapping", "synthesis"))
    if "synthesis/ToRGB_lod0/weight" in network.tensors and _level(network) > 0:
        raise DamagedError("its synthesis is not fully grown, and such StyleGAN2s can't be read")
    tensors = _translated(network.tensors, _tensorflow_rows(network.tensors))
    if "resample_kernel" in synthesis:
        tensors |= _filters(synthesis["resample_kernel"], tensors)
    attributes: dict[str, dict[str, Any]] = {}
    if "mapping/LabelEmbed/weight" not in network.tensors:
        # The first version: embeddings are plain, and what follows z is normalised together with it.
        if (embed := tensors.get("mapping.embed.weight")) is not None:
            tensors["mapping.embed.bias"] = computed(embed.shape[:1], lambda: np.zeros(embed.shape[:1]))
            attributes["mapping.embed"] = {"weight_gain": 1.0}
        attributes["mapping"] = {"norm": "whole" if mapping.get("normalize_latents", True) else "none"}
    elif not mapping.get("normalize_latents", True):
        raise DamagedError("its mapping has classes, but doesn't normalise z, and such StyleGAN2s can't be read")
    rate = mapping.get("mapping_lrmul", LEARNING_RATE)
    for name, tensor in tensors.items():
        module = name.removesuffix(".weight")
        if re.fullmatch(r"mapping\.fc\d+\.weight", name) and len(tensor.shape) == 2 and isinstance(rate, int | float):
            gain = rate / math.sqrt(max(tensor.shape[1], 1))
            activation = mapping.get("mapping_nonlinearity", "lrelu")
            attributes[module] = {"weight_gain": gain, "bias_gain": rate, "activation": activation}
        elif re.fullmatch(r"synthesis\.b\d+\.(conv[01]|torgb)\.weight", name):
            attributes[module] = {"conv_clamp": synthesis.get("conv_clamp")}
            if not module.endswith("torgb"):
                attributes[module]["activation"] = synthesis.get("nonlinearity", "lrelu")
    return Network(network.where, tensors, attributes, network.class_name)


def _level(network: Network) -> float:
    """How many of the last resolutions are still to come (``lod``); 0 where a network is fully grown."""
    tensor = network.tensors.get("lod", network.tensors.get("synthesis/lod"))
    return float(tensor.array()) if tensor is not None and not tensor.shape else 0.0


def _filters(taps: Any, tensors: dict[str, StoredTensor]) -> dict[str, StoredTensor]:
    """The resampling filters of all places that have one, normalised to sum 1; None is nearest neighbours."""
    try:
        line = np.asarray([1, 1] if taps is None else taps, np.float64)
        square = np.outer(line, line) if line.ndim == 1 else line
        square = square / (square.sum() or np.nan)
    except (TypeError, ValueError):
        square = np.zeros(0)
    if square.ndim != 2 or not np.isfinite(square).all():
        raise DamagedError("its resample_kernel is no filter")
    found = (re.fullmatch(r"(synthesis\.b\d+)\.(conv0|skip)\.weight", name) for name in tensors)
    places = {place for match in found if match for place in (match[1], f"{match[1]}.{match[2]}")}
    return {f"{place}.resample_filter": computed(square.shape, lambda: square) for place in places}


def rosinality(network: Network) -> Network:
    """From a state dict of rosinality's Generator, and the ``latent_avg`` that may lie beside it.

    Old files have no noise maps (every picture had new noise); here they get some, drawn from a seed.
    """
    names = network.tensors
    rows: list[Row] = [
        ("input.input", "synthesis.b4.const", _first),
        *_rosinality_layer("conv1", "synthesis.b4.conv1", "noises.noise_0"),
        *_rosinality_layer("to_rgb1", "synthesis.b4.torgb", ""),
    ]
    # style.0 is the normalisation of z; the layers follow it.
    for name in names:
        if match := re.fullmatch(r"style\.(\d{1,3})\.(weight|bias)", name):
            rows.append((name, f"mapping.fc{int(match[1]) - 1}.{match[2]}", _same))
    for number in range(MAX_BLOCKS):
        here = f"synthesis.b{8 << number}"
        for order in (0, 1):
            there = f"convs.{2 * number + order}"
            rows += _rosinality_layer(there, f"{here}.conv{order}", f"noises.noise_{2 * number + order + 1}")
        rows += _rosinality_layer(f"to_rgbs.{number}", f"{here}.torgb", "")
        # With the gain of 4 in it that makes up for the zeros between pixels.
        rows.append((f"convs.{2 * number}.conv.blur.kernel", f"{here}.conv0.resample_filter", _quarter))
        rows.append((f"to_rgbs.{number}.upsample.kernel", f"{here}.resample_filter", _quarter))
    tensors = _translated(names, rows)
    tensors |= _translated(network.beside | names, [("latent_avg", "mapping.w_avg", _average)])
    tensors |= _noises(tensors)
    return Network(network.where, tensors, {}, network.class_name)


def _rosinality_layer(there: str, here: str, noise: str) -> list[Row]:
    return [
        (f"{there}.conv.weight", f"{here}.weight", _first),
        (f"{there}.activate.bias", f"{here}.bias", _same),
        (f"{there}.bias", f"{here}.bias", _flat),
        (f"{there}.conv.modulation.weight", f"{here}.affine.weight", _same),
        (f"{there}.conv.modulation.bias", f"{here}.affine.bias", _same),
        (f"{there}.noise.weight", f"{here}.noise_strength", _first),
        (noise, f"{here}.noise_const", _plane),
    ]


def _noises(tensors: dict[str, StoredTensor]) -> dict[str, StoredTensor]:
    """Noise maps for the convolutions that have a strength of noise, but none of these."""
    const, made = tensors.get("synthesis.b4.const"), {}
    for name in tensors:
        match = re.fullmatch(r"synthesis\.b(\d{1,5})\.(conv[01])\.noise_strength", name)
        key = name.replace("noise_strength", "noise_const")
        if match and key not in tensors and const is not None and len(const.shape) == 3:
            side, order = int(match[1]), int(match[2][-1])
            height, width = (n * side // 4 for n in const.shape[1:])
            made[key] = computed(
                (height, width), lambda seed=2 * side + order, size=(height, width): _normal(seed, *size)
            )
    return made


def _normal(seed: int, height: int, width: int) -> np.ndarray:
    return np.random.RandomState(seed).randn(height, width)


LAYOUTS = (
    Layout(
        "TensorFlow",
        (
            Condition(r"synthesis/\d+x\d+/Const/const", 4),
            Condition(r"synthesis/\d+x\d+/Conv/mod_weight", 2),
            Condition(r"mapping/Dense0/weight", 2),
        ),
        tensorflow,
    ),
    Layout(
        "rosinality",
        (
            Condition(r"input\.input", 4),
            Condition(r"conv1\.conv\.modulation\.weight", 2),
            Condition(r"style\.1\.weight", 2),
        ),
        rosinality,
    ),
)
