"""What APScheduler is given: our store, our times, a scheduler whose waits are short. Needs the extra ``schedule``."""

# APScheduler has no types: what its methods give is guessed from their empty bodies.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.job import Job
from apscheduler.jobstores.base import BaseJobStore, JobLookupError
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.base import BaseTrigger

from gandream.run.schedule.rhythm import Rhythm
from gandream.run.schedule.store import Schedule, Schedules
from gandream.run.schedule.zones import UTC

MOST_AT_ONCE = 64
_LATE = timedelta(days=2)
ALIAS = "default"
Begin = Callable[[Schedule, datetime], None]
Said = Callable[[str, datetime], None]


class Trigger(BaseTrigger):
    """The moments of a rhythm."""

    def __init__(self, rhythm: Rhythm):
        self.rhythm = rhythm

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The next moment; of those that were missed in a long time, only the last days' are gone through.

        All that were missed become one run, the last: a machine that was off for a year has half a million minutes.
        """
        previous = (previous_fire_time or now).astimezone(UTC)
        recent = now.astimezone(UTC) - _LATE
        if previous < recent and (found := self.rhythm.after(recent)) <= now:
            return found
        return self.rhythm.after(previous)

    def __str__(self) -> str:
        return str(self.rhythm)


class Store(BaseJobStore):
    """Jobs made of our rows when they are asked for: other processes may put and remove schedules at any time."""

    def __init__(self, schedules: Schedules, begin: Begin, grace: Callable[[Schedule], int]):
        super().__init__()
        self.schedules, self.begin, self.grace = schedules, begin, grace
        self._moved: dict[str, tuple[int, datetime]] = {}
        """The next runs that were to be kept, by revision: a disk that is full must not begin a run again and again."""

    def get_due_jobs(self, now: datetime) -> list[Job]:
        """Those whose next run has come."""
        return [self._job(one) for one in self.schedules.all() if self._next(one) <= now]

    def get_next_run_time(self) -> datetime | None:
        """When the next one comes."""
        return min((self._next(one) for one in self.schedules.all()), default=None)

    def get_all_jobs(self) -> list[Job]:
        """All of them, by their next runs."""
        return [self._job(one) for one in self.schedules.all()]

    def lookup_job(self, job_id: str) -> Job | None:
        """One by its name."""
        return next((self._job(one) for one in self.schedules.all() if one.name == job_id), None)

    def update_job(self, job: Job) -> None:
        """Keep its next run; one that was removed meanwhile stays so."""
        schedule: Schedule = job.kwargs["schedule"]
        self._moved[schedule.name] = (schedule.revision, job.next_run_time)
        self.schedules.set_next(schedule, job.next_run_time)

    def _next(self, schedule: Schedule) -> datetime:
        revision, moved = self._moved.get(schedule.name, (0, schedule.next))
        return max(schedule.next, moved) if revision == schedule.revision else schedule.next

    def add_job(self, job: Job) -> None:
        """Schedules are put by commands, not through a scheduler."""
        raise NotImplementedError

    def remove_job(self, job_id: str) -> None:
        """Forget one."""
        if self.lookup_job(job_id) is None:
            raise JobLookupError(job_id)
        self.schedules.remove(job_id)

    def remove_all_jobs(self) -> None:
        """Forget all."""
        for one in self.schedules.all():
            self.schedules.remove(one.name)

    def _job(self, schedule: Schedule) -> Job:
        """A job of a row: what it calls is this program's, and never named by the row."""
        job = Job.__new__(Job)
        job._scheduler, job._jobstore_alias = self._scheduler, self._alias
        state: dict[str, Any] = {
            "id": schedule.name,
            "name": schedule.name,
            "func": self.begin,
            "func_ref": None,
            "args": (),
            "kwargs": {"schedule": schedule, "due": self._next(schedule)},
            "trigger": Trigger(schedule.rhythm),
            "executor": ALIAS,
            "misfire_grace_time": self.grace(schedule),
            "coalesce": True,
            "max_instances": 1,
            "next_run_time": self._next(schedule),
        }
        for word, value in state.items():
            setattr(job, word, value)
        return job


class Executor(ThreadPoolExecutor):
    """A thread for each run, which is told when it should have begun."""

    def __init__(self) -> None:
        super().__init__(MOST_AT_ONCE)

    def _do_submit_job(self, job: Job, run_times: list[datetime]) -> None:
        job.kwargs = {**job.kwargs, "due": run_times[-1]}
        super()._do_submit_job(job, run_times)


class Scheduler(BaseScheduler):
    """APScheduler's, whose clock is looked at often.

    Its own ones sleep until the next run by a clock that only counts. Set the machine's clock, or let it sleep, and
    they come hours late.
    """

    def __init__(
        self, store: Store, missed: Said, skipped: Said, broken: Callable[[str, datetime, BaseException], None]
    ):
        logging.getLogger("apscheduler").addHandler(logging.NullHandler())  # what it says is said by our events
        super().__init__({}, jobstores={ALIAS: store}, executors={ALIAS: Executor()}, timezone=UTC)
        self.woken = threading.Event()
        self.add_listener(lambda event: missed(event.job_id, event.scheduled_run_time), EVENT_JOB_MISSED)
        self.add_listener(lambda event: skipped(event.job_id, event.scheduled_run_times[-1]), EVENT_JOB_MAX_INSTANCES)
        self.add_listener(
            lambda event: broken(event.job_id, event.scheduled_run_time, event.exception), EVENT_JOB_ERROR
        )

    def wakeup(self) -> None:
        """Look at once."""
        self.woken.set()

    def shutdown(self, wait: bool = True) -> None:
        """Begin nothing more, and wait for what runs."""
        super().shutdown(wait)
        self.woken.set()

    def look(self) -> float | None:
        """Begin what is due; gives the seconds until the next run, if there is one."""
        return self._process_jobs()
