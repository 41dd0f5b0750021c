"""The TensorFlow layout of the original ProGAN (``G_paper``), with its gains folded into the weights.

Convolutions are [H, W, I, O]; the gain of a layer is sqrt(2 / inputs), but 1 / sqrt(inputs) for colours and
sqrt(2 / inputs) / 4 for the first layer, and biases come after it (Karras et al. 2018, section 4.1 and table 2). Layers
that double the size (``Conv0_up``) do it as a transposed convolution, whose kernel is turned by 180 degrees against
that of the convolution it stands for, and has its channels as [O, I].
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from gandream.models.checkpoint import Network, StoredTensor
from gandream.models.checkpoint.derived import axes, changed
from gandream.models.checkpoint.records import DamagedError
from gandream.models.families import Condition, Layout
from gandream.models.progan.plan import FIRST, MAX_SCALES

RELU = math.sqrt(2)
"""Gain before a rectifier; 1 where there is none."""
Arrange = Callable[[StoredTensor], StoredTensor]


def tensorflow(network: Network) -> Network:
    """From the variables of ``G_paper`` and the arguments it was built with; DamagedError where they are at odds."""
    given = network.attributes.get("", {})
    scaled = given.get("use_wscale", True) is not False
    sides = {int(match[1]) for name in network.tensors if (match := re.match(r"(\d{1,5})x\d{1,5}/Conv", name))}
    scales = min(max(sides, default=FIRST).bit_length() - FIRST.bit_length(), MAX_SCALES)
    level = _level(network, scales)
    made: dict[str, StoredTensor] = {}

    def layer(there: str, here: str, gain: float, arrange: Arrange, repeat: int = 1) -> None:
        """Take a layer with what its weights are multiplied by."""
        weight, bias = (network.tensors.get(f"{there}/{part}") for part in ("weight", "bias"))
        if weight is None or bias is None:
            return
        try:
            found = arrange(weight)
        except DamagedError as error:
            raise DamagedError(f"{there}/weight: {error}") from error
        factor = gain / math.sqrt(max(math.prod(found.shape[1:]), 1)) if scaled else 1.0
        made[f"{here}.weight"] = changed(found, lambda array: array.astype(np.float64) * factor)
        made[f"{here}.bias"] = bias if repeat == 1 else changed(
            bias, lambda array: np.repeat(array, repeat), (math.prod(bias.shape) * repeat,)
        )  # fmt: skip

    layer("4x4/Dense", "formatLayer", RELU / 4, lambda tensor: axes(tensor, (1, 0)), FIRST * FIRST)
    layer("4x4/Conv", "groupScale0.0", RELU, _kernel)
    up = _transposed(network, scales)
    for scale in range(scales - math.floor(level) + 1):
        if scale:
            side = FIRST << scale
            layer(f"{side}x{side}/Conv0", f"scaleLayers.{scale - 1}.0", RELU, _kernel)
            layer(f"{side}x{side}/Conv0_up", f"scaleLayers.{scale - 1}.0", RELU, up)
            layer(f"{side}x{side}/Conv1", f"scaleLayers.{scale - 1}.1", RELU, _kernel)
        layer(f"ToRGB_lod{scales - scale}", f"toRGBLayers.{scale}", 1.0, _kernel)
    config: dict[str, Any] = {
        "alpha": level - math.floor(level),
        "doublings": math.floor(level),
        "categoryVectorDim": given.get("label_size", 0),
        "leakyReluLeak": 0.2 if given.get("use_leakyrelu", True) else 0.0,
        "equalizedlR": False,
        "perChannelNormalization": given.get("use_pixelnorm", True) is not False,
        "normalizedInputs": given.get("normalize_latents", True) is not False,
    }
    return Network(network.where, made, {"": {"config": config}}, network.class_name)


def _kernel(tensor: StoredTensor) -> StoredTensor:
    return axes(tensor, (3, 2, 0, 1))


def _transposed(network: Network, scales: int) -> Arrange:
    """How kernels of transposed convolutions become [O, I, k, k].

    The original's are [k, k, O, I]. Some files have [k, k, I, O] as later networks do: a layer tells that gives
    another number of channels than it takes, and the rest of the file is alike.
    """
    order = (2, 3, 0, 1)
    for scale in range(1, scales + 1):
        side = FIRST << scale
        weight, bias = (network.tensors.get(f"{side}x{side}/Conv0_up/{part}") for part in ("weight", "bias"))
        if weight is not None and bias is not None and len(weight.shape) == 4 and weight.shape[2] != weight.shape[3]:
            order = (2, 3, 0, 1) if bias.shape == weight.shape[2:3] else (3, 2, 0, 1)
            break
    return lambda tensor: changed(axes(tensor, order), lambda array: array[:, :, ::-1, ::-1])


def _level(network: Network, scales: int) -> float:
    """How many of the last resolutions are still to come, with the part of the one that fades in; 0: fully grown."""
    tensor = network.tensors.get("lod")
    level = float(tensor.array()) if tensor is not None and not tensor.shape else 0.0
    if not math.isfinite(level):
        raise DamagedError("lod is not finite")
    return min(max(level, 0.0), float(scales))


LAYOUTS = (
    Layout(
        "TensorFlow",
        (
            Condition(r"4x4/Dense/weight", 2),
            Condition(r"4x4/Conv/weight", 4),
            Condition(r"ToRGB_lod0/weight", 4),
        ),
        tensorflow,
    ),
)
