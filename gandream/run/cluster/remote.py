"""Segments in a store that fsspec reaches: ``s3://bucket/film``, ``gs://``, ``file:///``, and what else it knows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gandream.base.files import temporary_beside
from gandream.rendering.store import Store
from gandream.run.cluster.where import INSTALL, ClusterError
from gandream.video.segments import key_of

PROBE = ".gandream-probe"
FILE_SYSTEMS = {"sftp", "ssh", "smb", "hdfs", "arrow_hdfs", "webhdfs", "ftp"}
"""Where half a file is seen while it is written, beside this machine's own."""


def put(path: Path, address: str) -> None:
    """Move a segment there; it is seen whole or not at all."""
    files, folder = _opened(address)
    there, part = f"{folder}/{path.name}", f"{folder}/.{path.name}.part"
    if _renames(files):
        files.put_file(str(path), part)
        files.mv(part, there)
    else:  # stores of objects show nothing half-written
        files.put_file(str(path), there)
    path.unlink()


def get(address: str, name: str, store: Store) -> Path | None:
    """Bring a segment into a store here; None where what comes isn't what its name says."""
    files, folder = _opened(address)
    part = temporary_beside(store.segments / f"segment{Path(name).suffix}")
    try:
        files.get_file(f"{folder}/{name}", str(part))
        return received(part, name, store)
    except FileNotFoundError:
        return None
    finally:
        part.unlink(missing_ok=True)


def received(part: Path, name: str, store: Store) -> Path | None:
    """Publish a file that came from elsewhere under the name that it had there; None where its content is another."""
    from gandream.base.files import flush_to_disk

    flush_to_disk(part)
    key = key_of(Path(name))
    path = store.publish(part, key)
    if path.name != name or not key:
        path.unlink(missing_ok=True)
        return None
    return path


def there(address: str, keys: Iterable[str]) -> dict[str, str]:
    """The names of the segments that are there, of those keys; one listing for all of them."""
    files, folder = _opened(address)
    wanted = set(keys)
    names = (Path(str(found)).name for found in files.ls(folder, detail=False))
    return {key: name for name in names if (key := key_of(Path(name))) in wanted and not name.startswith(".")}


def check(address: str) -> None:
    """ClusterError where nothing can be written and read there."""
    files, folder = _opened(address)
    try:
        files.makedirs(folder, exist_ok=True)
        files.pipe_file(f"{folder}/{PROBE}", b"gandream")
        found = files.cat_file(f"{folder}/{PROBE}")
        files.rm_file(f"{folder}/{PROBE}")
    except Exception as error:  # each kind of store has errors of its own
        raise ClusterError(f"--store {address}", f"can't be written: {_said(error)}", "Is it there?") from error
    if found != b"gandream":
        raise ClusterError(f"--store {address}", "what was written there isn't what is read")


def _opened(address: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError:
        raise ClusterError(f"--store {address}", "fsspec isn't installed", INSTALL) from None
    try:
        files, folder = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        hint = "The stores that fsspec knows: https://filesystem-spec.readthedocs.io"
        raise ClusterError(f"--store {address}", _said(error), hint) from error
    return files, str(folder).rstrip("/")


def _renames(files: Any) -> bool:
    """Whether it is a file system, where a file is seen while it is written."""
    from fsspec.implementations.local import LocalFileSystem

    kinds = {files.protocol} if isinstance(files.protocol, str) else set(files.protocol)
    return isinstance(files, LocalFileSystem) or bool(kinds & FILE_SYSTEMS)


def _said(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
