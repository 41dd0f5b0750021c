"""Progressive growing (Karras et al. 2018, section 3): from images seen so far to the stage of the networks."""

from __future__ import annotations

import math
from collections.abc import Callable

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


def stages(settings: Settings, after: int = 0) -> list[tuple[int, int]]:
    """Resolutions that are still to be trained after so many images, and how many images each of them gets."""
    found, start = [], 0
    for step in settings.growth:
        found.append((step.resolution, min(start + step.images, settings.images) - max(start, after)))
        start += step.images
    found.append((settings.resolution, settings.images - max(start, after)))
    return [(resolution, images) for resolution, images in found if images > 0]


SLOWER = 0.6
"""Rate of a resolution, of that of half of it: as measured on a CPU."""


def seconds_left(settings: Settings, images: int, rate: float) -> float:
    """About how long the rest takes, from the images per second of the present stage."""
    ahead = stages(settings, images)
    if not ahead or rate <= 0:
        return 0.0
    return sum(count / (rate * SLOWER ** math.log2(one / ahead[0][0])) for one, count in ahead)


COOLED = 0.1
"""What is left of the rates at the end of a training that cools."""


def warmth(settings: Settings, images: int) -> float:
    """How much of the rates is left after so many images, 1 to ``COOLED``: half a cosine over the end of the training.

    Steps of full size keep the networks circling round what they would settle on.
    """
    length = settings.cooling * settings.images
    if length <= 0:
        return 1.0
    gone = min(1.0, max(0.0, (images - (settings.images - length)) / length))
    return COOLED + (1 - COOLED) * (1 + math.cos(math.pi * gone)) / 2


def shown(pictures: Tensor, now: Stage, doubled: Callable[[Tensor], Tensor]) -> Tensor:
    """Real pictures float [N, 3, R, R] as a stage sees them: blended with half the resolution while it fades in.

    ``doubled`` is how the generator brings its smaller pictures to the size.
    """
    if now.alpha >= 1:
        return pictures
    return doubled(F.avg_pool2d(pictures, 2)).lerp_(pictures, now.alpha)
