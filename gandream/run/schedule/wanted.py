"""What is asked of a schedule, from words to checked data."""

from __future__ import annotations

import os
from pathlib import Path

from gandream.base.errors import did_you_mean
from gandream.run.batch.file import read_batch
from gandream.run.batch.run import is_batch_file
from gandream.run.lengths import length_s
from gandream.run.schedule.cron import parse_cron
from gandream.run.schedule.errors import ScheduleError
from gandream.run.schedule.rhythm import ByCron, Every, Rhythm, now
from gandream.run.schedule.zones import system_zone, zone_named

MOST_GRACE_S = 30 * 86400.0


def rhythm_of(cron: str | None, every: str | None, zone: str | None) -> Rhythm:
    """The rhythm that a cron text or a length of time asks for, in a zone or in the machine's."""
    there = zone_named(zone) if zone is not None else system_zone()
    if cron is not None:
        return ByCron(parse_cron(cron), there)
    assert every is not None, "asked where one of them is given"
    return Every(_length("--every", every), now().replace(microsecond=0), there)


def grace_of(written: str) -> float:
    """Seconds by which a run may be late."""
    seconds = _length("--grace", written)
    if seconds > MOST_GRACE_S:
        raise ScheduleError(f"--grace {written}", "must be 30 days at most")
    return max(1.0, seconds)


def _length(where: str, written: str) -> float:
    try:
        return length_s(written)
    except ValueError as error:
        raise ScheduleError(f"{where} {written[:60]}", str(error)) from None


def batch_file(batch: Path) -> Path:
    """The absolute path of a batch file, or of a recipe, that is there; a batch file's own mistakes are told."""
    if not batch.is_file():
        try:
            near = did_you_mean(batch.name, [file.name for file in batch.absolute().parent.iterdir()])
        except OSError:
            near = f"The folder {batch.parent} isn't there either."
        raise ScheduleError(str(batch), "this is a folder" if batch.is_dir() else "no such file", near)
    if is_batch_file(batch):
        read_batch(batch)  # its recipes are checked at each run, as they are then
    return Path(os.path.abspath(batch))
