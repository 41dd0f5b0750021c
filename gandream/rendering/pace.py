"""How much the picture changes along a walk, measured on small pictures."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.rendering.device import Kind
from gandream.rendering.paint import Painter
from gandream.rendering.plan import make_plan
from gandream.trajectory.pace import along
from gandream.trajectory.trajectory import Trajectory
from gandream.video.format import VideoFormat

if TYPE_CHECKING:
    from gandream.models.spec import Generator

SIDE, LEVELS = 64, 4


def changes_along(trajectory: Trajectory, phases: np.ndarray, generator: Generator, device: Kind) -> np.ndarray:
    """Distances between the pictures at phases [n + 1] that follow each other: float64 [n]."""
    fmt = VideoFormat(SIDE, SIDE, Fraction(30))
    plan = make_plan(along(trajectory, phases), fmt, device, fit="stretch")
    painter, found, last = Painter(plan, generator), [], None
    for start in range(0, len(phases), plan.batch):
        bands = pyramid(painter.paint(start, min(start + plan.batch, len(phases))).float().clamp(-1, 1))
        joined = bands if last is None else [torch.cat([a, b]) for a, b in zip(last, bands, strict=True)]
        found.append(distances(joined))
        last = [band[-1:] for band in bands]
    return torch.cat(found).cpu().numpy().astype(np.float64)


def pyramid(images: Tensor) -> list[Tensor]:
    """Laplacian pyramid [N, C, H / 2^l, W / 2^l]: what each halving loses, and what is left at last."""
    bands = []
    for _ in range(LEVELS):
        small = F.avg_pool2d(images, 2)
        bands.append(images - F.interpolate(small, scale_factor=2, mode="bilinear", align_corners=False))
        images = small
    return [*bands, images]


def distances(bands: list[Tensor]) -> Tensor:
    """Between neighbours of a batch: the sum over levels of the mean absolute difference, [N - 1].

    Lap1 of Bojanowski et al. 2018 ("Optimizing the latent space of generative networks", section 3), whose weights
    2^(2l) are those of means.
    """
    each = [(band[1:] - band[:-1]).abs().mean(dim=(1, 2, 3)) for band in bands]
    return torch.stack(each).sum(dim=0)
