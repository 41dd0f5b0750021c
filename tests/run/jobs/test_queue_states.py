"""The states of jobs as a machine: whatever is done in whatever order, the queue does what a plain model does."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hands import replayed, task
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gandream.run.jobs.queue import Queue, Worker
from gandream.run.jobs.records import Job

NAMES = ("a", "b", "c")
WORKERS = (0, 1)
RETRIES = 1


@dataclass
class Known:
    """What the model knows of a job."""

    id: int
    key: str
    state: str = "waiting"
    attempts: int = 0
    attempt: int = 0
    worker: Any = None


class Machine(RuleBasedStateMachine):
    """A queue, and beside it what it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.queues = [Queue(self.folder), Queue(self.folder)]
        self.workers = {at: Worker(self.folder).__enter__() for at in WORKERS}
        self.jobs: dict[str, Known] = {}
        self.handles: list[Job] = []

    def teardown(self) -> None:
        for worker in self.workers.values():
            worker.__exit__(None, None, None)
        for queue in self.queues:
            queue.close()
        shutil.rmtree(self.folder)

    def dead(self, job: Known) -> bool:
        return job.state == "running" and job.worker not in self.workers.values()

    @rule(at=st.sampled_from((0, 1)), asked=st.dictionaries(st.sampled_from(NAMES), st.sampled_from("xy")))
    def add(self, at: int, asked: dict[str, str]) -> None:
        found = self.queues[at].add("night", [task(name, key, retries=RETRIES) for name, key in asked.items()])
        for name, key in asked.items():
            if name not in self.jobs:
                self.jobs[name] = Known(len(self.jobs) + 1, key)
                continue
            job = self.jobs[name]
            if job.key == key and (job.state == "done" or (job.state == "running" and not self.dead(job))):
                continue
            self.jobs[name] = replace(job, key=key, state="waiting", attempts=0)
        for name, job in self.jobs.items():
            if name not in asked and job.state == "waiting":
                job.state = "cancelled"
        assert [job.id for job in found] == [self.jobs[name].id for name in asked]

    @rule(at=st.sampled_from(WORKERS))
    def take(self, at: int) -> None:
        for job in self.jobs.values():
            if self.dead(job):
                job.state = "waiting" if job.attempts <= RETRIES else "quarantined"
        waiting = sorted((job.attempts, job.id) for job in self.jobs.values() if job.state == "waiting")
        taken = self.queues[at].take(self.workers[at], "night")
        assert (taken.id if taken else None) == (waiting[0][1] if waiting else None)
        if taken:
            self.handles.append(taken)
            job = self.jobs[taken.task.name]
            job.state, job.worker = "running", self.workers[at]
            job.attempts, job.attempt = job.attempts + 1, job.attempt + 1

    def holding(self, chosen: int) -> tuple[Job | None, Known | None]:
        """A job as somebody has it in his hands, which may be out of date, and what is to change then."""
        if not self.handles:
            return None, None
        handle = self.handles[chosen % len(self.handles)]
        job = self.jobs[handle.task.name]
        return handle, job if job.state == "running" and job.attempt == handle.attempt else None

    @rule(at=st.sampled_from((0, 1)), chosen=st.integers(0, 9), how=st.sampled_from(("done", "failed", "no", "parked")))
    def give_back(self, at: int, chosen: int, how: str) -> None:
        handle, job = self.holding(chosen)
        if handle is None:
            return
        assert self.queues[at].asked_to_stop(handle) == (job is None)
        if how == "done":
            after = self.queues[at].done(handle, {"x": 1})
        elif how == "parked":
            after = self.queues[at].parked(handle)
        else:
            after = self.queues[at].failed(handle, "broken", again=how == "failed")
        if job is not None:
            if how == "parked":
                job.state, job.attempts = "waiting", job.attempts - 1
            elif how == "done":
                job.state = "done"
            else:
                job.state = "waiting" if how == "failed" and job.attempts <= RETRIES else "failed"
        assert after.state == self.jobs[handle.task.name].state

    @rule(at=st.sampled_from((0, 1)), name=st.sampled_from(NAMES), what=st.sampled_from(("cancel", "retry")))
    def ask(self, at: int, name: str, what: str) -> None:
        if name not in self.jobs:
            return
        job = self.jobs[name]
        if what == "cancel":
            self.queues[at].cancel([job.id])
            job.state = "cancelled" if job.state in ("waiting", "running") else job.state
        else:
            self.queues[at].retry([job.id])
            if job.state in ("failed", "quarantined", "cancelled") or self.dead(job):
                job.state, job.attempts = "waiting", 0

    @rule(at=st.sampled_from(WORKERS))
    def die(self, at: int) -> None:
        self.workers[at].__exit__(None, None, None)
        self.workers[at] = Worker(self.folder).__enter__()

    @rule(at=st.sampled_from((0, 1)))
    def open_again(self, at: int) -> None:
        self.queues[at].close()
        self.queues[at] = Queue(self.folder)

    @invariant()
    def as_the_model_says(self) -> None:
        found = {job.task.name: job for job in self.queues[0].jobs()}
        told = {name: (job.id, job.state, job.attempts, job.attempt, job.orphaned) for name, job in found.items()}
        assert told == {
            name: (job.id, job.state, job.attempts, job.attempt, self.dead(job)) for name, job in self.jobs.items()
        }
        for name, job in self.jobs.items():
            tries = self.queues[1].attempts(job.id)
            assert [one.number for one in tries] == list(range(1, job.attempt + 1))
            open_ones = [one.number for one in tries if not one.outcome]
            assert open_ones == ([job.attempt] if job.state == "running" else []), name
        if self.jobs:
            assert replayed(self.folder) == {job.id: job.state for job in self.jobs.values()}
        assert sum(self.queues[1].counts().values()) == len(self.jobs)


Machine.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestStates = Machine.TestCase
