"""Lengths of time outside a film: how long something may take, how often it is done."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from gandream.recipe.fields import is_number, wrong

WRITTEN = "a time such as 90s, 20 min, 2h or 1:30:00"
_LENGTH = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|)", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):([0-5]\d)", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def length_s(value: object) -> float:
    """Seconds of ``90``, ``90s``, ``20 min``, ``2h``, ``1d`` or ``1:30:00``, above 0; ValueError says what is wrong."""
    text = str(value).strip() if isinstance(value, str) or is_number(value) else ""
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        found = float(hours * 3600 + minutes * 60 + seconds)
    elif length := _LENGTH.fullmatch(text):
        found = float(length[1]) * _UNITS[(length[2] or "s")[0]]
    else:
        raise ValueError(f"wanted {WRITTEN}")
    if not 0 < found < 1e9:
        raise ValueError("must be longer than 0" if found == 0 else "this is too long")
    return found


def _read(value: Any) -> float:
    try:
        return length_s(value)
    except ValueError as error:
        raise wrong(str(error)) from None


Seconds = Annotated[float, BeforeValidator(_read), WithJsonSchema({"type": ["number", "string"]})]
"""A field that takes such a length, in seconds."""
