"""What a file's contents become: inert records. Nothing here runs what a file names, and none of it loads torch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

DTYPES = {
    "float32": "<f4",
    "float16": "<f2",
    "bfloat16": "<u2",
    "float64": "<f8",
    "int64": "<i8",
    "int32": "<i4",
    "int16": "<i2",
    "int8": "|i1",
    "uint8": "|u1",
    "bool": "|u1",
}
"""Names of element types, and how they lie in a file."""
MAX_DIMENSIONS = 16
MAX_TENSORS = 15_000
"""Of a file; those of generators have some hundreds."""
MAX_NAME = 1000
"""Characters of a name, its place in the file included; those of tensors have some dozens."""
MAX_SIDE = 1 << 48
"""Of a tensor, in elements."""
EXPANDED = 1 << 20
"""Elements that a tensor may have beyond its storage (strides of 0 repeat): a bomb would have billions."""


class DamagedError(Exception):
    """The bytes do not follow their format. The message is a piece of a sentence for the person."""


class ForeignError(DamagedError):
    """The file is whole, and something else than a checkpoint. The message is what, then what to do."""

    def __init__(self, what: str, hint: str = ""):
        super().__init__(what)
        self.hint = hint


class RefusedError(Exception):
    """The file wants something that a model never needs. The message is what it wants."""


@dataclass(frozen=True, eq=False)
class Global:
    """A name of code, ``module.name``, that a file mentions: only ever a name."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class Buildable:
    """What a file may give a state to (the opcode BUILD), in place."""

    def accept(self, state: Any) -> None:
        """Take the state."""
        raise NotImplementedError


@dataclass(eq=False)
class Record(Buildable):
    """Stands for an object of foreign code: what would have been called, with what, and the state it was given."""

    made_by: Global
    arguments: tuple[Any, ...] = ()
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict)
    called: bool = False
    """Made by calling a name (REDUCE), not by making an instance of a class."""

    def accept(self, state: Any) -> None:
        """Keep the state as it is."""
        self.state = state

    def __repr__(self) -> str:
        return f"<{self.made_by}>"


@dataclass(frozen=True, eq=False)
class Storage:
    """A run of ``count`` elements; ``read`` gives their bytes when they are wanted, and only then."""

    dtype: str
    count: int
    read: Callable[[], bytes | memoryview]

    @property
    def size(self) -> int:
        """Bytes."""
        return self.count * np.dtype(DTYPES[self.dtype]).itemsize


@dataclass(frozen=True, eq=False)
class StoredTensor:
    """A view of a storage: all that is known of a tensor before its numbers are read. Strides are in elements."""

    storage: Storage
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0

    def __post_init__(self) -> None:
        whole = (self.offset, *self.shape, *self.strides)
        if len(self.shape) != len(self.strides) or len(self.shape) > MAX_DIMENSIONS:
            raise DamagedError("a tensor's shape and strides don't fit each other")
        if any(type(n) is not int or not 0 <= n < MAX_SIDE for n in whole):
            raise DamagedError("a tensor has an impossible shape")
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        if self.count and last >= self.storage.count:
            raise DamagedError("a tensor reaches beyond its data")
        if self.count > max(self.storage.count, EXPANDED):
            raise DamagedError(f"a tensor of shape {list(self.shape)} has far more elements than data")

    @property
    def count(self) -> int:
        """Elements."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> str:
        """Type of the elements."""
        return self.storage.dtype

    def array(self) -> np.ndarray:
        """A fresh array of the tensor's shape; bfloat16 is widened to float32."""
        kind = np.dtype(DTYPES[self.dtype])
        data = self.storage.read()
        if len(data) != self.storage.size:
            raise DamagedError("a tensor's data has the wrong length")
        flat = np.frombuffer(data, kind)[self.offset :]
        # In bounds: proven in __post_init__ against the storage's count, which the line above ties to the data.
        steps = tuple(step * kind.itemsize for step in self.strides)
        view = np.lib.stride_tricks.as_strided(flat, self.shape, steps, writeable=False) if self.count else flat[:0]
        array = np.array(view, order="C").reshape(self.shape)
        if self.dtype == "bfloat16":
            return (array.astype(np.uint32) << 16).view(np.float32)
        return array.view(np.bool_) if self.dtype == "bool" else array


def dimensions(shape: Any) -> tuple[int, ...]:
    """A shape out of a file, checked before anything is computed of it: long ones of huge numbers take very long."""
    found = tuple(shape) if isinstance(shape, list | tuple) and len(shape) <= MAX_DIMENSIONS else (-1,)
    if any(type(n) is not int or not 0 <= n < MAX_SIDE for n in found):
        raise DamagedError("a tensor has an impossible shape")
    return found


def contiguous(shape: tuple[int, ...], *, fortran: bool = False) -> tuple[int, ...]:
    """Strides in elements of a dense array."""
    if fortran:
        return tuple(math.prod(shape[:axis]) for axis in range(len(shape)))
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
