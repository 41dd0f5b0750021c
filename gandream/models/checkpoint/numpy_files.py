"""NumPy's archives of arrays: an ``.npz`` whose arrays are named like a network's tensors.

Format of each array: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. Its header is the text of
a Python dict; NumPy has Python's parser read it, here a pattern does. Arrays of objects would be pickles: refused.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from gandream.models.checkpoint.archives import Archive
from gandream.models.checkpoint.records import (
    DTYPES,
    DamagedError,
    RefusedError,
    Storage,
    StoredTensor,
    contiguous,
    dimensions,
)
from gandream.models.checkpoint.vocabulary import NumpyType

SUFFIX = ".npy"
_MAGIC = b"\x93NUMPY"
_HEAD = 1024
"""Bytes that hold an array's header; NumPy pads it to 64 or 128, and numbers' headers need no more."""
_HEADER = re.compile(
    r"\{\s*'descr'\s*:\s*(?P<kind>'[^'\n]{1,40}'|\[.*\]|\(.*\))\s*,\s*'fortran_order'\s*:\s*(?P<fortran>True|False)\s*,"
    r"\s*'shape'\s*:\s*\((?P<shape>[\dL, ]*)\)\s*,?\s*\}\s*",
    re.S,
)
_NETWORK = re.compile(r"(Gs|G_ema|G|D)/(.+)", re.S)
"""TensorFlow's variables of several networks in one archive: ``Gs/synthesis/4x4/Const/const``."""
_SCOPE = re.compile(r"G_(synthesis|mapping)[^/]*/(.+)", re.S)
"""Their full names begin with the name of the function that made the part."""
_LATENTS = re.compile(r"arr_\d+|d?latents?|[zwc]|ws|wp|w_?plus|projected_w|seeds?|labels?|psis?|classes|w_avg", re.I)


def is_npz(names: Mapping[str, int]) -> bool:
    """Whether an archive with entries of these names is one of arrays."""
    return bool(names) and all(name.endswith(SUFFIX) for name in names)


def read_npz(archive: Archive) -> dict[str, Any]:
    """Tensors by name; those of several TensorFlow networks are grouped by network, as ``{"Gs": ..., "D": ...}``."""
    found: dict[str, Any] = {}
    for entry in archive.sizes:
        name, tensor = entry.removesuffix(SUFFIX), _array(archive, entry)
        if tensor is None:
            continue
        group = found
        if match := _NETWORK.fullmatch(name):
            group, name = found.setdefault(match[1], {}), match[2]
            if not isinstance(group, dict):
                raise DamagedError(f"it has an array and a network of the name {match[1]}")
        if match := _SCOPE.fullmatch(name):
            name = f"{match[1]}/{match[2]}"
        group[name] = tensor
    return found


def saved_latents(arrays: Mapping[str, Any]) -> str:
    """What an archive holds, if it looks like saved latents and not like a network: "w 1x18x512"; else nothing."""
    few = all(isinstance(tensor, StoredTensor) and len(tensor.shape) <= 4 for tensor in arrays.values())
    if not few or any(re.search(r"[./]", name) for name in arrays):
        return ""
    named = {name: tensor for name, tensor in arrays.items() if _LATENTS.fullmatch(name)}
    return ", ".join(f"{name} {'x'.join(map(str, tensor.shape))}" for name, tensor in [*named.items()][:3])


def _array(archive: Archive, entry: str) -> StoredTensor | None:
    """An array whose numbers are read when they are wanted; None for words and tables."""
    head = archive.head(entry, _HEAD)
    if len(head) < 12 or not head.startswith(_MAGIC) or head[6] not in (1, 2, 3):
        raise DamagedError(f"{entry} in it is no array")
    form, begin = ("<H", 10) if head[6] == 1 else ("<I", 12)
    start = begin + struct.unpack_from(form, head, 8)[0]
    match = _HEADER.fullmatch(head[begin:start].decode("latin-1")) if start <= _HEAD else None
    if match is None:
        raise DamagedError(f"{entry} in it has a header that no array of numbers has")
    if match["kind"].strip("'").lstrip("<>|=").startswith("O") or "'O'" in match["kind"] or "|O" in match["kind"]:
        raise RefusedError(f"an array of Python objects ({entry})")
    kind = NumpyType(match["kind"].strip("'"))
    if kind.name is None:
        return None
    shape = dimensions([int(part.rstrip("L")) for part in match["shape"].replace(" ", "").split(",") if part])
    size = archive.sizes[entry] - start
    if size != math.prod(shape) * np.dtype(DTYPES[kind.name]).itemsize:
        raise DamagedError(f"{entry} in it has another size than its shape says")

    def read() -> bytes | memoryview:
        storage = kind.storage(memoryview(archive.read(entry))[start:])
        return storage.read() if storage is not None else b""

    count = size // np.dtype(DTYPES[kind.name]).itemsize
    fortran = match["fortran"] == "True"
    return StoredTensor(Storage(kind.name, count, read), shape, contiguous(shape, fortran=fortran))
