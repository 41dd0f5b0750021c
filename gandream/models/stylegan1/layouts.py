"""Other people's names for a StyleGAN's tensors, and what their networks do otherwise. Loads no torch.

- TensorFlow: the original. Kernels are [k, k, I, O]. Where ``fused_scale`` holds, up-sampling and the convolution are
  one transposed convolution, which reads its kernel the other way round.
- genforce: the same network in torch's order of axes.
- lernapparat: the same, without the centre of w, the noise, and the colours of all resolutions but the last; its
  variance has another epsilon.
- rosinality: of its own training. Every gain is sqrt(2 / inputs), of noise too; kernels that are fused are [I, O, k, k]
  and averaged instead of summed; the bias comes before the low-pass; the epsilon is the one above; all resolutions are
  there from the first day, so what was never trained still has the biases of 0 that it began with.

Who has no noise of their own draws it anew for each picture: here it is drawn once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gandream.models.checkpoint import Network
from gandream.models.checkpoint.derived import axes, changed, computed, without
from gandream.models.checkpoint.records import DamagedError, StoredTensor
from gandream.models.families import Condition, Layout
from gandream.models.style.reader import LEARNING_RATE
from gandream.models.stylegan1.renaming import (
    Tensors,
    change_all,
    const,
    dense,
    draw_noise,
    kernel,
    layer_name,
    one_more,
    plane,
    renamed,
    times,
    turn_fused,
    turned,
    zeros,
)

TORCH_EPSILON = 1e-5
"""Of torch's own instance normalisation."""
MAX_SIDE = 8192


def _given(attributes: Mapping[str, Mapping[str, Any]], part: str) -> dict[str, Any]:
    """The arguments of a part of TensorFlow's network: its own before those of the whole."""
    return {**attributes.get("", {}), **attributes.get(part, {})}


def _tensorflow(network: Network) -> Network:
    sides = [int(m[1]) for name in network.tensors if (m := re.match(r"synthesis/(\d{1,5})x\d{1,5}/", name))]
    size = min(max(sides, default=4), MAX_SIDE)

    def layer(match: re.Match[str]) -> str:
        return f"synthesis.b{match[1]}.conv{0 if match[2] in ('Const', 'Conv0_up') else 1}"

    def torgb(match: re.Match[str]) -> str:
        return f"synthesis.b{size >> int(match[1])}.torgb"

    block = r"synthesis/(\d{1,5})x\d{1,5}/(Const|Conv|Conv0_up|Conv1)"
    tensors = renamed(
        network,
        (
            (r"synthesis/(\d{1,5})x\d{1,5}/Const/const", lambda m: f"synthesis.b{m[1]}.const", const),
            (f"{block}/weight", lambda m: f"{layer(m)}.weight", kernel),
            (f"{block}/bias", lambda m: f"{layer(m)}.bias", None),
            (f"{block}/StyleMod/weight", lambda m: f"{layer(m)}.affine.weight", dense),
            (f"{block}/StyleMod/bias", lambda m: f"{layer(m)}.affine.bias", None),
            (f"{block}/Noise/weight", lambda m: f"{layer(m)}.noise_strength", None),
            (r"synthesis/noise(\d{1,2})", lambda m: f"{layer_name(int(m[1]))}.noise_const", plane),
            (r"synthesis/ToRGB_lod(\d{1,2})/weight", lambda m: f"{torgb(m)}.weight", kernel),
            (r"synthesis/ToRGB_lod(\d{1,2})/bias", lambda m: f"{torgb(m)}.bias", None),
            (r"mapping/Dense(\d{1,3})/weight", lambda m: f"mapping.fc{m[1]}.weight", dense),
            (r"mapping/Dense(\d{1,3})/bias", lambda m: f"mapping.fc{m[1]}.bias", None),
            (r"mapping/LabelConcat/weight", lambda m: "mapping.embed.weight", dense),
            (r"dlatent_avg", lambda m: "mapping.w_avg", None),
        ),
    )
    # The whole network hands its level of detail to the synthesis before each picture.
    levels = [network.tensors[name] for name in ("lod", "synthesis/lod") if name in network.tensors]
    if levels and all(tensor.shape == () for tensor in levels):
        tensors["synthesis.lod"] = computed((), lambda: _first_above_0(levels))
    change_all(tensors, r"synthesis\..*\.affine\.bias", one_more)
    zeros(tensors, "mapping.embed.bias", "mapping.embed.weight")
    given, mapping = _given(network.attributes, "synthesis"), _given(network.attributes, "mapping")
    turn_fused(tensors, given.get("fused_scale", "auto"))
    _undo_scaling(tensors, given.get("use_wscale", True), mapping.get("mapping_use_wscale", True))
    rate = mapping.get("mapping_lrmul", LEARNING_RATE)
    if not isinstance(rate, int | float) or not 0 < rate < math.inf:
        raise DamagedError(f"its mapping_lrmul is {str(rate)[:40]}, and a number is wanted")
    if rate != LEARNING_RATE:
        change_all(tensors, r"mapping\.fc\d+\.(weight|bias)", times(rate / LEARNING_RATE))
    attributes = {
        "mapping": {
            "activation": str(mapping.get("mapping_nonlinearity", "lrelu")),
            "normalised": bool(mapping.get("normalize_latents", True)),
        },
        "synthesis": {
            "activation": str(given.get("nonlinearity", "lrelu")),
            "pixel_norm": bool(given.get("use_pixel_norm", False)),
            "instance_norm": bool(given.get("use_instance_norm", True)),
        },
    }
    if "blur_filter" in given:
        attributes["synthesis"]["blur"] = given["blur_filter"] or []
    return replace(network, tensors=tensors, attributes=attributes)


