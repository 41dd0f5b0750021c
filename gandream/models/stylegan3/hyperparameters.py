"""The layers that the paper's formulas give, for files that don't say them (Karras et al. 2021, appendix C.1).

Cutoff and stopband frequencies grow geometrically from the first layer to the first critically sampled one; sampling
rates are the powers of two that hold the stopbands; sizes are the rates with a margin on each side. What is given
here has the names that NVIDIA's torch checkpoints use for each layer's attributes. Loads no torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

FIRST_CUTOFF = 2.0
FIRST_STOPBAND = 2**2.1
LAST_STOPBAND = 2**0.3
"""Relative to the last cutoff."""
MARGIN = 10
"""Pixels around the picture, on each side, at each layer's own resolution."""
CRITICAL = 2
"""Layers at the end whose cutoff is half their sampling rate."""
UPSAMPLING = 2
"""How much finer the grid is that the activation works on."""
FILTER_SIZE = 6
"""Taps of a filter, for each unit of its factor."""
OUTPUT_SCALE = 0.25
CLAMP = 256.0


@dataclass(frozen=True)
class Band:
    """Frequencies at one point of the network, and its grid."""

    cutoff: float
    half_width: float
    rate: int
    size: int


def bands(layers: int, resolution: int, margin: int = MARGIN, critical: int = CRITICAL) -> list[Band]:
    """What leaves each of the layers 0 ... ``layers``, of which the last one makes colours."""
    last = resolution / 2
    found = []
    for number in range(layers + 1):
        share = min(number / max(layers - critical, 1), 1.0)
        cutoff = FIRST_CUTOFF * (last / FIRST_CUTOFF) ** share
        stopband = FIRST_STOPBAND * (last * LAST_STOPBAND / FIRST_STOPBAND) ** share
        rate = 2 ** math.ceil(math.log2(min(2 * stopband, resolution)))
        size = resolution if number >= layers - 1 else rate + 2 * margin
        found.append(Band(cutoff, max(stopband, rate / 2) - cutoff, rate, size))
    return found


def fitting(sizes: Sequence[int]) -> tuple[list[Band], int] | None:
    """The bands whose sizes are these, with the number of critically sampled layers; None where there are none.

    The paper's margin and number of critical layers are tried first.
    """
    layers = len(sizes) - 1
    if layers < 1 or sizes[-1] < 4:
        return None
    margins = [MARGIN, *(sizes[0] // 2 - 2**power // 2 for power in range(1, 10) if 2**power <= sizes[0])]
    for critical in (CRITICAL, *range(layers)):
        for margin in margins:
            if critical < layers:
                found = bands(layers, sizes[-1], margin, critical)
                if [band.size for band in found] == list(sizes):
                    return found, critical
    return None


def attributes(
    found: Sequence[Band],
    critical: int,
    kernels: Sequence[int],
    taps: Sequence[tuple[int | None, int | None]],
    radial: bool,
) -> list[dict[str, Any]]:
    """Attributes of each layer; ``taps`` are the lengths of its filters as far as the file has them."""
    made: list[dict[str, Any]] = []
    layers = len(found) - 1
    for number, after in enumerate(found):
        before, colours = found[max(number - 1, 0)], number == layers
        rate = max(before.rate, after.rate) * (1 if colours else UPSAMPLING)
        up, down = rate // before.rate, rate // after.rate
        up_taps, down_taps = (
            length or (FILTER_SIZE * factor if factor > 1 and not colours else 1)
            for length, factor in zip(taps[number], (up, down), strict=True)
        )
        total = (after.size - 1) * down + 1 - (before.size + kernels[number] - 1) * up + up_taps + down_taps - 2
        low = (total + up) // 2
        made.append(
            {
                "is_torgb": colours,
                "up_factor": up,
                "down_factor": down,
                "padding": [low, total - low] * 2,
                "up_taps": up_taps,
                "down_taps": down_taps,
                "down_radial": radial and number < layers - critical,
                "in_cutoff": before.cutoff,
                "in_half_width": before.half_width,
                "out_cutoff": after.cutoff,
                "out_half_width": after.half_width,
                "tmp_sampling_rate": rate,
                "conv_clamp": CLAMP,
            }
        )
    return made
