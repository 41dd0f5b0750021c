"""torch.save's two containers: the legacy stream, and the zip archive. Nothing here loads torch."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gandream.models.checkpoint.machine import Machine
from gandream.models.checkpoint.records import DTYPES, DamagedError, Global, RefusedError, Storage
from gandream.models.checkpoint.vocabulary import STORAGES, Vocabulary, check_name

MAGIC = 0x1950A86A20F9469CFC6C
"""The first object of every legacy stream."""
MAX_STRUCTURE = 256 << 20
"""Bytes of data.pkl: everything but the numbers."""
MAX_RATIO = 100
"""How far an archive may unfold; torch itself stores without compressing."""


def read_pickle(data: memoryview) -> tuple[str, Any]:
    """A plain pickle, or a legacy stream, which begins with the pickle of a magic number: (kind, contents)."""
    vocabulary = Vocabulary(len(data), lambda raw: _stream(raw, vocabulary, depth=1)[0])
    first = Machine(data, vocabulary.table, check_name)
    root = first.run()
    if isinstance(root, int) and root == MAGIC:
        return "torch stream", _stream(data, vocabulary, depth=0)[0]
    return "pickle", root


def _stream(data: memoryview, vocabulary: Vocabulary, depth: int) -> tuple[Any, int]:
    """A legacy stream: magic number, version, system, contents, keys of storages, then each one's count and data."""
    at = 0
    table = dict(vocabulary.table)
    if depth:
        # A storage inside a storage is no format, and would be a way to recurse.
        del table["torch.storage", "_load_from_bytes"]

    def following(persistent: Callable[[Any], Any] | None = None) -> Any:
        nonlocal at
        machine = Machine(data, table, check_name, persistent, at)
        value = machine.run()
        at = machine.end
        return value

    if following() != MAGIC or following() != 1001:
        raise DamagedError("it is no torch stream that is known")
    system = following()
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise DamagedError("it was not written by a little-endian machine")
    wanted: dict[str, tuple[str, int]] = {}
    places: dict[str, int] = {}

    def storage(key: Any) -> Any:
        kind, name, count, view = _storage_key(key)
        if kind is None:
            return key[1]
        if wanted.setdefault(name, (kind, count)) != (kind, count):
            raise DamagedError("two storages of it have one name")
        size = np.dtype(DTYPES[kind]).itemsize
        start, length = (0, count) if view is None else (view[1], view[2])
        if not (0 <= start <= count and 0 <= length <= count - start):
            raise DamagedError("a storage of it reaches beyond its data")

        def read() -> memoryview:
            first = places[name] + start * size
            return data[first : first + length * size]

        return Storage(kind, length, read)

    root = following(storage)
    keys = following()
    if not isinstance(keys, list):
        raise DamagedError("its list of storages is missing")
    for key in keys:
        if str(key) not in wanted:
            raise DamagedError("it has a storage that nothing uses")
        kind, count = wanted[str(key)]
        if at + 8 > len(data) or struct.unpack_from("<q", data, at)[0] != count:
            raise DamagedError("it is truncated, or a storage of it has another size than it says")
        places[str(key)] = at + 8
        at += 8 + count * np.dtype(DTYPES[kind]).itemsize
        if at > len(data):
            raise DamagedError("it is truncated")
    if missing := wanted.keys() - places.keys():
        raise DamagedError(f"{len(missing)} of its storages are missing")
    return root, at


def _storage_key(key: Any) -> tuple[str | None, str, int, tuple[Any, int, int] | None]:
    """(element type, name, count, view) of a persistent key ('storage', class, name, location, count[, view])."""
    if not isinstance(key, tuple) or len(key) < 5 or key[0] not in ("storage", b"storage"):
        if isinstance(key, tuple) and key[:1] == ("module",):
            return None, "", 0, None  # A class with its source text, as old versions of torch wrote them.
        raise DamagedError("it refers to something that is no storage")
    kind, name, count = key[1], key[2], key[4]
    if not isinstance(kind, Global) or kind.name not in STORAGES or type(count) is not int or not 0 <= count < 2**48:
        raise DamagedError(f"it has a storage of a kind that is not known: {kind}")
    view = key[5] if len(key) > 5 else None
    if view is not None and not (isinstance(view, tuple) and len(view) == 3 and all(type(n) is int for n in view[1:])):
        raise DamagedError("a view of a storage of it is malformed")
    return STORAGES[kind.name], str(name), count, view


def read_zip(path: Path) -> tuple[str, Any]:
    """An archive of torch.save, by its ``data.pkl``: ("torch zip", contents)."""
    archive = zipfile.ZipFile(path)
    entries = {entry.filename: entry for entry in archive.infolist()}
    _check_archive(archive, path.stat().st_size)
    pickles = [name for name in entries if name == "data.pkl" or (name.endswith("/data.pkl") and name.count("/") == 1)]
    if len(pickles) != 1:
        holds = ", ".join(list(entries)[:4]) or "nothing"
        kind = "TorchScript" if any(name.endswith("constants.pkl") for name in entries) else ""
        raise DamagedError(f"it is a {kind or 'zip'} archive, but no checkpoint: it holds {holds}")
    folder = pickles[0][: -len("data.pkl")]
    if f"{folder}constants.pkl" in entries:
        raise DamagedError("it is a TorchScript archive, which is a program; save the network's state_dict instead")
    if entries[pickles[0]].file_size > MAX_STRUCTURE:
        raise RefusedError(f"{entries[pickles[0]].file_size} bytes for its structure")
    big = f"{folder}byteorder" in entries and archive.read(f"{folder}byteorder").strip() == b"big"
    structure = memoryview(archive.read(pickles[0]))
    vocabulary = Vocabulary(len(structure), lambda raw: _stream(raw, vocabulary, depth=1)[0])

    def storage(key: Any) -> Any:
        kind, name, count, _ = _storage_key(key)
        if kind is None:
            return key[1]
        entry = entries.get(f"{folder}data/{name}")
        size = np.dtype(DTYPES[kind])
        if entry is None or entry.file_size != count * size.itemsize:
            raise DamagedError(f"storage {name} is missing, or has another size than it says")

        def read() -> bytes:
            raw = archive.read(entry)
            return np.frombuffer(raw, size).byteswap().tobytes() if big else raw

        return Storage(kind, count, read)

    return "torch zip", Machine(structure, vocabulary.table, check_name, storage).run()


def _check_archive(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse archives that unfold to more than they are: entries that lie on each other, or compress too well."""
    entries = archive.infolist()
    packed, unpacked = sum(entry.compress_size for entry in entries), sum(entry.file_size for entry in entries)
    if packed > size or unpacked > MAX_RATIO * size:
        raise RefusedError(f"to unfold {size} bytes to {unpacked}: a zip bomb")
    if len({entry.filename for entry in entries}) != len(entries):
        raise DamagedError("its archive has two entries of one name")
    for entry in entries:
        if entry.flag_bits & 1:
            raise DamagedError("its archive is encrypted")
        if entry.compress_type == zipfile.ZIP_STORED and entry.compress_size != entry.file_size:
            raise DamagedError("its archive contradicts itself")
