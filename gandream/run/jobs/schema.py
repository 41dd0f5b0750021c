"""The queue's file: an SQLite database that is opened, made where it isn't there, and never thrown away.

It lives on a disk of this machine: SQLite's log of what is ahead (WAL) is shared memory, which network drives don't
have. Several machines have a queue each.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gandream.base.errors import GandreamError, RenderError
from gandream.base.files import disk_full, writable_folder
from gandream.run.jobs.folder import ELSEWHERE, queue_file

APPLICATION = 0x676E6A71
"""Who wrote the file, as SQLite keeps it in its header: "gnjq"."""
VERSION = 1
"""Of the tables."""
WAIT_S = 60.0
"""How long a process waits for its turn; each one's takes milliseconds."""

TABLES = """
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    batch TEXT NOT NULL,
    name TEXT NOT NULL,
    task TEXT NOT NULL,
    key TEXT NOT NULL,
    family TEXT NOT NULL,
    retries INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL,
    started REAL,
    finished REAL,
    worker TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    figures TEXT NOT NULL DEFAULT '{}',
    UNIQUE (batch, name)
);
CREATE INDEX waiting ON jobs (attempts, id) WHERE state = 'waiting';
CREATE INDEX waiting_of_batch ON jobs (batch, attempts, id) WHERE state = 'waiting';
CREATE INDEX waiting_of_family ON jobs (family, batch, attempts, id) WHERE state = 'waiting';
CREATE INDEX running ON jobs (id) WHERE state = 'running';
CREATE TABLE attempts (
    job INTEGER NOT NULL REFERENCES jobs (id),
    number INTEGER NOT NULL,
    worker TEXT NOT NULL,
    started REAL NOT NULL,
    finished REAL,
    outcome TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    figures TEXT NOT NULL DEFAULT '{}',
    PRIMARY KEY (job, number)
) WITHOUT ROWID;
CREATE TABLE outbox (n INTEGER PRIMARY KEY AUTOINCREMENT, line TEXT NOT NULL);
"""
"""``outbox`` holds the latest changes, until it is sure that they stand in the file of events."""


def connected(folder: Path) -> sqlite3.Connection:
    """The database in this folder, made if need be, ready for many processes.

    Raises:
        GandreamError: there is another file of that name, or one that a newer gandream made.
        RenderError: it is damaged, or can't be kept here.
    """
    path = queue_file(writable_folder(folder, ELSEWHERE))
    with told(path):
        connection = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
        try:
            connection.row_factory = sqlite3.Row
            if not _there(connection, path):
                _make(connection, path)
            # A change is on the disk before anybody acts on it, even if the power fails.
            connection.execute("PRAGMA synchronous = FULL")
        except BaseException:
            connection.close()
            raise
    return connection


def _there(connection: sqlite3.Connection, path: Path) -> bool:
    """The same as `_ours`, of one moment: another process may be making the tables."""
    connection.execute("BEGIN")
    try:
        return _ours(connection, path)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the tables are there; False for an empty file."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application == APPLICATION and 0 < version <= VERSION:
        return True
    if application == APPLICATION and version > VERSION:
        raise GandreamError(
            str(path),
            f"this queue is of a newer gandream: its version is {version}, this one knows {VERSION}",
            f"Update gandream, or {ELSEWHERE}",
        )
    if application or version or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise GandreamError(
            str(path), "this is another program's database, not a queue of renders", f"Move it away, or {ELSEWHERE}"
        )
    return False


def _make(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables, unless another process does it at this very moment."""
    _write_ahead(connection, path)
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _ours(connection, path):
            for statement in TABLES.split(";")[:-1]:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _write_ahead(connection: sqlite3.Connection, path: Path) -> None:
    """Let readers and a writer work side by side; the file remembers it."""
    until = time.monotonic() + WAIT_S
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            break
        except sqlite3.OperationalError as error:  # SQLite doesn't wait here by itself
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)
    if mode != "wal":
        raise RenderError(str(path), "a queue can't be kept here: it needs a disk of this machine", ELSEWHERE)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn SQLite's words into ours. The file stays as it is, whatever is wrong with it."""
    try:
        yield
    except sqlite3.Error as error:
        words = str(error)
        if "disk is full" in words:
            raise disk_full(path) from error
        if "not a database" in words:
            raise GandreamError(str(path), "this is no queue of renders", f"Move it away, or {ELSEWHERE}") from error
        if "malformed" in words or "no such" in words:
            raise RenderError(
                str(path),
                f"the queue is damaged: {words}",
                "Nothing was removed. Move the file away to begin anew: finished films and segments are kept.",
            ) from error
        if "locked" in words or "busy" in words:
            raise RenderError(
                str(path), f"another process kept the queue for itself for {WAIT_S:.0f} s", "Try it again."
            ) from error
        raise RenderError(str(path), f"the queue can't be used: {words}", ELSEWHERE) from error