def _first_above_0(levels: Sequence[StoredTensor]) -> np.ndarray:
    return next((level for level in (tensor.array() for tensor in levels) if level > 0), np.zeros((), np.float32))


def _undo_scaling(tensors: Tensors, synthesis: Any, mapping: Any) -> None:
    """Divide by the gains that will be multiplied with, where a network was trained without them."""
    for name, tensor in list(tensors.items()):
        if not re.fullmatch(r"(synthesis\..*|mapping\.fc\d+)\.weight", name) or not math.prod(tensor.shape):
            continue
        inputs = math.prod(tensor.shape[1:])
        if not (mapping if name.startswith("mapping.") else synthesis):
            rectified = not name.endswith(("affine.weight", "torgb.weight"))
            change_all(tensors, re.escape(name), times(math.sqrt(inputs / (2 if rectified else 1))))


def _genforce(network: Network) -> Network:
    def layer(match: re.Match[str]) -> str:
        return layer_name(int(match[1]))

    def torgb(match: re.Match[str]) -> str:
        return f"synthesis.b{4 << int(match[1])}.torgb"

    block = r"synthesis\.layer(\d{1,2})"
    tensors = renamed(
        network,
        (
            (f"{block}\\.const", lambda m: f"{layer(m).partition('.conv')[0]}.const", const),
            (f"{block}\\.(weight|bias)", lambda m: f"{layer(m)}.{m[2]}", None),
            (f"{block}\\.style\\.(weight|bias)", lambda m: f"{layer(m)}.affine.{m[2]}", None),
            (f"{block}\\.apply_noise\\.weight", lambda m: f"{layer(m)}.noise_strength", None),
            (f"{block}\\.apply_noise\\.noise", lambda m: f"{layer(m)}.noise_const", plane),
            (r"synthesis\.output(\d{1,2})\.(weight|bias)", lambda m: f"{torgb(m)}.{m[2]}", None),
            (r"mapping\.dense(\d{1,3})\.(weight|bias)", lambda m: f"mapping.fc{m[1]}.{m[2]}", None),
            (r"mapping\.label_weight", lambda m: "mapping.embed.weight", dense),
            (r"truncation\.w_avg", lambda m: "mapping.w_avg", None),
            (r"synthesis\.lod", lambda m: m[0], None),
        ),
    )
    change_all(tensors, r"synthesis\..*\.affine\.bias", one_more)
    zeros(tensors, "mapping.embed.bias", "mapping.embed.weight")
    turn_fused(tensors, "auto")
    return replace(network, tensors=tensors, attributes={})


