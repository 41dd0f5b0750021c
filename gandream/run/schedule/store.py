"""What is kept of schedules: plain numbers and texts in one SQLite file, ``schedule.sqlite3`` in the queue's folder.

APScheduler's own stores for SQLite keep pickled objects, and reading a pickle runs what its writer wanted. Here a row
is read as data, checked as if it had been typed, and nothing in the file is ever executed: so the standard library's
sqlite3 is all that is needed. Every function is one transaction, and safe beside others and at a kill.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gandream.base.errors import OutputError, did_you_mean
from gandream.base.files import writable_folder
from gandream.run.jobs.folder import ELSEWHERE
from gandream.run.schedule.cron import parse_cron
from gandream.run.schedule.errors import ScheduleError
from gandream.run.schedule.rhythm import ByCron, Every, Rhythm
from gandream.run.schedule.zones import UTC, zone_named

WAIT_S = 20.0
"""How long one who wants to write waits for another."""
GRACE_S = 3600.0
STATES = ("", "waiting", "running", "done", "failed", "missed", "skipped", "parked")
_TABLE = """CREATE TABLE IF NOT EXISTS schedules (
    name TEXT PRIMARY KEY, batch TEXT NOT NULL UNIQUE, folder TEXT NOT NULL, cron TEXT NOT NULL, every REAL NOT NULL,
    since REAL NOT NULL, zone TEXT NOT NULL, grace REAL NOT NULL, next REAL NOT NULL, revision INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT '', due REAL, began REAL, seen REAL, ended REAL)"""


@dataclass(frozen=True)
class Schedule:
    """A batch with its times.

    Args:
        name: unique in its store, for logs.
        batch: absolute path of the batch file, or of a recipe.
        folder: in which it is run, as if the command had been typed there.
        rhythm: when.
        grace_s: seconds by which a run may be late; one that is later is missed.
        next: the moment of the next run, in UTC; it may have passed.
        revision: raised each time that it is put anew.
        state: of the last run.
        due, began, seen, ended: of the last run: when it should have begun, when it did, when it was last seen alive,
            when it came to its end; seconds since 1970, or None.
    """

    name: str
    batch: Path
    folder: Path
    rhythm: Rhythm
    grace_s: float
    next: datetime
    revision: int = 0
    state: str = ""
    due: float | None = None
    began: float | None = None
    seen: float | None = None
    ended: float | None = None


def schedule_file(folder: Path) -> Path:
    """The database."""
    return folder / "schedule.sqlite3"


class Schedules:
    """All schedules of a folder."""

    def __init__(self, folder: Path):
        self.folder, self.file = folder, schedule_file(folder)

    def put(self, batch: Path, folder: Path, rhythm: Rhythm, grace_s: float, moment: datetime) -> tuple[Schedule, bool]:
        """Keep a schedule, instead of another one of the same batch; gives it, and whether there was such."""
        writable_folder(self.folder, ELSEWHERE)
        first = rhythm.after(moment).timestamp()
        cron = rhythm.cron.text if isinstance(rhythm, ByCron) else ""
        every = (rhythm.seconds, rhythm.since.timestamp()) if isinstance(rhythm, Every) else (0.0, 0.0)
        told = (str(folder), cron, *every, rhythm.zone.key, grace_s, first)
        with self._open() as base:
            base.execute("BEGIN IMMEDIATE")
            row = base.execute("SELECT name, revision FROM schedules WHERE batch = ?", (str(batch),)).fetchone()
            name = (
                row["name"]
                if row
                else _free(batch, {one["name"] for one in base.execute("SELECT name FROM schedules")})
            )
            base.execute(
                "INSERT INTO schedules (name, batch, folder, cron, every, since, zone, grace, next, revision)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (name) DO UPDATE SET folder = excluded.folder,"
                " cron = excluded.cron, every = excluded.every, since = excluded.since, zone = excluded.zone,"
                " grace = excluded.grace, next = excluded.next, revision = revision + 1",
                (name, str(batch), *told),
            )
            found = base.execute("SELECT * FROM schedules WHERE name = ?", (name,)).fetchone()
            base.execute("COMMIT")
        return _schedule(found), row is not None

    def all(self, broken: list[str] | None = None) -> list[Schedule]:
        """All of them by their next runs; what can't be read is left out, and said in ``broken``."""
        if not self.file.is_file():
            return []
        found: list[Schedule] = []
        with self._open() as base:
            rows = base.execute("SELECT * FROM schedules ORDER BY next, name").fetchall()
        for row in rows:
            try:
                found.append(_schedule(row))
            except (ScheduleError, ValueError, TypeError, OverflowError, OSError) as error:
                if broken is not None:
                    broken.append(f"schedule {row['name']!r} in {self.file} can't be read: {error}")
        return found

    def find(self, batch: Path) -> Schedule:
        """The schedule of a batch, by its file or its name; ScheduleError names those that there are."""
        there = self.all()
        path = Path(os.path.abspath(batch))
        for one in there:
            if one.batch == path or one.name == str(batch):
                return one
        names = [one.name for one in there]
        hint = did_you_mean(name_of(path), names) or (f"There is: {', '.join(names)}." if names else "")
        hint = hint or 'Give it one: --cron "0 3 * * *"'
        raise ScheduleError(str(batch), "has no schedule", hint)

    def remove(self, name: str) -> bool:
        """Forget one; gives whether there was such, be it one that can't be read."""
        if not self.file.is_file():
            return False
        with self._open() as base:
            return base.execute("DELETE FROM schedules WHERE name = ?", (name,)).rowcount > 0

    def free_name(self, batch: Path) -> str:
        """A name for a batch that no schedule has."""
        return _free(batch, {one.name for one in self.all()})

    def set_next(self, schedule: Schedule, moment: datetime, *, anew: bool = False) -> None:
        """Set the next run, unless it was put anew meanwhile, or removed; ``anew`` as if it had been put."""
        with self._open() as base:
            base.execute(
                "UPDATE schedules SET next = ?, revision = revision + ? WHERE name = ? AND revision = ?",
                (moment.timestamp(), int(anew), schedule.name, schedule.revision),
            )

    def set_seen(self, name: str, seconds: float) -> None:
        """A run that isn't at its end, or waits for its turn, is alive."""
        with self._open() as base:
            base.execute(
                "UPDATE schedules SET seen = ? WHERE name = ? AND state IN ('running', 'waiting')", (seconds, name)
            )

    def set_state(self, name: str, state: str, **times: float | None) -> None:
        """Set the state of the last run, and of its times those that are given."""
        assert state in STATES, state
        assert set(times) <= {"due", "began", "seen", "ended"}, times
        words = "".join(f", {word} = ?" for word in times)
        with self._open() as base:
            base.execute(f"UPDATE schedules SET state = ?{words} WHERE name = ?", (state, *times.values(), name))

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with contextlib.closing(sqlite3.connect(self.file, timeout=WAIT_S, isolation_level=None)) as base:
                base.row_factory = sqlite3.Row
                if base.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                    base.execute("PRAGMA journal_mode = WAL")
                base.execute(_TABLE)
                yield base
        except sqlite3.Error as error:
            hint = "Move it away if it is damaged: then schedules are put anew." if "locked" not in str(error) else ""
            raise OutputError(str(self.file), f"can't be read or written: {error}", hint or ELSEWHERE) from error


