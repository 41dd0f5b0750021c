"""Dreams of light on things: stained glass, water seen from above, floating spheres."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from gandream.training.dreams.draws import Draws
from gandream.training.dreams.fields import fields, per_picture, pixel
from gandream.training.dreams.palette import display
from gandream.training.dreams.schemes import scheme

PANES: Final = 20
"""Most panes in a window; fewer where some lie outside of it."""
SOURCES: Final = 3
ORBS: Final = 6
BOKEH: Final = 4
AWAY: Final = 9.0
"""Where sites go that a window doesn't use."""


def glass(draws: Draws, x: Tensor, y: Tensor) -> Tensor:
    """Stained glass: panes of a bent Voronoi diagram in lead seams, lit from behind; [N, 3, R, R] in [0, 1]."""
    palette = scheme(draws, dark=0.36, light=0.82)
    sites = _sites(draws)  # [N, PANES, 2]
    tone = _tones(draws, sites)
    gleam = (draws.uniform(0.0, 1.0, PANES) < 0.07).float()
    brightness = torch.maximum(draws.uniform(0.75, 1.25, PANES), 1.3 * gleam)
    width = per_picture(draws.uniform(0.022, 0.036))
    angle, reach = draws.uniform(0.0, 2 * math.pi), draws.uniform(0.2, 0.9)
    bend = fields(draws, x, y, 3, 2, 1.6, 0.35)
    across, down = bend[:, 0].mul_(0.045).add_(x), bend[:, 1].mul_(0.045).add_(y)

    nearest, far, edge = _voronoi(sites, across, down)
    pick = nearest.flatten(1)

    def of_pane(value: Tensor) -> Tensor:
        return value.gather(1, pick).view_as(far)

    middle = torch.exp((far * -9.0).clamp_(min=-20.0))  # 1 at a pane's site, falling towards its seams
    bevel = 1.0 - torch.exp(edge * -16.0)
    light_x, light_y = reach * torch.cos(angle), reach * torch.sin(angle)
    sun = (x - per_picture(light_x)).square() + (y - per_picture(light_y)).square()
    sun = torch.exp(sun.mul_(-0.75))
    ramp = of_pane(tone).add_(middle, alpha=0.16).add_(sun, alpha=0.12).add_(bend[:, 2], alpha=0.025).sub_(0.14)
    light = (0.32 + 0.8 * middle).mul_(0.35 + 0.65 * bevel)
    light.mul_(of_pane(brightness)).mul_(sun.mul_(1.9).add_(0.5))

    colour = palette(ramp.clamp_(0.0, 1.0))
    colour.lerp_(palette.accent[:, :, None, None], of_pane(gleam)[:, None])
    colour.mul_(light[:, None])
    lead = ((width - edge) / pixel(x)).add_(0.5).clamp_(0.0, 1.0)
    crest = (1.0 - edge / width).clamp_(min=0.0).mul_(sun).mul_(0.07).add_(0.008)
    dark = palette.colour(1)[:, :, None, None] * crest[:, None]
    return display(colour.lerp_(dark, lead[:, None]))


def _sites(draws: Draws) -> Tensor:
    """Sites of panes [N, PANES, 2]: a sunflower, a rose window of two rings, or courses like a wall's."""
    kind = draws.integer(0, 3)[:, None, None]
    turn = draws.uniform(0.0, 2 * math.pi)[:, None]
    k = torch.arange(PANES, dtype=torch.float32, device=draws.device)
    count = draws.integer(11, PANES + 1).float()[:, None]
    # Sunflower (Vogel 1979): equal areas around a centre.
    radius = 1.3 * torch.sqrt((k + 0.4) / count)
    angle = turn + k * (math.pi * (3.0 - math.sqrt(5.0)))
    sunflower = torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], -1)
    # Rose window: one pane in the middle, ``inner`` around it, the others outside.
    inner = draws.integer(5, 9).float()[:, None]
    outer = torch.where(inner < 7, inner * 2, inner + 3)
    first = k <= inner
    part = torch.where(first, (k - 1) / inner, (k - 1 - inner + 0.5) / outer)
    angle = turn + part * (2 * math.pi)
    radius = torch.where(first, draws.uniform(0.5, 0.62)[:, None], draws.uniform(1.05, 1.2)[:, None])
    radius = torch.where(k == 0, 0.0, torch.where(k <= inner + outer, radius, AWAY))
    rose = torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], -1)
    # Courses: three to four rows of three to five, every other row moved by half a pane.
    wide = draws.integer(3, 6).float()[:, None]
    high = draws.integer(3, 5).float()[:, None]
    row = torch.floor(k / wide)
    column = k - row * wide
    across = (column + 0.25 + 0.5 * (row % 2)) * 2.2 / wide - 1.1
    down = torch.where(row < high, (row + 0.5) * 2.2 / high - 1.1, AWAY)
    wall = torch.stack([across, down], -1)
    sites = torch.where(kind == 0, sunflower, torch.where(kind == 1, rose, wall))
    loose = torch.where(kind == 1, 0.015, 0.10)
    middle = 0.3 * draws.normal(2).clamp_(-1.3, 1.3)
    return sites + loose * draws.normal(PANES, 2) + torch.where(kind == 2, 0.0, middle[:, None])


