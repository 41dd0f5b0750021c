"""The segment store: finished segments by content key, in a folder beside the films."""

from __future__ import annotations

import os
import re
from pathlib import Path

from gandream.base.files import writable_folder
from gandream.video.segments import find_verified

ELSEWHERE = "GANDREAM_CACHE names another place for the store."
"""What to do where the store can't be written."""

_PART = re.compile(r"\..+\.(\d+)-[0-9a-f]+\.part\..+")


def store_folder(beside: Path) -> Path:
    """The store's folder: ``GANDREAM_CACHE``, or ``.gandream`` in the folder of the film."""
    named = os.environ.get("GANDREAM_CACHE")
    return Path(named).expanduser() if named else beside / ".gandream"


class Store:
    """Segments that are whole, found by key."""

    def __init__(self, folder: Path):
        self.segments = writable_folder(folder / "segments", ELSEWHERE)
        self._sweep()

    def find(self, key: str) -> Path | None:
        """The segment with this key, if it is there and its content is what was written."""
        return find_verified(self.segments, key)

    def _sweep(self) -> None:
        """Remove what killed renders left half-written."""
        for part in self.segments.glob(".*.part.*"):
            match = _PART.fullmatch(part.name)
            if match and not _runs(int(match[1])):
                part.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
