"""What each frame of a segment looks like, in some hundred bytes: taken from the decode that checks every segment.

A frame is looked at in 72 x 72 points, which cost ffmpeg next to nothing, since it leaves out all others. Their means
in 12 x 12 cells are what flashes, flicker and seams are judged by; shares of points tell what is black or clipped.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

CELLS, POINTS = 12, 72
"""Cells of each side, and points of each side."""
FRAME_BYTES = POINTS * POINTS * 3
SAMPLED = f"scale={POINTS}:{POINTS}:flags=neighbor:out_range=pc,format=rgb24"
"""The filter by which ffmpeg gives a frame's points, RGB in bytes."""
DARK, FULL = 16, 253
"""Display values, of 255: up to which all three are black to the eye, and from which one is at its end. Coding moves
values by one or two.
"""
CHANGE_UNIT = 1 / 32
"""Of 255, in which the change from the frame before is counted."""
MAGIC = b"looks1"

_LINEAR = np.where((coded := np.arange(256) / 255) <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4).astype(
    np.float32
)
_WEIGHTS = np.array([0.2126, 0.7152, 0.0722], np.float32)
_CODED = 1 / 2.2
"""Luminance is kept as its power, so that a byte is as fine in the dark as in the light."""


@dataclass(frozen=True)
class Looks:
    """Statistics of frames, each an array uint8 with a row for each."""

    light: np.ndarray
    """[F, 12, 12]: the mean relative luminance of each cell (WCAG 2.2, "relative luminance"), as 255 L^(1/2.2)."""
    dark: np.ndarray
    """[F]: share of points that are black to the eye, of 255."""
    white: np.ndarray
    """[F]: share of points where all three colours are at their end."""
    full: np.ndarray
    """[F]: share of points where one or two are at theirs, and so the colour isn't what it should be."""
    change: np.ndarray
    """[F]: mean difference from the frame before, in 1/32 of a display value; at most 255. Of the first 0."""

    @property
    def frames(self) -> int:
        """F."""
        return len(self.dark)

    @property
    def luminance(self) -> np.ndarray:
        """Relative luminance of each cell, float32 [F, 12, 12], 0 to 1."""
        return np.power(np.arange(256, dtype=np.float32) / 255, 1 / np.float32(_CODED))[self.light]

    def packed(self) -> bytes:
        """As bytes, which :func:`unpacked` reads."""
        body = b"".join(np.ascontiguousarray(getattr(self, one.name)).tobytes() for one in fields(self))
        return MAGIC + struct.pack(">I", self.frames) + zlib.compress(body, 6)


def looks_of(points: np.ndarray) -> Looks:
    """The statistics of frames by their points, uint8 [F, 72, 72, 3]."""
    side = POINTS // CELLS
    lights = _LINEAR[points] @ _WEIGHTS
    cells = lights.reshape(-1, CELLS, side, CELLS, side).mean(axis=(2, 4))
    coded = np.rint(255 * np.power(np.clip(cells, 0, 1), _CODED)).astype(np.uint8)
    most, least = points.max(axis=3), points.min(axis=3)
    white = least >= FULL
    change = np.zeros(len(points))
    for at in range(1, len(points)):  # one by one, so that memory stays small
        change[at] = np.abs(points[at].astype(np.int16) - points[at - 1]).mean()
    steps = np.minimum(np.rint(change / CHANGE_UNIT), 255).astype(np.uint8)
    return Looks(coded, _shares(most <= DARK), _shares(white), _shares((most >= FULL) & ~white), steps)


def _shares(points: np.ndarray) -> np.ndarray:
    """Of booleans [F, 72, 72] the share that is true, of 255; only all are 255, only none are 0."""
    share = points.mean(axis=(1, 2))
    rounded = np.clip(np.rint(255 * share), 1, 254)
    return np.where(share == 0, 0, np.where(share == 1, 255, rounded)).astype(np.uint8)


def points_of(pixels: np.ndarray) -> np.ndarray:
    """The points of one frame [H, W, C]: [72, 72, C]."""
    rows, columns = (((np.arange(POINTS) + 0.5) * side / POINTS).astype(int) for side in pixels.shape[:2])
    return pixels[rows[:, None], columns]


def unpacked(data: bytes) -> Looks | None:
    """What :meth:`Looks.packed` made; None if it is anything else."""
    head = len(MAGIC) + 4
    if data[: len(MAGIC)] != MAGIC:
        return None
    try:
        (frames,) = struct.unpack(">I", data[len(MAGIC) : head])
        body = np.frombuffer(zlib.decompress(data[head:]), np.uint8)
    except (struct.error, zlib.error):
        return None
    if len(body) != frames * (CELLS * CELLS + 4):
        return None
    light, rest = np.split(body, [frames * CELLS * CELLS])
    return Looks(light.reshape(-1, CELLS, CELLS), *rest.reshape(4, -1))


def together(parts: Sequence[Looks]) -> Looks:
    """The statistics of segments that follow one another; where they meet, the change is that of the cells."""
    joined = {one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Looks)}
    at = 0
    for before, after in pairwise(parts):
        at += before.frames
        moved = np.abs(after.light[0].astype(np.int16) - before.light[-1]).mean()
        joined["change"][at] = min(255, round(moved / CHANGE_UNIT))
    return Looks(**joined)
