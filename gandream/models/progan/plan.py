"""The network of a ProGAN as what to compute, inferred from shapes and the configuration beside it. Loads no torch.

Names of tensors are those of pytorch_GAN_zoo, in both of its spellings (``formatLayer.module.weight``, and without
``module``). What shapes can't tell stands in that layout's configuration: the slope of the rectifiers, how far the
last resolution has faded in, whether tanh is at the end, how many inputs are classes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from gandream.models.checkpoint import Network
from gandream.models.checkpoint.records import DamagedError

FIRST = 4
"""Side of the first picture."""
MAX_SCALES = 11
"""4 pixels to 8192."""
MAX_COMBINED = 1000
"""Combinations of labels that are listed as classes; where there are more, each label is one."""
CLASSIC = ("DCGAN", "MSE")
"""Losses whose networks end in tanh."""


@dataclass(frozen=True)
class Plan:
    """A whole generator."""

    part: str
    """Between a layer's name and ``weight``: ``.module.`` or a dot."""
    inputs: int
    """D', of z and classes together."""
    labels: int
    """How many of the inputs are classes: the last ones."""
    classes: tuple[tuple[str, tuple[int, ...]], ...]
    """C classes: their names, and which of the labels are 1 for each."""
    depths: tuple[int, ...]
    """Channels at 4, 8, 16 ... pixels."""
    channels: int
    """Of the picture."""
    slope: float
    fading: float
    """Weight of the resolution before the last, 0..1."""
    tanh: bool
    equalised: bool
    """Whether weights and biases are multiplied by sqrt(2 / inputs) (Karras et al. 2018, section 4.1)."""
    normalised: bool
    """Whether there is pixelwise normalisation (section 4.2)."""
    normalised_inputs: bool
    """Whether z and classes are normalised before everything else."""
    doublings: int
    """How often the finished picture is doubled to nearest neighbours: resolutions that were still to come."""

    @property
    def size(self) -> int:
        """Side of the picture, in pixels."""
        return FIRST << (len(self.depths) - 1 + self.doublings)

    @property
    def summary(self) -> str:
        """Its configuration, in a line for people."""
        fading = f", {1 - self.fading:.0%} faded in" if self.fading else ""
        to_come = f", {self.doublings} more to come" if self.doublings else ""
        return f"{len(self.depths)} resolutions, channels {' '.join(map(str, self.depths))}{fading}{to_come}"


def spelling(names: Collection[str]) -> str:
    """What stands between a layer's name and ``weight``."""
    return "." if "formatLayer.weight" in names else ".module."


def layers(names: Collection[str]) -> list[str]:
    """Layers of a network with tensors of these names, in the order in which they are computed; colours last."""
    found = [int(match[1]) for name in names if (match := re.match(r"scaleLayers\.(\d{1,2})\.", name))]
    scales = min(max(found, default=-1) + 1, MAX_SCALES)
    grown = [f"scaleLayers.{scale}.{order}" for scale in range(scales) for order in (0, 1)]
    return ["formatLayer", "groupScale0.0", *grown, *(f"toRGBLayers.{scale}" for scale in range(scales + 1))]


def expected(names: Collection[str]) -> list[str]:
    """Names of all tensors that a network with these would have."""
    part = spelling(names)
    return [f"{layer}{part}{kind}" for layer in layers(names) for kind in ("weight", "bias")]


