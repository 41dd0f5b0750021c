"""What the parameters of presets have in common."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from gandream.recipe.classes import ClassWord
from gandream.recipe.fields import Number, Word, listed_as_one, wrong
from gandream.recipe.roams import Seed

MUSIC_RATE = 22050
HOP = 512
TOOLS_FPS = Fraction(MUSIC_RATE, HOP)
"""Frames per second of lucid-sonic-dreams (43 as it really comes out) and of deep-music-visualizer."""
SEVERAL = 12

Unit = Annotated[Number, Field(ge=0, le=1)]
Psi = Annotated[Number, Field(ge=0.01, le=2)]
ClassList = Annotated[
    Annotated[tuple[ClassWord, ...], BeforeValidator(listed_as_one), Field(min_length=1, max_length=SEVERAL)] | None,
    Field(description="the classes, for models that have some; without it twelve drawn by the recipe's seed"),
]


class Preset(Word):
    """A look with its parameters."""

    seed: Annotated[Seed | None, Field(description="what is drawn by chance; without it the recipe's")] = None

    @abstractmethod
    def expanded(self, seed: int) -> dict[str, Any]:
        """The look in words of a recipe, as plain data; ``seed`` is the recipe's."""


def steps(count: float | Fraction, hop: int = HOP) -> str:
    """A number of frames of the tool as a time, exactly."""
    return f"{Fraction(count) * hop / MUSIC_RATE}s"


def inertia(kept: float, hop: int = HOP) -> str:
    """The time constant of what keeps this share of itself from frame to frame of the tool."""
    return f"{hop / MUSIC_RATE / -math.log(kept):.12f}s"


def number(value: float) -> str:
    """A number in an expression."""
    return f"{value:.12g}"


def inside(margin: float, box: float) -> float:
    """A margin that leaves room in its box."""
    return min(margin, 0.99 * box)


def seeds_from(seed: int, count: int) -> list[int]:
    """So many seeds, the first of them given."""
    return [(seed + index) % 2**32 for index in range(count)]


def part_of(percussive: bool, harmonic: bool) -> dict[str, str]:
    """The part of the music that is meant; where both or none are said, all of it."""
    return {} if percussive == harmonic else {"part": "percussive" if percussive else "harmonic"}


def times_of(value: Any) -> Any:
    """One time in seconds, or a list of them."""
    for one in value if isinstance(value, Sequence) and not isinstance(value, str) else (value,):
        if one is not None and (isinstance(one, bool) or not isinstance(one, int | float) or not 0 < one < 1e6):
            raise wrong("wanted seconds, or a list of moments in seconds")
    return tuple(value) if isinstance(value, list) else value
