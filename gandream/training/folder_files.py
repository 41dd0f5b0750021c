"""Which files in a folder are pictures."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gandream.base.errors import GandreamError, did_you_mean
from gandream.training.pictures import FOREIGN, SUFFIXES

_RUBBISH = frozenset(("__MACOSX", "@eaDir", "$RECYCLE.BIN"))
"""Folders that systems leave behind, with copies of the pictures in some of them."""
_ARCHIVES = frozenset((".zip", ".tar", ".gz", ".7z", ".rar"))


@dataclass(frozen=True)
class Source:
    """One file: its name in the folder (a path with ``/``), its size in bytes and its time of change."""

    name: str
    size: int
    changed: int


def check_folder(path: Path) -> None:
    """Raise a GandreamError that says what is there instead of a folder."""
    if os.path.isdir(path):
        return
    if os.path.exists(path):
        hint = "Unpack it, and name the folder." if path.suffix.lower() in _ARCHIVES else ""
        raise GandreamError(str(path), "this is a file; a folder of pictures is wanted", hint)
    beside: list[str] = []
    with suppress(OSError):
        beside = [other.name for other in os.scandir(path.parent) if other.is_dir()]
    raise GandreamError(str(path), "there is no such folder", did_you_mean(path.name, beside))


def find_pictures(folder: Path) -> tuple[list[Source], list[tuple[str, str]]]:
    """Files that end like pictures, in the order of their names, and (name, reason) of those that can't be opened.

    Each folder is visited once, whatever links lead to it, and by a link only where nothing else does; never one that
    this folder lies in.
    """
    sources, unread, seen = [], [], {_identity(above) for above in folder.resolve().parents}
    real, linked = deque([("", folder)]), deque[tuple[str, Path]]()
    while real or linked:
        prefix, here = real.popleft() if real else linked.popleft()
        try:
            if _identity(here) in seen:
                continue
            seen.add(_identity(here))
            entries = list(os.scandir(here))
        except OSError as error:
            unread.append((prefix or ".", f"the folder can't be opened: {error.strerror}"))
            continue
        for entry in entries:
            name, suffix = prefix + entry.name, os.path.splitext(entry.name)[1].lower()
            if entry.name.startswith(".") or entry.name in _RUBBISH:
                continue
            if _is_folder(entry):
                (linked if entry.is_symlink() else real).append((f"{name}/", Path(entry.path)))
            elif suffix in FOREIGN:
                unread.append((name, f"{suffix} is not read here; save it as jpg or png"))
            elif suffix in SUFFIXES:
                try:
                    status = entry.stat()
                except OSError as error:
                    unread.append((name, error.strerror or "can't be opened"))
                    continue
                if entry.is_file():
                    sources.append(Source(name, status.st_size, status.st_mtime_ns))
    return sorted(sources, key=lambda source: source.name), unread


def _identity(folder: Path) -> tuple[int, int]:
    """What tells folders apart, whatever links lead to them."""
    status = folder.stat()
    return status.st_dev, status.st_ino


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False
