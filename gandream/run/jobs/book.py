"""The rows below the queue, and the only ways in which they change."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gandream.base.errors import GandreamError
from gandream.run.jobs.events import bring, line
from gandream.run.jobs.folder import queue_file
from gandream.run.jobs.records import ENDED, Job, Outcome, State, Task
from gandream.run.jobs.rows import clean, columns, job_of
from gandream.run.jobs.schema import connected, told
from gandream.run.jobs.worker import lives


class Book:
    """The database of one folder, opened; threads of this process may share it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.file = queue_file(folder)
        self.sql = connected(folder)
        self._guard = threading.RLock()
        with self.held():  # what a killed process left untold
            bring(folder, self.sql)

    def close(self) -> None:
        """Let go of the file."""
        with self._guard:
            self.sql.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """A transaction that writes: all of it happens, or nothing. Its events are told afterwards."""
        with self._guard, told(self.file):
            self.sql.execute("BEGIN IMMEDIATE")
            try:
                if bring(self.folder, self.sql):
                    self.sql.execute("DELETE FROM outbox")
                yield
                self.sql.execute("COMMIT")
            except BaseException:
                if self.sql.in_transaction:
                    self.sql.execute("ROLLBACK")
                raise
        with self.held():
            bring(self.folder, self.sql)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have the write lock without writing: what is read, also of locks of workers, is of one moment."""
        with self._guard, told(self.file):
            self.sql.execute("BEGIN IMMEDIATE")
            try:
                yield
            finally:
                if self.sql.in_transaction:
                    self.sql.execute("ROLLBACK")

    def read(self, statement: str, values: Iterable[Any] = ()) -> list[sqlite3.Row]:
        """Rows as they are; one statement alone sees one moment."""
        with self._guard, told(self.file):
            return self.sql.execute(statement, tuple(values)).fetchall()

    def row(self, id: int) -> sqlite3.Row:
        """The row of a job.

        Raises:
            GandreamError: there is no such job.
        """
        found = self.read("SELECT * FROM jobs WHERE id = ?", (id,)) if 0 < id < 1 << 63 else []
        if found:
            return found[0]
        near = self.read("SELECT id FROM jobs ORDER BY abs(id - ?) LIMIT 1", (min(max(id, 0), 1 << 62),))
        hint = f"The nearest is {near[0]['id']}. All are listed by: gandream jobs" if near else "The queue is empty."
        raise GandreamError(str(self.file), f"there is no job {id}", hint)

    def job(self, id: int) -> Job:
        """The job of this number, which isn't asked whether its worker lives."""
        return job_of(self.row(id), self.folder)

    def as_they_are(self, rows: Callable[[], list[sqlite3.Row]]) -> list[Job]:
        """Jobs, those among them told whose worker is no more."""
        found, dead = rows(), set()
        if any(row["state"] == "running" for row in found):
            with self.held():
                found = rows()
                dead = self.dead(row["worker"] for row in found if row["state"] == "running")
        return [job_of(row, self.folder, row["state"] == "running" and row["worker"] in dead) for row in found]

    def dead(self, workers: Iterable[str]) -> set[str]:
        """Those that are no more. With the write lock: who asks holds a worker's lock himself for a moment."""
        return {name for name in set(workers) if not lives(self.folder, name)}

    def of_attempt(self, job: Job) -> sqlite3.Row | None:
        """The job's row, if the attempt that the job tells of is the one that runs."""
        row = self.row(job.id)
        return row if row["state"] == "running" and row["attempt"] == job.attempt else None

    def next(self, batch: str | None, family: str | None = None) -> sqlite3.Row | None:
        """The job that is to be taken next."""
        where, values = ["state = 'waiting'"], []
        for column, value in (("batch", batch), ("family", family)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(clean(value))
        rows = self.read(f"SELECT * FROM jobs WHERE {' AND '.join(where)} ORDER BY attempts, id LIMIT 1", values)
        return rows[0] if rows else None

    def return_orphans(self, asker: str) -> None:
        """Put back what runs with workers that are no more; what outlived too many attempts of that kind stays out."""
        running = self.read("SELECT * FROM jobs WHERE state = 'running' ORDER BY id")
        dead = self.dead(row["worker"] for row in running if row["worker"] != asker)
        for row in running:
            if row["worker"] in dead:
                self.end_attempt(row, "ended", ENDED)
                if row["attempts"] <= row["retries"]:
                    self.move(row, "waiting", ENDED)
                else:
                    self.move(row, "quarantined", ENDED, finished=time.time())

    def insert(self, batch: str, task: Task) -> None:
        """A new job, which waits."""
        values = {**columns(batch, task), "state": "waiting", "created": time.time()}
        marks = ", ".join("?" * len(values))
        made = self.sql.execute(f"INSERT INTO jobs ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
        self._tell(made.lastrowid or 0, values, "", "waiting")

    def anew(self, row: sqlite3.Row, **changed: Any) -> None:
        """Let it wait with all its attempts before it."""
        forgotten = {"attempts": 0, "started": None, "finished": None, "figures": "{}"}
        self.move(row, "waiting", "", **forgotten, **changed)

    def move(self, row: sqlite3.Row, to: State, error: str | None = None, **changed: Any) -> None:
        """Change a job's state, and the columns."""
        values = {"state": to, **({} if error is None else {"error": error}), **changed}
        names = ", ".join(f"{name} = ?" for name in values)
        self.sql.execute(f"UPDATE jobs SET {names} WHERE id = ?", (*values.values(), row["id"]))
        if row["state"] != to:
            self._tell(row["id"], {**dict(row), **values}, row["state"], to)

    def begin_attempt(self, row: sqlite3.Row, worker: str) -> None:
        """A worker has the job from now on."""
        now, number = time.time(), row["attempt"] + 1
        self.sql.execute(
            "INSERT INTO attempts (job, number, worker, started) VALUES (?, ?, ?, ?)", (row["id"], number, worker, now)
        )
        counted = {"attempts": row["attempts"] + 1, "attempt": number}
        self.move(row, "running", **counted, worker=worker, started=now, finished=None)

    def end_attempt(self, row: sqlite3.Row, outcome: Outcome, error: str = "", figures: str = "{}") -> None:
        """The attempt that runs is over."""
        self.sql.execute(
            "UPDATE attempts SET finished = ?, outcome = ?, error = ?, figures = ? WHERE job = ? AND number = ?",
            (time.time(), outcome, error, figures, row["id"], row["attempt"]),
        )

    def _tell(self, id: int, row: dict[str, Any], before: str, to: State) -> None:
        facts = {"batch": row["batch"], "job": id, "name": row["name"], "from": before, "to": to}
        error = "" if to in ("running", "done") else row.get("error", "")  # that of an attempt before this one
        more = {"attempt": row.get("attempt", 0), "worker": row.get("worker", ""), "error": error}
        self.sql.execute("INSERT INTO outbox (line) VALUES (?)", (line(**facts, **more),))
