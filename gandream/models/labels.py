"""Names of a model's classes: its own, those in a file beside it, ImageNet's; and a class's number by any of its names.

Loads no torch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from gandream.base import assets
from gandream.base.errors import CheckpointError

IMAGENET = 1000
"""Classes of ImageNet's challenge; a published model with so many was trained on them."""
MAX_BYTES = 16 << 20
"""Of a file of labels."""
GENERAL = ("labels.txt", "labels.json", "classes.txt", "classes.json")
"""Files of labels that any model in their folder may have, if the number of names is its own."""
OWN = (".labels.txt", ".labels.json", ".classes.txt", ".classes.json")
"""What follows a model's name in that of its own file of labels: ``zoo.pkl`` has ``zoo.labels.txt``."""


def class_names(known: Sequence[str], path: Path) -> tuple[str, ...]:
    """Names of the C classes of the model at ``path``: as known, of the file beside it, ImageNet's, else numbers.

    ``known`` are the names that its own file gives, or numbers where it gives none.

    Raises:
        CheckpointError: the model's own file of labels can't be read, or has another number of names.
    """
    count = len(known)
    if not count or list(known) != [str(number) for number in range(count)]:
        return tuple(known)
    for ending in OWN:
        file = path.with_name(path.stem + ending)
        if file.is_file():
            names = read(file)
            if len(names) != count:
                problem = f"it names {len(names)} classes, and {path.name} has {count}"
                raise CheckpointError(str(file), problem, "Write one name a line, or move the file away.")
            return names
    for name in GENERAL:
        file = path.with_name(name)
        if file.is_file() and len(names := read(file)) == count:
            return names
    return imagenet() if count == IMAGENET else tuple(known)


def read(file: Path) -> tuple[str, ...]:
    """Names of classes in the order of their numbers.

    One is on each line; or the file is JSON: ``["name"]``, ``{"0": "name"}``, ``{"0": ["n01440764", "name"]}``,
    ``{"name": 0}``.
    Names that occur twice get their number after them. CheckpointError where it is neither.
    """
    wanted = 'It is a text with one name a line, or JSON: ["name", ...] or {"0": "name", ...}.'
    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_BYTES + 1).decode("utf-8-sig")
        if len(text) > MAX_BYTES:
            raise ValueError("too long")
        names = _of_json(json.loads(text)) if file.suffix == ".json" else [line.strip() for line in text.splitlines()]
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(str(file), "this file of labels can't be read", wanted) from error
    while names and not names[-1]:
        names.pop()
    if not names or not all(names):
        raise CheckpointError(str(file), "this file of labels has no names, or an empty one among them", wanted)
    first: dict[str, int] = {}
    return tuple(
        name if first.setdefault(plain(name), number) == number else f"{name} ({number})"
        for number, name in enumerate(names)
    )


def _of_json(found: Any) -> list[str]:
    """Names in the order of their numbers; ValueError where there is a gap."""
    if isinstance(found, dict) and all(type(value) is int for value in found.values()):
        found = {str(number): name for name, number in found.items()}
    if isinstance(found, dict):
        if any(str(number) not in found for number in range(len(found))):
            raise ValueError("the numbers of classes have a gap")
        found = [found[str(number)] for number in range(len(found))]
    if not isinstance(found, list):
        raise ValueError("no list of names")
    names: list[str] = []
    for value in found:
        name = value[-1] if isinstance(value, list) and value else value
        if not isinstance(name, str):
            raise ValueError("names are words")
        names.append(name.strip())
    return names


@lru_cache(1)
def _imagenet() -> tuple[tuple[str, ...], ...]:
    """All names of each of ImageNet's classes, the one to show first."""
    lines = (assets.folder() / "labels" / "imagenet.txt").read_text("utf-8").splitlines()
    return tuple(tuple(name.strip() for name in line.split(",")) for line in lines)


def imagenet() -> tuple[str, ...]:
    """The name of each of ImageNet's classes."""
    return tuple(names[0] for names in _imagenet())


def numbers_of(word: str, names: Sequence[str]) -> list[int]:
    """The classes that a word may mean: one, none, or several where it is ambiguous.

    Case, and whether words are joined by spaces, ``_`` or ``-``, are all the same. A class's first name wins over
    the other names that ImageNet's classes have.
    """
    if word in names:
        return [names.index(word)]
    wanted = plain(word)
    found = [number for number, name in enumerate(names) if plain(name) == wanted]
    if found or len(names) != IMAGENET or tuple(names) != imagenet():
        return found
    return [number for number, every in enumerate(_imagenet()) if wanted in map(plain, every)]


def known_words(names: Sequence[str]) -> list[str]:
    """Every word that some class is called by, for finding the nearest one."""
    if len(names) == IMAGENET and tuple(names) == imagenet():
        return [name for every in _imagenet() for name in every]
    return list(names)


def plain(name: str) -> str:
    """A name as it is compared."""
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()
