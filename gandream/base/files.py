"""Files are published whole or not at all: a temporary name beside the target, flushed to disk, renamed."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import platform
import re
import shutil
import sys
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gandream.base.errors import OutputError, RenderError

_LATEST: deque[Path] = deque(maxlen=64)
"""The temporary names that were given last, far more than are in use at once: facts about this process."""

_FOLDERS: list[Path] = []
"""The temporary folders that are in use: another such fact."""

LEFT_S = 86400
"""Age in seconds at which something half-written counts as left behind where its process can't be asked for."""

_PART = re.compile(r"\..+\.(?:([0-9a-f]{8})-)?(\d+)-[0-9a-f]{8}\.part(?:\..+)?")
"""Of what machine and what process it is; older gandreams named no machine."""

_INITIAL_PIDS = 0xEFFFFFFC
"""The number of the process ids that a Linux machine begins with (PROC_PID_INIT_INO); containers have their own."""


def temporary_beside(target: Path) -> Path:
    """A fresh name in the target's folder that keeps its suffix: ``.film.<machine>-<pid>-<random>.part.mp4``."""
    whose = f"{machine()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    part = target.with_name(f".{target.stem}.{whose}.part{target.suffix}")
    _LATEST.append(part.absolute())
    return part


@functools.cache
def machine() -> str:
    """8 hex digits for all processes that can be asked for by their ids: those of this machine, or of this container.

    Folders are shared between machines, and an id there is another process, or none.
    """
    known = [platform.node(), _first_line("/etc/machine-id")]
    with contextlib.suppress(OSError):
        pids = os.stat("/proc/self/ns/pid").st_ino
        # Containers of one image may have all else in common. After a restart these have other numbers anyway.
        known += [] if pids == _INITIAL_PIDS else [str(pids), _first_line("/proc/sys/kernel/random/boot_id")]
    return hashlib.sha256("\n".join(known).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _first_line(file: str) -> str:
    try:
        return Path(file).read_text("utf-8", "replace").partition("\n")[0]
    except OSError:
        return ""


def left_behind(part: Path) -> bool:
    """Whether something half-written is of a process that is no more; what isn't named so, and what is gone, is not.

    Processes of other machines can't be asked for: theirs is what nobody wrote to for a day.
    """
    match = _PART.fullmatch(part.name)
    if match is None:
        return False
    if match[1] == machine() and sys.platform != "win32":  # where asking for a process by a signal would end it
        return not _runs(int(match[2]))
    try:
        return time.time() - part.lstat().st_mtime > LEFT_S
    except OSError:
        return False


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's
        return True
    return True


@contextmanager
def temporary_folder(prefix: str = "gandream-", inside: Path | None = None) -> Iterator[Path]:
    """A folder where the system keeps such, or ``inside`` another, removed at the end, and by :func:`remove_parts`.

    What may be large belongs inside the store: a system's own place is often memory.
    """
    made = tempfile.TemporaryDirectory(prefix=prefix, dir=inside)
    folder = Path(made.name)
    _FOLDERS.append(folder)
    try:
        with made:
            yield folder
    finally:
        _FOLDERS.remove(folder)  # after it is gone: that may take longer than a process that ends waits


def remove_parts() -> None:
    """Remove what this process has half-written, for one that ends without tidying up."""
    for folder in tuple(_FOLDERS):
        shutil.rmtree(folder, ignore_errors=True)
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
    probe = temporary_beside(folder / "writable")
    with disk_errors(folder, hint):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            probe.touch()
        finally:
            probe.unlink(missing_ok=True)
    return folder
