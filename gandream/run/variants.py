"""The variants that a comparison shows: every combination of values of some words of a recipe, or several recipes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from gandream.base.errors import OutputError, RecipeError
from gandream.recipe.load import load_recipe
from gandream.recipe.recipe import Recipe

MOST = 64
_BRACKETS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True)
class Axis:
    """A word and its values as they are written; of recipes, their files."""

    key: str
    values: tuple[str, ...]

    def label(self, value: str) -> str:
        """What is written beside a value: ``truncation 0.5``; a recipe's name."""
        quoted = len(value) > 2 and value[0] == value[-1] and value[0] in "'\""
        return Path(value).stem if not self.key else f"{self.key} {value[1:-1] if quoted else value}"


@dataclass(frozen=True)
class Variant:
    """One of the films that are compared."""

    recipe: Recipe
    label: str
    assignments: tuple[str, ...]
    """What it says otherwise than its recipe's file, as in ``--set``."""


@dataclass(frozen=True)
class Variants:
    """All that is compared, row by row, in a table of ``rows`` by ``columns`` (the last places may be empty)."""

    variants: tuple[Variant, ...]
    rows: int
    columns: int
    down: tuple[str, ...] = ()
    """What each row is; none: each variant has its label."""
    across: tuple[str, ...] = ()
    axes: tuple[Axis, ...] = ()

    def idle(self, films: Sequence[object]) -> list[Axis]:
        """The words whose values change nothing in the films of the variants, whatever the others say."""
        found, step = [], 1
        for axis in reversed(self.axes):
            count = len(axis.values)
            firsts = [at for at in range(len(films)) if at // step % count == 0]
            same = all(films[at] == films[at + step * other] for at in firsts for other in range(1, count))
            found += [axis] if count > 1 and same else []
            step *= count
        return found[::-1]


def variants_of(files: Sequence[Path], varied: Sequence[str], assignments: Sequence[str] = ()) -> Variants:
    """Load every combination of recipes and of the values of ``varied``, which are ``key=value,value``.

    Of two keys (or recipes and a key) the first goes down and the second across; one, or more than two, are in rows
    one after the other. RecipeError as in loading a recipe; OutputError where there is nothing to compare.
    """
    axes = [Axis("", tuple(map(str, files)))] if len(files) > 1 else []
    axes += [axis_of(one) for one in varied]
    keys = [axis.key for axis in axes]
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        raise OutputError(f"--vary {twice}", "this word is varied twice", "Give all of its values at once.")
    count = 1
    for axis in axes:
        count *= len(axis.values)
    if count < 2:
        hint = "For instance --vary seed=1,2,3, or a second recipe."
        raise OutputError(str(files[0]), "there is nothing to compare it with", hint)
    if count > MOST:
        raise OutputError("--vary", f"these are {count} variants, and a film shows {MOST} at most", "Vary less.")
    tabled = len(axes) == 2 and all(len(axis.values) > 1 for axis in axes)
    made = tuple(_variant(files[0], axes, values, assignments) for values in product(*(axis.values for axis in axes)))
    if tabled:
        down, across = (tuple(axis.label(value) for value in axis.values) for axis in axes)
        return Variants(made, len(down), len(across), down, across, tuple(axes))
    return Variants(made, *_shape(count, axes), axes=tuple(axes))


def _shape(count: int, axes: Sequence[Axis]) -> tuple[int, int]:
    """Rows and columns for variants one after the other: all side by side up to three, then about as many of both; of
    several words, rows end where the last ones have had all of their values.
    """
    columns = count if count <= 3 else next(n for n in range(1, MOST + 1) if n * n >= count)
    ends = [math.prod(len(axis.values) for axis in axes[at:]) for at in range(len(axes))]
    inner = [end for end in ends if 1 < end < count]
    columns = min(inner, key=lambda end: abs(math.log(end / columns))) if inner else columns
    return -(-count // columns), columns


def axis_of(written: str) -> Axis:
    """The word and the values of ``truncation=0.5,0.8``; commas inside brackets and quotes part nothing."""
    key, equals, values = written.partition("=")
    where = f"--vary {written if len(written) <= 60 else written[:57] + '...'}"
    if not equals or not key.strip():
        raise OutputError(where, "wanted key=value,value", "For instance: --vary truncation=0.5,0.8")
    found = tuple(part.strip() for part in split(values, where))
    if not all(found):
        raise OutputError(where, "a value is missing between commas", "For instance: --vary truncation=0.5,0.8")
    if twice := next((value for value in found if found.count(value) > 1), None):
        raise OutputError(where, f"{twice} is there twice")
    return Axis(key.strip(), found)


def split(text: str, where: str = "--vary") -> list[str]:
    """A text parted at its commas, but for those inside brackets or quotes."""
    parts, start, depth, quote = [], 0, list[str](), ""
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([{":
            depth.append(letter)
        elif letter in _BRACKETS:
            if not depth or depth.pop() != _BRACKETS[letter]:
                raise OutputError(where, f"a '{letter}' closes what wasn't opened")
        elif letter == "," and not depth:
            parts.append(text[start:at])
            start = at + 1
    if quote or depth:
        raise OutputError(where, f"a {quote or depth[-1]} is left open")
    return [*parts, text[start:]]


def _variant(file: Path, axes: Sequence[Axis], values: tuple[str, ...], assignments: Sequence[str]) -> Variant:
    said = tuple(f"{axis.key}={value}" for axis, value in zip(axes, values, strict=True) if axis.key)
    own = next((Path(value) for axis, value in zip(axes, values, strict=True) if not axis.key), file)
    labels = [axis.label(value) for axis, value in zip(axes, values, strict=True) if len(axis.values) > 1]
    try:
        recipe = load_recipe(own, (*assignments, *said))
    except RecipeError as error:
        raise _told_so(error, said) from None
    return Variant(recipe, "   ".join(labels), said)


def _told_so(error: RecipeError, said: tuple[str, ...]) -> RecipeError:
    """The mistake, in words that were varied, not set."""

    def named(where: str) -> str:
        for one in said:
            shown = one if len(one) <= 80 else one[:77] + "..."
            where = where.replace(f"--set {shown}", f"--vary {shown}")
        return where

    told = RecipeError(named(error.where), error.problem, error.hint)
    told.others = tuple(RecipeError(named(one.where), one.problem, one.hint) for one in error.others)
    return told
