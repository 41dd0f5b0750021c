"""The names of segments: a content key, and a digest of key and file, so that a reader knows that it is whole."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import uuid
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gandream.base.files import disk_errors
from gandream.base.hashing import content_key, file_fingerprint

DIGITS = 16
"""Hex digits of the digest in a name: enough against accidents, which is all that they guard against."""

FEW, READERS = 4, 8
"""From so many on they are read by several threads, and by how many."""

_NAME = re.compile(rf"(.*)-([0-9a-f]{{{DIGITS}}})\.[^.]+")


def publish_with_digest(part: Path, folder: Path, key: str) -> Path:
    """Rename a finished, flushed file to ``<key>-<16 hex digits of its digest><suffix>`` in ``folder``."""
    target = folder / f"{key}-{_digest(part, key)}{part.suffix}"
    with disk_errors(target):
        if target.is_dir():
            set_aside(target)
        os.replace(part, target)
    return target


def find_verified(folder: Path, key: str) -> Path | None:
    """The segment of that key whose content is what its name says, or None; false ones are removed."""
    return find_all_verified(folder, [key]).get(key)


def find_all_verified(folder: Path, keys: Iterable[str]) -> dict[str, Path]:
    """The segments of those keys whose content is what their names say; false ones are removed.

    A long film has some thousands, of a hundred gigabytes: the folder is listed once, and several are read at a time.
    """
    wanted, found = set(keys), dict[str, Path]()
    paths = [path for path in segments_in(folder, wanted) if key_of(path) in wanted]
    if len(paths) < FEW:
        whole = map(is_whole, paths)
    else:
        with ThreadPoolExecutor(READERS) as pool:
            whole = pool.map(is_whole, paths)
    for path, good in zip(paths, whole, strict=True):
        if good:
            found.setdefault(key_of(path), path)
        else:
            set_aside(path)
    return found


def segments_in(folder: Path, keys: Collection[str] | None = None) -> list[Path]:
    """Everything in a folder that is named as a segment is, in the order of the names; only of ``keys``, if given."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    if keys is not None:  # a pattern costs more than this
        names = [name for name in names if name.rpartition("-")[0] in keys]
    return [folder / name for name in sorted(names) if not name.startswith(".") and _NAME.fullmatch(name)]


def key_of(path: Path) -> str:
    """The key in a segment's name."""
    match = _NAME.fullmatch(path.name)
    return match[1] if match else ""


def is_whole(path: Path) -> bool:
    """Whether a file that is named as a segment holds what its name says."""
    match = _NAME.fullmatch(path.name)
    try:
        # Only plain files are opened: a pipe of that name would never end.
        return match is not None and stat.S_ISREG(path.stat().st_mode) and _digest(path, match[1]) == match[2]
    except OSError:  # it is gone, we mustn't read it, or the disk can't any more
        return False


def set_aside(path: Path) -> None:
    """Remove a false segment; a folder of such a name, which may be somebody's, is only renamed."""
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            path.rename(path.with_name(f"{path.name}.not-ours-{uuid.uuid4().hex[:8]}"))
        else:
            path.unlink()


def _digest(path: Path, key: str) -> str:
    """Of the key too: a segment under another's key is no less foreign than other bytes."""
    return content_key("segment's file", key, file_fingerprint(path))[:DIGITS]
