"""A picture with transparency put anywhere on a frame: scaled, turned, to fractions of a pixel.

Colours are premultiplied while they are resampled, so that what is transparent lends no colour to its neighbours
(Porter and Duff 1984, "Compositing digital images", section 3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

MOST_LEVELS = 12


@dataclass(frozen=True)
class Pose:
    """Where a texture goes: its anchor (texels) to a place (pixels), pixels per texel, radians clockwise."""

    place: tuple[float, float]
    scale: tuple[float, float]
    turn: float = 0.0


@dataclass(frozen=True)
class Texture:
    """A picture and halves of it: levels[k] is [1, C, h / 2^k, w / 2^k], the last of C channels being opacity."""

    levels: tuple[Tensor, ...]
    anchor: tuple[float, float]

    @classmethod
    def of(cls, pixels: np.ndarray, anchor: tuple[float, float] | None, like: Tensor) -> Texture:
        """From float32 [h, w, C]; its anchor is its middle unless given."""
        import torch
        import torch.nn.functional as F

        height, width = pixels.shape[:2]
        level = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None].to(like.device)
        levels = [level]
        while len(levels) < MOST_LEVELS and max(level.shape[2:]) > 1:
            rows, columns = (size % 2 if size > 1 else 1 for size in level.shape[2:])
            level = F.avg_pool2d(F.pad(level, [0, columns, 0, rows], mode="replicate"), 2)
            levels.append(level)
        return cls(tuple(levels), anchor or (width / 2, height / 2))

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in texels."""
        return self.levels[0].shape[2], self.levels[0].shape[3]


@dataclass(frozen=True)
class Placed:
    """What a texture is on a part of the frame: [1, C, rows, columns] from (top, left) on; beside it, nothing."""

    pixels: Tensor
    top: int
    left: int


def placed(texture: Texture, pose: Pose, frame: tuple[int, int]) -> Placed | None:
    """A texture on a frame (H, W); None where it is out of sight.

    Each pixel is the mean of 2 x 2 places in it where texels are smaller than pixels, else straight lines between the
    texels; along the texture's edges, by how much of the pixel it covers.
    """
    import torch
    import torch.nn.functional as F

    height, width = texture.size
    (sx, sy), (ax, ay) = pose.scale, texture.anchor
    cos, sin = math.cos(pose.turn), math.sin(pose.turn)
    corners = [(sx * (u - ax), sy * (v - ay)) for u in (0, width) for v in (0, height)]
    across = [pose.place[0] + x * cos - y * sin for x, y in corners]
    down = [pose.place[1] + x * sin + y * cos for x, y in corners]
    left, right = max(0, math.floor(min(across) - 1)), min(frame[1], math.ceil(max(across) + 1))
    top, bottom = max(0, math.floor(min(down) - 1)), min(frame[0], math.ceil(max(down) + 1))
    if left >= right or top >= bottom:
        return None
    smallest = min(sx, sy)
    number = min(len(texture.levels) - 1, max(0, math.ceil(math.log2(max(0.5 / smallest, 1e-9)))))
    level, part = texture.levels[number], 0.5**number
    options = {"dtype": torch.float32, "device": level.device}
    dx = (torch.arange(left, right, **options) + (0.5 - pose.place[0]))[None, :]
    dy = (torch.arange(top, bottom, **options) + (0.5 - pose.place[1]))[:, None]
    out = None
    spread = (-0.25, 0.25) if smallest < 1 else (0.0,)
    for ox in spread:
        for oy in spread:
            u = ((dx + ox) * (cos / sx) + (dy + oy) * (sin / sx) + ax) * (2 * part / level.shape[3]) - 1
            v = ((dy + oy) * (cos / sy) - (dx + ox) * (sin / sy) + ay) * (2 * part / level.shape[2]) - 1
            found = F.grid_sample(level, torch.stack([u, v], -1)[None], "bilinear", "border", align_corners=False)
            out = found if out is None else out.add_(found)
    assert out is not None, "there is a place to look at"
    u, v = dx * cos + dy * sin + ax * sx, dy * cos - dx * sin + ay * sy  # in pixels, from the upper left corner
    cover = [(at + 0.5).clamp(0, 1) * (end * scale - at + 0.5).clamp(0, 1) for at, end, scale in
             ((u, width, sx), (v, height, sy))]  # fmt: skip
    return Placed(out.mul_(1 / len(spread) ** 2).mul_(cover[0] * cover[1]), top, left)


def laid(images: Tensor, over: Placed, opacity: float, blend: str) -> None:
    """Lay a premultiplied colour over pictures [1, 3, H, W] in [-1, 1], into them.

    With s the colour times its opacity a, b what is there: s + (1 - a) b; add: s + b; screen: s + b - s b; multiply:
    s b + (1 - a) b (W3C, Compositing and Blending Level 1, sections 9.1 and 5, on a backdrop that is opaque).
    """
    rows, columns = over.pixels.shape[2:]
    there = images[:, :3, over.top : over.top + rows, over.left : over.left + columns]
    below = there.add(1).mul_(0.5)
    colour, share = over.pixels[:, :3] * opacity, over.pixels[:, 3:] * opacity
    if blend == "add":
        below += colour
    elif blend == "screen":
        below += colour * (1 - below)
    else:
        below = below * (1 - share) + (colour if blend == "normal" else colour * below)
    there.copy_(below.mul_(2).sub_(1).clamp_(-1, 1))
