"""The safetensors container: a length, a JSON header, raw data. Read and written here, without torch.

Format: https://github.com/huggingface/safetensors#format. gandream's own models carry their configuration in the
metadata, under the key ``gandream``, as JSON.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gandream.base.files import published
from gandream.models.checkpoint.records import (
    DTYPES,
    MAX_NAME,
    MAX_TENSORS,
    DamagedError,
    RefusedError,
    Storage,
    StoredTensor,
    contiguous,
    dimensions,
)

METADATA_KEY = "gandream"
MAX_HEADER = 4 << 20
"""Bytes; of a model with as many tensors as may be, with long names, some 2 MiB."""
_NAMES = {
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F64": "float64",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}


def looks_like_safetensors(head: bytes, size: int) -> bool:
    """Whether a file of ``size`` bytes that begins with ``head`` is one."""
    return len(head) >= 9 and head[8:9] == b"{" and struct.unpack("<Q", head[:8])[0] <= max(size - 8, 0)


def read_safetensors(data: memoryview) -> tuple[dict[str, StoredTensor], dict[str, str]]:
    """Tensors by name, and metadata; only the header is looked at."""
    length = struct.unpack_from("<Q", data)[0]
    if length > min(MAX_HEADER, len(data) - 8):
        raise DamagedError("its header is too long")
    header = json.loads(bytes(data[8 : 8 + length]).decode("utf-8"), object_pairs_hook=_no_duplicates)
    if not isinstance(header, dict):
        raise DamagedError("its header is no table")
    body = data[8 + length :]
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise DamagedError("its metadata are no words")
    if len(header) > MAX_TENSORS:
        raise RefusedError(f"{len(header)} tensors")
    tensors, ranges = {}, []
    for name, entry in header.items():
        if len(name) > MAX_NAME:
            raise DamagedError(f"a name in it has {len(name)} characters")
        kind, (start, stop), shape = _NAMES.get(entry["dtype"]), entry["data_offsets"], dimensions(entry["shape"])
        if any(type(n) is not int or n < 0 for n in (start, stop)):
            raise DamagedError(f"{name} has an impossible shape or place")
        ranges.append((start, stop))
        if kind is None:
            continue  # Types that no family here uses, such as 8-bit floats.
        if stop - start != math.prod(shape) * np.dtype(DTYPES[kind]).itemsize:
            raise DamagedError(f"{name} has another size than its shape says")
        part = body[start:stop]
        tensors[name] = StoredTensor(Storage(kind, math.prod(shape), lambda part=part: part), shape, contiguous(shape))
    # As the format demands: no holes, no overlaps, nothing beyond the end.
    place = 0
    for start, stop in sorted(ranges):
        if start != place or stop < start:
            raise DamagedError("its tensors overlap or leave holes")
        place = stop
    if place != len(body):
        raise DamagedError("it is truncated" if place > len(body) else "it goes on after its tensors")
    return tensors, metadata


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DamagedError("its header has one name twice")
    return found


def write_safetensors(path: Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write a whole file or none; equal contents give equal bytes."""
    names = {(np.dtype(kind).kind, np.dtype(kind).itemsize): short for short, name in _NAMES.items()
             if (kind := DTYPES[name]) and name not in ("bfloat16", "bool")}  # fmt: skip
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    place = 0
    for name in sorted(tensors):
        array = tensors[name]
        header[name] = {
            "dtype": names[array.dtype.kind, array.dtype.itemsize],
            "shape": list(array.shape),
            "data_offsets": [place, place + array.nbytes],
        }
        place += array.nbytes
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % 8)
    with published(path) as part, open(part, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(tensors):  # one by one: copies of all of them at once would be as large as the model
            array = tensors[name]
            file.write(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
