"""From fields to colour: a picture is lit by a few coloured lights, each as bright as the exponential of a field.

Lights add up in linear light, over black, and are developed like film: 1 - exp(-x) in each channel keeps highlights
from clipping and lets them run toward white, and the square root is the display's gamma. The lights' colours are
chosen in OKLCh (Ottosson 2020, "A perceptual color space for image processing"), few hues and one accent.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

# name        level  contrast   log-intensity is level + contrast * field
#  key        the main hue, large areas
#  second     a neighbour of it
#  accent     far from both, rare and bright
#  shade      a deep tint that keeps the darks alive
#  rim        a fine luminous line where a field crosses zero
LEVEL = (-2.3, -2.6, -3.6, -4.2, -1.6)
CONTRAST = (2.0, 1.9, 2.6, 0.5, 7.0)
RIM = 4


def light_levels(style: Tensor) -> tuple[Tensor, Tensor]:
    """Contrast and level of each light [LIGHTS] from the light layer's style [STYLE]."""
    lights = len(LEVEL)
    contrast = style.new_tensor(CONTRAST) * torch.exp(0.12 * style[:lights])
    level = 0.35 * style[lights : 2 * lights]
    offset = style.new_tensor(LEVEL[:RIM] + (0.0,))
    return contrast, offset + level


def anchors(style: Tensor) -> Tensor:
    """Linear RGB of each light [3, LIGHTS] from the palette layer's style [STYLE]."""
    turn = 2 * math.pi
    hue = 1.6 * style[0] + 0.9 * style[1]
    near = 0.7 + 0.25 * style[2]
    far = turn / 2 + 0.5 * style[3]
    hues = torch.stack([hue, hue + near, hue + far, hue - 0.5 + 0.3 * style[4], hue + far - 0.4])
    avoided = math.radians(125)
    hues = hues + 0.45 * torch.sin(hues - avoided)
    chroma = style.new_tensor([0.17, 0.16, 0.19, 0.12, 0.08]) * torch.exp(0.15 * style[5:10])
    lightness = style.new_tensor([0.72, 0.68, 0.78, 0.6, 0.9])
    return oklch_to_linear(lightness, chroma, hues).clamp_min(0.004)


def oklch_to_linear(lightness: Tensor, chroma: Tensor, hue: Tensor) -> Tensor:
    """Linear sRGB [3, K] of OKLCh colours [K] each; outside of the gamut some channel is negative."""
    a, b = chroma * torch.cos(hue), chroma * torch.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return torch.stack(
        [
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        ]
    )


def develop(logs: Tensor, colours: Tensor) -> Tensor:
    """Log-intensities [LIGHTS, P] (overwritten) and the lights' colours [3, LIGHTS] -> picture [3, P] in [-1, 1]."""
    rim = logs[RIM]
    rim.mul_(rim).neg_().add_(LEVEL[RIM]).add_(logs[0], alpha=0.5)
    light = torch.mm(colours, logs.exp_())
    return light.neg_().expm1_().neg_().sqrt_().mul_(2).sub_(1)
