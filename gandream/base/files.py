"""Files are published whole or not at all: a temporary name beside the target, flushed to disk, renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gandream.base.errors import OutputError, RenderError

_LATEST: deque[Path] = deque(maxlen=64)
"""The temporary names that were given last, far more than are in use at once: facts about this process."""


def temporary_beside(target: Path) -> Path:
    """A fresh name in the target's folder that keeps its suffix: ``.film.<pid>-<random>.part.mp4``."""
    part = target.with_name(f".{target.stem}.{os.getpid()}-{uuid.uuid4().hex[:8]}.part{target.suffix}")
    _LATEST.append(part.absolute())
    return part


def remove_parts() -> None:
    """Remove what this process has half-written, for one that ends without tidying up."""
    for part in tuple(_LATEST):
        with contextlib.suppress(OSError):
            part.unlink()


def flush_to_disk(path: Path) -> None:
    """Wait until the file's bytes are on the disk: a rename must not publish a file without its content."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def published(target: Path) -> Iterator[Path]:
    """Yield a temporary path to write; on success it becomes ``target``, on any failure it is removed."""
    part = temporary_beside(target)
    try:
        with disk_errors(target):
            yield part
            flush_to_disk(part)
            os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


_UNWRITABLE = (
    *(errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG),
)


@contextmanager
def disk_errors(target: Path, hint: str = "Choose another place with -o.") -> Iterator[None]:
    """Turn the operating system's words about writing a file into ours."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(target) from error
        if error.errno in _UNWRITABLE:
            why = "a file of this name is in the way" if error.errno == errno.EEXIST else error.strerror
            raise OutputError(str(target), f"can't write here: {why}", hint) from error
        raise


def disk_full(target: Path) -> RenderError:
    """The error of a disk with no room left for ``target``."""
    return RenderError(
        str(target),
        "the disk is full: nothing half-written was left behind, and finished segments are kept",
        "Make room and run the same command again; it goes on where it stopped.",
    )


def writable_folder(folder: Path, hint: str = "Choose another place with -o.") -> Path:
    """Make the folder if need be and prove that files can be made in it."""
    probe = folder / f".writable.{os.getpid()}-{uuid.uuid4().hex[:8]}"
    with disk_errors(folder, hint):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            probe.touch()
        finally:
            probe.unlink(missing_ok=True)
    return folder
