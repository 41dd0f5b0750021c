"""What changes while somebody looks: the lines of a log, and the events of the queue."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gandream.run.jobs.folder import events_file
from gandream.run.jobs.queue import Queue
from gandream.run.jobs.records import Job, State

POLL_S = 0.4
"""How often it is looked."""
PIECE = 1 << 20
"""Bytes that are read at a time."""


@dataclass(frozen=True)
class Seen:
    """The queue at one moment: how many are in each state, who runs, and what changed since the last one.

    Each event holds ``time``, ``batch``, ``job``, ``name``, ``from``, ``to``, ``attempt``, ``worker`` and ``error``.
    """

    counts: dict[State, int]
    running: tuple[Job, ...]
    events: tuple[dict[str, Any], ...]

    @property
    def over(self) -> bool:
        """Whether nothing waits or runs any more."""
        return not self.counts["waiting"] + self.counts["running"]


def watched(queue: Queue, batch: str | None = None, every_s: float = POLL_S) -> Iterator[Seen]:
    """The queue now, and again and again until nothing waits or runs."""
    path = events_file(queue.folder)
    at, rest = _size(path), b""
    while True:
        # The events after the counts: what these count is told by those.
        counts, running = queue.counts(batch), tuple(queue.jobs(batch, ("running",)))
        if _size(path) < at:  # somebody began a new file
            at, rest = 0, b""
        content = rest + _from(path, at)
        at += len(content) - len(rest)
        *whole, rest = content.split(b"\n")
        seen = Seen(counts, running, tuple(_events(whole, batch)))
        yield seen
        if seen.over:
            return
        time.sleep(every_s)


def log_pieces(queue: Queue, id: int, follow: bool = False, every_s: float = POLL_S) -> Iterator[str]:
    """What a job's log says; with ``follow`` also what comes, until the job is at its end."""
    at = 0
    while True:
        job = queue.job(id)  # before reading: what is written last comes before the state changes
        while content := _from(Path(job.log), at, PIECE):
            at += len(content)
            yield content.decode("utf-8", "replace")
        if not follow or job.state not in ("waiting", "running"):
            return
        time.sleep(every_s)


def _events(lines: list[bytes], batch: str | None) -> Iterator[dict[str, Any]]:
    for text in lines:
        with contextlib.suppress(ValueError):
            event = json.loads(text)
            if isinstance(event, dict) and "to" in event and batch in (None, event.get("batch")):
                yield event


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _from(path: Path, at: int, most: int = -1) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(at)
            return file.read(most)
    except OSError:
        return b""
