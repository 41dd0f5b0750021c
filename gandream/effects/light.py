"""Effects of lens and light: vignette, blur, glow, sharpen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gandream.effects.colour import DISPLAY_GAMMA
from gandream.effects.gaussian import gaussian

if TYPE_CHECKING:
    from torch import Tensor

    from gandream.effects.moment import Moment

WIDE_GLOW, WIDE_SHARE = 3.0, 0.4
"""Light scatters in a narrow core and a wide halo: the halo's radius in those of the core, and its share."""


def vignette(images: Tensor, at: Moment) -> Tensor:
    """Light times 1 - strength * smoothstep(radius, radius + softness, r); r is 0 in the middle, 1 in the corners."""
    height, width = images.shape[2:]
    radii = at.kept(("radii", height, width, images.device), lambda: _radii(height, width, images))
    share = (radii - at.at("radius", images)).div_(at.at("softness", images)).clamp_(0, 1)
    share = share.square().mul_(share.mul(-2).add_(3))
    gain = share.mul_(-at.at("vignette", images)).add_(1).pow_(1 / DISPLAY_GAMMA)
    return images.add(1).mul_(gain).sub_(1)


def _radii(height: int, width: int, images: Tensor) -> Tensor:
    import torch

    y, x = ((torch.arange(n, device=images.device) + 0.5) * (2 / n) - 1 for n in (height, width))
    return ((x[None, :].square() + y[:, None].square()) / 2).sqrt()[None, None]


def blur(images: Tensor, at: Moment) -> Tensor:
    """A gaussian; the radius is its sigma."""
    return gaussian(images, _pixels(at.numbers("blur"), images)).clamp_(-1, 1)


FINEST = 0.6
"""Radius of the finest unsharp mask, in pixels; below it a gaussian takes in no neighbour."""


def sharpen(images: Tensor, at: Moment) -> Tensor:
    """Unsharp mask: x + amount (x - blurred x). Never finer than the pixels, or small pictures stay soft."""
    import torch

    radii = [max(radius, FINEST) for radius in _pixels(at.numbers("radius"), images)]
    soft = gaussian(images, radii)
    return torch.lerp(soft, images, 1 + at.at("sharpen", images)).clamp_(-1, 1)


def glow(images: Tensor, at: Moment) -> Tensor:
    """Screen the picture's light (v^2) with that of its bright parts, scattered.

    A pixel whose greatest colour is m gives max(m - threshold, 0) / (1 - threshold) of its light.
    """
    light = images.add(1).div_(2).clamp_(0, 1)
    greatest, threshold = light.amax(dim=1, keepdim=True), at.at("threshold", images)
    light.square_()
    bright = light * greatest.sub_(threshold).div_(1 - threshold).clamp_(min=0)
    radii = _pixels(at.numbers("radius"), images)
    core, halo = gaussian(bright, radii), gaussian(bright, [radius * WIDE_GLOW for radius in radii])
    strength = at.at("glow", images)
    scattered = core.mul_(strength * (1 - WIDE_SHARE)).add_(halo.mul_(strength * WIDE_SHARE)).clamp_(0, 1)
    return light.neg_().add_(1).mul_(scattered.neg_().add_(1)).neg_().add_(1).sqrt_().mul_(2).sub_(1)


def _pixels(shares: list[float], images: Tensor) -> list[float]:
    """Shares of the height, in pixels."""
    return [share * images.shape[2] for share in shares]