def _lernapparat(network: Network) -> Network:
    sides = [int(m[1]) for name in network.tensors if (m := re.match(r"g_synthesis\.blocks\.(\d{1,5})x", name))]

    def layer(match: re.Match[str]) -> str:
        first = match[2] in ("epi1", "conv0_up") or match[0].endswith(f"x{match[1]}.bias")
        return f"synthesis.b{match[1]}.conv{0 if first else 1}"

    block = r"g_synthesis\.blocks\.(\d{1,5})x\d{1,5}"
    tensors = renamed(
        network,
        (
            (f"{block}\\.const", lambda m: f"synthesis.b{m[1]}.const", const),
            (f"{block}\\.bias", lambda m: f"synthesis.b{m[1]}.conv0.bias", None),
            (f"{block}\\.(conv|conv0_up|conv1)\\.(weight|bias)", lambda m: f"{layer(m)}.{m[3]}", None),
            (f"{block}\\.(epi[12])\\.style_mod\\.lin\\.(weight|bias)", lambda m: f"{layer(m)}.affine.{m[3]}", None),
            (f"{block}\\.(epi[12])\\.top_epi\\.noise\\.weight", lambda m: f"{layer(m)}.noise_strength", None),
            (r"g_synthesis\.torgb\.(weight|bias)", lambda m: f"synthesis.b{max(sides)}.torgb.{m[1]}", None),
            (r"g_mapping\.dense(\d{1,3})\.(weight|bias)", lambda m: f"mapping.fc{m[1]}.{m[2]}", None),
        ),
    )
    change_all(tensors, r"synthesis\..*\.affine\.bias", one_more)
    turn_fused(tensors, "auto")
    draw_noise(tensors, "synthesis.b4.const")
    return replace(network, tensors=tensors, attributes={"synthesis": {"epsilon": TORCH_EPSILON}})


