"""The next batch is read while the networks work on this one."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from torch import Tensor

from gandream.training.data import Data

Batch = tuple[Tensor, "Tensor | None"]


class Ahead:
    """A ``Data`` that reads one batch ahead on a thread of its own, into memory that a GPU can copy from unasked.

    Batches are pure functions of their numbers, so a guess that turns out wrong costs time and nothing else.
    """

    def __init__(self, data: Data, *, pin: bool = False):
        self._data, self._pin = data, pin
        self._worker = ThreadPoolExecutor(1, "pictures")
        self._next: tuple[tuple[int, int, int], Future[Batch]] | None = None

    @property
    def name(self) -> str:
        """Of the data behind it, as all of these."""
        return self._data.name

    @property
    def classes(self) -> tuple[str, ...]:
        """Empty: unconditional."""
        return self._data.classes

    @property
    def count(self) -> int | None:
        """Different pictures to train on."""
        return self._data.count

    @property
    def fingerprint(self) -> str:
        """Of all that decides its pictures."""
        return self._data.fingerprint

    @property
    def provenance(self) -> dict[str, Any]:
        """What a trained model's file says of its data."""
        return self._data.provenance

    def batch(self, first: int, count: int, resolution: int, *, held_out: bool = False) -> Batch:
        """As the data behind it gives it."""
        if held_out:
            return self._data.batch(first, count, resolution, held_out=True)
        asked = (first, count, resolution)
        if self._next is not None and self._next[0] == asked:
            found = self._next[1].result()
        else:
            found = self._worker.submit(self._read, *asked).result()
        then = (first + count, count, resolution)
        self._next = (then, self._worker.submit(self._read, *then))
        return found

    def _read(self, first: int, count: int, resolution: int) -> Batch:
        pictures, labels = self._data.batch(first, count, resolution)
        if self._pin:
            pictures = pictures.pin_memory()
        return pictures, labels
