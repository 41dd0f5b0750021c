"""torch.save's two containers: the legacy stream, and the zip archive. Nothing here loads torch."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from gandream.base.errors import listed
from gandream.models.checkpoint.archives import Archive
from gandream.models.checkpoint.machine import Machine
from gandream.models.checkpoint.records import DTYPES, DamagedError, ForeignError, Global, RefusedError, Storage
from gandream.models.checkpoint.vocabulary import STORAGES, Vocabulary, check_name

OTHER_ARCHIVES = (
    (r"(.*/)?constants\.pkl", "a TorchScript archive, which is a program", "Save the network's state_dict instead."),
    (r"model\.weights\.h5", "a Keras model, which no family here is", ""),
    (r"(.*/)?saved_model\.pb", "a TensorFlow SavedModel, which is a program", "Take the pickle that it was made of."),
    (r"\[Content_Types\]\.xml", "a document", ""),
    (r".*\.(pkl|pt|pth|safetensors|bin|tar)", "a packed archive with models in it", "Unpack it first."),
    (r".*", "a zip archive", "Models are .safetensors, .pkl, .pt, .pth, .tar or .bin files."),
)
"""Kinds of archives that torch.save didn't make: a name in them, what they are, what to do."""
MAGIC = 0x1950A86A20F9469CFC6C
"""The first object of every legacy stream."""
MAX_STRUCTURE = 256 << 20
"""Bytes of data.pkl: everything but the numbers."""
MAX_UNFOLDED = 64 << 20
"""The same where it is compressed, as torch never does."""


def read_pickle(data: memoryview) -> tuple[str, Any]:
    """A plain pickle, or a legacy stream, which begins with the pickle of a magic number: (kind, contents)."""
    vocabulary = Vocabulary(len(data), lambda raw: _stream(raw, vocabulary, depth=1)[0])
    first = Machine(data, vocabulary.table, check_name, budget=vocabulary.budget)
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
        machine = Machine(data, table, check_name, persistent, at, vocabulary.budget)
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
        name = _word(key)
        if name not in wanted:
            raise DamagedError("it has a storage that nothing uses")
        kind, count = wanted[name]
        if at + 8 > len(data) or struct.unpack_from("<q", data, at)[0] != count:
            raise DamagedError("it is truncated, or a storage of it has another size than it says")
        places[name] = at + 8
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
        raise DamagedError(f"it has a storage of a kind that is not known{f': {kind}' * isinstance(kind, Global)}")
    view = key[5] if len(key) > 5 else None
    if view is not None and not (isinstance(view, tuple) and len(view) == 3 and all(type(n) is int for n in view[1:])):
        raise DamagedError("a view of a storage of it is malformed")
    return STORAGES[kind.name], _word(name), count, view


def _word(name: Any) -> str:
    """The name of a storage; only of what is plain, since lists in lists would be words without end."""
    if isinstance(name, str | int):
        return str(name)
    raise DamagedError("a storage of it has no name")


def read_zip(archive: Archive) -> tuple[str, Any]:
    """An archive of torch.save, by its ``data.pkl``: ("torch zip", contents)."""
    pickles = [name for name in archive.sizes if name == "data.pkl" or re.fullmatch(r"[^/]*/data\.pkl", name)]
    folder = pickles[0][: -len("data.pkl")] if len(pickles) == 1 else ""
    if len(pickles) != 1 or f"{folder}constants.pkl" in archive.sizes:
        names = archive.sizes or {"nothing": 0}
        _, what, hint = next(row for row in OTHER_ARCHIVES if any(re.fullmatch(row[0], name, re.S) for name in names))
        raise ForeignError(f"{what}, but no checkpoint: it holds {listed((name[:60] for name in names), 4)}", hint)
    size = archive.sizes[pickles[0]]
    if size > (MAX_STRUCTURE if pickles[0] in archive.stored else MAX_UNFOLDED):
        raise RefusedError(f"{size} bytes for its structure")
    big = f"{folder}byteorder" in archive.sizes and archive.head(f"{folder}byteorder", 3) == b"big"
    structure = memoryview(archive.read(pickles[0]))
    vocabulary = Vocabulary(len(structure), lambda raw: _stream(raw, vocabulary, depth=1)[0])

    made: dict[tuple[str, str, int], Storage] = {}

    def storage(key: Any) -> Any:
        kind, name, count, _ = _storage_key(key)
        if kind is None:
            return key[1]
        if (kind, name, count) in made:
            return made[kind, name, count]
        entry, item = f"{folder}data/{name}", np.dtype(DTYPES[kind])
        if archive.sizes.get(entry) != count * item.itemsize:
            raise DamagedError(f"storage {name[:60]} is missing, or has another size than it says")

        def read() -> bytes:
            raw = archive.read(entry)
            return np.frombuffer(raw, item).byteswap().tobytes() if big else raw

        return made.setdefault((kind, name, count), Storage(kind, count, read))

    return "torch zip", Machine(structure, vocabulary.table, check_name, storage, budget=vocabulary.budget).run()