def name_of(batch: Path) -> str:
    """What a batch's schedule is called: as its file."""
    return re.sub(r"[^\w.+=-]+", "_", re.sub(r"[._-]?batch$", "", batch.stem) or batch.stem).strip("._") or "batch"


def _free(batch: Path, taken: set[str]) -> str:
    """A name for a batch that no other has."""
    stem = name_of(batch)
    names = [stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def _schedule(row: Any) -> Schedule:
    """A row as what it means; an error where it can't have been written here."""
    place = f"schedule {row['name']}"
    zone = zone_named(str(row["zone"]), place)
    moment = datetime.fromtimestamp(float(row["next"]), UTC)
    rhythm: Rhythm
    if row["cron"]:
        rhythm = ByCron(parse_cron(str(row["cron"]), place), zone)
    else:
        rhythm = Every(float(row["every"]), datetime.fromtimestamp(float(row["since"]), UTC), zone)
    for path in (row["batch"], row["folder"]):
        if not isinstance(path, str) or "\0" in path or not Path(path).is_absolute():
            raise ValueError(f"{path!r} is no absolute path")
    if not re.fullmatch(r"[\w.+=-]{1,255}", str(row["name"])):
        raise ValueError("this is no name")
    state = row["state"] if row["state"] in STATES else ""
    times = {word: None if row[word] is None else float(row[word]) for word in ("due", "began", "seen", "ended")}
    places = (Path(row["batch"]), Path(row["folder"]))
    return Schedule(
        row["name"], *places, rhythm, max(1.0, float(row["grace"])), moment, int(row["revision"]), state, **times
    )
