"""What others read beside the queue: ``events.jsonl``, a line per change of a state, and the last sign of life.

The database is what counts. Each change is written there together with its line, in one transaction; the lines are
appended to the file afterwards, by whoever has the database's write lock. A process that is killed in between leaves
its lines to the next one. Lines are numbered (``n``), so that none is written twice: the file's end says how far it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from gandream.base.errors import GandreamError
from gandream.base.files import machine, published
from gandream.run.jobs.folder import events_file, health_file

END = 1 << 16
"""Bytes at the file's end in which the last number is looked for, far more than a line has."""


def line(**facts: Any) -> str:
    """One event as a line: the time in words of ISO 8601 with its zone, then the facts."""
    return json.dumps({"time": stamp(time.time()), **facts}, default=str) + "\n"


def stamp(seconds: float) -> str:
    """Seconds since 1970 as local time with its distance to UTC."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="milliseconds")


def append(folder: Path, **facts: Any) -> None:
    """Add an event of another kind; as all that is only told, it stops nothing where it can't be written."""
    with contextlib.suppress(OSError):
        _append(events_file(folder), line(**facts).encode())


def bring(folder: Path, connection: sqlite3.Connection) -> bool:
    """Append what the file lacks of the outbox; to be called with the write lock. Whether all of it is there now."""
    rows = connection.execute("SELECT n, line FROM outbox ORDER BY n").fetchall()
    if not rows:
        return True
    path = events_file(folder)
    try:
        there = _last(path)
        lines = "".join(_numbered(row["n"], row["line"]) for row in rows if row["n"] > there)
        if lines:
            _append(path, lines.encode())
    except OSError:  # a full disk; the lines wait in the database
        return False
    return True


def _numbered(n: int, text: str) -> str:
    return f'{{"n": {n}, {text[1:]}'


def _last(path: Path) -> int:
    """The number of the last event in the file, 0 where there is none; half a line at its end is taken off."""
    try:
        with open(path, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            start = file.seek(max(0, size - END))
            end = file.read()
            whole = end.rfind(b"\n") + 1
            if whole < len(end):
                file.truncate(start + whole)
    except FileNotFoundError:
        return 0
    for text in reversed(end[:whole].split(b"\n")):
        with contextlib.suppress(ValueError, AttributeError):
            if isinstance(n := json.loads(text).get("n"), int):
                return n
    return 0


def _append(path: Path, content: bytes) -> None:
    """Add whole lines in one write, which the system puts at the end even if others write too."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o666)
    try:
        while content:
            content = content[os.write(descriptor, content) :]
    finally:
        os.close(descriptor)


def beat(folder: Path, **facts: Any) -> None:
    """Write a sign of life into ``health.json``, whole: the time, the process, and the facts.

    Where it can't be written no work stops for that; the old time in the file says that something is wrong.
    """
    now = time.time()
    told = {"time": stamp(now), "seconds": round(now, 3), "machine": machine(), "process": os.getpid(), **facts}
    with contextlib.suppress(OSError, GandreamError):
        folder.mkdir(parents=True, exist_ok=True)
        with published(health_file(folder)) as part:
            part.write_text(json.dumps(told, indent=1, default=str) + "\n", encoding="utf-8")
