"""Painters of skies: nebula, dunes and aurora."""

from __future__ import annotations

import torch
from torch import Tensor

from gandream.training.dreams.draws import Draws
from gandream.training.dreams.fields import (
    fields,
    glow,
    per_picture,
    pixel,
    profile,
    sample,
    smoothstep,
    spots,
    texture,
)
from gandream.training.dreams.palette import Palette, display


def nebula(draws: Draws, x: Tensor, y: Tensor) -> Tensor:
    """Glowing gas in the dark: bent fractal noise in two lights, a bright heart, lanes of dust and a few soft stars."""
    palette = Palette.draw(draws, dark=0.20, light=0.93, stops=5, span=(0.9, 3.0), chroma=1.0)
    veil_colour = palette.tint(torch.where(draws.uniform() < 0.5, -1.0, 1.0) * draws.uniform(0.5, 1.2), 0.6)
    bend = fields(draws, x, y, 3, 2, 1.8)
    reach = per_picture(draws.uniform(0.2, 0.4))
    gas = fields(draws, x + reach * bend[:, 0], y + reach * bend[:, 1], 2, 4, 2.2, gain=0.55)
    heart_x, heart_y = draws.uniform(-0.4, 0.4), draws.uniform(-0.4, 0.4)
    dx, dy = x - per_picture(heart_x), y - per_picture(heart_y)
    size = per_picture(draws.uniform(0.5, 0.85))
    heart = torch.exp(-(dx * dx + dy * dy) / (size * size))
    cloud = gas[:, 0].mul(0.75).add_(bend[:, 2], alpha=0.4).add_(heart, alpha=1.9).sub_(0.75)
    # As much gas in every picture, however its noise fell.
    cloud -= 0.7 * (cloud.mean(dim=(1, 2), keepdim=True) - 0.1)
    density = torch.sigmoid(cloud.mul_(1.7))
    # Lanes of dust wind along a crest of the second noise.
    dust = torch.exp(gas[:, 1].sub(0.25).square_().mul_(-9.0)).mul_(density)
    tone = density.mul(0.66).add_(heart, alpha=0.26).sub_(dust, alpha=0.16).add_(gas[:, 1], alpha=0.05)
    linear = palette(tone.clamp_(0.0, 1.0))
    linear *= (0.12 + 1.35 * density.square()).mul_(1.0 - 0.4 * dust)[:, None]
    # Thin gas around it shines in the ramp's other colours.
    veil = torch.exp((density - 0.3).square_().mul_(-14.0)).mul_((0.45 + 0.4 * bend[:, 2]).clamp_(0.0, 1.0))
    linear += glow(0.36 * veil_colour, veil)
    count = 10
    px, py = draws.uniform(-1.0, 1.0, count), draws.uniform(-1.0, 1.0, count)
    power = draws.uniform(0.0, 1.0, count) ** 4
    stars = spots(x, y, px, py, 0.018 + 0.016 * power, 0.15 + 1.6 * power)
    stars += spots(x, y, px, py, 0.05 + 0.12 * power, 0.32 * power)
    linear += glow(0.4 + 0.6 * palette.colour(-1), stars)
    return display(linear)


RIDGES = 5


def dunes(draws: Draws, x: Tensor, y: Tensor) -> Tensor:
    """A sun or a moon in a sky that brightens to the horizon, and ridge behind ridge in the haze."""
    palette = Palette.draw(draws, dark=0.15, light=0.93, stops=5, span=(0.8, 2.8), chroma=1.0)
    horizon = per_picture(draws.uniform(-0.15, 0.3))
    # The sky: from a deeper tone above to the ramp's light end at the horizon.
    above = ((horizon - y) / (1.0 + horizon)).clamp(0.0, 1.0)
    zenith = per_picture(draws.uniform(0.15, 0.5))
    clouds = fields(draws, 0.6 * x, 2.0 * y, 1, 2, 2.0)[:, 0]
    tone = (0.88 + (zenith - 0.88) * above.pow(0.8)).add_(clouds, alpha=0.035).clamp_(0.0, 1.0)
    linear = palette(tone)
    radius = per_picture(draws.uniform(0.13, 0.34))
    sun_x = per_picture(draws.uniform(-0.6, 0.6))
    sun_y = horizon - per_picture(draws.uniform(0.0, 0.65))
    dx, dy = x - sun_x, y - sun_y
    away = torch.sqrt(dx * dx + dy * dy + 1e-6)
    edge = 1.2 * pixel(x)
    disc = smoothstep(radius + edge, radius - edge, away)
    halo = torch.exp(-(away - radius).clamp_(min=0.0) / (0.12 + radius))
    # The disc is pale above and takes the sky's colour below; now and then it has a colour of its own.
    own = (draws.uniform() < 0.2)[:, None]
    pale, deep = 1.7 * palette.colour(-1) + 0.15, 1.5 * palette.colour(-2)
    sun, low = torch.where(own, 1.2 * palette.accent + 0.35, pale), torch.where(own, 1.2 * palette.accent, deep)
    linear += (linear + 0.15) * glow(0.65 * pale, halo)
    down = (0.1 + 0.45 * (dy / radius + 1.0)).clamp_(0.0, 1.0)
    linear = torch.lerp(linear, sun[:, :, None, None] + glow(low - sun, down), disc[:, None])
    # Ridges, far to near: each a line of noise; darker, rougher and further apart as they come near.
    line, row = x[:, :1], y[:, :, :1]
    swell = per_picture(draws.uniform(0.6, 1.5))
    shore = per_picture(draws.uniform(0.55, 0.68))
    for ridge in range(RIDGES):
        near = ridge / (RIDGES - 1)
        skyline = profile(draws, x, 2, 3.6 - 1.6 * near, gain=0.4)
        crest = horizon + (1.0 - horizon) * (0.04 + 0.76 * near**1.2) - swell * (0.05 + 0.09 * near) * skyline
        depth = row - crest
        cover = smoothstep(-edge, edge, depth)
        haze = torch.exp(depth.clamp_(min=0.0) * (-1.0 / (0.12 + 0.20 * near)))
        body = palette((0.05 + shore * (1.0 - near) ** 0.8 + (0.17 - 0.05 * near) * haze).clamp_(0.0, 1.0))
        body *= (0.75 + 0.35 * haze)[:, None]
        lit = haze.pow(4).mul_(torch.exp(-(line - sun_x).square() * 1.8)).mul_(0.55 - 0.25 * near)
        body += glow((0.6 - 0.3 * near) * (0.7 * pale) * (palette.colour(2) + 0.25), lit)
        linear = torch.lerp(linear, body, cover[:, None])
    return display(linear)