def _tones(draws: Draws, sites: Tensor) -> Tensor:
    """Places of the panes on the ramp [N, PANES]: a wave over the window, and a little of each pane's own."""
    angle, phase = draws.uniform(0.0, 2 * math.pi)[:, None], draws.uniform(0.0, 2 * math.pi)[:, None]
    speed = draws.uniform(1.2, 3.2)[:, None]
    along = sites[..., 0] * torch.cos(angle) + sites[..., 1] * torch.sin(angle)
    radial = sites.square().sum(-1).sqrt()
    along = torch.where(draws.uniform()[:, None] < 0.4, radial, along)
    return 0.5 + 0.33 * torch.sin(along * speed + phase) + 0.14 * draws.normal(PANES)


def _voronoi(sites: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The nearest site's index, the squared distance to it and the distance to the nearest seam, each [N, R, R].

    The distance to the seam between sites a and b is (|p - b|^2 - |p - a|^2) / (2 |a - b|).
    """
    number, panes, _ = sites.shape
    power = sites.square().sum(-1)
    doubled = sites * -2.0
    # |p - s|^2 - |p|^2 is linear in p
    far = torch.full((number, *x.shape[1:]), 1e9, device=x.device)
    nearest = torch.zeros(far.shape, dtype=torch.int64, device=x.device)
    for k in range(panes):
        distance = (x * per_picture(doubled[:, k, 0])).addcmul_(y, per_picture(doubled[:, k, 1]))
        distance.add_(per_picture(power[:, k]))
        nearest.masked_fill_(distance < far, k)
        torch.minimum(far, distance, out=far)
    apart = (sites[:, :, None] - sites[:, None]).square().sum(-1).sqrt_().mul_(2.0)
    inverse = apart.clamp_(min=1e-3).reciprocal_()
    inverse.diagonal(dim1=1, dim2=2).fill_(1e9)  # a site has no seam with itself
    edge = torch.full_like(far, 1e9)
    pick = nearest.flatten(1)
    for k in range(panes):
        distance = (x * per_picture(doubled[:, k, 0])).addcmul_(y, per_picture(doubled[:, k, 1]))
        distance.add_(per_picture(power[:, k])).sub_(far)
        distance.mul_(inverse[:, k].gather(1, pick).view_as(far))
        distance.masked_fill_(nearest == k, 1e9)
        torch.minimum(edge, distance, out=edge)
    far.addcmul_(x, x).addcmul_(y, y).clamp_(min=0.0)
    return nearest, far, edge


def ripples(draws: Draws, x: Tensor, y: Tensor) -> Tensor:
    """Rings that drops have made on deep water, crossing each other in the sun; [N, 3, R, R] in [0, 1]."""
    palette = scheme(draws, dark=0.2, light=0.86)
    centre = draws.uniform(-1.05, 1.05, SOURCES, 2)
    wave = 2 * math.pi / draws.uniform(0.24, 0.5, SOURCES)
    phase = draws.uniform(0.0, 2 * math.pi, SOURCES)
    steep = draws.uniform(0.17, 0.36, SOURCES) * torch.tensor([1.15, 0.9, 0.65], device=draws.device)
    count = draws.integer(1, SOURCES + 1)[:, None]
    steep *= torch.arange(SOURCES, device=draws.device) < count
    decay = draws.uniform(0.3, 1.1, SOURCES)
    sun = draws.uniform(-0.8, 0.8, 2)
    slant = draws.uniform(0.0, 2 * math.pi)
    swell = fields(draws, x, y, 3, 1, 1.8)

    height = torch.zeros_like(swell[:, 0])
    slope_x, slope_y = swell[:, 0].mul_(0.05), swell[:, 1].mul_(0.05)
    for k in range(SOURCES):
        off_x, off_y = x[:, :1] - per_picture(centre[:, k, 0]), y[:, :, :1] - per_picture(centre[:, k, 1])
        radius = (off_x.square() + off_y.square()).add_(0.004).sqrt_()
        angle = (radius * per_picture(wave[:, k])).sub_(per_picture(phase[:, k]))
        strength = torch.exp(radius * per_picture(-decay[:, k])).mul_(per_picture(steep[:, k]))
        height.addcmul_(torch.cos(angle), strength)
        strength.mul_(angle.sin_()).div_(radius)
        slope_x.addcmul_(strength, off_x)
        slope_y.addcmul_(strength, off_y)

    # The water mirrors the sun where its slope is half of the way's to it.
    off_x, off_y = x[:, :1] - per_picture(sun[:, 0]), y[:, :, :1] - per_picture(sun[:, 1])
    miss = (slope_x + off_x * 0.32).square_() + (slope_y + off_y * 0.32).square_()
    glint = torch.exp((miss * -90.0).clamp_(min=-60.0))
    sheen = torch.exp(miss.mul_(-9.0))
    near = torch.exp((off_x.square() + off_y.square()).mul_(-0.55))
    facing = slope_x * per_picture(torch.cos(slant)) + slope_y * per_picture(torch.sin(slant))
    ramp = near * 0.30
    ramp.add_(sheen, alpha=0.20).add_(height, alpha=0.45).add_(facing, alpha=0.55).add_(swell[:, 2], alpha=0.05)
    ramp.add_(0.2)
    colour = palette(ramp.clamp_(0.0, 1.0))
    colour.mul_((0.55 + 0.75 * near).addcmul_(sheen, near, value=0.5)[:, None])
    colour.addcmul_(palette.colour(-1)[:, :, None, None], glint.mul_(near).mul_(1.6)[:, None])
    return display(colour)


def orbs(draws: Draws, x: Tensor, y: Tensor) -> Tensor:
    """Spheres of light and lacquer floating before a glowing ground; [N, 3, R, R] in [0, 1]."""
    palette = scheme(draws, dark=0.2, light=0.83)
    centre, radius = _places(draws)
    tone = draws.uniform(0.36, 0.92, ORBS)
    other = (draws.uniform(0.0, 1.0, ORBS) < 0.18)[:, None]
    spot = draws.uniform(-1.0, 1.0, BOKEH, 2)
    breadth = draws.uniform(0.1, 0.34, BOKEH)
    side = draws.uniform(-2.6, -0.6)  # where the light comes from: above, y down
    light = torch.stack([0.72 * torch.cos(side), 0.72 * torch.sin(side), torch.full_like(side, 0.69)], -1)
    rising = draws.uniform(0.1, 0.35)
    veil = fields(draws, x, y, 1, 2, 1.2)[:, 0]
    px = pixel(x)

    halo_x, halo_y = light[:, 0] * 0.9, light[:, 1] * 0.9
    halo = (x[:, :1] - per_picture(halo_x)).square() + (y[:, :, :1] - per_picture(halo_y)).square()
    halo = torch.exp(halo.mul_(-0.8))
    ground = (y * per_picture(rising)).add_(0.22).add_(halo, alpha=0.34).add_(veil, alpha=0.035)
    for k in range(BOKEH):  # lights far behind, out of focus
        u, v = x[:, :1] - per_picture(spot[:, k, 0]), y[:, :, :1] - per_picture(spot[:, k, 1])
        inside = per_picture(breadth[:, k]) - (u.square() + v.square()).sqrt_()
        ground.add_(inside.mul_(14.0).add_(0.5).clamp_(0.0, 1.0), alpha=0.06)
    colour = palette(ground.clamp_(0.0, 1.0))
    colour.mul_((0.4 + 0.85 * halo)[:, None])

    table = palette(torch.stack([tone - 0.32, tone, tone + 0.2, torch.ones_like(tone)], 1).clamp_(0.0, 1.0))
    accent = palette.accent[:, :, None, None] * torch.tensor([0.12, 0.7, 1.1], device=x.device)[:, None]
    table[:, :, :3] = torch.where(other[:, None], accent, table[:, :, :3])
    # [N, 3, parts, ORBS]: shade, body, light, shine
    glow = palette.colour(3)[:, :, None, None]
    for k in range(ORBS):
        r = per_picture(radius[:, k])
        u = (x[:, :1] - per_picture(centre[:, k, 0])) / r
        v = (y[:, :, :1] - per_picture(centre[:, k, 1])) / r
        square = u.square() + v.square()
        # A shadow away from the light, on all that lies behind.
        shadow = (u + per_picture(0.55 * light[:, 0])).square() + (v + per_picture(0.55 * light[:, 1])).square()
        shadow = torch.exp(shadow.square_().clamp_(max=60.0).mul_(-0.35)).mul_(-0.62).add_(1.0)
        colour.mul_(shadow[:, None])
        aura = torch.exp((1.0 - square).clamp_(-8.0, 0.0)).mul_(0.16)
        colour.addcmul_(glow, aura[:, None])
        height = (1.0 - square).clamp_(min=0.0).sqrt_()
        facing = (u * per_picture(light[:, 0]) + v * per_picture(light[:, 1])).addcmul_(
            height, per_picture(light[:, 2])
        )
        lit = facing.mul(0.68).add_(0.32).clamp_(min=0.0)
        rim = 1.0 - height
        rim.mul_(rim.square())
        # Mirrored direction against the viewer's: (2 (n.l) n - l).z
        shine = (2.0 * facing).mul_(height).sub_(per_picture(light[:, 2])).clamp_(min=0.0)
        shine = torch.exp(shine.sub_(1.0).mul_(38.0))
        dim = 1.0 - lit
        parts = torch.stack(
            [
                dim.square().mul_(0.3),
                (dim * lit).mul_(2.0),
                lit.square().mul_(1.35).addcmul_(rim, lit, value=0.9).addcmul_(rim, dim, value=0.55),
                shine.mul_(2.2),
            ],
            1,
        )
        body = (table[..., k] @ parts.flatten(2)).view_as(colour)
        mask = ((1.0 - square.sqrt_()) * (r / px)).add_(0.5).clamp_(0.0, 1.0)
        colour.lerp_(body, mask[:, None])
    return display(colour)


def _places(draws: Draws) -> tuple[Tensor, Tensor]:
    """Centres [N, ORBS, 2] and radii [N, ORBS] of spheres inside the frame, back to front, with room between them.

    Each place is the best of some candidates (Mitchell 1991): the one farthest from the spheres placed before it.
    """
    number = draws.count
    size = draws.uniform(0.85, 1.2, ORBS) * torch.tensor([0.46, 0.33, 0.25, 0.18, 0.13, 0.10], device=draws.device)
    radius = size * draws.uniform(0.8, 1.12)[:, None]
    count = draws.integer(3, ORBS + 1)[:, None]
    tries = draws.uniform(-1.0, 1.0, ORBS, 16, 2)
    centre = torch.zeros(number, ORBS, 2, device=draws.device)
    rows = torch.arange(number, device=draws.device)
    for k in range(ORBS):
        candidates = tries[:, k] * (0.93 - radius[:, k])[:, None, None]
        if k == 0:
            centre[:, 0] = candidates[:, 0] * 0.7
            continue
        gaps = (candidates[:, :, None] - centre[:, None, :k]).square().sum(-1).sqrt_() - radius[:, None, :k]
        room = gaps.amin(-1)
        centre[:, k] = candidates[rows, room.argmax(-1)]
    unused = torch.arange(ORBS, device=draws.device) >= count
    return torch.where(unused[..., None], AWAY, centre), radius
