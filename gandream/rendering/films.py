"""Which film each segment of the store is of: one small file for each film, which only `gandream cache` reads."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from gandream.base.errors import GandreamError
from gandream.base.files import published
from gandream.base.hashing import content_key

FOLDER = "films"


@dataclass(frozen=True)
class Noted:
    """A film that was rendered, or begun, from this store; paths as seen from the store's folder."""

    film: str
    recipe: str
    """Nothing if it was made from no file."""
    segments: tuple[str, ...]
    used: float = 0.0
    """When it was rendered last, in seconds since 1970: the time of its file."""


def note(store: Path, film: Path, recipe: Path, keys: Sequence[str]) -> None:
    """Write down what a film is made of, before its first frame; what can't be written is left out."""
    if not keys:
        return
    made_of = _seen(recipe, store) if recipe.is_file() else ""
    noted = Noted(_seen(film, store), made_of, tuple(dict.fromkeys(keys)))
    file = _file(store, noted.film)
    with contextlib.suppress(OSError, GandreamError):
        file.parent.mkdir(exist_ok=True)
        there = _read(file)
        if there is not None and (there.recipe, there.segments) == (noted.recipe, noted.segments):
            os.utime(file)
            return
        content = {name: value for name, value in asdict(noted).items() if name != "used"}
        with published(file) as part:
            part.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")


def noted(store: Path) -> list[Noted]:
    """The films of a store, the latest first; a file that can't be read counts as none."""
    found = (_read(file) for file in (store / FOLDER).glob("[!.]*.json"))
    return sorted((film for film in found if film is not None), key=lambda film: film.used, reverse=True)


def forget(store: Path, film: Noted) -> None:
    """Strike out a film."""
    with contextlib.suppress(OSError):
        _file(store, film.film).unlink()


def _file(store: Path, film: str) -> Path:
    return store / FOLDER / f"{content_key('film', film)}.json"


def _seen(path: Path, store: Path) -> str:
    """The path as seen from the store, so that a project that moves as a whole stays itself."""
    try:
        return Path(os.path.relpath(path.absolute(), store.absolute())).as_posix()
    except ValueError:  # another drive
        return path.absolute().as_posix()


def _read(file: Path) -> Noted | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        film, recipe, segments = found["film"], found["recipe"], found["segments"]
        if not all(isinstance(one, str) for one in (film, recipe, *segments)):
            return None
        return Noted(film, recipe, tuple(segments), file.stat().st_mtime)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