def aurora(draws: Draws, x: Tensor, y: Tensor) -> Tensor:
    """Curtains of light over a dark sky, hills, and still water that gives them back."""
    # Green below and violet above, as oxygen and nitrogen shine, or other ways around that don't meet yellow.
    kind = draws.uniform()
    hue = torch.where(kind < 0.5, draws.uniform(2.5, 3.2), draws.uniform(3.5, 6.0))
    hue = torch.where(kind < 0.8, hue, draws.uniform(5.6, 7.1))
    span = torch.where(kind < 0.5, draws.uniform(1.3, 3.0), (6.9 - hue).clamp_(min=0.5) * draws.uniform(0.4, 1.0))
    span = torch.where(kind < 0.8, span, -draws.uniform(1.0, 2.4))
    # Here the ramp is the curtain's, from its lower edge upwards; the sky has a colour of its own.
    curtain = Palette.draw(draws, dark=0.70, light=0.48, stops=5, hue=hue, turn=span, chroma=1.0)
    sky = Palette.draw(draws, dark=0.11, light=0.36, stops=3, hue=4.6 + draws.uniform(-0.5, 0.6), turn=0.25 * span)
    horizon = per_picture(draws.uniform(0.4, 0.68))
    depth = (y - horizon).clamp(min=0.0)
    wave = fields(draws, x, y * 2.5, 1, 1, 5.0)[:, 0]
    ripple = smoothstep(0.0, 0.25, depth).mul_(wave)
    place_y = (y - 2.0 * depth).addcmul_(ripple, torch.full_like(ripple, 0.03))
    place_x = x + 0.03 * ripple
    tone = ((place_y + 1.0) / (horizon + 1.0)).clamp_(0.0, 1.0)
    linear = sky(tone.square_())
    count = 16
    px, py, power = draws.uniform(-1, 1, count), draws.uniform(-1, 0.3, count), draws.uniform(0, 1, count) ** 3
    stars = spots(x, y, px, py, 0.014 + 0.012 * power, 0.06 + 0.7 * power).mul_(depth == 0)
    linear += stars[:, None]
    rays = texture(draws, 2, 3, 6.0, gain=0.7, size=160)
    paths = texture(draws, 2, 2, 1.8, gain=0.35, size=96)
    lean = per_picture(draws.uniform(-0.35, 0.35))
    zero = torch.zeros_like(place_x)
    along = place_x + lean * (place_y + 0.4)
    for number in range(2):
        path = sample(paths[:, number : number + 1], along, zero)[:, 0]
        centre = draws.uniform(-0.45, 0.0) if number else draws.uniform(-0.05, 0.25)
        above = per_picture(centre) + 0.20 * path - place_y
        rise = smoothstep(-0.06, 0.04, above)
        tall = per_picture(draws.uniform(0.22, 0.5))
        ray = sample(rays[:, number : number + 1], along + 0.3 * path, 0.08 * place_y)[:, 0]
        up = above.clamp_(min=0.0) / tall
        colour = curtain((0.45 * up).clamp_(0.0, 1.0))
        light = torch.exp(0.55 * ray - 0.35 - up * torch.exp(-0.3 * ray)).mul_(rise)
        strength = per_picture(draws.uniform(0.5, 1.1) if number else draws.uniform(1.0, 1.7))
        linear += colour.mul_(light.mul_(strength)[:, None])
    # Hills stand on the shore, and are given back too.
    hill = horizon - (0.10 + 0.06 * profile(draws, x, 3, 3.0, gain=0.45)).clamp_(min=0.015)
    edge = 1.2 * pixel(x)
    dark = smoothstep(-edge, edge, place_y - hill)
    linear *= (1.0 - 0.95 * dark)[:, None]
    water = smoothstep(-edge, edge, y - horizon)
    linear *= (1.0 - 0.3 * water)[:, None]
    return display(linear)
