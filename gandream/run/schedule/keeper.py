"""What becomes of schedules: batches run one at a time, and each change of a state is kept, written down and told."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gandream.base.clock import duration
from gandream.base.errors import GandreamError
from gandream.base.files import machine, temporary_beside
from gandream.run.jobs.events import append, stamp
from gandream.run.schedule.rhythm import now, spoken_length
from gandream.run.schedule.runs import Outcome, run
from gandream.run.schedule.store import Schedule, Schedules

if TYPE_CHECKING:
    from gandream.run.hooks import Hooks

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


class Keeper:
    """Runs batches one at a time, as they share a machine, and keeps what became of them unless ``kept`` is false."""

    def __init__(
        self, schedules: Schedules, tell: Tell, stop: Callable[[], bool], command: Sequence[str], kept: bool = True
    ):
        self.schedules, self._tell, self.stop, self.command, self.kept = schedules, tell, stop, command, kept
        self._turn = threading.Lock()
        self._running: dict[str, str] = {}
        self._waiting: set[str] = set()
        self._hooks: dict[Path, Hooks] = {}
        """Of each batch file, as it could be read last; never kept on the disk, where others might write."""
        self._telling: list[threading.Thread] = []
        self._trouble = ""

    def trouble(self, words: str) -> None:
        """What keeps the scheduler from its work, said once; nothing where it works."""
        if words and words != self._trouble:
            self._write(Change("trouble", "", self.schedules.file, now(), {"error": words}))
        self._trouble = words

    def due(self, schedule: Schedule, due: datetime) -> None:
        """The time of a schedule has come; it is run as it is kept now, or as given where that can't be read now."""
        try:
            schedules = self.schedules.all()
        except GandreamError as error:
            self.trouble(str(error))
            schedules = [schedule]
        for one in schedules:
            if one.name == schedule.name:
                self.run(one, due)

    def run(self, schedule: Schedule, due: datetime) -> Outcome:
        """Run a batch, after those that run."""
        if not self._turn.acquire(blocking=False) and not self._waited(schedule, due):
            return Outcome("parked", 0.0)
        try:
            return self._run(schedule, due)
        finally:
            self._turn.release()

    def _waited(self, schedule: Schedule, due: datetime) -> bool:
        """Wait for those that run; gives whether it is its turn now, and false after a stop."""
        self._waiting.add(schedule.name)
        try:
            self._keep(schedule.name, "waiting", due=due.timestamp(), seen=now().timestamp())
            self._said("waiting", schedule, due)
            while not self._turn.acquire(timeout=0.2):
                if self.stop():
                    self._keep(schedule.name, "parked", seen=now().timestamp())
                    self._said("parked", schedule, due)
                    return False
            return True
        finally:
            self._waiting.discard(schedule.name)

    def _run(self, schedule: Schedule, due: datetime) -> Outcome:
        began = now().timestamp()
        self._hooks_of(schedule)
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
        if outcome.state == "failed" and "counts" not in outcome.facts:  # else the batch itself told of it
            self._tell_hooks("failed", schedule, due, outcome.error, outcome)
        return outcome

    def learn(self) -> None:
        """Read the hooks of batches that are new."""
        for schedule in self.schedules.all():
            if schedule.batch not in self._hooks:
                self._hooks_of(schedule)

    def _hooks_of(self, schedule: Schedule) -> Hooks:
        # Not at the top: a list of what is kept needs no recipes' language.
        from gandream.run.batch.file import read_batch
        from gandream.run.hooks import Hooks

        try:
            self._hooks[schedule.batch] = read_batch(schedule.batch)
        except (GandreamError, OSError):  # a recipe has none; and of a file with a mistake, those before it count
            self._hooks.setdefault(schedule.batch, Hooks())
        return self._hooks[schedule.batch]

    def _tell_hooks(
        self, state: str, schedule: Schedule, due: datetime, error: str, outcome: Outcome | None = None
    ) -> None:
        """The batch's ``on_failure``, where the batch itself didn't come to where it does that."""
        from gandream.run.hooks import run_hooks

        event: dict[str, Any] = {"event": "failure", "batch": schedule.name, "state": state, "error": error}
        event["due"] = due.astimezone(schedule.rhythm.zone).isoformat(timespec="seconds")
        if outcome is not None:
            event |= {"seconds": round(outcome.seconds, 3), "log": str(outcome.log)}
        run_hooks(
            self._hooks_of(schedule),
            event,
            lambda words: self._said("note", schedule, due, error=words),
            folder=schedule.folder if schedule.folder.is_dir() else None,
        )

    def missed(self, name: str, due: datetime) -> None:
        """It was too late to begin."""
        if schedule := self._named(name):
            self._keep(name, "missed", due=due.timestamp())
            late, allowed = duration(now().timestamp() - due.timestamp()), spoken_length(schedule.grace_s)
            self._say_missed(schedule, due, f"{late} late; {allowed} are allowed")

    def _say_missed(self, schedule: Schedule, due: datetime, error: str) -> None:
        self._said("missed", schedule, due, error=error)
        self._tell_hooks("missed", schedule, due, error)

    def skipped(self, name: str, due: datetime) -> None:
        """The run before this one isn't at its end."""
        if schedule := self._named(name):
            self._said("skipped", schedule, due, error="the run before it isn't at its end")

    def broken(self, name: str, due: datetime, error: BaseException) -> None:
        """A run couldn't even be begun."""
        if schedule := self._named(name):
            self._keep(name, "failed", due=due.timestamp())
            words = str(error) or type(error).__name__
            self._said("failed", schedule, due, error=words)
            self._tell_hooks("failed", schedule, due, words)

    def _named(self, name: str) -> Schedule | None:
        with self._troubled():
            return next((one for one in self.schedules.all() if one.name == name), None)
        return None

    def _keep(self, name: str, state: str, **times: float | None) -> None:
        """Keep a state if it can be kept: what can't be written stops no film."""
        if self.kept:
            with self._troubled():
                self.schedules.set_state(name, state, **times)

    @contextlib.contextmanager
    def _troubled(self) -> Iterator[None]:
        try:
            yield
        except GandreamError as error:
            self.trouble(str(error))

    def go_on(self) -> None:
        """Runs that were parked, or ended with their scheduler, go on at once, unless that is long ago."""
        moment = now()
        for schedule in self.schedules.all():
            if schedule.state not in ("running", "waiting", "parked"):
                continue
            due = datetime.fromtimestamp(schedule.due or schedule.next.timestamp(), moment.tzinfo)
            if moment.timestamp() - (schedule.seen or 0) <= schedule.grace_s:
                self.schedules.set_next(schedule, moment)
                self._said("goes on", schedule, due)
            else:
                self._keep(schedule.name, "missed")
                words = "it was stopped, and that is longer ago than the grace time"
                # Beside, since others are waiting for their time: an address that doesn't answer may take a minute.
                thread = threading.Thread(target=self._say_missed, args=(schedule, due, words))
                thread.start()
                self._telling.append(thread)

    def finish(self) -> None:
        """Wait for what is being told."""
        for thread in self._telling:
            thread.join()

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
        for name in (*self._running, *self._waiting):
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
        self._write(Change(state, schedule.name, schedule.batch, due.astimezone(schedule.rhythm.zone), facts))

    def _write(self, change: Change) -> None:
        append(self.schedules.folder, **change.plain())
        with contextlib.suppress(OSError, ValueError):  # whoever read it is gone, which stops no film
            self._tell(change)
