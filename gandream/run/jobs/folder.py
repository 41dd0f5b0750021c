"""Where the queue lives, and what lies beside it."""

from __future__ import annotations

import os
from pathlib import Path

from gandream.rendering.store import store_folder

ELSEWHERE = "GANDREAM_JOBS names another folder for the queue."
"""What to do where the queue can't be written."""


def jobs_folder(beside: Path = Path("outputs")) -> Path:
    """The queue's folder: ``GANDREAM_JOBS``, or ``jobs`` in the store of the films' folder."""
    named = os.environ.get("GANDREAM_JOBS")
    return Path(named).expanduser() if named else store_folder(beside) / "jobs"


def queue_file(folder: Path) -> Path:
    """The database."""
    return folder / "queue.sqlite3"


def events_file(folder: Path) -> Path:
    """One JSON line per change of a job's state."""
    return folder / "events.jsonl"


def health_file(folder: Path) -> Path:
    """When the last sign of life came, and of whom."""
    return folder / "health.json"


def lock_file(folder: Path, worker: str) -> Path:
    """What a worker holds for as long as it lives."""
    return folder / "workers" / f"{worker}.lock"


def log_file(folder: Path, job: int) -> Path:
    """What a job's attempts said."""
    return folder / "logs" / f"{job}.log"
