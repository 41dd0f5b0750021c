"""The names of segments: a content key, and a digest of the file, so that a reader knows that it is whole."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from gandream.base.files import disk_errors
from gandream.base.hashing import file_fingerprint

DIGITS = 16
"""Hex digits of SHA-256 in a name: enough against accidents, which is all that they guard against."""


def publish_with_digest(part: Path, folder: Path, key: str) -> Path:
    """Rename a finished, flushed file to ``<key>-<16 hex digits of its SHA-256><suffix>`` in ``folder``."""
    target = folder / f"{key}-{file_fingerprint(part)[:DIGITS]}{part.suffix}"
    with disk_errors(target):
        os.replace(part, target)
    return target


def find_verified(folder: Path, key: str) -> Path | None:
    """The segment of that key whose content is what its name says, or None; false ones are removed."""
    for path in sorted(folder.glob(f"{glob.escape(key)}-{'[0-9a-f]' * DIGITS}.*")):
        try:
            if file_fingerprint(path).startswith(path.stem.rpartition("-")[2]):
                return path
        except OSError:  # a folder of that name, or the disk can't read it any more
            continue
        path.unlink(missing_ok=True)
    return None
