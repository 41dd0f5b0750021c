"""The queue itself: jobs and their states, safe for many processes and for a kill at any moment."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from gandream.base.errors import GandreamError
from gandream.run.jobs.book import Book
from gandream.run.jobs.records import ENDED, STATES, Attempt, Job, State, Task
from gandream.run.jobs.rows import attempt_of, clean, columns, job_of, written
from gandream.run.jobs.worker import Worker

__all__ = ["Queue", "Worker"]


class Queue:
    """Jobs in a folder. Every method is one transaction; threads of a process may share one queue.

    Where a job is given back (:meth:`done`, :meth:`failed`, :meth:`parked`) that counts only as long as its attempt is
    the one that runs. A worker whose job was cancelled meanwhile, or asked for anew, changes nothing any more.

    Raises:
        GandreamError: the folder can't be written, or its file isn't a queue that is known here.
    """

    def __init__(self, folder: Path):
        self.folder = folder.absolute()
        self._book = Book(self.folder)

    def __enter__(self) -> Queue:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._book.close()

    def add(self, batch: str, tasks: Sequence[Task]) -> list[Job]:
        """Make these the tasks of the batch, and give their jobs in this order.

        A task with the key of a job that runs is left alone, and so is one that is done with its film there. All others
        wait, with all their attempts before them. What isn't among the tasks any more is cancelled if it waits.
        """
        names = [clean(task.name) for task in tasks]
        for name, count in Counter(names).most_common(1):
            if count > 1:
                raise GandreamError(batch, f"{count} renders are named '{name}'", "Each needs a name of its own.")
        book = self._book
        with book.change():
            found = book.sql.execute("SELECT * FROM jobs WHERE batch = ?", (clean(batch),))
            there = {row["name"]: row for row in found}
            dead = book.dead({row["worker"] for row in there.values() if row["state"] == "running"})
            for task, name in zip(tasks, names, strict=True):
                if name not in there:
                    book.insert(batch, task)
                    continue
                row = there[name]
                same = row["key"] == clean(task.key)
                if same and row["state"] == "running" and row["worker"] not in dead:
                    continue
                if same and row["state"] == "done" and (not task.out or Path(task.out).exists()):
                    continue
                if row["state"] == "running":
                    book.end_attempt(row, *(("ended", ENDED) if row["worker"] in dead else ("cancelled", "")))
                book.anew(row, **columns(batch, task))
            wanted = set(names)
            for row in there.values():
                if row["name"] not in wanted and row["state"] == "waiting":
                    book.move(row, "cancelled", finished=time.time())
            rows = book.sql.execute("SELECT * FROM jobs WHERE batch = ?", (clean(batch),))
            now = {row["name"]: job_of(row, self.folder) for row in rows}
        return [now[name] for name in names]

    def take(self, worker: Worker, batch: str | None = None, group: str = "") -> Job | None:
        """The next job, now this worker's, or None where none waits.

        Jobs of workers that are no more are returned first. Then those of the group come before others, and those that
        were tried less often, in the order of adding, whatever clocks say.
        """
        if not worker.alive:
            raise ValueError(f"the worker {worker.name} takes jobs only while it is entered")
        book = self._book
        with book.change():
            book.return_orphans(worker.name)
            row = book.next(batch, group) if group else None
            row = row or book.next(batch)
            if row is None:
                return None
            book.begin_attempt(row, worker.name)
            return book.job(row["id"])

    def done(self, job: Job, figures: Mapping[str, Any]) -> Job:
        """It is finished."""
        book = self._book
        with book.change():
            if row := book.of_attempt(job):
                kept = written(figures)
                book.end_attempt(row, "done", figures=kept)
                book.move(row, "done", error="", figures=kept, finished=time.time())
            return book.job(job.id)

    def failed(self, job: Job, error: str, *, again: bool = True) -> Job:
        """It failed: it waits again while attempts are left and ``again``, else it has failed."""
        book = self._book
        with book.change():
            if row := book.of_attempt(job):
                words = clean(error)
                book.end_attempt(row, "failed", words)
                if again and row["attempts"] <= row["retries"]:
                    book.move(row, "waiting", words)
                else:
                    book.move(row, "failed", words, finished=time.time())
            return book.job(job.id)

    def parked(self, job: Job) -> Job:
        """It was stopped on purpose: it waits again, and the attempt doesn't count."""
        book = self._book
        with book.change():
            if row := book.of_attempt(job):
                book.end_attempt(row, "parked")
                book.move(row, "waiting", row["error"], attempts=row["attempts"] - 1)
            return book.job(job.id)

    def cancel(self, ids: Iterable[int]) -> list[Job]:
        """Take jobs that wait or run out of the queue; others stay as they are."""
        book = self._book
        with book.change():
            rows = [book.row(id) for id in dict.fromkeys(ids)]
            for row in rows:
                if row["state"] == "running":
                    book.end_attempt(row, "cancelled")
                if row["state"] in ("waiting", "running"):
                    book.move(row, "cancelled", row["error"], finished=time.time())
            return [book.job(row["id"]) for row in rows]

    def retry(self, ids: Iterable[int]) -> list[Job]:
        """Let jobs that failed, or were quarantined or cancelled, or lost their worker, wait anew."""
        book = self._book
        with book.change():
            rows = [book.row(id) for id in dict.fromkeys(ids)]
            dead = book.dead({row["worker"] for row in rows if row["state"] == "running"})
            for row in rows:
                if row["state"] == "running" and row["worker"] in dead:
                    book.end_attempt(row, "ended", ENDED)
                    book.anew(row)
                elif row["state"] in ("failed", "quarantined", "cancelled"):
                    book.anew(row)
            return [book.job(row["id"]) for row in rows]

    def jobs(self, batch: str | None = None, states: Iterable[State] = ()) -> list[Job]:
        """Jobs in the order of adding, all or those of a batch and of these states."""
        wanted = set(states)
        named = [f"state = '{state}'" for state in STATES if state in wanted]
        where, values = [], ()
        if batch is not None:
            where, values = ["batch = ?"], (clean(batch),)
        if named:  # as words, not as values, by which SQLite finds its indices
            where.append(f"({' OR '.join(named)})")
        only = f" WHERE {' AND '.join(where)}" if where else ""

        def read() -> list[sqlite3.Row]:
            return self._book.read(f"SELECT * FROM jobs{only} ORDER BY id", values)

        return self._book.as_they_are(read)

    def job(self, id: int) -> Job:
        """The job of this number."""
        return self._book.as_they_are(lambda: [self._book.row(id)])[0]

    def attempts(self, id: int) -> list[Attempt]:
        """The attempts at a job, the first first."""
        self._book.row(id)
        rows = self._book.read("SELECT * FROM attempts WHERE job = ? ORDER BY number", (id,))
        return [attempt_of(row) for row in rows]

    def batches(self) -> list[str]:
        """All batches, in the order in which they were first added."""
        return [row["batch"] for row in self._book.read("SELECT batch FROM jobs GROUP BY batch ORDER BY min(id)")]

    def counts(self, batch: str | None = None) -> dict[State, int]:
        """How many jobs there are in each state, zeros included."""
        of_batch, values = ("", ()) if batch is None else (" WHERE batch = ?", (clean(batch),))
        rows = self._book.read(f"SELECT state, count(*) AS n FROM jobs{of_batch} GROUP BY state", values)
        found = {row["state"]: row["n"] for row in rows}
        return {state: found.get(state, 0) for state in STATES}

    def asked_to_stop(self, job: Job) -> bool:
        """Whether this attempt isn't wanted any more: its job was cancelled, or is another's by now."""
        return self._book.of_attempt(job) is None
