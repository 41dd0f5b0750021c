"""Dreams of symmetry and growth: mandalas of petals and pearls, and one flower that opens."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from gandream.training.dreams.draws import Draws
from gandream.training.dreams.fields import fields, per_picture, pixel
from gandream.training.dreams.palette import display
from gandream.training.dreams.schemes import scheme

RINGS: Final = 7
PETALS: Final = 19
GOLDEN_ANGLE: Final = math.pi * (3.0 - math.sqrt(5.0))


def rosettes(draws: Draws, x: Tensor, y: Tensor) -> Tensor:
    """A mandala: rings of petals upon each other, n-fold and mirrored, with pearls and a jewel; [N, 3, R, R]."""
    palette = scheme(draws, dark=0.2, light=0.85)
    fold = draws.integer(5, 13).float()
    turn = draws.uniform(0.0, 2 * math.pi)
    wide = draws.uniform(1.15, 1.75)[:, None]
    k = torch.arange(RINGS, device=draws.device)
    outline = wide * (1.0 - k / RINGS) ** 0.9 * draws.uniform(0.93, 1.07, RINGS)
    depth = draws.uniform(0.16, 0.5, RINGS)
    point = draws.uniform(0.0, 1.0, RINGS)
    first = draws.uniform(0.04, 0.3)[:, None]
    tone = first + 0.3 * (k % 2) + 0.05 * k + draws.uniform(-0.12, 0.12, RINGS)
    slope = torch.where(draws.uniform(0.0, 1.0, RINGS) < 0.6, 0.42, -0.3)
    inlay = draws.uniform(0.45, 0.72, RINGS)
    contrast = draws.uniform(-0.22, 0.26, RINGS)
    pearls = draws.uniform(0.25, 0.9, 2)
    px = pixel(x)

    radius = (x.square() + y.square()).sqrt_()  # [1, R, R]
    angle = torch.atan2(y, x) + per_picture(turn)
    half = angle.mul_(per_picture(0.5 * fold))
    sine, cosine = torch.sin(half).abs_(), torch.cos(half).abs_()

    # The ground: rays of light in the dark.
    ramp = torch.exp(radius * -1.3) * 0.35 + 0.03 * cosine
    light = torch.exp(radius * -0.9) * (0.75 + 0.25 * cosine)
    shine = torch.zeros_like(ramp)
    for j in range(RINGS):
        axis, seam = (cosine, sine) if j % 2 == 0 else (sine, cosine)  # every other ring is turned by half a petal
        reach, bite, sharp = (per_picture(v[:, j]) for v in (outline, depth, point))
        # Round petals follow |cos(n a / 2)|, pointed ones 1 - |sin(n a / 2)|.
        border = torch.lerp(axis, 1.0 - seam, sharp).mul_(bite).add_(1.0 - bite).mul_(reach)
        steep = torch.lerp(seam, axis, sharp).mul_(bite * reach * per_picture(0.5 * fold)).div_(radius + 0.02)
        edge = (border - radius).mul_(steep.square_().add_(1.0).rsqrt_())
        mask = (edge / px).add_(0.5).clamp_(0.0, 1.0)
        shadow = edge.clamp(-0.6, 0.0).mul_(22.0).exp_().mul_(-0.6).add_(1.0)
        light.mul_(shadow)
        inside = (radius / border.clamp_(min=1e-3)).clamp_(max=1.0)
        inner = ((per_picture(inlay[:, j]) - inside) * (reach / (2.5 * px))).clamp_(0.0, 1.0)
        fill = inside.square() * per_picture(slope[:, j])
        fill.add_(per_picture(tone[:, j])).addcmul_(inner, per_picture(contrast[:, j])).addcmul_(
            axis, inside, value=0.1
        )
        glow = (0.62 + 0.5 * axis).mul_(0.55 + 0.5 * inside)
        rim = _bump((edge - 0.016).mul_(1.0 / 0.019))
        glow.add_(rim, alpha=0.55)
        ramp.lerp_(fill.addcmul_(rim, 0.8 - fill, value=0.6), mask)
        light.lerp_(glow, mask)
    turned = sine.asin()  # angle from the axis, times n / 2
    for j in range(2):
        place = per_picture(pearls[:, j] * wide[:, 0])
        gap = turned if j == 0 else (0.5 * math.pi - turned)
        size = place * per_picture((1.1 / fold).clamp(max=0.12)) * 0.55
        far = (radius - place).square() + (gap * (place * per_picture(2.0 / fold))).square()
        far = far.sqrt_().div_(size)
        far.clamp_(max=3.0)
        light.mul_(far.square().mul_(-0.5).exp_().mul_(-0.5).add_(1.0))
        mask = ((1.0 - far) * (size / px)).add_(0.5).clamp_(0.0, 1.0)
        ramp.lerp_(0.95 - 0.35 * far, mask)
        light.lerp_(1.5 - 0.9 * far.square(), mask)
    shine = torch.exp(radius * -9.0) + 0.22 * torch.exp(radius * -2.4)
    colour = palette(ramp.clamp_(0.0, 1.0))
    colour.mul_(light.mul_(torch.exp(radius.square() * -0.3) * 1.25)[:, None])
    colour.addcmul_(palette.colour(-2)[:, :, None, None], shine[:, None].mul(0.8))
    return display(colour)


def bloom(draws: Draws, x: Tensor, y: Tensor) -> Tensor:
    """One flower of translucent petals that opens from a glowing heart over a soft ground; [N, 3, R, R] in [0, 1]."""
    palette = scheme(draws, dark=0.2, light=0.88)
    heart = draws.uniform(-0.16, 0.16, 2)
    turn = draws.uniform(0.0, 2 * math.pi)
    odd = draws.uniform() < 0.25
    diverge = torch.where(odd, math.radians(99.5), GOLDEN_ANGLE)
    k = torch.arange(PETALS, device=draws.device)
    share = k / (PETALS - 1)
    grown = draws.uniform(0.98, 1.3)[:, None]
    length = grown * (1.0 - 0.86 * share ** draws.uniform(0.8, 1.15)[:, None]) * draws.uniform(0.93, 1.07, PETALS)
    broad = draws.uniform(0.26, 0.4)[:, None] * length * draws.uniform(0.92, 1.08, PETALS)
    angles = turn[:, None] + k * diverge[:, None] + 0.07 * draws.normal(PETALS)
    curl = draws.uniform(-0.35, 0.35)[:, None] + 0.08 * draws.normal(PETALS)
    point = draws.uniform(0.0, 0.9)
    egg = draws.uniform(-0.1, 0.35)
    opaque = draws.uniform(0.62, 0.9)
    low, rise = draws.uniform(0.18, 0.38), draws.uniform(0.3, 0.5)
    inward = draws.uniform(-0.15, 0.4)
    sun = draws.uniform(0.0, 2 * math.pi)
    wave = fields(draws, x, y, 2, 1, 1.5)
    px = pixel(x)

    off_x, off_y = x - per_picture(heart[:, 0]), y - per_picture(heart[:, 1])
    square = off_x.square() + off_y.square()
    ramp = torch.exp(square * -0.9).mul_(0.3).add_(wave[:, 0], alpha=0.05).add_(0.08)
    light = torch.exp(square * -0.7).mul_(0.7).add_(0.45)
    off_x.add_(wave[:, 1], alpha=0.012)
    cosine, sine = torch.cos(angles), torch.sin(angles)
    facing = torch.sin(angles - sun[:, None])
    tone = low[:, None] + inward[:, None] * share + 0.03 * draws.normal(PETALS)
    for j in range(PETALS):
        a = per_picture(0.5 * length[:, j])
        b = per_picture(broad[:, j])
        c, s = per_picture(cosine[:, j]), per_picture(sine[:, j])
        along = (off_x * c).addcmul_(off_y, s).div_(a).sub_(1.0)  # -1 at the heart, 1 at the tip
        aside = (off_y * c).sub_(off_x * s)
        aside.addcmul_(along.square(), per_picture(curl[:, j]) * b).sub_(per_picture(curl[:, j]) * b)
        aside.div_((along * per_picture(egg)).add_(1.0).clamp_(min=0.3).mul_(b))
        width = aside.abs()
        long = along.square()
        round_ = (long + width.square()).sqrt_()
        out = round_.lerp_(long.add_(width), per_picture(point))  # 1 at the edge: an egg, or a lens with two points
        edge = (1.0 - out).mul_(b)
        shadow = edge.clamp(-1.0, 0.0).mul_(16.0).exp_().mul_(-0.4).add_(1.0)
        light.mul_(shadow)
        up = along.add_(1.0).mul_(0.5)
        fill = (up * per_picture(rise)).add_(per_picture(tone[:, j])).add_(width, alpha=-0.06)
        fold = per_picture(0.22 * facing[:, j])
        glow = (aside * fold).add_(0.62).add_(up, alpha=0.4)
        rim = _bump((out - 0.93).mul_(6.5))
        fill.add_(rim, alpha=0.08)
        glow.add_(rim, alpha=0.22)
        mask = (
            (edge / px)
            .add_(0.5)
            .clamp_(0.0, 1.0)
            .mul_(out.square().mul_(0.25).add_(per_picture(opaque)).clamp_(max=1.0))
        )
        ramp.lerp_(fill, mask)
        light.lerp_(glow, mask)
    halo = torch.exp(square.clamp(max=2.0).mul_(-9.0))
    heart_light = torch.exp(square.clamp(max=0.5).mul_(-90.0))
    ramp.addcmul_(halo, 1.0 - ramp, value=0.6)
    colour = palette(ramp.clamp_(0.0, 1.0))
    light.add_(halo, alpha=0.35)
    colour.mul_(light.mul_(torch.exp(square.mul_(-0.35))).mul_(1.25)[:, None])
    colour.addcmul_(palette.colour(-1)[:, :, None, None], heart_light[:, None])
    return display(colour)


def _bump(place: Tensor) -> Tensor:
    """1 at 0, falling smoothly to 0 at -1 and 1; changes ``place``. (A Gaussian's far values underflow: slow.)"""
    return place.square_().neg_().add_(1.0).clamp_(min=0.0).square_()
