"""Progressive growing (Karras et al. 2018, section 3): from images seen so far to the stage of the networks."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from gandream.training.networks.base import Stage
from gandream.training.settings import Settings


def stage(settings: Settings, images: int) -> Stage:
    """The stage after this many images: each resolution fades in, then holds; the last one stays."""
    start = 0
    for step in settings.growth:
        if images < start + step.images:
            return _fading(step.resolution, images - start, step.fade)
        start += step.images
    return _fading(settings.resolution, images - start, settings.last_fade)


def _fading(resolution: int, images: int, fade: int) -> Stage:
    return Stage(resolution, min(1.0, images / fade) if fade else 1.0)


def until_next(settings: Settings, images: int) -> int | None:
    """Images until the next resolution; None at the last."""
    end = 0
    for step in settings.growth:
        end += step.images
        if images < end:
            return end - images
    return None


def shown(pictures: Tensor, now: Stage) -> Tensor:
    """Real pictures float [N, 3, R, R] as a stage sees them: blended with half the resolution while it fades in."""
    if now.alpha >= 1:
        return pictures
    return F.interpolate(F.avg_pool2d(pictures, 2), scale_factor=2.0, mode="nearest").lerp_(pictures, now.alpha)
