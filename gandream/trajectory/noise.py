"""Noise laid out in time."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gandream.base.seeds import named_seed
from gandream.recipe.fields import FileRef
from gandream.recipe.noise import Noise, Spot
from gandream.recipe.reader import Path_
from gandream.trajectory import layers
from gandream.trajectory.laying import Ground
from gandream.trajectory.pushes import accumulated
from gandream.trajectory.walks import after_last, closed
from gandream.trajectory.window import ByFrame

LARGEST_MASK = 1024
"""Pixels of the longer side of an image that is a mask: no noise map is larger."""


@dataclass(frozen=True, eq=False)
class Region:
    """Where in the picture: a ``part`` by its word, an ``image`` float32 [H, W], or ``spots`` (x, y, radius) [F, 3]."""

    part: str = ""
    image: np.ndarray | None = None
    spots: ByFrame | None = None

    def key(self, start: int, stop: int) -> list[Any]:
        """What shapes frames [start, stop), for a content key."""
        spots = None if self.spots is None else self.spots[start:stop].astype(np.float32)
        return [self.part, self.image, spots]


@dataclass(frozen=True)
class Noised:
    """Noise maps of some layers: ``strengths`` [F], or [F, L] by layers, and ``phases`` (maps passed) [F] are float64.

    ``period`` is after how many maps the first comes again, None for never.
    """

    mode: str
    strengths: ByFrame
    phases: ByFrame
    layers: np.ndarray
    seed: int = 0
    period: int | None = None
    where: Region | None = None
    pyramid: bool = False

    def key(self, start: int, stop: int) -> list[Any]:
        """What shapes frames [start, stop), for a content key."""
        moving = [self.phases[start:stop], self.seed, self.period] if self.mode == "animate" else []
        strengths = self.strengths if self.strengths.ndim == 1 else self.strengths[:, self.layers]
        more = [["where", self.where.key(start, stop)]] if self.where else []
        more += [["pyramid"]] if self.pyramid else []
        return [self.mode, strengths[start:stop].astype(np.float32), self.layers, moving, *more]


def lay_noise(noise: Noise, path: Path_, ground: Ground) -> Noised:
    """Lay out one entry of `noise`."""
    curves, recipe = ground.curves, ground.recipe
    phases = accumulated(curves.values(noise.speed, (*path, "speed")), curves.timeline.clock)
    period = None
    if recipe.video.loop and noise.mode == "animate" and len(phases) > 1:
        end = after_last(phases)
        period = max(2, round(abs(end)))
        phases = closed(phases, end, period)
    seed = named_seed(recipe.seed, f"noise.{path[1]}.seed") if noise.seed is None else noise.seed
    chosen = layers.mask(noise.layers, ground.spec, recipe, (*path, "layers"), optional=noise.optional)
    strengths = curves.values(noise.strength, (*path, "strength"))
    if noise.by is not None:
        strengths = strengths[:, None] * spread(curves.signals[noise.by].astype(np.float64), chosen)
    return Noised(
        noise.mode, strengths, phases, chosen, seed, period, lay_where(noise.where, path, ground), noise.pyramid
    )


def spread(bands: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Bands [F, B] over the chosen layers, the lowest band at the first and the highest at the last: [F, L]."""
    numbers, B = np.flatnonzero(chosen), bands.shape[1]
    at = np.linspace(0, B - 1, len(numbers)) if len(numbers) > 1 else np.array([(B - 1) / 2])
    left = np.minimum(np.floor(at).astype(np.int64), max(0, B - 2))
    right = np.minimum(left + 1, B - 1)
    values = np.ones((len(bands), len(chosen)))
    values[:, numbers] = bands[:, left] + (bands[:, right] - bands[:, left]) * (at - left)
    return values


def lay_where(where: str | FileRef | Spot | None, path: Path_, ground: Ground) -> Region | None:
    """A part of the picture, the word `where` beside others at a path."""
    if where is None:
        return None
    if isinstance(where, Spot):
        named = ((where.x, "x"), (where.y, "y"), (where.radius, "radius"))
        spots = [ground.curves.values(curve, (*path, "where", word)) for curve, word in named]
        return Region(spots=np.stack(spots, axis=1))
    if isinstance(where, FileRef):
        try:
            return Region(image=grey(where.path))
        except _NoImageError as error:
            raise ground.recipe.error((*path, "where"), str(error)) from None
    return Region(where)


class _NoImageError(Exception):
    """What is wrong with a file that should hold an image."""


def grey(file: Path) -> np.ndarray:
    """An image as grey levels from 0 (black, or clear) to 1 (white), float32 [H, W], at most LARGEST_MASK a side."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file) as opened:
                image = ImageOps.exif_transpose(opened)
                if image.mode.startswith("I"):  # 16 bits
                    image = Image.fromarray((np.asarray(image, np.float32) / 257).clip(0, 255).astype(np.uint8))
                image = image.convert("RGBA").convert("LA")
                image.thumbnail((LARGEST_MASK, LARGEST_MASK))
                level, alpha = (np.asarray(channel, np.float32) / 255 for channel in image.split())
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise _NoImageError("the image is too large") from None
    except Exception as error:  # whatever a damaged file may bring about
        raise _NoImageError("this holds no image that can be read") from error
    return level * alpha
