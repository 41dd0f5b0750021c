"""StyleGAN3 beyond the edges of its pictures: the waves of its input go on for ever, and so does what is made of them.

Each layer is given as many more pixels as the picture is to get at that layer's rate; nothing else changes, and the
pixels that were there are computed from what they were computed from (Karras et al. 2021, section 3.1: layers commute
with translation, and margins keep the edges out of the picture). Loads no torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from gandream.models.spec import Layer
from gandream.models.stylegan3.plan import SynthesisPlan

Size = tuple[int, int]


def factors(plan: SynthesisPlan) -> list[Fraction]:
    """Pixels for each pixel of the input: those of the input, then those that each layer gives."""
    found = [Fraction(1)]
    for layer in plan.layers:
        found.append(found[-1] * layer.up / layer.down)
    return found


def shown(plan: SynthesisPlan) -> tuple[Layer, ...]:
    """The layers before the colours; as many pixels as they have for the picture, without their margins."""
    scale, names = factors(plan), ["input", *(layer.key.removeprefix("synthesis.") for layer in plan.layers)]
    side, channels = min(plan.size), [plan.input.channels, *(layer.outputs for layer in plan.layers)]
    return tuple(
        Layer(name, max(1, round(side * factor / scale[-1])), count)
        for name, factor, count in zip(names, scale[:-1], channels, strict=False)
    )


def wider(plan: SynthesisPlan, size: Size) -> SynthesisPlan:
    """The network whose pictures hold ``size`` (height, width), with the native ones in the middle."""
    scale = factors(plan)
    unit = math.lcm(*(factor.denominator for factor in scale))  # all layers get whole pixels

    def more(side: int, want: int) -> int:
        beside = max(0, -(-(want - side) // 2))
        return unit * math.ceil(beside / (scale[-1] * unit))

    beside = [more(side, want) for side, want in zip(plan.size, size, strict=True)]
    if not any(beside):
        return plan

    def grown(sides: Sequence[int], factor: Fraction) -> Size:
        height, width = (side + int(2 * more * factor) for side, more in zip(sides, beside, strict=True))
        return height, width

    layers = tuple(
        replace(layer, before=grown(layer.before, before), size=grown(layer.size, after))
        for layer, before, after in zip(plan.layers, scale, scale[1:], strict=False)
    )
    return replace(plan, input=replace(plan.input, size=grown(plan.input.size, Fraction(1))), layers=layers)
