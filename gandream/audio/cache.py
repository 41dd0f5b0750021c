"""What was measured once: arrays by the content of the sound file and the name of what was measured."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gandream.base.errors import GandreamError
from gandream.base.files import published
from gandream.base.hashing import content_key

VERSION = 2
"""Counts up whenever a measurement changes, so that old ones are not found."""

_KEYS = "keys"

Entry = dict[str, np.ndarray]


@dataclass(frozen=True)
class Shelf:
    """The measurements of one sound file; with no folder nothing is kept."""

    folder: Path | None
    fingerprint: str

    def get(self, name: str) -> Entry | None:
        """The entry of a name; None where there is none, or what is there can't be read back whole."""
        if self.folder is None:
            return None
        try:
            with open(self._file(self.folder, name), "rb") as file, np.load(file, allow_pickle=False) as stored:
                entry = {key: stored[key] for key in stored.files}
        except Exception:  # a damaged zip fails in a dozen ways
            return None
        # The zip's checksums guard each array, but not the list of them.
        whole = sorted(entry.pop(_KEYS, np.array([])).tolist()) == sorted(entry)
        return entry if whole else None

    def put(self, name: str, entry: Mapping[str, np.ndarray]) -> Entry:
        """Keep an entry and give it back; a folder that can't be written costs the next run time, no more."""
        if self.folder is not None:
            file = self._file(self.folder, name)
            with contextlib.suppress(OSError, GandreamError):
                file.parent.mkdir(parents=True, exist_ok=True)
                with published(file) as part, open(part, "wb") as stream:
                    np.savez(stream, **entry, **{_KEYS: np.array(list(entry))})  # pyright: ignore[reportArgumentType]
        return dict(entry)

    def _file(self, folder: Path, name: str) -> Path:
        return folder / self.fingerprint[:32] / f"{content_key(VERSION, name)}.npz"
