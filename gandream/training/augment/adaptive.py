"""The transformations of adaptive discriminator augmentation, and what each of them draws.

Karras et al. 2020b, "Training Generative Adversarial Networks with Limited Data" (arXiv 2006.06676), section 2.3 and
the table of appendix B: pixel blitting, general geometry and colour, the set that the paper trains with.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce

import torch
from torch import Tensor

from gandream.training.augment import colour, geometry

ROOM = 0.125
"""Translation in parts of the picture: the most in whole pixels, and the standard deviation of the free one."""
SCALE = 0.2
BRIGHTNESS = 0.2
CONTRAST = 0.5
SATURATION = 1.0
"""Standard deviations; scale, contrast and saturation in powers of two."""


class Draw:
    """What N pictures of R pixels draw from one generator; a step is taken with probability p, else left out."""

    def __init__(self, count: int, resolution: int, p: float, random: torch.Generator):
        self.count, self.resolution, self.p, self.random = count, resolution, p, random

    def uniform(self, low: float, high: float) -> Tensor:
        """Even draws [N] of low..high, float64."""
        draw = torch.rand(self.count, dtype=torch.float64, generator=self.random, device=self.random.device)
        return low + (high - low) * draw

    def normal(self, std: float) -> Tensor:
        """Normal draws [N] around 0, float64."""
        return std * torch.randn(self.count, dtype=torch.float64, generator=self.random, device=self.random.device)

    def factor(self, std: float) -> Tensor:
        """Factors [N] around 1, half of them below it: powers of two with normal exponents."""
        return self.normal(std).exp2()

    def integer(self, end: int) -> Tensor:
        """Even draws [N] of 0..end - 1, int64."""
        return torch.randint(end, (self.count,), generator=self.random, device=self.random.device)

    def some(self, values: Tensor, otherwise: float, p: float | None = None) -> Tensor:
        """The values [N] where the step is taken, and elsewhere what changes nothing."""
        taken = self.uniform(0, 1) < (self.p if p is None else p)
        return torch.where(taken, values, torch.full_like(values, otherwise))


def flip(draw: Draw) -> Tensor:
    """Mirror left and right, for one half of those that are chosen."""
    mirrored = draw.some(1.0 - 2.0 * draw.integer(2).double(), 1)
    return geometry.scaled(mirrored, torch.ones_like(mirrored))


def quarter_turn(draw: Draw) -> Tensor:
    """Turn by 0, 1, 2 or 3 quarters."""
    return geometry.quarter_turned(draw.some(draw.integer(4), 0))


def pixels(draw: Draw) -> Tensor:
    """Move by whole pixels, up to an eighth of the picture."""
    x, y = ((draw.uniform(-ROOM, ROOM) * draw.resolution).round() / draw.resolution for _ in range(2))
    taken = draw.some(torch.ones_like(x), 0)
    return geometry.moved(x * taken, y * taken)


def scale(draw: Draw) -> Tensor:
    """Make all larger or smaller."""
    factor = draw.some(draw.factor(SCALE), 1)
    return geometry.scaled(factor, factor)


def turn(draw: Draw) -> Tensor:
    """Turn by any angle. It is done twice, and so with the probability that makes p of either."""
    return geometry.turned(draw.some(draw.uniform(-math.pi, math.pi), 0, p=1 - math.sqrt(1 - draw.p)))


def stretch(draw: Draw) -> Tensor:
    """Make wider by what is made lower."""
    factor = draw.some(draw.factor(SCALE), 1)
    return geometry.scaled(factor, 1 / factor)


def shift(draw: Draw) -> Tensor:
    """Move by any distance."""
    x, y = draw.normal(ROOM), draw.normal(ROOM)
    taken = draw.some(torch.ones_like(x), 0)
    return geometry.moved(x * taken, y * taken)


def brightness(draw: Draw) -> Tensor:
    """Make lighter or darker."""
    return colour.brightened(draw.some(draw.normal(BRIGHTNESS), 0))


def contrast(draw: Draw) -> Tensor:
    """Spread away from grey."""
    return colour.contrasted(draw.some(draw.factor(CONTRAST), 1))


def luma_flip(draw: Draw) -> Tensor:
    """Turn light into dark, for one half of those that are chosen."""
    return colour.luma_flipped(draw.some(draw.integer(2), 0) == 1)


def hue(draw: Draw) -> Tensor:
    """Turn the colours around the circle."""
    return colour.hue_turned(draw.some(draw.uniform(-math.pi, math.pi), 0))


def saturation(draw: Draw) -> Tensor:
    """Make more or less colourful."""
    return colour.saturated(draw.some(draw.factor(SATURATION), 1))


Step = Callable[[Draw], Tensor]
GEOMETRY: tuple[Step, ...] = (flip, quarter_turn, pixels, scale, turn, stretch, turn, shift)
COLOUR: tuple[Step, ...] = (brightness, contrast, luma_flip, hue, saturation)
"""In the order in which they are done."""


def ada(images: Tensor, p: Tensor | float, random: torch.Generator) -> Tensor:
    """Transform pictures float32 [N, 3, R, R] in about [-1, 1], each with draws of its own; they may leave the range.

    Args:
        images: gradients flow back to them.
        p: probability of each transformation, 0..1. At 0 the very pictures are returned and nothing is drawn.
        random: on the device of the pictures.

    Raises:
        ValueError: p lies outside 0..1.
    """
    p = float(p)
    if not 0 <= p <= 1:
        raise ValueError(f"a probability of 0..1 is wanted, not {p}")
    if p == 0:
        return images
    draw = Draw(len(images), images.shape[-1], p, random)
    # Matrices are float64: a step that is not taken is exact, and no reduced precision of a device moves the pixels.
    place = reduce(torch.matmul, [step(draw) for step in GEOMETRY])
    colours = reduce(torch.matmul, reversed([step(draw) for step in COLOUR]))
    return colour.recolour(geometry.warp(images, place), colours)
