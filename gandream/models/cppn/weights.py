"""Everything random of a CPPN, drawn by numpy from the network's seed. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandream.models.cppn import HIDDEN, LATENT, LAYERS

SINE, TANH, GAUSS = 12, 12, 8
"""Units of each activation in a hidden layer; they lie in this order, so that each kind is one contiguous block."""
UNITS = SINE + TANH + GAUSS
INPUTS = 5
"""What the first layer sees of a point: its distances from the centre and from a mirror line, x, y, and on which
side of the mirror it lies."""
FIELDS = 5
"""What a picture is made of; see palette.py."""
STYLE = 2 * UNITS
"""Numbers that a style layer gets from w: a scale and a shift for each unit (the last two layers use fewer)."""

# Domain separation: network seed 7 and latent seed 7 must not draw the same numbers.
_STREAM = 0x43505048


@dataclass(frozen=True)
class Weights:
    """Arrays of one network, float64."""

    mapping_in: np.ndarray  # [D, D]
    mapping_out: np.ndarray  # [D, D]
    w_avg: np.ndarray  # [D], the centre of w
    style: np.ndarray  # [L, STYLE, D], from w - w_avg to a layer's style
    style_base: np.ndarray  # [L, STYLE], the style of the mean picture
    first: np.ndarray  # [UNITS, INPUTS]
    hidden: np.ndarray  # [HIDDEN - 1, UNITS, UNITS]
    readout: np.ndarray  # [HIDDEN, FIELDS, UNITS]
    hue: float  # key hue of the mean picture, radians
    mirror: np.ndarray  # [2], unit normal of the mirror line


def draw(seed: int) -> Weights:
    """Draw the network of a seed; the order of the draws is part of the family's version."""
    random = np.random.RandomState([_STREAM, seed])
    L, D = len(LAYERS), LATENT
    angle = random.uniform(0, 2 * np.pi)
    turns = random.uniform(0, 2 * np.pi, UNITS)
    waves = np.stack([np.cos(turns), np.sin(turns), np.zeros(UNITS)], axis=1)
    first = np.concatenate([random.randn(UNITS, 2) * [0.6, 0.5], waves], axis=1)
    return Weights(
        hue=random.uniform(0, 2 * np.pi),
        mirror=np.array([np.cos(angle), np.sin(angle)]),
        first=first,
        hidden=random.randn(HIDDEN - 1, UNITS, UNITS) / np.sqrt(UNITS),
        readout=random.randn(HIDDEN, FIELDS, UNITS) / np.sqrt(UNITS),
        # tanh of 0.7 times a normal number has a deviation of 0.52.
        mapping_in=random.randn(D, D) * 0.7 / np.sqrt(D),
        mapping_out=random.randn(D, D) / 0.52 / np.sqrt(D),
        w_avg=random.randn(D),
        style=random.randn(L, STYLE, D) / np.sqrt(D),
        style_base=random.randn(L, STYLE),
    )
