"""Errors that a person can act on: where it is, what is wrong, what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

# What could move the cursor, colour the terminal, turn the direction of reading, or not be written at all.
_UNPRINTABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Text that leaves a terminal as it is, whatever a file or its name holds: escapes instead of what it obeys."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class GandreamError(Exception):
    """A failure with words for the person who meets it.

    Args:
        where: the place: ``file:line:column  key.path = value``, a file, or a stage.
        problem: what was found there and what was wanted.
        hint: what to do about it; may be empty.
    """

    exit_code = 2
    """0 done, 1 failed while working, 2 the user's input."""

    def __init__(self, where: str, problem: str, hint: str = ""):
        super().__init__(where, problem, hint)
        self.where, self.problem, self.hint = where, problem, hint

    def __str__(self) -> str:
        lines = [self.where, f"  {self.problem}"]
        if self.hint:
            lines.append(f"  {self.hint}")
        return printable("\n".join(lines))


class RecipeError(GandreamError):
    """The recipe says something that can't be; ``others`` are further mistakes found in the same reading."""

    others: tuple[RecipeError, ...] = ()

    def __str__(self) -> str:
        return "\n\n".join([super().__str__(), *(str(other) for other in self.others)])


class AudioError(GandreamError):
    """The sound can't be read, or doesn't hold what the recipe asks of it."""


class CheckpointError(GandreamError):
    """The model can't be found, or isn't a generator that is known here."""


class LatentError(GandreamError):
    """A latent does not fit the model."""


class TrainingError(GandreamError):
    """There is nothing to learn from, or what was asked for can't be trained."""


class OutputError(GandreamError):
    """The film can't be written where it should go."""


class RenderError(GandreamError):
    """The work itself failed: encoder, memory, disk."""

    exit_code = 1


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give ``Did you mean 'x'?`` for the nearest known word, or an empty string."""
    names = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6) if len(word) <= 60 else []
    return f"Did you mean '{names[near[0]]}'?" if near else ""


def listed(words: Iterable[object], limit: int = 24) -> str:
    """Join words for a sentence: ``a, b, c`` (the first ``limit``, then how many more)."""
    names = [str(word) for word in words]
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
