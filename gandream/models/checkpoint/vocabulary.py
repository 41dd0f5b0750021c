"""The names that a checkpoint may use, and what each becomes: data, made by our own functions. Nothing is imported.

Names that are not here are of two kinds. Whatever belongs to Python's standard library is refused as soon as it is
mentioned: no tensor needs it, and every attack does. Anything else (classes of other people's programs, as in
discriminators, optimisers, configurations) becomes an inert record; calls of foreign functions are refused later,
when it is known that they are not in a part nobody wants (``networks.py``).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from gandream.models.checkpoint.derived import axes
from gandream.models.checkpoint.machine import Budget, Maker
from gandream.models.checkpoint.opcodes import plain_key
from gandream.models.checkpoint.records import (
    DTYPES,
    Buildable,
    DamagedError,
    Global,
    Record,
    RefusedError,
    Storage,
    StoredTensor,
    contiguous,
    dimensions,
)

STORAGES = {
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "DoubleStorage": "float64",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "UntypedStorage": "uint8",
}
_NUMPY_TYPES = {
    **{np.dtype(kind).str[1:]: name for name, kind in DTYPES.items() if name not in ("bfloat16", "bool")},
    "b1": "bool",
}
_INERT_CLASSES = {
    "argparse": ("Namespace",),
    "builtins": ("slice", "range", "complex", "object"),
    "collections": ("deque",),
    "datetime": ("date", "datetime", "time", "timedelta", "timezone"),
    "decimal": ("Decimal",),
    "fractions": ("Fraction",),
    "functools": ("partial",),
    "pathlib": ("Path", "PosixPath", "PurePath", "PurePosixPath", "PureWindowsPath", "WindowsPath"),
    "types": ("SimpleNamespace",),
    "uuid": ("UUID",),
}
"""Classes of the standard library that configurations hold; here they are records like all others."""
MAX_ARGUMENTS = 16
"""Of what rebuilds a tensor."""
COPIES = 64 << 20
"""Bytes that a file may make by copying what it holds, beyond its own size."""


_NO_NUMBERS = Record(Global("", "array"))
"""Stands for arrays and tensors of words, objects, complex numbers ..."""


def check_name(found: Global) -> None:
    """Refuse to hear of the standard library: ``os.system``, ``builtins.eval``, ``torch`` by way of ``os`` ..."""
    parts = found.name.split(".")
    for root in (found.module.split(".")[0], *parts[:-1]):
        if root in sys.stdlib_module_names or root in ("commands", "popen2", "__main__"):
            raise RefusedError(f"to call {found}")


def is_function(found: Global) -> bool:
    """Whether a foreign name looks like a function: classes begin with a capital. torch's own rebuilders are data."""
    name = found.name.split(".")[-1].lstrip("_")
    return not name[:1].isupper() and not (found.module == "torch._utils" and name.startswith("rebuild_"))


