"""What a quality gate says of a film: kept in its manifest, told as notes, and an error where a person is strict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Flaw:
    """Something that a gate has found; times are the whole film's."""

    kind: str
    """black, frozen, clipped, flicker, flashes, seam, dropped or sound."""
    first_frame: int
    stop_frame: int
    from_s: float
    to_s: float
    said: str
    """In a sentence: ``0:12.3 to 0:15 is black: effects[1].fade is 1 there``."""


def as_json(flaws: Sequence[Flaw]) -> list[dict[str, Any]]:
    """For the manifest and for programs."""
    return [asdict(flaw) for flaw in flaws]


def from_json(found: Any) -> tuple[Flaw, ...]:
    """What :func:`as_json` gave; what is anything else is left out."""
    names = Flaw.__dataclass_fields__
    rows = found if isinstance(found, list) else []
    return tuple(Flaw(**row) for row in rows if isinstance(row, dict) and set(row) == set(names))
