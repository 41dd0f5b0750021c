"""The process that starts batches at their times, until it is stopped."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gandream.base.clock import duration
from gandream.base.errors import GandreamError
from gandream.base.files import machine, temporary_beside, writable_folder
from gandream.base.locks import take
from gandream.run.jobs.events import append, stamp
from gandream.run.jobs.folder import ELSEWHERE
from gandream.run.schedule.errors import ScheduleError
from gandream.run.schedule.rhythm import now, spoken_length
from gandream.run.schedule.runs import BATCH, Outcome, run
from gandream.run.schedule.store import Schedule, Schedules
from gandream.run.schedule.zones import INSTALL

if TYPE_CHECKING:
    from gandream.run.schedule.machinery import Scheduler

BEAT_S = 5.0
"""How often the clock and the store are looked at, and a sign of life is given."""
SET_BACK = timedelta(days=1, hours=1)
"""A clock that is further before the last run than this had been wrong then, and wasn't only corrected."""


@dataclass(frozen=True)
class Change:
    """What happened: start, waiting, done, failed, parked, missed, skipped, goes on, clock; a note; trouble."""

    state: str
    name: str
    batch: Path
    due: datetime
    facts: dict[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """For a log."""
        known = {"schedule": self.name, "state": self.state, "batch": str(self.batch)}
        return {**known, "due": self.due.isoformat(timespec="seconds"), **self.facts}


Tell = Callable[[Change], None]


def health_file(folder: Path) -> Path:
    """When the scheduler last gave a sign of life; its own file, since a batch that runs writes ``health.json``."""
    return folder / "schedule.health.json"


def is_served(folder: Path) -> bool:
    """Whether a scheduler serves this folder."""
    if not folder.is_dir():
        return False
    lock = take(folder / "schedule.lock")
    if lock is not None:
        lock.release()
    return lock is None


def once(
    schedule: Schedule, folder: Path, tell: Tell, stop: Callable[[], bool], command: Sequence[str] = BATCH
) -> Outcome:
    """Run a schedule's batch now, as it would be at its time; it needn't be kept."""
    return _Keeper(Schedules(writable_folder(folder, ELSEWHERE)), tell, stop, command).run(schedule, now())


def check_installed() -> None:
    """ScheduleError without APScheduler."""
    try:
        import gandream.run.schedule.machinery  # noqa: F401
    except ImportError as error:
        raise ScheduleError("schedule", f"{error.name or 'apscheduler'} isn't installed", INSTALL) from None


def serve(folder: Path, tell: Tell, stop: threading.Event, command: Sequence[str] = BATCH) -> bool:
    """Run all schedules of a folder at their times until ``stop`` is set; then park what runs.

    Gives False at once if another process serves this folder; ScheduleError without APScheduler.
    """
    check_installed()
    from gandream.run.schedule.machinery import Scheduler, Store

    writable_folder(folder, ELSEWHERE)
    # Twice: is_served, which only looks, holds it for a moment.
    lock = take(folder / "schedule.lock") or (time.sleep(0.3), take(folder / "schedule.lock"))[1]
    if lock is None:
        return False
    try:
        keeper = _Keeper(Schedules(folder), tell, stop.is_set, command)
        keeper.go_on()
        store = Store(keeper.schedules, keeper.due, lambda one: max(1, round(one.grace_s)))
        _loop(Scheduler(store, keeper.missed, keeper.skipped, keeper.broken), keeper, stop)
    finally:
        lock.release()
    return True


def _loop(scheduler: Scheduler, keeper: _Keeper, stop: threading.Event) -> None:
    scheduler.start()
    try:
        while not stop.is_set():
            wait = BEAT_S
            try:
                keeper.mend_clock()
                wait = min(wait, max(scheduler.look() or wait, 0.01))
                keeper.beat()
                keeper.trouble("")
            except (GandreamError, OSError) as error:  # a full disk, a store that is locked: it may be well again
                keeper.trouble(str(error))
            stop.wait(wait)
    finally:
        stop.set()
        scheduler.shutdown()
        with contextlib.suppress(GandreamError, OSError):
            keeper.beat("stopped")


class _Keeper:
    """Runs batches one at a time, as they share a machine, and keeps what became of them."""

    def __init__(self, schedules: Schedules, tell: Tell, stop: Callable[[], bool], command: Sequence[str]):
        self.schedules, self._tell, self.stop, self.command = schedules, tell, stop, command
        self._turn = threading.Lock()
        self._running: dict[str, str] = {}
        self._trouble = ""

    def trouble(self, words: str) -> None:
        """What keeps the scheduler from its work, said once; nothing where it works."""
        if words and words != self._trouble:
            self._tell(Change("trouble", "", self.schedules.file, now(), {"error": words}))
        self._trouble = words

    def due(self, name: str, due: datetime) -> None:
        """The time of a schedule has come."""
        if schedule := self._named(name):
            self.run(schedule, due)

    def run(self, schedule: Schedule, due: datetime) -> Outcome:
        """Run a batch, after those that run."""
        if not self._turn.acquire(blocking=False):
            self._said("waiting", schedule, due)
            while not self._turn.acquire(timeout=0.2):
                if self.stop():
                    self._keep(schedule.name, "parked", due=due.timestamp(), seen=now().timestamp())
                    self._said("parked", schedule, due)
                    return Outcome("parked", 0.0)
        try:
            return self._run(schedule, due)
        finally:
            self._turn.release()

    def _run(self, schedule: Schedule, due: datetime) -> Outcome:
        began = now().timestamp()
        self._running[schedule.name] = stamp(began)
        self._keep(schedule.name, "running", due=due.timestamp(), began=began, seen=began, ended=None)
        self._said("start", schedule, due)
        try:
            outcome = run(schedule, self.schedules.folder, self.stop, self.command)
        except OSError as error:  # a full disk; the next run may find room
            outcome = Outcome("failed", now().timestamp() - began, 1, {}, f"can't be run: {error.strerror or error}")
        finally:
            self._running.pop(schedule.name, None)
        ended = now().timestamp()
        self._keep(schedule.name, outcome.state, seen=ended, ended=ended)
        told: dict[str, Any] = {"seconds": round(outcome.seconds, 1), "status": outcome.status, **outcome.facts}
        told |= {"error": outcome.error} if outcome.error else {}
        told |= {"log": str(outcome.log)} if outcome.log.name else {}
        self._said(outcome.state, schedule, due, **told)
        if outcome.state == "failed" and "counts" not in outcome.facts:
            self._hooks(schedule, due, outcome)
        return outcome

    def _hooks(self, schedule: Schedule, due: datetime, outcome: Outcome) -> None:
        """The batch's ``on_failure``, where the batch itself didn't come to where it does that: it crashed."""
        from gandream.run.batch.file import read_batch
        from gandream.run.hooks import run_hooks

        seconds = round(outcome.seconds, 3)
        event = {"event": "failure", "batch": schedule.name, "error": outcome.error, "seconds": seconds}
        event["log"] = str(outcome.log)
        with contextlib.suppress(GandreamError, OSError):  # one that can't be read has no hooks
            hooks = read_batch(schedule.batch)
            run_hooks(
                hooks, event, lambda words: self._said("note", schedule, due, error=words), folder=schedule.folder
            )

    def missed(self, name: str, due: datetime) -> None:
        """It was too late to begin."""
        if schedule := self._named(name):
            self._keep(name, "missed", due=due.timestamp())
            late, allowed = duration(now().timestamp() - due.timestamp()), spoken_length(schedule.grace_s)
            self._said("missed", schedule, due, error=f"{late} late; {allowed} are allowed")

    def skipped(self, name: str, due: datetime) -> None:
        """The run before this one isn't at its end."""
        if schedule := self._named(name):
            self._said("skipped", schedule, due, error="the run before it isn't at its end")

    def broken(self, name: str, due: datetime, error: BaseException) -> None:
        """A run couldn't even be begun."""
        if schedule := self._named(name):
            self._said("failed", schedule, due, error=str(error) or type(error).__name__)

    def _named(self, name: str) -> Schedule | None:
        return next((one for one in self.schedules.all() if one.name == name), None)

    def _keep(self, name: str, state: str, **times: float | None) -> None:
        """Keep a state if it can be kept: what can't be written stops no film."""
        try:
            self.schedules.set_state(name, state, **times)
        except GandreamError as error:
            self.trouble(str(error))

    def go_on(self) -> None:
        """Runs that were parked, or ended with their scheduler, go on at once, unless that is long ago."""
        moment = now()
        for schedule in self.schedules.all():
            if schedule.state not in ("running", "parked"):
                continue
            due = datetime.fromtimestamp(schedule.due or schedule.next.timestamp(), moment.tzinfo)
            if moment.timestamp() - (schedule.seen or 0) <= schedule.grace_s:
                self.schedules.set_next(schedule, moment)
                self._said("goes on", schedule, due)
            else:
                self._keep(schedule.name, "missed")
                self._said("missed", schedule, due, error="it was stopped, and that is longer ago than the grace time")

    def mend_clock(self) -> None:
        """Where a clock had been far ahead, and a schedule followed it, the schedule follows it back.

        A clock that is corrected a little changes nothing: what has been done at its time isn't done at it again.
        """
        moment = now()
        for schedule in self.schedules.all():
            following = schedule.rhythm.after(moment)
            last = schedule.due
            far = last is None or last - moment.timestamp() > SET_BACK.total_seconds()
            if far and following < schedule.next:
                self._keep(schedule.name, schedule.state, due=None)
                self.schedules.set_next(schedule, following, anew=True)
                self._said("clock", schedule, following, error="the clock was set back: times are counted anew")

    def beat(self, state: str = "serving") -> None:
        """Give a sign of life: the time, what runs, what comes next."""
        seconds = now().timestamp()
        for name in tuple(self._running):
            self.schedules.set_seen(name, seconds)
        coming = {one.name: one.next.isoformat(timespec="seconds") for one in self.schedules.all()}
        told = {"time": stamp(seconds), "seconds": round(seconds, 3), "state": state, "process": os.getpid()}
        told |= {"machine": machine(), "running": dict(self._running), "next": coming}
        path = health_file(self.schedules.folder)
        part = temporary_beside(path)
        try:
            # Not flushed to the disk as films are: it is written every few seconds, and worth nothing after a crash.
            with contextlib.suppress(OSError):
                part.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
                os.replace(part, path)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def _said(self, state: str, schedule: Schedule, due: datetime, **facts: Any) -> None:
        change = Change(state, schedule.name, schedule.batch, due.astimezone(schedule.rhythm.zone), facts)
        append(self.schedules.folder, **change.plain())
        self._tell(change)
