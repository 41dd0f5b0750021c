"""Names of films with ``{fields}``: plain words alone, with zeros before a number if wanted."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gandream.base.errors import RecipeError, did_you_mean, listed

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_FIELD = re.compile(r"\s*([^\s:!]+?)\s*(?::0?([1-9]))?\s*")


@dataclass(frozen=True)
class Template:
    """A name with fields; ``where`` it stands."""

    text: str
    where: str

    def checked(self, known: Collection[str]) -> Template:
        """RecipeError where a field isn't known, or a bracket has no other."""
        self._put(dict.fromkeys(known, "1"))
        return self

    def fields(self) -> list[str]:
        """The fields that are used, as they are written."""
        found = (_FIELD.fullmatch(piece[1]) for piece in _PIECE.finditer(self.text) if piece[1] is not None)
        return [one[1] for one in found if one]

    def filled(self, values: Mapping[str, str]) -> str:
        """The name."""
        return self._put(values)

    def _put(self, values: Mapping[str, str]) -> str:
        def put(piece: re.Match[str]) -> str:
            if piece[0] in ("{{", "}}"):
                return piece[0][0]
            if piece[1] is None:
                hint = "Fields are written {seed}; a bracket itself is written twice."
                raise RecipeError(self.where, f"a '{piece[0]}' stands alone in {self.text[:80]}", hint)
            return self._value(piece[1], values)

        return _PIECE.sub(put, self.text)

    def _value(self, inside: str, values: Mapping[str, str]) -> str:
        field = _FIELD.fullmatch(inside)
        name = field[1] if field else inside
        if field is None or name not in values:
            hint = did_you_mean(name, values) or f"Fields here: {listed(values, 30)}."
            raise RecipeError(self.where, f"there is no field '{inside[:40]}'", hint)
        value, width = values[name], field[2]
        if width and value.isdecimal():
            return value.zfill(int(width))
        return value
