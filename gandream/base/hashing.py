"""Content keys: one hash over values, arrays and files, the same in every process and on every machine."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

SETTLED_NS = 5 * 10**9
"""After this, the times of a file tell whether it was written to again."""


def content_key(*parts: Any) -> str:
    """Hash plain values, mappings, sequences and arrays to 32 hex digits; type, dtype and shape count."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        _feed(digest, part)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    if isinstance(value, np.generic):
        value = value.item()  # its repr differs between versions of numpy
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise TypeError("can't hash an array of objects by content")
        array = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
        digest.update(f"array {array.dtype.str} {value.shape};".encode() + array.tobytes())
    elif isinstance(value, list | tuple):
        digest.update(f"list {len(value)};".encode())
        for item in value:
            _feed(digest, item)
    elif value is None or isinstance(value, bool | int | float | str | Fraction):
        kind = "str" if isinstance(value, str) else type(value).__name__
        data = (repr(value) if isinstance(value, float) else str(value)).encode("utf-8", "surrogatepass")
        digest.update(f"{kind} {len(data)};".encode() + data)
    elif isinstance(value, Mapping):
        digest.update(f"mapping {len(value)};".encode())
        for key in sorted(value, key=str):
            _feed(digest, str(key))
            _feed(digest, value[key])
    else:
        raise TypeError(f"can't hash a {type(value).__name__} by content")


def file_fingerprint(path: Path) -> str:
    """SHA-256 of a whole file, hex.

    A file that nobody wrote to lately is read once in a process, since a render asks several times for one of some
    hundred MB. Of one written a moment ago, the time may not tell another write: it is read every time.
    """
    about = path.stat()
    if time.time_ns() - about.st_mtime_ns < SETTLED_NS:
        return _sha256(path)
    return _settled(path.absolute(), about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino)


@lru_cache(64)
def _settled(path: Path, *_: int) -> str:
    return _sha256(path)


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
