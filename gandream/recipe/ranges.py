"""The kinds of value that effects take: curves within a range, and colours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import core_schema

from gandream.base.errors import did_you_mean, listed
from gandream.recipe.curve import Constant, Curve, Keyframes
from gandream.recipe.fields import Word, wrong


@dataclass(frozen=True)
class Range:
    """Where a curve may be. Written numbers beyond it are mistakes; what an expression gives is held to it.

    At ``idle`` the parameter does nothing; a ``period`` is a full turn; ``whole`` values are rounded.
    """

    low: float = -1e9
    high: float = 1e9
    idle: float | None = None
    period: float | None = None
    whole: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def check(self, curve: Any) -> Any:
        """Give the curve, or say which of the numbers written in it is beyond the range."""
        if isinstance(curve, Constant) and not self.low <= curve.value <= self.high:
            raise wrong(f"must be from {self.low:g} to {self.high:g}")
        if isinstance(curve, Keyframes):
            for time, value in zip(curve.times, curve.values, strict=True):
                if not self.low <= value <= self.high:
                    raise wrong(f"must be from {self.low:g} to {self.high:g}; at {time} it is {value:g}")
        return curve


@dataclass(frozen=True)
class Colour:
    """A colour as it was written, and its red, green and blue from 0 to 1."""

    written: str
    rgb: tuple[float, float, float]

    def __str__(self) -> str:
        return self.written


COLOURS: dict[str, str] = {
    "black": "000000", "white": "ffffff", "grey": "808080", "red": "ff0000", "orange": "ff8000", "gold": "ffc83c",
    "yellow": "ffff00", "lime": "80ff00", "green": "00c000", "mint": "60ffb0", "teal": "008080", "cyan": "00ffff",
    "sky": "60b0ff", "blue": "0000ff", "navy": "000040", "indigo": "4000a0", "violet": "8000ff", "magenta": "ff00ff",
    "pink": "ff60b0", "rose": "ff2060", "brown": "603010", "cream": "fff4dc",
}  # fmt: skip
_WANTED = "wanted a colour: a name such as gold, '#ff8000' in quotes, or [255, 128, 0]"


def read_colour(value: Any) -> Colour:
    """Read a colour from what was written."""
    if isinstance(value, Colour):
        return value
    if isinstance(value, list | tuple):
        if len(value) != 3 or not all(isinstance(part, int) and not isinstance(part, bool) for part in value):
            raise wrong(_WANTED)
        if not all(0 <= part <= 255 for part in value):
            raise wrong("red, green and blue are from 0 to 255")
        return read_colour("#" + "".join(f"{part:02x}" for part in value))
    if not isinstance(value, str):
        raise wrong(_WANTED, "An unquoted # begins a comment." if value is None else "")
    code = COLOURS.get(value, value.removeprefix("#").lower())
    code = "".join(digit * 2 for digit in code) if len(code) == 3 else code
    if not re.fullmatch(r"[0-9a-f]{6}", code):
        raise wrong(_WANTED, did_you_mean(value, COLOURS) or f"Names: {listed(COLOURS)}.")
    red, green, blue = (int(code[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return Colour(str(value), (red, green, blue))


AnyColour = Annotated[
    Colour, BeforeValidator(read_colour), PlainSerializer(str), WithJsonSchema({"type": ["string", "array"]})
]

Share = Annotated[Curve, Range(0, 1, idle=0)]
Degrees = Annotated[Curve, Range(idle=0, period=360)]
Place = Annotated[Curve, Range(-4, 4)]


def ranges(kind: type[Word]) -> dict[str, Range]:
    """The ranges of a group's curves, by word."""
    fields = kind.model_fields.items()
    return {word: note for word, field in fields for note in field.metadata if isinstance(note, Range)}