def plan(network: Network) -> Plan:
    """What to compute; DamagedError where the shapes don't fit each other."""
    part = spelling(network.tensors)

    def shape(layer: str, dimensions: int) -> tuple[int, ...]:
        weight, bias = (network.tensors[f"{layer}{part}{kind}"].shape for kind in ("weight", "bias"))
        if len(weight) != dimensions or min(weight) < 1 or bias != weight[:1]:
            sizes = f"shape {list(weight)}, and its bias {list(bias)}"
            raise DamagedError(f"{layer}{part}weight has {sizes}; {dimensions} dimensions and [outputs] are wanted")
        return weight

    def fits(layer: str, outputs: int, inputs: int, side: int) -> None:
        if (found := shape(layer, 4)) != (wanted := (outputs, inputs, side, side)):
            raise DamagedError(f"{layer}{part}weight has shape {list(found)}, and {list(wanted)} is wanted")

    scales = len([layer for layer in layers(network.tensors) if layer.startswith("scaleLayers.")]) // 2
    widths, inputs = shape("formatLayer", 2)
    depths = [shape("groupScale0.0", 4)[0]]
    channels = shape("toRGBLayers.0", 4)[0]
    if widths != depths[0] * FIRST**2 or channels not in (1, 3, 4):
        raise DamagedError(f"formatLayer gives {widths} numbers for {depths[0]} channels, toRGBLayers {channels}")
    fits("groupScale0.0", depths[0], depths[0], 3)
    for scale in range(scales):
        depths.append(shape(f"scaleLayers.{scale}.0", 4)[0])
        fits(f"scaleLayers.{scale}.0", depths[-1], depths[-2], 3)
        fits(f"scaleLayers.{scale}.1", depths[-1], depths[-1], 3)
    for scale, depth in enumerate(depths):
        fits(f"toRGBLayers.{scale}", channels, depth, 1)
    known = configuration(network.attributes)
    labels = known["categoryVectorDim"]
    if not 0 <= known["doublings"] <= MAX_SCALES - scales:
        raise DamagedError(f"{known['doublings']} of its resolutions are still to come, which can't be")
    if labels >= inputs:
        raise DamagedError(f"{labels} of its {inputs} inputs are classes")
    return Plan(
        part=part,
        inputs=inputs,
        labels=labels,
        classes=_classes(labels, known["attribKeysOrder"]),
        depths=tuple(depths),
        channels=channels,
        slope=known["leakyReluLeak"],
        fading=known["alpha"] if scales else 0.0,
        tanh=known["lossCriterion"] in CLASSIC,
        equalised=known["equalizedlR"],
        normalised=known["perChannelNormalization"],
        normalised_inputs=known["normalizedInputs"],
        doublings=known["doublings"],
    )


def configuration(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What a file says beside its tensors, with the layout's usual values for what it leaves out."""
    held = attributes.get("", {}).get("config")
    held = held if isinstance(held, dict) else {}
    normalised = bool(held.get("perChannelNormalization", True))
    known = {
        "leakyReluLeak": _number(held, "leakyReluLeak", 0.2),
        "alpha": _number(held, "alpha", 0.0),
        "categoryVectorDim": _number(held, "categoryVectorDim", 0),
        "lossCriterion": str(held.get("lossCriterion", "WGANGP")),
        "equalizedlR": bool(held.get("equalizedlR", True)),
        "perChannelNormalization": normalised,
        "normalizedInputs": bool(held.get("normalizedInputs", normalised)),
        "doublings": _number(held, "doublings", 0),
        "attribKeysOrder": held.get("attribKeysOrder"),
    }
    if not 0 <= known["alpha"] <= 1 or not 0 <= known["leakyReluLeak"] <= 1 or known["categoryVectorDim"] < 0:
        raise DamagedError("its configuration has impossible values")
    return known


def _number(held: dict[str, Any], name: str, usual: float) -> Any:
    """A number of the type of the usual one; None counts as left out."""
    value = held.get(name)
    if value is None:
        return usual
    whole = isinstance(usual, int)
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not math.isfinite(value):
        raise DamagedError(f"its configuration has {name} = {str(value)[:40]!r}")
    return value if whole else float(value)


def _classes(labels: int, attributes: Any) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Classes and their labels: one of each attribute's values; where nothing is known of them, one class per label."""
    plain = tuple((str(number), (number,)) for number in range(labels))
    if not isinstance(attributes, dict) or not all(isinstance(known, dict) for known in attributes.values()):
        return plain
    ordered = sorted(attributes.values(), key=lambda known: _number(known, "order", 0))
    values = [known.get("values") for known in ordered]
    values = [[str(word) for word in words] if isinstance(words, list) else [] for words in values]
    count = math.prod(len(words) for words in values)
    if sum(map(len, values)) != labels or count < 1:
        return plain
    starts = [sum(map(len, values[:index])) for index in range(len(values))]
    if count > MAX_COMBINED:
        return tuple((word, (start + at,)) for start, words in zip(starts, values, strict=True)
                     for at, word in enumerate(words))  # fmt: skip
    return tuple(
        (
            " ".join(words[at] for words, at in zip(values, chosen, strict=True)),
            tuple(start + at for start, at in zip(starts, chosen, strict=True)),
        )
        for chosen in product(*(range(len(words)) for words in values))
    )
