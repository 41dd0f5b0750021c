"""Files that are sent to a node once, and kept there by their content."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gandream.base.errors import OutputError
from gandream.base.files import published, temporary_beside, writable_folder
from gandream.base.hashing import content_key, file_fingerprint
from gandream.base.locks import take
from gandream.rendering.store import sweep

KEPT_S = 14 * 86400
"""What no worker wanted for so long is removed when something else comes."""
LOOK_S = 0.1

Get = Callable[[str], Any]
"""Gives the bytes, uint8 [n], of a file by its SHA-256."""


@dataclass(frozen=True)
class Sent:
    """A file by its content."""

    sha256: str
    size: int
    name: str
    at: str
    """Where the driver has it: a node that sees the same file there needs no copy."""


def sent(path: Path) -> Sent:
    """A file of the driver's."""
    path = path.absolute()
    return Sent(file_fingerprint(path), path.stat().st_size, path.name, str(path))


def contents(file: Sent) -> np.ndarray:
    """The bytes of one, uint8 [n]; mapped, so that they are read only when they are sent."""
    return np.asarray(np.memmap(file.at, np.uint8, "r")) if file.size else np.zeros(0, np.uint8)


def brought(files: Sequence[Sent], get: Get, cache: Path | None = None) -> Path:
    """The path of the first file, with the others beside it, as they are with the driver.

    They are asked for only where they aren't there yet, by one process of a node while the others wait.
    """
    if all(_is(Path(file.at), file) for file in files):
        return Path(files[0].at)
    cache = cache or _cache()
    folder = cache / content_key("cargo", [[file.sha256, file.name] for file in files])
    while not all(_is(folder / file.name, file) for file in files):
        lock = take(cache / f"{folder.name}.lock")
        if lock is None:
            time.sleep(LOOK_S)
            continue
        try:
            _sweep(cache)
            folder.mkdir(exist_ok=True)
            for file in files:
                if not _is(folder / file.name, file):
                    with published(folder / file.name) as part:
                        np.asarray(get(file.sha256)).tofile(part)
        finally:
            lock.release()
    with contextlib.suppress(OSError):
        os.utime(folder)
    return folder / files[0].name


@contextmanager
def work_folder() -> Iterator[Path]:
    """A folder of this process, beside what is kept; those of killed ones go when the next is made."""
    cache = _cache()
    sweep(cache)
    folder = temporary_beside(cache / "work")
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is(path: Path, file: Sent) -> bool:
    try:
        return path.is_file() and path.stat().st_size == file.size and file_fingerprint(path) == file.sha256
    except OSError:
        return False


def _cache() -> Path:
    """The user's folder for such things; where there is none that can be written, the system's."""
    import platformdirs

    try:
        return writable_folder(Path(platformdirs.user_cache_dir("gandream", appauthor=False)) / "cluster")
    except OutputError:
        return writable_folder(Path(tempfile.gettempdir()) / "gandream-cluster")


def _sweep(cache: Path) -> None:
    for folder in cache.iterdir():
        with contextlib.suppress(OSError):
            if folder.is_dir() and not folder.name.startswith(".") and time.time() - folder.stat().st_mtime > KEPT_S:
                shutil.rmtree(folder, ignore_errors=True)
