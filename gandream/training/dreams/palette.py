"""Palettes: for each picture a ramp of harmonious colours from a dark ground to a light accent, and film's shoulder.

Colours are chosen in OKLCh (Ottosson 2020, "A perceptual color space for image processing"). Along the ramp lightness
rises and the hue wanders over a part of the circle, short (analogous colours) or long (a sunset from violet to
amber); the chroma is a share of what sRGB can show there. Colours between the stops are mixed in OKLab.

Everything here is *linear* light: what a palette gives is linear sRGB, nominally in [0, 1], that painters may add up,
multiply and let run beyond 1. ``display`` at the very end turns it into display values in [0, 1] (sRGB-encoded).
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from gandream.models.oklab import from_lch, linear_channels
from gandream.training.dreams.draws import Draws

ENTRIES: Final = 128
"""Colours in a ramp's table, which is linear between them."""
AVOIDED_HUE: Final = math.radians(115)
"""Yellow-green, which looks ill in the dark: hues run past it and linger on either side."""

_LEAF, _GREEN, _CYAN, _VIOLET, _COPPER, _GOLD = (math.radians(degrees) for degrees in (140, 148, 210, 295, 412, 455))


class Palette:
    """A ramp of colours for each of N pictures, given by its stops in OKLab [N, K, 3] and an accent [N, 3]."""

    def __init__(self, stops: Tensor, accent: Tensor) -> None:
        self.stops = stops
        self.linear = oklab_to_linear(stops).clamp_(min=0.0)
        self.accent = oklab_to_linear(accent).clamp_(min=0.0)
        """Linear RGB [N, 3] of a bright colour across the circle, for small strokes and lights."""
        self._hue = torch.atan2(stops[:, 1, 2], stops[:, 1, 1])
        self._table = oklab_to_linear(_through(stops, ENTRIES)).clamp_(min=0.0).transpose(1, 2).contiguous()

    @classmethod
    def draw(
        cls,
        draws: Draws,
        dark: float = 0.16,
        light: float = 0.92,
        stops: int = 5,
        span: tuple[float, float] = (0.4, 3.0),
        chroma: float = 0.9,
        hue: Tensor | None = None,
        turn: Tensor | None = None,
    ) -> Palette:
        """Harmonious palettes for the pictures of ``draws``.

        Args:
            draws: The pictures' random numbers.
            dark: OKLab lightness of the first stop (0..1), give or take 0.03.
            light: OKLab lightness of the last stop.
            stops: Number of stops, two or more.
            span: How far the hue wanders over the ramp, in radians: least and most, the less the likelier.
            chroma: Share of the chroma that sRGB can show, 0..1.
            hue: Hue of the first stop in radians [N]; None: any but the yellows.
            turn: How far and which way the hue wanders [N], signed, instead of ``span``.
        """
        # Grounds from green by blue and red to burnt orange: dark yellow would be mud.
        start = draws.uniform(_GREEN, _COPPER)
        width = span[0] + (span[1] - span[0]) * draws.uniform() ** 1.3
        # From violet and red towards gold, seldom back; from green rather towards blue; from blue both ways.
        onward = torch.where(start > _VIOLET, 0.85, torch.where(start < _CYAN, 0.65, 0.5))
        reach = torch.where(draws.uniform() < onward, width, -width)
        reach = torch.minimum(reach, (_GOLD - start).clamp_(min=0.4)).maximum(_LEAF - start)
        wobble = draws.normal(stops)
        lift = draws.uniform(-0.03, 0.03)
        bend = draws.uniform(0.85, 1.2)
        across = draws.uniform(2.3, 3.6)
        start = start if hue is None else hue
        reach = reach if turn is None else turn
        t = torch.linspace(0.0, 1.0, stops, device=draws.device)
        rise = dark + lift[:, None] + (light - dark) * t ** bend[:, None]
        hues = _away(start[:, None] + reach[:, None] * t + 0.07 * wobble, rise)
        # Full chroma in the middle; the ground is a little calmer and the lightest stop nearly cream.
        share = chroma * (0.72 + 0.28 * torch.sin(math.pi * (0.12 + 0.76 * t)))
        bright = torch.full_like(start, 0.78)
        accent = _away(start + 0.5 * reach + across, bright)
        return cls(
            oklch(rise, share * greatest_chroma(rise, hues), hues),
            oklch(bright, 0.95 * chroma * greatest_chroma(bright, accent), accent),
        )

    def __call__(self, t: Tensor) -> Tensor:
        """The ramp's colours at t [N, R, R] in 0..1 (held at the ends): linear RGB [N, 3, R, R]."""
        number, height, width = t.shape
        places = torch.zeros((number, height, width, 2), dtype=torch.float32, device=t.device)
        torch.sub(t * 2.0, 1.0, out=places[..., 0])
        table = self._table[:, :, None]
        return functional.grid_sample(table, places, mode="bilinear", padding_mode="border", align_corners=True)

    def tint(self, turn: Tensor, lightness: float = 0.7) -> Tensor:
        """Linear RGB [N, 3] of a full colour whose hue is ``turn`` [N] radians from the second stop's."""
        bright = torch.full_like(turn, lightness)
        hue = _away(self._hue + turn, bright)
        return oklab_to_linear(oklch(bright, 0.95 * greatest_chroma(bright, hue), hue)).clamp_(min=0.0)

    def colour(self, k: int) -> Tensor:
        """Linear RGB [N, 3] of stop k (0: the ground, -1: the lightest)."""
        return self.linear[:, k]


