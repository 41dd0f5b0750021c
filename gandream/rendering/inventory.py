"""What lies in a store: of which film it is, how large, when it was last used; and letting go of it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gandream.base.locks import take
from gandream.rendering.films import Noted, forget, noted
from gandream.rendering.store import sweep
from gandream.video.segments import is_whole, key_of, segments_in, set_aside

MEASURED = {"audio": "*/*.npz", "pace": "*.json"}
"""What else is kept, besides segments: what was heard in music, and walks that were measured."""


@dataclass(frozen=True)
class Item:
    """A file of the store."""

    path: Path
    kind: str
    """segments, audio or pace."""
    size: int
    """Bytes."""
    used: float
    """When it was last used, as far as is known, in seconds since 1970."""
    films: tuple[Noted, ...] = ()
    """The films that a segment is of."""


def items(store: Path) -> list[Item]:
    """Everything in a store that may be let go of; a store that isn't there is empty."""
    found, films = list[Item](), dict[str, list[Noted]]()
    for film in noted(store):
        for key in film.segments:
            films.setdefault(key, []).append(film)
    for path in segments_in(store / "segments"):
        of = tuple(films.get(key_of(path), ()))
        with contextlib.suppress(OSError):
            about = path.lstat()
            found.append(Item(path, "segments", about.st_size, max([about.st_mtime, *(one.used for one in of)]), of))
    for kind, pattern in MEASURED.items():
        for path in (store / kind).glob(pattern):
            with contextlib.suppress(OSError):
                about = path.lstat()
                found.append(Item(path, kind, about.st_size, max(about.st_mtime, about.st_atime)))
    return found


def wanted(item: Item, store: Path) -> bool:
    """Whether some film needs it: one that was noted, and whose recipe is still there, or itself if it had none."""
    return item.kind != "segments" or any((store / (film.recipe or film.film)).exists() for film in item.films)


def recipe_is(film: Noted, recipe: Path, store: Path) -> bool:
    """Whether a film was made from this recipe's file."""
    return bool(film.recipe) and os.path.abspath(store / film.recipe) == os.path.abspath(recipe)


def to_prune(
    store: Path,
    *,
    before: float | None = None,
    largest: int | None = None,
    recipe: Path | None = None,
    unused: bool = False,
) -> list[Item]:
    """What is to go, the longest unused first: what every one of these says may go.

    ``before`` is a time, in seconds since 1970; ``recipe`` means segments that are of its films and no others;
    ``unused`` what no film needs any more. ``largest`` are bytes: only as much goes as is beyond it.
    """
    all_items = sorted(items(store), key=lambda item: (item.used, item.path))
    going = [
        item
        for item in all_items
        if (before is None or item.used < before)
        and (recipe is None or (item.films and all(recipe_is(film, recipe, store) for film in item.films)))
        and not (unused and wanted(item, store))
    ]
    if largest is None:
        return going
    beyond, chosen = sum(item.size for item in all_items) - largest, list[Item]()
    for item in going:
        if beyond <= 0:
            break
        chosen.append(item)
        beyond -= item.size
    return chosen


def remove(store: Path, going: Iterable[Item]) -> None:
    """Let go of these, of films of which nothing is left, and of what killed renders left."""
    for item in going:
        with contextlib.suppress(OSError):
            item.path.unlink()
    tidy(store)
    there = {key_of(path) for path in segments_in(store / "segments")}
    for film in noted(store):
        if not there & set(film.segments):
            forget(store, film)


def false_segments(store: Path) -> list[Path]:
    """Segments whose content isn't what their names say; every file is read."""
    return [path for path in segments_in(store / "segments") if not is_whole(path)]


def remove_false(store: Path, false: Iterable[Path]) -> None:
    """Let go of false segments, as a render would when it meets them."""
    for path in false:
        set_aside(path)
    tidy(store)


def tidy(store: Path) -> None:
    """Remove what killed renders left: half-written files, and locks that nobody holds."""
    folders = [store / "segments", store / "films", store / "pace", *(store / "audio").glob("*/")]
    for folder in folders:
        sweep(folder)
    for path in (store / "locks").glob("*.lock"):
        with contextlib.suppress(OSError):
            if lock := take(path):
                lock.release()
    for folder in (store / "audio").glob("*/"):
        with contextlib.suppress(OSError):
            folder.rmdir()  # if it is empty
