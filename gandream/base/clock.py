"""The frame clock: frame k is at exactly k / fps seconds, in fractions, rounded once from the start of the piece."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np


def exact(value: float | int | str | Fraction) -> Fraction:
    """Give the fraction that a number was written as: 0.1 -> 1/10, not its binary neighbour."""
    return value if isinstance(value, Fraction) else Fraction(str(value))


def frames_in(duration_s: Fraction, fps: Fraction) -> int:
    """Frames of a piece: max(1, round half up(duration × fps))."""
    return max(1, int(duration_s * fps + Fraction(1, 2)))


@dataclass(frozen=True)
class Clock:
    """Time of a whole film: its exact frame rate and its number of frames F.

    Where a film is thought on beyond its end, it has ``beyond`` of these frames more than the film.
    """

    fps: Fraction
    frames: int
    beyond: int = 0

    def __post_init__(self) -> None:
        if self.fps <= 0 or self.frames < 1:
            raise ValueError(f"{self.fps = }, {self.frames = }: both must be positive")

    @property
    def duration(self) -> Fraction:
        """Seconds from the first frame to the end of the film's last, F / fps."""
        return (self.frames - self.beyond) / self.fps

    @cached_property
    def times(self) -> np.ndarray:
        """Seconds of each frame, float64 [F]."""
        numerator, denominator = self.fps.numerator, self.fps.denominator
        return np.arange(self.frames, dtype=np.float64) * denominator / numerator


def timestamp(seconds: float) -> str:
    """Write a time as people read it: 83.5 -> ``1:23.500``."""
    millis = round(seconds * 1000)
    return f"{millis // 60000}:{millis // 1000 % 60:02d}.{millis % 1000:03d}"


def duration(seconds: float) -> str:
    """As a person says it."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