def display(linear: Tensor) -> Tensor:
    """Linear light [.., 3, R, R], 0 and up -> display values in [0, 1): film's shoulder, then sRGB's transfer curve.

    Below a half light is left as it is; above, it nears 1 exponentially (0.5 + 0.5 (1 - exp(-(x - 0.5) / 0.5)), smooth
    at the joint), so that highlights keep their shape.
    """
    over = (linear - 0.5).clamp_(min=0.0)
    light = torch.minimum(linear, over.new_tensor(0.5)).clamp_(min=0.0)
    light.sub_(torch.expm1(over.mul_(-2.0)), alpha=0.5)
    curve = light.clamp(min=1e-6).pow_(1.0 / 2.4).mul_(1.055).sub_(0.055)
    return torch.where(light <= 0.0031308, light * 12.92, curve).clamp_(0.0, 1.0)


def oklch(lightness: Tensor, chroma: Tensor, hue: Tensor) -> Tensor:
    """OKLCh of equal shapes [...] -> OKLab [..., 3]."""
    return torch.stack(from_lch(lightness, chroma, hue), dim=-1)


def oklab_to_linear(lab: Tensor) -> Tensor:
    """OKLab [..., 3] -> linear sRGB [..., 3], outside of the gamut below 0 or above 1 (Ottosson 2020)."""
    return torch.stack(linear_channels(*lab.unbind(-1)), dim=-1)


def greatest_chroma(lightness: Tensor, hue: Tensor, limit: float = 0.26) -> Tensor:
    """The greatest chroma up to ``limit`` that sRGB shows at this lightness and hue, by bisection; same shape."""
    low, high = torch.zeros_like(hue), torch.full_like(hue, limit)
    for _ in range(7):
        middle = 0.5 * (low + high)
        rgb = oklab_to_linear(oklch(lightness, middle, hue))
        inside = (rgb.amin(-1) >= 0.0) & (rgb.amax(-1) <= 1.0)
        low, high = torch.where(inside, middle, low), torch.where(inside, high, middle)
    return low


def _away(hue: Tensor, lightness: Tensor) -> Tensor:
    off = hue - AVOIDED_HUE
    amount = ((0.98 - lightness) / 0.4).clamp(0.0, 1.0)
    return hue + amount * (0.30 * torch.sin(off) + 0.12 * torch.sin(2 * off))


def _through(stops: Tensor, entries: int) -> Tensor:
    """A smooth curve through stops [N, K, 3] (Catmull and Rom 1974; ends doubled) -> [N, entries, 3]."""
    last = stops.shape[1] - 1
    place = torch.linspace(0.0, last, entries, device=stops.device)
    left = place.floor().clamp_(max=last - 1)
    u = (place - left)[:, None]
    index = left.long()
    before, after = (index - 1).clamp_(min=0), (index + 2).clamp_(max=last)
    p0, p1, p2, p3 = stops[:, before], stops[:, index], stops[:, index + 1], stops[:, after]
    slope_in, slope_out = 0.5 * (p2 - p0), 0.5 * (p3 - p1)
    u2, u3 = u * u, u * u * u
    return (2 * u3 - 3 * u2 + 1) * p1 + (u3 - 2 * u2 + u) * slope_in + (3 * u2 - 2 * u3) * p2 + (u3 - u2) * slope_out
