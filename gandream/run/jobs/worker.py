"""Workers: a name, and a lock that the system takes from a process that ends, however it ends."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from types import TracebackType

from gandream.base.errors import RenderError
from gandream.base.files import disk_errors, machine, writable_folder
from gandream.base.locks import Lock, take
from gandream.run.jobs.folder import ELSEWHERE, lock_file


class Worker:
    """One that takes jobs; between entering and leaving it counts as alive.

    Args:
        folder: the queue's.
        name: ``<machine>-<pid>-<random>`` where none is given.
    """

    def __init__(self, folder: Path, name: str = ""):
        self.folder = folder
        self.name = name or f"{machine()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self._lock: Lock | None = None

    def __enter__(self) -> Worker:
        path = lock_file(self.folder, self.name)
        writable_folder(path.parent, ELSEWHERE)
        with disk_errors(path, ELSEWHERE):
            self._lock = take(path)
        if self._lock is None:
            raise RenderError(str(path), f"a worker named '{self.name}' is at work already", "Give it another name.")
        if (second := take(path)) is not None:  # every worker would look dead to the others
            second.release()
            self.__exit__(None, None, None)
            raise RenderError(
                str(path.parent),
                "a queue can't be kept here: this file system has no locks between processes",
                f"It needs a disk of this machine. {ELSEWHERE}",
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @property
    def alive(self) -> bool:
        """Whether it holds its lock."""
        return self._lock is not None


def lives(folder: Path, name: str) -> bool:
    """Whether the worker of this name holds its lock still, in whatever process."""
    path = lock_file(folder, name)
    if not path.exists():
        return False
    with disk_errors(path, ELSEWHERE):
        lock = take(path)
    if lock is None:
        return True
    lock.release()
    return False
