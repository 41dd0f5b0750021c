"""The process that starts batches at their times, until it is stopped."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gandream.base.errors import GandreamError
from gandream.base.files import writable_folder
from gandream.base.locks import take
from gandream.run.jobs.folder import ELSEWHERE
from gandream.run.schedule.errors import ScheduleError
from gandream.run.schedule.keeper import Keeper, Tell
from gandream.run.schedule.rhythm import now
from gandream.run.schedule.runs import BATCH, Outcome
from gandream.run.schedule.store import Schedule, Schedules
from gandream.run.schedule.zones import INSTALL

if TYPE_CHECKING:
    from gandream.run.schedule.machinery import Scheduler

BEAT_S = 5.0
"""How often the clock and the store are looked at, and a sign of life is given."""


def is_served(folder: Path) -> bool:
    """Whether a scheduler serves this folder."""
    if not folder.is_dir():
        return False
    try:
        lock = take(folder / "schedule.lock")
    except OSError:  # another's folder, that can only be read
        return False
    if lock is not None:
        lock.release()
    return lock is None


def once(
    schedule: Schedule, folder: Path, tell: Tell, stop: Callable[[], bool], command: Sequence[str] = BATCH
) -> Outcome:
    """Run a schedule's batch now, as it would be at its time; it needn't be kept, and what is kept stays as it is."""
    keeper = Keeper(Schedules(writable_folder(folder, ELSEWHERE)), tell, stop, command, kept=False)
    return keeper.run(schedule, now())


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
        keeper = Keeper(Schedules(folder), tell, stop.is_set, command)
        keeper.go_on()
        store = Store(keeper.schedules, keeper.due, lambda one: max(1, round(one.grace_s)))
        _loop(Scheduler(store, keeper.missed, keeper.skipped, keeper.broken), keeper, stop)
    finally:
        lock.release()
    return True


def _loop(scheduler: Scheduler, keeper: Keeper, stop: threading.Event) -> None:
    scheduler.start()
    try:
        while not stop.is_set():
            wait = BEAT_S
            try:
                keeper.mend_clock()
                keeper.learn()
                wait = min(wait, max(scheduler.look() or wait, 0.01))
                keeper.beat()
                keeper.trouble("")
            except (GandreamError, OSError) as error:  # a full disk, a store that is locked: it may be well again
                keeper.trouble(str(error))
            stop.wait(wait)
    finally:
        stop.set()
        scheduler.shutdown()
        keeper.finish()
        with contextlib.suppress(GandreamError, OSError):
            keeper.beat("stopped")
