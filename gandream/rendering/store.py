"""The segment store: finished segments by content key, in a folder beside the films."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from gandream.base.files import disk_errors, left_behind, writable_folder
from gandream.base.locks import Lock, take
from gandream.video.quality.beside import attached, look
from gandream.video.quality.looks import Looks, together
from gandream.video.segments import find_all_verified, find_verified, key_of, publish_with_digest, segments_in

ELSEWHERE = "GANDREAM_CACHE names another place for the store."
"""What to do where the store can't be written."""


def store_folder(beside: Path) -> Path:
    """The store's folder: ``GANDREAM_CACHE``, or ``.gandream`` in the folder of the film."""
    named = os.environ.get("GANDREAM_CACHE")
    return Path(named).expanduser() if named else beside / ".gandream"


class Store:
    """Segments that are whole, found by key. Several processes may fill it at once."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.segments = writable_folder(folder / "segments", ELSEWHERE)
        self._locks = writable_folder(folder / "locks", ELSEWHERE)
        sweep(self.segments)

    def find(self, key: str) -> Path | None:
        """The segment with this key, if it is there and its content is what was written."""
        return find_verified(self.segments, key)

    def find_all(self, keys: Iterable[str]) -> dict[str, Path]:
        """As :meth:`find`, of many keys at once."""
        return find_all_verified(self.segments, keys)

    def claim(self, key: str) -> Lock | None:
        """The right to render a segment, or None while another process, or this one, is at it.

        Whoever gets it looks first whether the segment has come meanwhile, and lets go once it is published. A process
        that is killed lets go too.
        """
        path = self._locks / f"{key}.lock"
        with disk_errors(path, ELSEWHERE):
            return take(path)

    def looks(self, keys: Iterable[str]) -> Looks | None:
        """What the frames of segments look like, one after another; None where one is gone.

        Each has it at the end of its file; of one that has not, it is taken anew by decoding it.
        """
        keys = list(keys)
        there = {key_of(path): path for path in segments_in(self.segments)}
        if not all(key in there for key in keys):
            return None
        return together([attached(there[key]) or look(there[key]) for key in keys])

    def publish(self, part: Path, key: str) -> Path:
        """Give a finished, flushed file the name by which it is found."""
        return publish_with_digest(part, self.segments, key)


def sweep(folder: Path) -> None:
    """Remove what killed renders left half-written in a folder."""
    for part in folder.glob(".*.part*"):
        with contextlib.suppress(OSError):
            if left_behind(part):
                shutil.rmtree(part) if part.is_dir() and not part.is_symlink() else part.unlink()
