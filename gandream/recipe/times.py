"""Times as people write them: ``90 frames``, ``1.5s``, ``2``, ``250ms``, ``0:42``, ``4 beats``, ``2 bars``, ``50%``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from gandream.base.errors import did_you_mean

Unit = Literal["s", "frames", "beats", "bars", "%", "section"]

WRITTEN = "seconds (1.5 or 1.5s), 250ms, 0:42, 90 frames, 4 beats, 2 bars or 50%"
UNITS: dict[str, tuple[Unit, Fraction]] = {
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
    r"([+-]?(?:\d{1,12}/\d{1,12}|(?:\d{1,15}(?:\.\d{0,30})?|\.\d{1,30})(?:e[+-]?\d{1,3})?))\s*([a-z%]*)",
    re.IGNORECASE | re.ASCII,
)
_CLOCK = re.compile(r"(?:(\d{1,3}):(?=[0-5]\d:))?(\d{1,4}):([0-5]\d(?:\.\d{1,9})?)", re.ASCII)
_SECTION = re.compile(r"section\s+(\d{1,4})", re.ASCII)
_PLAIN = ("s", "ms", "min", "frames", "beats", "bars")
_MOST = 10**9
_FINEST = 10**12


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
        whole, decimals = divmod(abs(self.amount) * _FINEST, 1)
        if decimals:  # a third of a second has no decimals that say it
            amount = str(self.amount)
        else:
            units, rest = divmod(int(whole), _FINEST)
            amount = f"{'-' * (self.amount < 0)}{units}.{rest:012d}".rstrip("0").rstrip(".")
        if self.unit == "section":
            return f"section {amount}"
        return f"{amount}{self.unit}" if self.unit in ("s", "%") else f"{amount} {self.unit}"


def parse_time(value: object, *, sections: bool = False) -> Time:
    """Read a time from a number (seconds) or text; ValueError says what was wanted.

    With ``sections`` it may be where a section of the music begins: ``section 3``, counted from 1.
    """
    if isinstance(value, Time):
        return value
    if isinstance(value, str) and value.strip().startswith("section"):
        return _section(value.strip(), sections)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"wanted a time: {WRITTEN}")
    if isinstance(value, float) and not abs(value) < 1e12:
        raise ValueError(f"a time must be finite and below 1e12: {WRITTEN}")
    text = str(value).strip()
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds = clock.groups()
        return Time(Fraction(hours or 0) * 3600 + Fraction(minutes) * 60 + Fraction(seconds))
    number = _NUMBER.fullmatch(text)
    if number is None:
        raise ValueError(f"wanted a time: {WRITTEN}")
    written, name = number.group(1), number.group(2).lower()
    if name not in UNITS:
        raise ValueError(f"there is no unit '{name[:20]}'. {did_you_mean(name, _PLAIN) or f'Times are {WRITTEN}'}")
    unit, scale = UNITS[name]
    if "/" in written and int(written.partition("/")[2]) == 0:
        raise ValueError("a time can't be divided by zero")
    amount = Fraction(written) * scale
    if "/" not in written:
        amount = round(amount * _FINEST) / Fraction(_FINEST)
    if abs(amount) > _MOST or amount.denominator > _FINEST:
        raise ValueError(f"this time is too {'long' if abs(amount) > _MOST else 'fine'}")
    return Time(amount, unit)


def _section(text: str, allowed: bool) -> Time:
    found = _SECTION.fullmatch(text)
    if not allowed:
        raise ValueError(f"a section is a moment, and none can stand here. Times are {WRITTEN}")
    if found is None or int(found[1]) < 1:
        raise ValueError("wanted a section by its number, from 1: section 3")
    return Time(Fraction(int(found[1])), "section")
