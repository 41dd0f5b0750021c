"""From fields to colour: three hues share the plane, a glow says how bright it is, and a rim draws fine lines.

Light adds up in linear light, over a deep tint instead of black, and is developed like film: 1 - exp(-x) in each
channel keeps highlights from clipping, and the square root is the display's gamma. Colours are chosen in OKLCh
(Ottosson 2020, "A perceptual color space for image processing"): a key hue, a neighbour, and one rare accent.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gandream.models.cppn.weights import FIELDS
from gandream.models.oklab import from_lch, linear_channels

# Five fields make a picture: the shares of the key, second and accent hues (through a softmax), glow, and rim.
GLOW, RIM = 3, 4
LEVEL = (0.6, 0.2, -1.6, -1.7, 0.0)
"""Mean of each field; for the rim, where its lines lie."""
CONTRAST = (1.8, 1.8, 2.4, 2.6, 10.0)
"""Deviation of each field; the greater the rim's, the finer its lines."""
WANDER = (0.5, 0.5, 0.5, 0.35, 2.0)
"""How far a light style moves the mean, for one deviation."""

CHROMA = (0.22, 0.21, 0.22, 0.10, 0.12)
LIGHTNESS = (0.62, 0.56, 0.70, 0.78, 0.84)
STRENGTH = (2.3, 2.3, 2.4, 0.8, 1.3)
"""Of the key, second and accent lights, the gleam in the brightest parts, and the rim."""
AVOIDED_HUE = math.radians(118)
"""Hues run past yellow-green, which looks ill in the dark, and linger at red and at cyan on either side."""


def levels(style: Tensor) -> tuple[Tensor, Tensor]:
    """Contrast and level of each field [FIELDS] from the light layer's style."""
    contrast = style.new_tensor(CONTRAST) * torch.exp(0.12 * style[:FIELDS])
    return contrast, style.new_tensor(LEVEL) + style.new_tensor(WANDER) * style[FIELDS : 2 * FIELDS]


def colours(style: Tensor, hue: float) -> Tensor:
    """Linear RGB of each light, and of the shade in the last column, [3, FIELDS + 1] from the palette layer's style.

    ``hue`` is the network's own key hue in radians, which the style moves around.
    """
    key = hue + 0.7 * style[0] + 0.3 * style[1]
    second = key + 0.75 + 0.25 * style[2]
    accent = key + 2.45 + 0.3 * style[3]
    hues = torch.stack([key, second, accent, key + 0.3, accent - 0.4, key - 0.6])
    away = hues - AVOIDED_HUE
    hues = hues + 0.45 * torch.sin(away) + 0.2 * torch.sin(2 * away)
    chroma = style.new_tensor((*CHROMA, 0.10)) * torch.exp(0.12 * style[4:10])
    lightness = style.new_tensor((*LIGHTNESS, 0.5)) + 0.03 * style[10:16]
    strength = style.new_tensor((*STRENGTH, 0.03))
    light = oklch_to_linear(lightness, chroma, hues).clamp_min(0.003)
    # Film desaturates what is bright; taking out part of the grey beforehand gives it back.
    return (light - 0.6 * light.amin(dim=0)) * strength


def oklch_to_linear(lightness: Tensor, chroma: Tensor, hue: Tensor) -> Tensor:
    """Linear sRGB [3, K] of OKLCh colours [K] each; outside of the gamut some channel is negative."""
    return torch.stack(linear_channels(*from_lch(lightness, chroma, hue)))


def develop(fields: Tensor, colours: Tensor, out: Tensor) -> None:
    """Fields [FIELDS + 1, P] (overwritten; the last row is 1) and colours [3, FIELDS + 1] -> out [3, P] in [-1, 1]."""
    shares, glow, rim = fields[:GLOW], fields[GLOW], fields[RIM]
    torch.addcmul(glow, rim, rim, value=-1, out=rim)
    fields[GLOW : RIM + 1].sigmoid_()
    torch.softmax(shares, dim=0, out=shares)
    shares.mul_(glow)
    glow.mul_(glow)
    light = torch.mm(colours, fields)
    light.neg_().exp_()
    torch.sub(light.mul_(-4).add_(4).sqrt_(), 1, out=out)  # 2 sqrt(1 - exp(-x)) - 1
