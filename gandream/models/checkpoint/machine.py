"""A pickle machine that can only make plain values and inert records.

Python's own unpickler calls what a file names; restricting it means closing every door (find_class, BUILD, extension
codes, memory). This one has no doors: it reads the same opcodes (protocols 0 to 5: PEP 307, PEP 3154, PEP 574) and
makes dicts, lists, tuples, strings, numbers, and records of names. A name becomes a value only through the table it is
given, whose functions are ours and build data. Long byte strings stay views of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from gandream.models.checkpoint.opcodes import STEPS
from gandream.models.checkpoint.records import MAX_NAME, DamagedError, Global, Record, RefusedError

Maker = Callable[..., Any]
"""A function of our own that builds data from the arguments a file gives."""

MAX_STEPS = 1_000_000
"""Opcodes of all pickles of a file; NVIDIA's have about 150 for each tensor, and some hundreds of tensors.

Bounds memory, since each makes at most one small object, and time.
"""
MAX_STACK = 250_000
"""Values that wait on the stack; Python's pickler leaves 1000, and those of a long tuple."""
LINE = 4096
"""Bytes that are looked through at a time for the end of a line."""
_MARK: Any = object()
_PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg", "cPickle": "pickle"}


class Budget:
    """How many opcodes the pickles of one file may still have, the pickles inside their storages included."""

    def __init__(self) -> None:
        self.left = MAX_STEPS


class Machine:
    """Runs one pickle of ``data``, from ``start`` on; afterwards ``end`` is where it ended."""

    def __init__(
        self,
        data: memoryview,
        table: Mapping[tuple[str, str], Maker],
        check: Callable[[Global], None],
        persistent: Callable[[Any], Any] | None = None,
        start: int = 0,
        budget: Budget | None = None,
    ):
        self.data, self.table, self.check, self.persistent, self.at = data, table, check, persistent, start
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.end = start
        self.budget = budget or Budget()

    def run(self) -> Any:
        """The value that the pickle describes."""
        data, size, budget = self.data, len(self.data), self.budget
        while self.at < size:
            code = data[self.at]
            self.at += 1
            if code == 0x2E:  # STOP
                self.end = self.at
                return self.pop()
            step = STEPS.get(code)
            if step is None:
                raise DamagedError(f"it has no valid pickle opcode at byte {self.at - 1}")
            step(self)
            budget.left -= 1
            if budget.left < 0:
                raise RefusedError(f"more than {MAX_STEPS} pickle opcodes")
            if len(self.stack) > MAX_STACK:
                raise RefusedError(f"a pickle stack of more than {MAX_STACK} values")
        raise DamagedError("it is truncated")

    def take(self, count: int) -> memoryview:
        """The next ``count`` bytes."""
        stop = self.at + count
        if count < 0 or stop > len(self.data):
            raise DamagedError("it is truncated")
        part = self.data[self.at : stop]
        self.at = stop
        return part

    def byte(self) -> int:
        """The next byte."""
        if self.at >= len(self.data):
            raise DamagedError("it is truncated")
        self.at += 1
        return self.data[self.at - 1]

    def number(self, form: str) -> int:
        """The next whole number, written as ``struct`` says."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> str:
        """The next line, without its end; every byte a character."""
        start, at = self.at, self.at
        while at < len(self.data):
            found = bytes(self.data[at : at + LINE]).find(b"\n")
            if found >= 0:
                self.at = at + found + 1
                return bytes(self.data[start : at + found]).decode("latin-1")
            at += LINE
        raise DamagedError("it is truncated")

    def index(self) -> int:
        """The next line as a place in the memo."""
        line = self.line()
        if len(line) > 20:
            raise DamagedError("a place in its pickle's memo is no number")
        return int(line)

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        self.stack.append(value)

    def mark(self) -> None:
        """Put a mark on the stack."""
        self.stack.append(_MARK)

    def drop(self) -> None:
        """Take away the last value, or a mark."""
        if not self.stack:
            raise DamagedError("its pickle stack runs empty")
        self.stack.pop()

    def pop(self) -> Any:
        """Take the last value."""
        if not self.stack or self.stack[-1] is _MARK:
            raise DamagedError("its pickle stack runs empty")
        return self.stack.pop()

    def top(self) -> Any:
        """The last value, which stays."""
        value = self.pop()
        self.stack.append(value)
        return value

    def since_mark(self) -> list[Any]:
        """Everything since the last mark, which is taken away with it."""
        for index in range(len(self.stack) - 1, -1, -1):
            if self.stack[index] is _MARK:
                found = self.stack[index + 1 :]
                del self.stack[index:]
                return found
        raise DamagedError("its pickle stack has no mark")

    def remember(self, index: int) -> None:
        """Keep the last value under a number."""
        self.memo[index] = self.top()

    def recall(self, index: int) -> None:
        """Push what was kept under a number."""
        if index not in self.memo:
            raise DamagedError("its pickle recalls what it never kept")
        self.push(self.memo[index])

    def name(self, module: Any, name: Any) -> None:
        """Push the name of some code."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise DamagedError("it names code by something other than words")
        if len(module) + len(name) > MAX_NAME:
            raise DamagedError(f"it names code by {len(module) + len(name)} characters")
        found = Global(_PYTHON_2.get(module, module), name)
        if (found.module, found.name) not in self.table:
            self.check(found)
        self.push(found)

    def call(self, what: Any, arguments: Any, *, called: bool) -> Any:
        """What the table makes of a call; a record where the table has no such name."""
        if not isinstance(arguments, tuple | list):
            raise DamagedError("it calls something with what is no list of arguments")
        # They are copied: the same long list, again and again, would fill the memory.
        self.budget.left -= len(arguments)
        if isinstance(what, Record):
            # A class that a function made (dill does so): what it makes is a record too.
            return Record(what.made_by, tuple(arguments), called=called)
        if not isinstance(what, Global):
            raise DamagedError("it calls something that is no name")
        make = self.table.get((what.module, what.name))
        if make is None:
            return Record(what, tuple(arguments), called=called)
        return make(*arguments)

    def persist(self, key: Any) -> None:
        """Push what a reference out of the pickle stands for."""
        if self.persistent is None:
            raise DamagedError("it refers to something outside of itself")
        self.push(self.persistent(key))
