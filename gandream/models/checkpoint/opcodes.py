"""The opcodes of pickles, protocols 0 to 5, as steps of the machine; Python's ``pickletools`` names them."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from gandream.models.checkpoint.records import (
    MAX_NAME,
    Buildable,
    DamagedError,
    Record,
    RefusedError,
    StoredTensor,
)

if TYPE_CHECKING:
    from gandream.models.checkpoint.machine import Machine

MAX_INTEGER = 64
"""Bytes of a whole number; torch's magic number has 10."""
SHORT = 256
"""Byte strings up to this length are copied; longer ones stay views of the file."""
MAX_PARTS = 8
"""Of a tuple that is a key."""


def _build(m: Machine) -> None:
    """Give an object its state: only records have any; that of containers (``_metadata`` of state dicts) is dropped."""
    state, target = m.pop(), m.top()
    if isinstance(target, Buildable):
        target.accept(state)
    elif not isinstance(target, dict | list | StoredTensor):
        raise RefusedError("to change an object that has no state")


def _append(m: Machine, values: list[Any]) -> None:
    target = m.top()
    if isinstance(target, list):
        target.extend(values)
    elif not isinstance(target, Record):
        raise DamagedError("it appends to something that is no list")


def _set(m: Machine, pairs: list[Any]) -> None:
    if len(pairs) % 2:
        raise DamagedError("a key of it has no value")
    target = m.top()
    into = target.items if isinstance(target, Record) else target
    if not isinstance(into, dict):
        raise DamagedError("it sets an item of something that has none")
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        into[key if plain_key(key) else f"<{type(key).__name__} {len(into)}>"] = value


def plain_key(key: Any) -> bool:
    """Whether something may be a key: plain, short, and of a hash that a file can't choose.

    A deep tuple's hash would overflow the stack, a long name would be copied with every name below it, and whole
    numbers of 61 bits and more can all be made to have one hash: a table of n of them takes n squared steps.
    """
    if isinstance(key, str | bytes):
        return len(key) <= MAX_NAME
    if isinstance(key, int | float):
        return abs(key) < sys.hash_info.modulus
    if isinstance(key, tuple):
        return len(key) <= MAX_PARTS and all(not isinstance(part, tuple) and plain_key(part) for part in key)
    return key is None


def _tuple(m: Machine, count: int) -> None:
    values = [m.pop() for _ in range(count)]
    m.push(tuple(reversed(values)))


def _instance(m: Machine, *, keywords: bool) -> None:
    if keywords:
        m.pop()
    arguments = m.pop()
    m.push(m.call(m.pop(), arguments, called=False))


def _reduce(m: Machine) -> None:
    arguments = m.pop()
    m.push(m.call(m.pop(), arguments, called=True))


def _object(m: Machine) -> None:
    values = m.since_mark()
    if not values:
        raise DamagedError("it makes an object of nothing")
    m.push(m.call(values[0], values[1:], called=True))


def _inst(m: Machine) -> None:
    m.name(m.line(), m.line())
    what = m.pop()
    m.push(m.call(what, m.since_mark(), called=True))


def _stack_name(m: Machine) -> None:
    name = m.pop()
    m.name(m.pop(), name)


def _bytes(m: Machine, length: int) -> None:
    part = m.take(length)
    m.push(bytes(part) if length <= SHORT else part)


def _text(m: Machine, length: int) -> None:
    m.push(bytes(m.take(length)).decode("utf-8", "surrogatepass"))


def _old_text(m: Machine, length: int) -> None:
    """Python 2's str, which held both words and data: every byte a character, as NVIDIA reads them."""
    m.push(bytes(m.take(length)).decode("latin-1"))


def _quoted(m: Machine) -> None:
    line = m.line().strip()
    if len(line) < 2 or line[0] != line[-1] or line[0] not in "'\"":
        raise DamagedError("a string of it has no quotes")
    m.push(line[1:-1].encode("latin-1").decode("unicode_escape"))


def _long(m: Machine, length: int) -> None:
    if length > MAX_INTEGER:
        raise RefusedError(f"a whole number of {length} bytes")
    m.push(int.from_bytes(m.take(length), "little", signed=True))


