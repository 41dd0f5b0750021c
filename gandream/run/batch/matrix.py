"""The values of words that vary: ranges, files, lists; several words make every combination."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import Any

import numpy as np

from gandream.base.errors import RecipeError, listed
from gandream.recipe.fields import is_number
from gandream.recipe.overrides import Assignment
from gandream.recipe.reader import read_text
from gandream.run.variants import split

MOST = 10_000
"""Values of a word, and films of a batch."""
FILES = frozenset({"audio", "model", "file", "of", "csv", "midi", "image", "overlay", "font", "lyrics", "recipe"})
"""Words whose value may be a file, so that a * in it is no multiplication."""
LAYERS = "layers"
"""The word of which 0-3 is a value."""
STEPS = ("from", "to", "count")
_RANGE = re.compile(r"(\d{1,10})\s*-\s*(\d{1,10})", re.ASCII)
_LONGEST = 60


@dataclass(frozen=True)
class Value:
    """One of them: as it is assigned, and as it is called in names of films."""

    written: str
    shown: str


@dataclass(frozen=True)
class Axis:
    """A word with its values; ``where`` they stand, and the folder that files in them start from."""

    key: str
    values: tuple[Value, ...]
    where: str
    folder: Path

    def assignments(self) -> Iterator[tuple[Assignment, str]]:
        """Each value as it is assigned, with its name."""
        place = self.where.partition("  ")[0]
        for value in self.values:
            yield Assignment(f"{self.key}={value.written}", place, self.folder), value.shown


def axis_of(key: str, value: Any, where: str, folder: Path) -> Axis:
    """The values of a word as they are written; RecipeError where there are none, or one twice."""
    found: list[Value] = []
    for one in value if isinstance(value, list) else [value]:
        found += _values(key, one, where, folder)
        if len(found) > MOST:
            raise RecipeError(where, f"{key} has more than {MOST} values", "Vary less.")
    if not found:
        raise RecipeError(where, f"{key} has no values, so there is nothing to render", "For instance [1, 2] or 1-20.")
    written = [one.written for one in found]
    if len(set(written)) < len(written):
        twice = next(one for one in written if written.count(one) > 1)
        raise RecipeError(where, f"{twice[:60]} is there twice", "Keep one of the two.")
    return Axis(key, tuple(found), where, folder)


def axis_said(said: str, folder: Path) -> Axis:
    """The same of ``KEY=1-20`` or ``KEY=a,b`` on the command line; commas inside brackets and quotes part nothing."""
    key, equals, values = said.partition("=")
    where = f"--vary {said if len(said) <= 80 else said[:77] + '...'}"
    if not equals or not key.strip():
        raise RecipeError(where, "wanted key=values", "For instance: --vary seed=1-20")
    parts = [part.strip() for part in split(values, where)]
    read = [read_text(part, where, folder, lines=False)[0] for part in parts if part]
    return axis_of(key.strip(), read, where, folder)


def assignment(key: str, value: Any, where: str, folder: Path) -> tuple[Assignment, str]:
    """A word with its only value."""
    one = _plain(key, value)
    return Assignment(f"{key}={one.written}", where.partition("  ")[0], folder), one.shown


def _values(key: str, value: Any, where: str, folder: Path) -> Iterator[Value]:
    last = re.split(r"[.\]]", key.rstrip("]"))[-1]
    if isinstance(value, str):
        span = None if last == LAYERS else _RANGE.fullmatch(value.strip())
        if span:
            yield from _range(int(span[1]), int(span[2]), key, where)
        elif last in FILES and has_magic(value) and not (folder / value).exists():
            yield from (_plain(key, name) for name in files(value, folder, where))
        else:
            yield _plain(key, value)
    elif isinstance(value, dict) and set(value) == {"files"}:
        yield from (Value(_text(name), stem(name)) for name in files(value["files"], folder, where))
    elif isinstance(value, dict) and set(value) == set(STEPS):
        yield from _steps(value, key, where)
    elif value is None:
        raise RecipeError(where, f"{key} wants values", "For instance [1, 2], 1-20 or songs/*.flac.")
    else:
        yield _plain(key, value)


def files(pattern: Any, folder: Path, where: str) -> list[str]:
    """The files of a pattern, sorted, as they are seen from a folder."""
    if not isinstance(pattern, str) or not pattern.strip():
        raise RecipeError(where, "wanted the names of files, such as songs/*.flac")
    pattern = os.path.expanduser(pattern)
    found = sorted(name for name in glob(pattern, root_dir=folder, recursive=True) if not (folder / name).is_dir())
    if not found:
        hint = _nearest(pattern, folder)
        raise RecipeError(where, f"there is no file {pattern[:80]}", hint)
    return [Path(name).as_posix() for name in found]


def _nearest(pattern: str, folder: Path) -> str:
    """What there is instead."""
    inside = folder / Path(pattern).parent
    if has_magic(str(Path(pattern).parent)) or not inside.is_dir():
        return f"Names start from {folder}."
    there = sorted(path.name for path in inside.iterdir() if path.is_file() and not path.name.startswith("."))
    return f"In {inside} there is: {listed(there, 8)}." if there else f"The folder {inside} is empty."


def _range(first: int, last: int, key: str, where: str) -> Iterator[Value]:
    if last < first:
        raise RecipeError(where, f"a range rises: write {last}-{first}, not {first}-{last}")
    if last - first >= MOST:
        raise RecipeError(where, f"{key} has more than {MOST} values", "Vary less.")
    yield from (Value(str(number), str(number)) for number in range(first, last + 1))


def _steps(value: Mapping[str, Any], key: str, where: str) -> Iterator[Value]:
    """``{from: 0.2, to: 1, count: 5}``: evenly spaced, both ends among them."""
    first, last, count = (value[word] for word in STEPS)
    if not is_number(first) or not is_number(last) or not math.isfinite(first) or not math.isfinite(last):
        raise RecipeError(where, "from and to are numbers", "For instance {from: 0.2, to: 1, count: 5}.")
    if not isinstance(count, int) or isinstance(count, bool) or not 2 <= count <= MOST:
        raise RecipeError(where, f"count is how many values, 2 to {MOST}", "For instance {from: 0.2, to: 1, count: 5}.")
    for number in np.round(np.linspace(first, last, count), 6).tolist():
        yield _plain(key, int(number) if number == int(number) else number)


def _plain(key: str, value: Any) -> Value:
    last = re.split(r"[.\]]", key.rstrip("]"))[-1]
    if isinstance(value, str):
        return Value(_text(value), stem(value) if last in FILES else named(value))
    if isinstance(value, dict | list):
        return Value(_flow(value), named("-".join(map(str, _leaves(value)))))
    return Value(_flow(value), named(_flow(value)))


def _text(value: str) -> str:
    """Text as YAML that is read as this text again, in quotes where it must be."""
    try:
        same = read_text(value, "text", Path(), lines=False)[0] == value
    except RecipeError:
        same = False
    return str(value) if same and value.strip() == value and value else _flow(value)


def _flow(value: Any) -> str:
    """A value in one line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        return json.dumps(str(value), ensure_ascii=not value.isprintable())
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else f"{'-' * (value < 0)}.inf"
    return json.dumps(value)  # null, true, false, numbers


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _leaves(item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def stem(name: str) -> str:
    """What a file is called in names of others: ``songs/01 Rain.flac`` is ``01 Rain``, as text ``01_Rain``."""
    last = re.split(r"[/\\:]", str(name))[-1] or str(name)
    return named(re.sub(r"\.[A-Za-z][A-Za-z0-9]{0,11}$", "", last))


def named(text: str) -> str:
    """Text as a part of a file's name on any system."""
    found = re.sub(r"_*-_*", "-", re.sub(r"[^\w.+=,-]+", "_", str(text))).strip("_. ")
    return found[:_LONGEST] or "_"