def _rosinality(network: Network) -> Network:
    def block(match: re.Match[str]) -> str:
        return f"synthesis.b{4 << int(match[1])}"

    def layer(match: re.Match[str]) -> str:
        return f"{block(match)}.conv{int(match[2]) - 1}"

    def fused(tensor: StoredTensor) -> StoredTensor:
        return changed(axes(tensor, (1, 0, 2, 3)), lambda array: turned(array) / 4)

    def noisy(tensor: StoredTensor) -> StoredTensor:
        tensor = without(tensor, 0, 2, 3)
        return changed(tensor, times(math.sqrt(2 / max(1, tensor.shape[0]))))

    rows = r"generator\.progression\.(\d{1,2})"
    tensors = renamed(
        network,
        (
            (f"{rows}\\.conv1\\.input", lambda m: f"{block(m)}.const", const),
            (f"{rows}\\.conv(1)\\.1\\.conv\\.weight_orig", lambda m: f"{layer(m)}.weight", None),
            (f"{rows}\\.conv(1)\\.1\\.conv\\.bias", lambda m: f"{layer(m)}.bias", None),
            (f"{rows}\\.conv(1)\\.0\\.weight", lambda m: f"{layer(m)}.weight", fused),
            (f"{rows}\\.conv(1)\\.0\\.bias", lambda m: f"{layer(m)}.bias", None),
            (f"{rows}\\.conv(2)\\.conv\\.weight_orig", lambda m: f"{layer(m)}.weight", None),
            (f"{rows}\\.conv(2)\\.conv\\.bias", lambda m: f"{layer(m)}.bias", None),
            (f"{rows}\\.adain([12])\\.style\\.linear\\.weight_orig", lambda m: f"{layer(m)}.affine.weight", None),
            (f"{rows}\\.adain([12])\\.style\\.linear\\.bias", lambda m: f"{layer(m)}.affine.bias", None),
            (f"{rows}\\.noise([12])\\.weight_orig", lambda m: f"{layer(m)}.noise_strength", noisy),
            (r"generator\.to_rgb\.(\d{1,2})\.conv\.weight_orig", lambda m: f"{block(m)}.torgb.weight", None),
            (r"generator\.to_rgb\.(\d{1,2})\.conv\.bias", lambda m: f"{block(m)}.torgb.bias", None),
            # Between two layers is a rectifier, which has a number too, as has the normalisation before all.
            (
                r"style\.(\d{1,3})\.linear\.weight_orig",
                lambda m: f"mapping.fc{int(m[1]) // 2}.weight",
                lambda t: changed(t, times(1 / LEARNING_RATE)),
            ),
            (
                r"style\.(\d{1,3})\.linear\.bias",
                lambda m: f"mapping.fc{int(m[1]) // 2}.bias",
                lambda t: changed(t, times(1 / LEARNING_RATE)),
            ),
        ),
    )
    change_all(tensors, r"synthesis\..*\.(affine|torgb)\.weight", times(math.sqrt(2)))
    zeros(tensors, "synthesis.b4.conv0.bias", "synthesis.b4.const")
    _drop_untrained(tensors)
    draw_noise(tensors, "synthesis.b4.const")
    return replace(network, tensors=tensors, attributes={"synthesis": {"epsilon": TORCH_EPSILON, "bias_first": True}})


def _drop_untrained(tensors: Tensors) -> None:
    """Drop the resolutions whose colours were never trained, as long as one was."""
    biases = {int(m[1]): tensors[n] for n in tensors if (m := re.fullmatch(r"synthesis\.b(\d+)\.torgb\.bias", n))}
    trained = [side for side, bias in biases.items() if bias.array().any()]
    for name in list(tensors):
        match = re.match(r"synthesis\.b(\d+)\.", name)
        if trained and match and int(match[1]) > max(trained):
            del tensors[name]


LAYOUTS = (
    Layout(
        "TensorFlow",
        (
            Condition(r"synthesis/4x4/Const/const", 4),
            Condition(r"synthesis/4x4/Const/StyleMod/weight", 2),
            Condition(r"mapping/Dense0/weight", 2),
        ),
        _tensorflow,
    ),
    Layout(
        "genforce",
        (
            Condition(r"synthesis\.layer0\.const", 4),
            Condition(r"synthesis\.layer0\.apply_noise\.weight", 1),
            Condition(r"synthesis\.layer0\.style\.weight", 2),
            Condition(r"mapping\.dense0\.weight", 2),
        ),
        _genforce,
    ),
    Layout(
        "lernapparat",
        (
            Condition(r"g_synthesis\.blocks\.4x4\.const", 4),
            Condition(r"g_synthesis\.blocks\.4x4\.epi1\.style_mod\.lin\.weight", 2),
            Condition(r"g_mapping\.dense0\.weight", 2),
        ),
        _lernapparat,
    ),
    Layout(
        "rosinality",
        (
            Condition(r"generator\.progression\.0\.conv1\.input", 4),
            Condition(r"generator\.progression\.0\.adain1\.style\.linear\.weight_orig", 2),
            Condition(r"style\.1\.linear\.weight_orig", 2),
            # Before July 2019, when it had no low-pass yet, its blocks began otherwise.
            Condition(r"generator\.progression\.1\.conv1\.conv\..*", absent=True),
        ),
        _rosinality,
    ),
)
