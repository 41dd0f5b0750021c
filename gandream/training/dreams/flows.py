"""Painters of what flows: silk and marble."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gandream.training.dreams.draws import Draws
from gandream.training.dreams.fields import fields, glow, per_picture, pixel, rotate, slopes
from gandream.training.dreams.palette import Palette, display

GOLD = (1.0, 0.60, 0.20)
"""Linear RGB of gold leaf in warm light."""


def silk(draws: Draws, x: Tensor, y: Tensor) -> Tensor:
    """Folds of satin: sinusoids along a bent axis as a height, lit from the side."""
    palette = Palette.draw(draws, dark=0.13, light=0.86, span=(0.5, 2.4))
    angle = draws.uniform(0.0, 2 * math.pi)
    across, along = rotate(x, y, angle)
    bend = fields(draws, x, y, 3, 1, 2.4)
    folds = per_picture(draws.uniform(3.2, 5.6))
    curl = per_picture(draws.uniform(0.7, 1.5))
    phase = across * folds + curl * bend[:, 0] + 0.8 * torch.sin(along * 2.0 + 0.8 * bend[:, 1])
    # Each fold leans over, now this way, now that, and carries finer folds.
    height = torch.sin(phase + (0.45 + 0.2 * bend[:, 2]) * torch.sin(phase + bend[:, 1]))
    height += per_picture(draws.uniform(0.2, 0.34)) * torch.sin(2.1 * phase + 1.7 * bend[:, 2])
    dx, dy = slopes(height)
    light = angle + draws.uniform(-0.7, 0.7)
    slope = dx * per_picture(torch.cos(light)) + dy * per_picture(torch.sin(light))
    steep = 0.9 / folds
    slope.mul_(steep)
    norm = torch.rsqrt((dx * dx + dy * dy).mul_(steep * steep).add_(1.0))
    shade = (slope + 0.55).mul_(norm)  # the cosine to a low light, about -0.9..1.2
    tone = shade.mul(0.36).add_(0.34).add_(height, alpha=0.10).add_(bend[:, 1], alpha=0.05).clamp_(0.0, 1.0)
    sheen = ((shade - 0.5) * 1.5).clamp_(0.0, 1.0).pow_(3)
    linear = palette(tone)
    linear += glow(0.55 * palette.colour(-1) + 0.10 * palette.accent, sheen)
    return display(linear)


def marble(draws: Draws, x: Tensor, y: Tensor) -> Tensor:
    """Polished stone: tinted bands, bent twice, with fine veins of gold or of pale stone."""
    palette = Palette.draw(draws, dark=0.13, light=0.94, stops=5)
    angle = draws.uniform(0.0, 2 * math.pi)
    across, _ = rotate(x, y, angle)
    first = fields(draws, x, y, 2, 2, 2.0)
    reach = per_picture(draws.uniform(0.16, 0.32))
    bent_x, bent_y = x + reach * first[:, 0], y + reach * first[:, 1]
    second = fields(draws, bent_x, bent_y, 3, 3, 2.6, gain=0.5)
    count = per_picture(draws.uniform(2.5, 6.0))
    phase = count * (across + 0.4 * first[:, 1]) + 1.5 * second[:, 0]
    tone = torch.sin(phase).mul_(0.27).add_(0.47)
    tone += torch.sin(2.7 * phase + second[:, 1]).mul_(0.10)
    tone.add_(second[:, 1], alpha=0.12).clamp_(0.0, 1.0)
    linear = palette(tone)
    # Veins lie where a noise crosses zero; its slope tells how far away, so that they are about as wide everywhere.
    lines = second[:, 2].add_(per_picture(draws.uniform(-0.3, 0.3)))
    dx, dy = slopes(lines)
    away = lines.abs().mul_(torch.rsqrt(dx.mul_(dx).addcmul_(dy, dy).add_(1.5)))
    width = per_picture(draws.uniform(0.015, 0.028)) * torch.exp(0.45 * first[:, 0])
    seen = width.clamp(min=0.85 * pixel(x))  # what is finer than a pixel is drawn as wide, but fainter
    vein = torch.exp(-(away / seen).square_()).mul_(width / seen)
    deep = torch.exp(away.mul_(-9.0))
    gold = torch.tensor(GOLD, device=x.device)
    golden = (draws.uniform() < 0.65)[:, None]
    colour = torch.where(golden, gold, palette.colour(-1))
    linear *= (1.0 - 0.6 * deep)[:, None]
    share = vein.mul_((0.85 + 0.35 * second[:, 0]).clamp_(0.35, 1.0))[:, None]
    linear = torch.lerp(linear, colour[:, :, None, None] * (0.55 + 0.9 * tone[:, None]), share)
    return display(linear)
