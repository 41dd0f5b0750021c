"""Jobs and attempts as rows of the database, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from gandream.run.jobs.folder import log_file
from gandream.run.jobs.records import Attempt, Job, Task

_FIELDS = {field.name for field in fields(Task)}


def clean(text: str) -> str:
    """Text that a database takes: names of files may hold bytes that are no letters."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def written(value: Mapping[str, Any]) -> str:
    """As JSON; what JSON doesn't know is told in words."""
    return json.dumps(dict(value), default=str)


def task_written(task: Task) -> str:
    """All of a task."""
    return written(asdict(task))


def columns(batch: str, task: Task) -> dict[str, Any]:
    """What a row holds of a task."""
    return {
        "batch": clean(batch),
        "name": clean(task.name),
        "task": task_written(task),
        "key": clean(task.key),
        "family": clean(task.group),
        "retries": max(0, task.retries),
    }


def job_of(row: sqlite3.Row, folder: Path, orphaned: bool = False) -> Job:
    """The job of a row."""
    said = {name: value for name, value in json.loads(row["task"]).items() if name in _FIELDS}
    task = Task(**{**said, "overrides": tuple(said.get("overrides", ()))})
    same = ("id", "batch", "state", "attempts", "created", "started", "finished", "worker", "error", "attempt")
    return Job(
        **{name: row[name] for name in same},
        task=task,
        figures=json.loads(row["figures"]),
        log=str(log_file(folder, row["id"])),
        orphaned=orphaned,
    )


def attempt_of(row: sqlite3.Row) -> Attempt:
    """The attempt of a row."""
    same = ("job", "number", "worker", "started", "finished", "outcome", "error")
    return Attempt(**{name: row[name] for name in same}, figures=json.loads(row["figures"]))
