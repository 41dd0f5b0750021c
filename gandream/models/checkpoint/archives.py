"""Zip archives that no one here made: read without trusting what they say of themselves, and never unpacked.

An entry's name is only ever a word; nothing is written anywhere. Sizes are checked before anything is unfolded, and
no more is unfolded than an entry says it holds. Format: PKWARE's APPNOTE 6.3, sections 4.3.12 to 4.3.16.
"""

from __future__ import annotations

import re
import struct
import zipfile
from pathlib import Path

from gandream.models.checkpoint.records import DamagedError, RefusedError

MAX_RATIO = 8
"""How far an archive may unfold; numbers hardly compress, and torch itself stores them as they are."""
MAX_SMALL_RATIO, SMALL = 100, 64 << 20
"""The same where it unfolds to a few bytes: a network that was never trained is mostly zeros."""
MAX_DIRECTORY = 4 << 20
"""Bytes of its list of entries: about 40 000 of them."""
_END, _END_BYTES, _COMMENT = b"PK\5\6", 22, 1 << 16
_END_64, _BEFORE = b"PK\6\6", 20 + 56
_OUTSIDE = re.compile(r"[/\\].*|[A-Za-z]:.*|(.*[/\\])?\.\.([/\\].*)?", re.S)
"""Names of entries that would lie elsewhere if somebody unpacked them."""
_ENCRYPTED = 1


class Archive:
    """A zip archive of ``path``, whose bytes are ``data``."""

    def __init__(self, path: Path, data: memoryview):
        _check_directory(data)
        self._file = zipfile.ZipFile(path)
        entries = self._file.infolist()
        _check(entries, len(data))
        self.sizes = {entry.filename: entry.file_size for entry in entries}
        """Bytes of each entry, by its name."""
        self.stored = {entry.filename for entry in entries if entry.compress_type == zipfile.ZIP_STORED}
        """Entries that lie in the file as they are."""
        self._last: tuple[str, bytes] = ("", b"")

    def head(self, name: str, count: int) -> bytes:
        """The first ``count`` bytes of an entry."""
        with self._file.open(name) as entry:
            return entry.read(count)

    def read(self, name: str) -> bytes:
        """All bytes of an entry, whose checksum is checked; DamagedError where it is shorter than it says.

        The last entry is kept: many tensors may lie in one.
        """
        if self._last[0] != name:
            with self._file.open(name) as entry:
                # With a length, no more than that is unfolded: without one, an entry may say 1 byte and give 2 GB.
                found = entry.read(self.sizes[name]) if self.sizes[name] else b""
            if len(found) != self.sizes[name]:
                raise DamagedError(f"{name} in it is shorter than it says")
            self._last = (name, found)
        return self._last[1]


def _check_directory(data: memoryview) -> None:
    """Refuse a list of entries that would take long to read, before it is read."""
    tail = bytes(data[-_COMMENT - _END_BYTES :])
    at = len(tail) - _END_BYTES
    if at < 0 or tail[at : at + 4] != _END or tail[-2:] != b"\0\0":
        at = tail.rfind(_END)
    if at < 0 or at + _END_BYTES > len(tail):
        raise DamagedError("it is truncated or damaged")
    size = struct.unpack_from("<I", tail, at + 12)[0]
    if at >= _BEFORE and tail[at - _BEFORE : at - _BEFORE + 4] == _END_64:
        size = max(size if size != 0xFFFFFFFF else 0, struct.unpack_from("<Q", tail, at - _BEFORE + 40)[0])
    if size > min(len(data), MAX_DIRECTORY):
        raise RefusedError(f"{size} bytes for its list of entries")


def _check(entries: list[zipfile.ZipInfo], size: int) -> None:
    """Refuse archives that unfold to more than they are: entries that lie on each other, or compress too well."""
    packed, unpacked = sum(entry.compress_size for entry in entries), sum(entry.file_size for entry in entries)
    if packed > size or unpacked > max(MAX_RATIO * size, min(MAX_SMALL_RATIO * size, SMALL)):
        raise RefusedError(f"to unfold {size} bytes to {unpacked}: a zip bomb")
    if len({entry.filename for entry in entries}) != len(entries):
        raise DamagedError("its archive has two entries of one name")
    for entry in entries:
        if _OUTSIDE.fullmatch(entry.orig_filename):
            raise RefusedError(f"to be unpacked outside of its folder, to {entry.orig_filename}")
        if entry.flag_bits & _ENCRYPTED:
            raise DamagedError("its archive is encrypted")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DamagedError("its archive is compressed in a way that no model is")
        if entry.compress_type == zipfile.ZIP_STORED and entry.compress_size != entry.file_size:
            raise DamagedError("its archive contradicts itself")