def _decimal(m: Machine) -> None:
    line = m.line().rstrip("L")
    if len(line) > 2 * MAX_INTEGER:
        raise RefusedError(f"a whole number of {len(line)} digits")
    m.push({"00": False, "01": True}[line] if line in ("00", "01") else int(line))


def _extension(_: Machine) -> NoReturn:
    raise RefusedError("an extension code of Python's registry")


def _outside(_: Machine) -> NoReturn:
    raise DamagedError("it refers to buffers outside of itself")


def _protocol(m: Machine) -> None:
    protocol = m.byte()
    if protocol > 5:
        raise DamagedError(f"pickle protocol {protocol} is unknown")


def _frame(m: Machine) -> None:
    """A frame only says how much to read ahead."""
    if m.number("<Q") > len(m.data) - m.at:
        raise DamagedError("it is truncated")


STEPS: dict[int, Callable[[Machine], None]] = {
    ord(code): step
    for code, step in {
        "\x80": _protocol,
        "\x95": _frame,
        "(": lambda m: m.mark(),
        "0": lambda m: m.drop(),
        "1": lambda m: m.since_mark() and None,
        "2": lambda m: m.push(m.top()),
        "N": lambda m: m.push(None),
        "\x88": lambda m: m.push(True),
        "\x89": lambda m: m.push(False),
        "I": _decimal,
        "L": _decimal,
        "J": lambda m: m.push(m.number("<i")),
        "K": lambda m: m.push(m.byte()),
        "M": lambda m: m.push(m.number("<H")),
        "\x8a": lambda m: _long(m, m.byte()),
        "\x8b": lambda m: _long(m, m.number("<i")),
        "F": lambda m: m.push(float(m.line())),
        "G": lambda m: m.push(struct.unpack(">d", m.take(8))[0]),
        "S": _quoted,
        "T": lambda m: _old_text(m, m.number("<i")),
        "U": lambda m: _old_text(m, m.byte()),
        "V": lambda m: m.push(m.line().encode("latin-1").decode("raw_unicode_escape")),
        "X": lambda m: _text(m, m.number("<I")),
        "\x8c": lambda m: _text(m, m.byte()),
        "\x8d": lambda m: _text(m, m.number("<Q")),
        "B": lambda m: _bytes(m, m.number("<I")),
        "C": lambda m: _bytes(m, m.byte()),
        "\x8e": lambda m: _bytes(m, m.number("<Q")),
        "\x96": lambda m: _bytes(m, m.number("<Q")),
        "}": lambda m: m.push({}),
        "]": lambda m: m.push([]),
        "\x8f": lambda m: m.push([]),  # A set, as a list: what it holds need not be hashable here.
        "\x91": lambda m: m.push(m.since_mark()),
        "\x90": lambda m: _append(m, m.since_mark()),
        "a": lambda m: _append(m, [m.pop()]),
        "e": lambda m: _append(m, m.since_mark()),
        "s": lambda m: _set(m, [m.pop(), m.pop()][::-1]),
        "u": lambda m: _set(m, m.since_mark()),
        "l": lambda m: m.push(m.since_mark()),
        "d": lambda m: (lambda pairs: (m.push({}), _set(m, pairs))[0])(m.since_mark()),
        "t": lambda m: m.push(tuple(m.since_mark())),
        ")": lambda m: m.push(()),
        "\x85": lambda m: _tuple(m, 1),
        "\x86": lambda m: _tuple(m, 2),
        "\x87": lambda m: _tuple(m, 3),
        "p": lambda m: m.remember(m.index()),
        "q": lambda m: m.remember(m.byte()),
        "r": lambda m: m.remember(m.number("<I")),
        "\x94": lambda m: m.remember(len(m.memo)),
        "g": lambda m: m.recall(m.index()),
        "h": lambda m: m.recall(m.byte()),
        "j": lambda m: m.recall(m.number("<I")),
        "c": lambda m: m.name(m.line(), m.line()),
        "\x93": _stack_name,
        "R": _reduce,
        "b": _build,
        "i": _inst,
        "o": _object,
        "\x81": lambda m: _instance(m, keywords=False),
        "\x92": lambda m: _instance(m, keywords=True),
        "P": lambda m: m.persist(m.line()),
        "Q": lambda m: m.persist(m.pop()),
        "\x82": _extension,
        "\x83": _extension,
        "\x84": _extension,
        "\x97": _outside,
        "\x98": _outside,
    }.items()
}
