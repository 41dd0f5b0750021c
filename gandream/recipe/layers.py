"""Style layers: ``coarse``, ``middle``, ``fine``, ``all``, ``0-3``, ``8-``, or lists of these; and one layer alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from gandream.base.errors import did_you_mean
from gandream.recipe.fields import wrong

GROUPS = ("coarse", "middle", "fine", "all")
_WANTED = "wanted layers: coarse, middle, fine, all, a number, 0-3, 8-, or a list of these"


@dataclass(frozen=True)
class Layers:
    """Parts of a range of layers as written: group names, or (first, last) with both ends (last None: to the end)."""

    parts: tuple[str | tuple[int, int | None], ...]

    def written(self) -> list[str]:
        """The parts as the recipe would write them."""
        return [
            part if isinstance(part, str) else f"{part[0]}-{'' if part[1] is None else part[1]}" for part in self.parts
        ]


def read_layers(value: Any) -> Layers:
    """Read a range of layers from what was written."""
    if isinstance(value, Layers):
        return value
    items = value if isinstance(value, list) else [value]
    if not items:
        raise wrong(_WANTED)
    return Layers(tuple(_part(item) for item in items))


def _part(item: Any) -> str | tuple[int, int | None]:
    if isinstance(item, int) and not isinstance(item, bool) and 0 <= item < 10000:
        return (item, item)
    if isinstance(item, str):
        if item in GROUPS:
            return str(item)
        if match := re.fullmatch(r"([0-9]{1,4})\s*-\s*([0-9]{1,4})?", item):
            first, last = int(match[1]), int(match[2]) if match[2] else None
            if last is not None and last < first:
                raise wrong("a range of layers rises: write 0-3, not 3-0")
            return (first, last)
        hint = "Numbers are written without quotes." if item.isdecimal() else did_you_mean(item, GROUPS)
        raise wrong(_WANTED, hint)
    raise wrong(_WANTED)


LayerRange = Annotated[
    Layers,
    BeforeValidator(read_layers),
    PlainSerializer(Layers.written),
    WithJsonSchema({"type": ["string", "integer", "array"], "description": _WANTED}),
]


def _shown(value: Any) -> int | str:
    number = isinstance(value, int) and not isinstance(value, bool)
    if not (number and 0 <= value < 10000) and not (isinstance(value, str) and value.strip()):
        raise wrong("wanted one layer: its number from 0, or its name")
    return int(value) if number else str(value)


LayerWord = Annotated[int | str, BeforeValidator(_shown)]
