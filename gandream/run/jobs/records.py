"""What a queue holds: tasks that were asked for, jobs that they became, and the attempts at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

State = Literal["waiting", "running", "done", "failed", "cancelled", "quarantined"]
STATES: tuple[State, ...] = get_args(State)
Outcome = Literal["", "done", "failed", "cancelled", "parked", "ended"]
"""How an attempt came out: empty while it runs; ``parked`` stopped on purpose, ``ended`` with its process."""

ENDED = "its process ended (killed or crashed)"
"""The error of an attempt whose worker is no more."""


EDITED = "edited"
"""The figure that says of a film that it is of another recipe than its task, which was edited meanwhile."""


@dataclass(frozen=True)
class Task:
    """What is asked for: one render. All of it can be written as JSON.

    Args:
        name: unique within its batch.
        recipe: absolute path of the recipe's file.
        overrides: as ``--set`` takes them.
        out: absolute path of the film, of the first where there are several.
        options: how it is rendered: device, draft, frames, force, strict.
        key: content of all that the render depends on; a job that is done isn't done again for the same key.
        group: what renders share, such as their model: a worker prefers what it has loaded.
        retries: further attempts after a failure or a crash, ≥ 0.
        timeout_s: seconds that an attempt may take, or None.
    """

    name: str
    recipe: str
    overrides: tuple[str, ...] = ()
    out: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    group: str = ""
    retries: int = 1
    timeout_s: float | None = None


@dataclass(frozen=True)
class Job:
    """A task in the queue, as it stood when it was read.

    Args:
        id: its number, in the order of adding; never given again.
        attempts: how many were begun, of those that count: parked ones don't.
        created, started, finished: seconds since 1970 by the clock of the machine that wrote them.
        worker: the name of the one that is at it, or was last.
        error: why its last attempt failed; empty where none did.
        figures: what was measured when it was done.
        log: path of its log file.
        orphaned: it is said to be running, but its worker is no more: whoever takes a job next returns it first.
        attempt: the number of its latest attempt, of all that were begun; 0 before the first.
    """

    id: int
    batch: str
    task: Task
    state: State
    attempts: int
    created: float
    started: float | None
    finished: float | None
    worker: str
    error: str
    figures: Mapping[str, Any]
    log: str
    orphaned: bool = False
    attempt: int = 0


@dataclass(frozen=True)
class Attempt:
    """One worker's try at a job; ``number`` counts from 1, parked ones too."""

    job: int
    number: int
    worker: str
    started: float
    finished: float | None
    outcome: Outcome
    error: str
    figures: Mapping[str, Any]
