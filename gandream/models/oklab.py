"""OKLab, where equal steps look equal (Ottosson 2020, "A perceptual color space for image processing")."""

from __future__ import annotations

import torch
from torch import Tensor


def linear_channels(lightness: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Linear sRGB of OKLab colours, all of one shape; outside of the gamut some channel is below 0 or above 1."""
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def from_lch(lightness: Tensor, chroma: Tensor, hue: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Lightness, a and b of OKLCh colours; hues are in radians."""
    return lightness, chroma * torch.cos(hue), chroma * torch.sin(hue)
