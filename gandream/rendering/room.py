"""How much memory there is: of the machine, of the container that holds us, or of a GPU.

Linux tells of itself in ``/proc/meminfo`` (proc(5)), and of groups of processes in files of their own (cgroups(7);
version 2: "Control Group v2", "Memory Interface Files"; version 1: "Memory Resource Controller"). Loads no torch,
unless a CUDA device is asked for.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gandream.rendering.device import Kind, cuda_memory

UNKNOWN = (1 << 63) - 1
"""Bytes where nothing is told."""
SHARED = 2 / 3
"""Of the memory of a Mac, which its GPU shares: what Metal recommends to have there at a time is two thirds of it, or
three quarters where there is much (``MTLDevice.recommendedMaxWorkingSetSize``). torch stops only far beyond."""


@dataclass(frozen=True)
class Room:
    """Bytes."""

    total: int
    """That there are at all."""
    free: int
    """That nobody has, or that the system keeps only until somebody wants them."""


def there(device: Kind) -> int:
    """Bytes that are free for a render on a device of this class; 2^63 - 1 where nothing is told."""
    return room(device).free


def room(device: Kind, root: Path = Path("/")) -> Room:
    """What there is for a render; ``root`` is where ``proc`` and ``sys`` are looked for."""
    if device == "cuda":
        import torch

        free, of_all = torch.cuda.mem_get_info()
        return Room(int(of_all), int(free))
    found = [_machine(root), *_groups(root)]
    most, free = min(one.total for one in found), max(0, min(one.free for one in found))
    if device == "mps" and most < UNKNOWN:
        most = int(most * SHARED)
    return Room(most, min(most, free))


def total(device: Kind) -> int:
    """Bytes that there are at all, whoever has them, found without torch; 2^63 - 1 where nothing is told."""
    return (cuda_memory() or UNKNOWN) if device == "cuda" else room(device).total


def _machine(root: Path) -> Room:
    told = _numbers(root / "proc/meminfo", 1 << 10)
    if "MemTotal" in told:
        return Room(told["MemTotal"], told.get("MemAvailable", told["MemTotal"]))
    return _windows() if sys.platform == "win32" else _posix()


def _posix() -> Room:
    """A system without /proc, such as macOS, tells how much it has; what is free, it doesn't."""
    try:
        pages, page = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        pages = page = 0
    return Room(pages * page, pages * page) if min(pages, page) > 0 else Room(UNKNOWN, UNKNOWN)


class _Status(ctypes.Structure):
    """``MEMORYSTATUSEX`` of Windows."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        *((name, ctypes.c_uint64) for name in ("total", "free", "c", "d", "e", "f", "g")),
    )


def _windows() -> Room:
    status = _Status(length=ctypes.sizeof(_Status))
    try:
        answered = getattr(ctypes, "windll").kernel32.GlobalMemoryStatusEx(ctypes.byref(status))  # noqa: B009
    except (AttributeError, OSError):
        answered = 0
    return Room(status.total, status.free) if answered else Room(UNKNOWN, UNKNOWN)


def _groups(root: Path) -> Iterator[Room]:
    """The limits of the groups of processes that we are in, and of those that hold them."""
    for line in _lines(root / "proc/self/cgroup"):
        number, kinds, path = (*line.split(":", 2), "", "")[:3]
        second = number == "0" and not kinds
        if second or "memory" in kinds.split(","):
            for mount, within in _mounts(root, second):
                yield from _limits(root, mount, within, path, second)


def _mounts(root: Path, second: bool) -> Iterator[tuple[str, str]]:
    """Where groups are seen in the file system, and which of them is seen there."""
    for line in _lines(root / "proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        fields, (kind, _, options) = before.split(), (*after.split(maxsplit=2), "", "", "")[:3]
        if len(fields) > 4 and (kind == "cgroup2" if second else kind == "cgroup" and "memory" in options.split(",")):
            yield fields[4], fields[3]


def _limits(root: Path, mount: str, within: str, path: str, second: bool) -> Iterator[Room]:
    """Each limit from our own group up to the one that is mounted."""
    try:
        place = PurePosixPath(path).relative_to(within)
    except ValueError:  # seen from a container, what is mounted may be our group itself
        place = PurePosixPath()
    top = root / mount.lstrip("/")
    names = ("memory.max", "memory.current") if second else ("memory.limit_in_bytes", "memory.usage_in_bytes")
    for one in (place, *place.parents):
        folder = top / one
        limit, used = (_number(folder / name) for name in names)
        if limit is not None and used is not None:
            told = _numbers(folder / "memory.stat", 1)
            kept = told.get("inactive_file" if second else "total_inactive_file", 0)
            yield Room(limit, limit - max(0, used - kept))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []


def _number(path: Path) -> int | None:
    """The number in a file; None where there is none, or a word for no limit."""
    text = "".join(_lines(path)).strip()
    return int(text) if text.isdecimal() else None


def _numbers(path: Path, unit: int) -> dict[str, int]:
    """The numbers in a table of words and numbers."""
    rows = (line.replace(":", " ").split() for line in _lines(path))
    return {row[0]: int(row[1]) * unit for row in rows if len(row) > 1 and row[1].isdecimal()}
