"""Schemes: pairs of a ground's hue and of the way to the light's, chosen by eye, evenly around the circle."""

from __future__ import annotations

from typing import Final

import torch

from gandream.training.dreams.draws import Draws
from gandream.training.dreams.palette import Palette

SCHEMES: Final = (
    (288, 155),  # sunset: violet, rose, gold
    (10, 80),  # fire: crimson, orange, gold
    (266, -85),  # ocean: deep blue, azure, aqua
    (290, -125),  # lagoon: indigo, blue, mint
    (325, 95),  # rose: plum, pink, peach
    (210, -65),  # emerald: petrol, jade, spring green
    (260, 100),  # orchid: blue, violet, pink
    (250, -80),  # peacock: blue, teal, jade
    (22, 50),  # amber: red, copper, honey
    (262, 150),  # twilight: blue, magenta, coral
    (330, -110),  # iris: purple, blue, cyan
    (176, -50),  # spring: jade, green, lime
)
"""(hue of the darkest colour, turn to the lightest's) in degrees of OKLCh."""


def scheme(draws: Draws, dark: float, light: float, chroma: float = 1.0) -> Palette:
    """Palettes of the pictures' schemes, each a little out of true; other words as in ``Palette.draw``."""
    table = torch.deg2rad(torch.tensor(SCHEMES, dtype=torch.float32, device=draws.device))
    chosen = table[draws.integer(0, len(SCHEMES))]
    hue = chosen[:, 0] + draws.uniform(-0.22, 0.22)
    turn = chosen[:, 1] * draws.uniform(0.7, 1.15)
    return Palette.draw(draws, dark=dark, light=light, chroma=chroma, hue=hue, turn=turn)
