"""One run of a batch: ``gandream batch`` in a process of its own.

Not in this process, as it could be. A crash in a model's code, or the system's end to what takes all memory, ends that
run alone; all memory goes back after it; a scheduler that lives for months stays small and holds no GPU; a new gandream
and the batch file as it is then are taken at each run; and it is parked as by hand, by a signal.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gandream.run.schedule.store import Schedule

BATCH = (sys.executable, "-m", "gandream", "batch")
LOOK_S = 0.2
PARK_S = 30.0
"""How long a run that was asked to park may take, before it is ended."""
KEPT_LOGS = 20
STOPPED = (130, 143)
RUNS_ALREADY = "running already"
"""What a batch says whose lock is held."""
_APART = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)


@dataclass(frozen=True)
class Outcome:
    """How a run came out.

    Args:
        state: done; failed; parked, stopped on purpose; skipped, as the batch runs already elsewhere.
        status: of its process; negative where a signal ended it.
        facts: what the batch says of itself: counts of films by state, its report.
        error: why it failed, in a line.
    """

    state: str
    seconds: float
    status: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    log: Path = field(default_factory=Path)


def run(schedule: Schedule, jobs: Path, stop: Callable[[], bool], command: Sequence[str] = BATCH) -> Outcome:
    """Run a batch and wait for it; as soon as ``stop`` says so it is asked to park. ``jobs`` is the queue's folder."""
    began = time.monotonic()
    log = _log(jobs, schedule.name)
    told = log.with_suffix(".json")
    environment = {**os.environ, "GANDREAM_JOBS": os.path.abspath(jobs)}
    # What lies in its folder is no part of the program; Python before 3.11 doesn't know this word.
    environment["PYTHONSAFEPATH"] = "1"
    with open(log, "wb") as said, open(told, "wb") as answer:
        try:
            process = subprocess.Popen(
                [*command, str(schedule.batch), "--json"],
                cwd=schedule.folder,
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=said,
                env=environment,
                start_new_session=True,  # the terminal's Ctrl-C is for the scheduler, which then parks this
                creationflags=_APART,
            )
        except OSError as error:
            told.unlink(missing_ok=True)
            problem = f"can't be run in {schedule.folder}: {error.strerror}"
            return Outcome("failed", time.monotonic() - began, 1, {}, problem, log)
        try:
            parked = _watch(process, stop)
        except BaseException:
            _end(process)
            raise
    return _outcome(process.returncode, parked, time.monotonic() - began, told, log)


def _watch(process: subprocess.Popen[bytes], stop: Callable[[], bool]) -> bool:
    """Wait for its end; gives whether it was asked to park."""
    asked = None
    while process.poll() is None:
        if asked is None and stop():
            asked = time.monotonic()
            process.terminate()
        if asked is not None and time.monotonic() - asked > PARK_S:
            process.kill()  # finished segments are kept even so
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_S)
    return asked is not None


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(PARK_S)
    process.kill()


def _outcome(status: int, parked: bool, seconds: float, told: Path, log: Path) -> Outcome:
    answer: Any = {}
    with contextlib.suppress(OSError, ValueError):
        answer = json.loads(told.read_text("utf-8"))
    told.unlink(missing_ok=True)
    answer = answer if isinstance(answer, dict) else {}
    error = answer.get("error")
    facts = {word: answer[word] for word in ("counts", "report") if word in answer}
    if status == 0:
        return Outcome("done", seconds, 0, facts, "", log)
    if parked or status in STOPPED:
        return Outcome("parked", seconds, status, facts, "", log)
    if isinstance(error, dict):
        problem = f"{error.get('where', '')}: {error.get('problem', '')}"
        # Its lock is held: by hand, or by a run whose scheduler was killed.
        state = "skipped" if RUNS_ALREADY in problem else "failed"
        return Outcome(state, seconds, status, facts, problem, log)
    return Outcome("failed", seconds, status, facts, _why(status, facts, log), log)


def _why(status: int, facts: Mapping[str, Any], log: Path) -> str:
    counts = facts.get("counts")
    if status == 1 and isinstance(counts, dict):
        bad = sum(number for state, number in counts.items() if state != "done" and isinstance(number, int))
        return f"{bad} of {sum(counts.values())} films failed"
    last = ""
    with contextlib.suppress(OSError):
        lines = log.read_text("utf-8", "replace").strip().splitlines()
        last = f": {lines[-1].strip()[:300]}" if lines else ""
    return (f"its process was ended by signal {-status}" if status < 0 else f"ended with status {status}") + last


def _log(jobs: Path, name: str) -> Path:
    """A new log for a run; the oldest ones of this schedule go."""
    folder = jobs / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    taken = sorted(folder.glob(f"schedule-{name}-????????-??????*.log"))
    for old in taken[: max(0, len(taken) - KEPT_LOGS + 1)]:
        with contextlib.suppress(OSError):
            old.unlink()
        with contextlib.suppress(OSError):  # the answer of a run whose scheduler was killed
            old.with_suffix(".json").unlink()
    log = folder / f"schedule-{name}-{stamp}.log"
    number = 1
    while log.exists():
        number += 1
        log = folder / f"schedule-{name}-{stamp}.{number}.log"
    return log