class NumpyType(Buildable):
    """``numpy.dtype('f4')``; its byte order comes as a state."""

    def __init__(self, code: Any, *_: Any):
        self.code = code.decode("latin-1") if isinstance(code, bytes) else code
        self.order = "<"

    def accept(self, state: Any) -> None:
        """Take (version, byte order, ...)."""
        if isinstance(state, tuple) and len(state) > 1 and state[1] in (">", b">"):
            self.order = ">"

    @property
    def name(self) -> str | None:
        """Name of the element type; None for words, objects and records."""
        code = self.code.lstrip("<>|=") if isinstance(self.code, str) else ""
        return _NUMPY_TYPES.get(code)

    def storage(self, raw: Any) -> Storage | None:
        """The elements in these raw bytes."""
        if self.name is None or not isinstance(raw, bytes | memoryview | str):
            return None
        kind = np.dtype(DTYPES[self.name])
        if len(raw) % kind.itemsize:
            raise DamagedError("an array's data has the wrong length")
        swapped = self.order == ">" or (isinstance(self.code, str) and self.code.startswith(">"))

        def read() -> bytes | memoryview:
            # As characters in what Python 2 wrote; encoded late, or the same string again and again would be a bomb.
            data = raw.encode("latin-1") if isinstance(raw, str) else raw
            return np.frombuffer(data, kind.newbyteorder(">")).astype(kind).tobytes() if swapped else data

        return Storage(self.name, len(raw) // kind.itemsize, read)


class NumpyArray(Buildable):
    """An array that gets its shape and data as a state."""

    tensor: StoredTensor | None = None

    def accept(self, state: Any) -> None:
        """Take (version, shape, dtype, is Fortran's order, bytes)."""
        if not isinstance(state, tuple) or len(state) < 4:
            raise DamagedError("an array has no shape")
        shape, kind, fortran, raw = state[-4:]
        storage = kind.storage(raw) if isinstance(kind, NumpyType) else None
        if storage is not None:
            self.tensor = _dense(storage, shape, fortran=bool(fortran))


def _dense(storage: Storage, shape: Any, *, fortran: bool = False) -> StoredTensor:
    shape = dimensions(shape if isinstance(shape, tuple | list) else (shape,))
    if math.prod(shape) != storage.count:
        # Not only what reaches beyond: a small array of much data could be asked for again and again.
        raise DamagedError(f"an array of shape {list(shape)} has data for {storage.count} numbers")
    return StoredTensor(storage, shape, contiguous(shape, fortran=fortran))


def _scalar(kind: Any, raw: Any = b"") -> Any:
    storage = kind.storage(raw) if isinstance(kind, NumpyType) else None
    return _NO_NUMBERS if storage is None else _dense(storage, ()).array().item()


def _from_buffer(raw: Any, kind: Any, shape: Any, order: Any = "C", turned: Any = None, *_: Any) -> Any:
    """As protocol 5 has it; ``turned`` is the order of axes of arrays that are neither C's nor Fortran's."""
    storage = kind.storage(raw) if isinstance(kind, NumpyType) else None
    if storage is None:
        return _NO_NUMBERS
    found = _dense(storage, shape, fortran=order in ("F", b"F"))
    return axes(found, turned) if isinstance(turned, tuple | list) and order in ("K", b"K") else found


def _tensor(storage: Any, offset: Any = 0, size: Any = (), stride: Any = (), *_: Any) -> Any:
    if not isinstance(storage, Storage) or not isinstance(size, tuple | list) or not isinstance(stride, tuple | list):
        return _NO_NUMBERS
    return StoredTensor(storage, tuple(size), tuple(stride), offset)


def _untyped_tensor(
    storage: Any, offset: Any, size: Any, stride: Any, grad: Any, hooks: Any, kind: Any, *_: Any
) -> Any:
    name = kind.name if isinstance(kind, Global) else None
    if name not in DTYPES or not isinstance(storage, Storage):
        return _NO_NUMBERS
    count = storage.size // np.dtype(DTYPES[name]).itemsize
    whole = count * np.dtype(DTYPES[name]).itemsize
    typed = Storage(name, count, lambda: memoryview(storage.read())[:whole])
    return _tensor(typed, offset, size, stride)


def _first(value: Any = None, *_: Any) -> Any:
    return value


def _persistent_object(meta: Any = None, *_: Any) -> Record:
    """NVIDIA's persistence: the source text in ``meta`` is never looked at, its class name and state are."""
    if not isinstance(meta, dict):
        raise DamagedError("a network of it has no description")
    name = meta.get("class_name")
    record = Record(Global("", name if isinstance(name, str) else ""))
    record.state = meta.get("state")
    return record


def _dill_type(name: Any = "", *_: Any) -> Global:
    return Global("builtins", name) if name in ("set", "list", "tuple", "dict") else Global("dill", "Type")


def _dill_array(_: Any, __: Any, state: Any, *___: Any) -> NumpyArray:
    array = NumpyArray()
    array.accept(state)
    return array


class Vocabulary:
    """The table of one file; ``load_stream`` reads a torch stream inside a byte string."""

    def __init__(self, size: int, load_stream: Callable[[memoryview], Any]):
        self.left, self.load_stream, self.budget = size + COPIES, load_stream, Budget()
        self.table: dict[tuple[str, str], Maker] = {
            ("collections", "OrderedDict"): self.mapping,
            ("collections", "defaultdict"): lambda *_: {},
            ("collections", "Counter"): self.mapping,
            ("dnnlib.util", "EasyDict"): self.mapping,
            ("dnnlib", "EasyDict"): self.mapping,
            ("builtins", "dict"): self.mapping,
            ("builtins", "set"): self.sequence,
            ("builtins", "frozenset"): self.sequence,
            ("builtins", "list"): self.sequence,
            ("builtins", "tuple"): self.sequence,
            ("builtins", "bytes"): lambda value=b"", *_: self.encoded(value),
            ("builtins", "bytearray"): lambda value=b"", *_: self.encoded(value),
            ("_codecs", "encode"): self.encoded,
            ("copyreg", "_reconstructor"): lambda kind, *_: Record(
                kind if isinstance(kind, Global) else Global("", "")
            ),
            ("torch._utils", "_rebuild_tensor"): _tensor,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            ("torch._utils", "_rebuild_tensor_v3"): _untyped_tensor,
            ("torch._utils", "_rebuild_parameter"): _first,
            ("torch._utils", "_rebuild_parameter_with_state"): _first,
            ("torch._tensor", "_rebuild_from_type_v2"): self.of_type,
            ("torch.storage", "_load_from_bytes"): self.stream,
            ("torch", "Size"): self.sequence,
            ("torch", "device"): lambda *parts: ":".join(str(part)[:16] for part in parts if type(part) in (str, int)),
            ("numpy", "dtype"): NumpyType,
            ("numpy", "ndarray"): lambda *_: NumpyArray(),
            ("torch_utils.persistence", "_reconstruct_persistent_obj"): _persistent_object,
            ("dill._dill", "_load_type"): _dill_type,
            ("dill._dill", "_create_array"): _dill_array,
        }
        for module in ("numpy.core", "numpy._core"):
            self.table[f"{module}.multiarray", "_reconstruct"] = lambda *_: NumpyArray()
            self.table[f"{module}.multiarray", "scalar"] = _scalar
            self.table[f"{module}.numeric", "_frombuffer"] = _from_buffer
        for module, names in _INERT_CLASSES.items():
            for name in names:
                known = Global(module, name)
                self.table[module, name] = lambda *arguments, known=known: Record(known, arguments)

    def charge(self, size: int) -> None:
        """Count a copy: a file that has one thing copied again and again would fill the memory."""
        self.left -= size
        if self.left < 0:
            raise RefusedError("to fill the memory with copies")

    def stream(self, raw: Any = b"", *_: Any) -> Any:
        """The storage in a torch stream."""
        self.charge(len(raw))
        return self.load_stream(memoryview(raw))

    def mapping(self, pairs: Any = (), *_: Any) -> dict[Any, Any]:
        """A fresh dict of pairs of plain keys."""
        found = list(pairs.items()) if isinstance(pairs, dict) else pairs if isinstance(pairs, list | tuple) else []
        self.charge(100 * len(found))
        kept = [pair for pair in found if isinstance(pair, list | tuple) and len(pair) == 2]
        return {key: value for key, value in kept if plain_key(key)}

    def sequence(self, values: Any = (), *_: Any) -> list[Any]:
        """A fresh list."""
        found = values if isinstance(values, list | tuple) else ()
        self.charge(100 + 8 * len(found))
        return list(found)

    def encoded(self, text: Any = "", *_: Any) -> bytes:
        """Bytes that protocols 0 to 2 write as characters."""
        if isinstance(text, list):
            self.charge(4096)
            return bytes(value & 255 for value in text[:4096] if isinstance(value, int))
        if not isinstance(text, str):
            return bytes(text) if isinstance(text, bytes) else b""
        self.charge(len(text))
        return text.encode("latin-1")

    def of_type(self, make: Any = None, _: Any = None, arguments: Any = (), *__: Any) -> Any:
        """A tensor that carries attributes or is of a subclass: the tensor itself."""
        maker = self.table.get((make.module, make.name)) if isinstance(make, Global) else None
        rebuilders = (_tensor, _untyped_tensor, _first)
        few = isinstance(arguments, tuple) and len(arguments) <= MAX_ARGUMENTS
        return maker(*arguments) if maker in rebuilders and maker and few else _NO_NUMBERS
