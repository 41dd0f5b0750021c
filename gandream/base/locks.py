"""Locks between processes: a file that one of them holds, for as long as it lives and wants."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        # Not lockf: its locks belong to the process, and closing any other descriptor of the file ends them.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Lock:
    """A lock file that is held until :meth:`release`, or until this process ends, however it ends."""

    def __init__(self, path: Path, descriptor: int):
        self.path, self._descriptor = path, descriptor

    def release(self) -> None:
        """Let go of it; the file goes too."""
        if sys.platform == "win32":
            os.close(self._descriptor)  # an open file can't be removed there, not even by the one who opened it
            _remove(self.path)
        else:
            _remove(self.path)  # first, so that nobody takes a lock on a file that is about to vanish
            os.close(self._descriptor)


def take(path: Path) -> Lock | None:
    """The lock of this name, or None while another holds it, be it in this process.

    Where the file system knows no locks everyone gets it: then work is done twice, and nothing goes wrong.
    """
    while True:
        descriptor = _opened(path)
        try:
            if not _locked(descriptor):
                os.close(descriptor)
                return None
            if _is(path, descriptor):
                return Lock(path, descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its last holder removed it after we had opened it


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:  # another user's, who was killed; to lock a file, reading it is enough
        return os.open(path, os.O_RDONLY)


def _locked(descriptor: int) -> bool:
    try:
        _lock(descriptor)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # no locks here, as on some network drives
        return True
    return True


def _is(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
