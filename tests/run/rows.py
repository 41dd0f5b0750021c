"""How a table of words and what changes with them is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Pair = tuple[str, str]


@dataclass(frozen=True)
class Rows:
    """Words of one group: each with two ways to write it that must not give the same.

    They are put into ``form``, a recipe, where its * is; one text alone is compared with none.
    """

    kind: str
    """The group, as its class is called."""
    form: str
    each: Mapping[str, str | Pair]
    quick: tuple[str, ...] = ()
    """Words that are tested in the fast suite too."""
    shows: Literal["pictures", "signals", "file"] = "pictures"
    """What must differ."""
    refuses: tuple[str, ...] = ()
    """Words of which one of the two ways is refused."""
    beside: bool = False
    """Whether only the first line of a text is put into the form, and the others stand before it."""

    def texts(self, word: str) -> Pair:
        """The two recipes of a word."""
        said = self.each[word]
        one, other = ("", said) if isinstance(said, str) else said
        return self._put(one), self._put(other)

    def _put(self, text: str) -> str:
        inner, _, before = text.partition("\n") if self.beside else (text, "", "")
        return f"{before}\n{self.form.replace('*', inner)}".lstrip("\n")
