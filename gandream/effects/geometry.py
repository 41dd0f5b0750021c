"""Effects that move the picture. Places are in half heights from the middle, x to the right, y downward.

What lies beyond an edge is the picture's reflection in it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gandream.effects.gaussian import gaussian

if TYPE_CHECKING:
    from torch import Tensor

    from gandream.effects.moment import Moment

Row_ = tuple[float, float, float]


def sampled(images: Tensor, x: Tensor, y: Tensor, mode: str = "bicubic") -> Tensor:
    """The pictures [N, C, H, W] at places x, y [N, H, W]."""
    import torch
    import torch.nn.functional as F

    across = images.shape[2] / images.shape[3]
    grid = torch.stack([x * across, y], dim=-1)
    return F.grid_sample(images, grid, mode, "reflection", align_corners=False)


def places(images: Tensor) -> tuple[Tensor, Tensor]:
    """Where the pixels' middles are: x [1, 1, W], y [1, H, 1]."""
    import torch

    height, width = images.shape[2:]
    y, x = ((torch.arange(n, device=images.device) + 0.5) * (2 / height) - n / height for n in (height, width))
    return x[None, None, :], y[None, :, None]


def transform(images: Tensor, matrices: list[tuple[Row_, Row_]], mode: str = "bicubic") -> Tensor:
    """The pictures [N, C, H, W] so that a place p shows what was at the picture's own matrix [2, 3] times (p, 1)."""
    from gandream.effects.moment import beside

    x, y = places(images)
    ax, ay = ([beside([row[axis][k] for row in matrices], images)[:, 0] for k in range(3)] for axis in (0, 1))
    return sampled(images, ax[0] * x + ax[1] * y + ax[2], ay[0] * x + ay[1] * y + ay[2], mode)


def about(a: float, b: float, centre: tuple[float, float]) -> tuple[Row_, Row_]:
    """[[a, -b], [b, a]] about a place that stays."""
    x, y = centre
    return (a, -b, x - a * x + b * y), (b, a, y - b * x - a * y)


def _centres(images: Tensor, at: Moment) -> list[tuple[float, float]]:
    aspect = images.shape[3] / images.shape[2]
    return [(x * aspect, -y) for x, y in zip(at.numbers("x"), at.numbers("y"), strict=True)]


def zoom(images: Tensor, at: Moment) -> Tensor:
    """Larger or smaller about a place; made smaller, it is softened first, so that nothing flickers."""
    import torch

    factors = at.numbers("zoom")
    soft = [
        gaussian(image[None], [0.45 * math.sqrt(factor**-2 - 1)]) if factor < 0.8 else image[None]
        for image, factor in zip(images, factors, strict=True)
    ]
    centres = _centres(images, at)
    matrices = [about(1 / factor, 0.0, centre) for factor, centre in zip(factors, centres, strict=True)]
    return transform(torch.cat(soft), matrices).clamp_(-1, 1)


def rotate(images: Tensor, at: Moment) -> Tensor:
    """Turned clockwise about a place: what is shown comes from counter-clockwise of there."""
    turns = [math.radians(degrees) for degrees in at.numbers("rotate")]
    matrices = [
        about(math.cos(turn), -math.sin(turn), centre) for turn, centre in zip(turns, _centres(images, at), strict=True)
    ]
    return transform(images, matrices).clamp_(-1, 1)


def pan(images: Tensor, at: Moment) -> Tensor:
    """Moved to the right in widths, and up in heights."""
    aspect = images.shape[3] / images.shape[2]
    moves = zip(at.numbers("pan"), at.numbers("up"), strict=True)
    matrices = [((1.0, 0.0, -2 * right * aspect), (0.0, 1.0, 2 * up)) for right, up in moves]
    return transform(images, matrices).clamp_(-1, 1)


def mirror(images: Tensor, at: Moment) -> Tensor:
    """The left half, the upper half, or the quarter of both, and their reflections."""
    import torch

    out = images
    for dim, word in ((3, "horizontal"), (2, "vertical")):
        if at.choices["mirror"] in (word, "both"):
            size = out.shape[dim]
            half = out.narrow(dim, 0, (size + 1) // 2)
            out = torch.cat([half, half.narrow(dim, 0, size // 2).flip(dim)], dim)
    return out


def kaleidoscope(images: Tensor, at: Moment) -> Tensor:
    """Fold the angle round the middle into half a sector, and look there, from a place and a direction of choice."""
    import torch

    x, y = places(images)
    radius, angle = (x.square() + y.square()).sqrt(), torch.atan2(x, -y)  # angle from the top, clockwise
    sector = 2 * math.pi / at.at("kaleidoscope", images)[:, 0]
    turn = torch.deg2rad(at.at("angle", images))[:, 0]
    folded = (angle - sector * torch.floor(angle / sector) - sector / 2).abs_() - turn
    from_x, from_y = (at.at(word, images)[:, 0] for word in ("x", "y"))
    aspect = images.shape[3] / images.shape[2]
    return sampled(images, folded.sin() * radius + from_x * aspect, folded.cos() * -radius - from_y).clamp_(-1, 1)


def pixelate(images: Tensor, at: Moment) -> Tensor:
    """The means of equal rectangles, as many as whole squares fit best."""
    import torch

    return torch.cat([_blocks(image[None], side) for image, side in zip(images, at.numbers("pixelate"), strict=True)])


def _blocks(image: Tensor, side: float) -> Tensor:
    import torch.nn.functional as F

    height, width = image.shape[2:]
    rows = max(1, round(1 / side)) if side * height > 1 else height
    columns = max(1, min(width, round(rows * width / height)))
    if rows >= height:
        return image
    return F.interpolate(F.adaptive_avg_pool2d(image, (rows, columns)), size=(height, width), mode="nearest-exact")


def aberration(images: Tensor, at: Moment) -> Tensor:
    """Red enlarged by 1 + a, blue by 1 - a, about the middle."""
    import torch

    scales = [[about(1 / (1 + sign * a), 0.0, (0.0, 0.0)) for a in at.numbers("aberration")] for sign in (1, -1)]
    red, blue = transform(images[:, :1], scales[0]), transform(images[:, 2:], scales[1])
    return torch.cat([red.clamp_(-1, 1), images[:, 1:2], blue.clamp_(-1, 1)], dim=1)
