"""Errors that a person can act on: where it is, what is wrong, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


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
        return "\n".join(lines)


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


class OutputError(GandreamError):
    """The film can't be written where it should go."""


class RenderError(GandreamError):
    """The work itself failed: encoder, memory, disk."""

    exit_code = 1


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give ``Did you mean 'x'?`` for the nearest known word, or an empty string."""
    near = difflib.get_close_matches(word.lower(), {name.lower(): name for name in known}, n=1, cutoff=0.6)
    if not near:
        return ""
    original = next(name for name in known if name.lower() == near[0])
    return f"Did you mean '{original}'?"


def listed(words: Iterable[object], limit: int = 24) -> str:
    """Join words for a sentence: ``a, b, c`` (the first ``limit``, then how many more)."""
    names = [str(word) for word in words]
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
