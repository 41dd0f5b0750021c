"""Whether a network's numbers are numbers: found without copying what is finite, as nearly everything is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from gandream.models.checkpoint.records import DTYPES, RefusedError, Storage, StoredTensor

BLOCK = 1 << 16
"""Elements that are looked at together."""
_LARGEST = float(np.finfo(np.float32).max)
_INFINITE = {"float16": 0x7C00, "bfloat16": 0x7F80}
"""Bits of the exponent, all of which are set in what is infinite or no number."""


@dataclass(frozen=True)
class Odd:
    """Values of a network that float32 can't hold: infinite, or no numbers."""

    first: str
    """Name of the first tensor that has any."""
    tensors: int
    values: int


def odd_values(tensors: Mapping[str, StoredTensor], limit: int) -> Odd | None:
    """Look through tensors; None where all is well. Storages that several tensors share are read once.

    ``limit`` is how many bytes are read at most, since tensors may share data; RefusedError beyond.
    """
    finite: dict[int, bool] = {}
    found: list[tuple[str, int]] = []
    for name, tensor in tensors.items():
        if tensor.dtype not in ("float16", "bfloat16", "float32", "float64") or not tensor.count:
            continue
        key = id(tensor.storage)
        limit -= (key not in finite) * tensor.storage.size + (finite.get(key) is False) * tensor.count * 4
        if limit < 0:
            raise RefusedError("to become far bigger than it is")
        if key not in finite:
            finite[key] = not any(_count(block) for block in _blocks(tensor.storage))
        if not finite[key] and (count := _count(tensor.array())):
            found.append((name, count))
    return Odd(found[0][0], len(found), sum(count for _, count in found)) if found else None


def _blocks(storage: Storage) -> Iterable[np.ndarray]:
    flat = np.frombuffer(storage.read(), DTYPES[storage.dtype])
    for start in range(0, len(flat), BLOCK):
        block = flat[start : start + BLOCK]
        if storage.dtype in _INFINITE:
            # The exponent's bits are much faster to look at than half precision is to compute with.
            bits = block.view(np.uint16) & _INFINITE[storage.dtype]
            yield np.where(bits == _INFINITE[storage.dtype], np.float32(np.nan), np.float32(0))
        else:
            yield block


def _count(values: np.ndarray) -> int:
    """How many values float32 can't hold."""
    if values.dtype == np.float64:
        return values.size - int(np.count_nonzero(np.abs(values) <= _LARGEST))
    return values.size - int(np.count_nonzero(np.isfinite(values)))
