"""Times as people write them: ``90 frames``, ``1.5s``, ``2``, ``250ms``, ``0:42``, ``4 beats``, ``2 bars``, ``50%``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Unit = Literal["s", "frames", "beats", "bars", "%"]

WRITTEN = "seconds (1.5 or 1.5s), 250ms, 0:42, 90 frames, 4 beats, 2 bars or 50%"
_UNITS: dict[str, tuple[Unit, Fraction]] = {
    "": ("s", Fraction(1)),
    "s": ("s", Fraction(1)),
    "sec": ("s", Fraction(1)),
    "second": ("s", Fraction(1)),
    "seconds": ("s", Fraction(1)),
    "ms": ("s", Fraction(1, 1000)),
    "min": ("s", Fraction(60)),
    "frame": ("frames", Fraction(1)),
    "frames": ("frames", Fraction(1)),
    "beat": ("beats", Fraction(1)),
    "beats": ("beats", Fraction(1)),
    "bar": ("bars", Fraction(1)),
    "bars": ("bars", Fraction(1)),
    "%": ("%", Fraction(1)),
}
_NUMBER = re.compile(
    r"([+-]?(?:\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})(?:e[+-]?\d{1,2})?|\d{1,6}/\d{1,6})\s*([a-z%]*)",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):(\d{2}(?:\.\d{1,9})?)")


@dataclass(frozen=True)
class Time:
    """An amount of one unit, exact; what it is in seconds depends on the film's clock and tempo."""

    amount: Fraction
    unit: Unit = "s"

    @classmethod
    def seconds(cls, amount: int | Fraction) -> Time:
        """A time in seconds."""
        return cls(Fraction(amount))

    def __str__(self) -> str:
        amount = str(self.amount.numerator) if self.amount.denominator == 1 else f"{float(self.amount):.12g}"
        return f"{amount}{self.unit}" if self.unit in ("s", "%") else f"{amount} {self.unit}"


def parse_time(value: object) -> Time:
    """Read a time from a number (seconds) or text; ValueError says what was wanted."""
    if isinstance(value, Time):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"wanted a time: {WRITTEN}")
    if isinstance(value, float) and not abs(value) < 1e12:
        raise ValueError(f"a time must be finite: {WRITTEN}")
    text = str(value).strip()
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds = clock.groups()
        return Time(Fraction(hours or 0) * 3600 + Fraction(minutes) * 60 + Fraction(seconds))
    number = _NUMBER.fullmatch(text)
    unit = _UNITS.get(number.group(2).lower()) if number else None
    if number is None or unit is None:
        raise ValueError(f"wanted a time: {WRITTEN}")
    try:
        amount = Fraction(number.group(1))
    except ZeroDivisionError:
        raise ValueError(f"wanted a time: {WRITTEN}") from None
    return Time(amount * unit[1], unit[0])
