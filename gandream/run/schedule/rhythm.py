"""When a schedule runs: by a cron text in a time zone, or every so often.

Clocks are set forward and back. A time of day that a cron text names comes exactly once on each of its days: where the
clock skips it, at the moment of the skip; where it comes twice, the first time. Texts that name no hours ("every
quarter of an hour") go by the time that passes: each time that the clock shows one of their minutes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from gandream.run.schedule.cron import Cron, after
from gandream.run.schedule.errors import ScheduleError
from gandream.run.schedule.zones import UTC, instants, skipped_at

LEAST_EVERY_S = 60.0
_DAY = timedelta(days=1)


class Rhythm(Protocol):
    """Moments without end."""

    @property
    def zone(self) -> ZoneInfo:
        """In which its times are shown."""
        ...

    def after(self, moment: datetime) -> datetime:
        """The first moment after another one, both in UTC."""
        ...

    def __str__(self) -> str: ...


@dataclass(frozen=True)
class ByCron:
    """At the times of a cron text."""

    cron: Cron
    zone: ZoneInfo

    def after(self, moment: datetime) -> datetime:
        """The first moment after another one, in UTC."""
        # A day earlier: where clocks are set back over midnight, a date comes twice.
        for day in self.cron.dates(moment.astimezone(self.zone).date() - _DAY):
            found = self._first(day, moment)
            if found is not None:
                other = self._first(after(day), moment) if self.cron.on(after(day)) else None
                return found if other is None else min(found, other)
        raise ScheduleError(str(self), "never fires")  # parse_cron refuses such texts

    def _first(self, day: date, moment: datetime) -> datetime | None:
        return next((one for one in _moments(self.cron, self.zone, day) if one > moment), None)

    def __str__(self) -> str:
        return f"{self.cron.text} {self.zone.key}"


@lru_cache(maxsize=16)
def _moments(cron: Cron, zone: ZoneInfo, day: date) -> tuple[datetime, ...]:
    """All moments of a date there, in order."""
    found: set[datetime] = set()
    for hour in cron.hours:
        for minute in cron.minutes:
            wall = datetime.combine(day, time(hour, minute))
            there = instants(wall, zone)
            if cron.hourly:
                found.update(there)
            else:
                found.add(there[0] if there else skipped_at(wall, zone))
    return tuple(sorted(found))


@dataclass(frozen=True)
class Every:
    """Every so many seconds, counted from a moment; by the time that passes."""

    seconds: float
    since: datetime
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if not self.seconds >= LEAST_EVERY_S:
            raise ScheduleError(f"--every {self.seconds:g}s", "must be a minute or longer")

    def after(self, moment: datetime) -> datetime:
        """The first moment after another one, in UTC."""
        steps = math.floor((moment - self.since).total_seconds() / self.seconds) + 1
        found = self.since + timedelta(seconds=max(1, steps) * self.seconds)
        return found if found > moment else found + timedelta(seconds=self.seconds)

    def __str__(self) -> str:
        return f"every {spoken_length(self.seconds)}"


def spoken_length(seconds: float) -> str:
    """A length of time in the largest unit that it is whole in: ``6 h``, ``90 min``."""
    for name, unit in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds / unit:.0f} {'day' if name == 'days' and seconds == unit else name}"
    return f"{seconds:g} s"


def moved(rhythm: Rhythm, moment: datetime) -> str:
    """Words for a run whose time clocks skip, or show twice; else nothing."""
    if not isinstance(rhythm, ByCron) or rhythm.cron.hourly:
        return ""
    there = moment.astimezone(rhythm.zone)
    if there.hour not in rhythm.cron.hours or there.minute not in rhythm.cron.minutes:
        return "  (clocks are set forward over its time)"
    twice = len(instants(there.replace(tzinfo=None, fold=0), rhythm.zone)) > 1
    return "  (clocks are set back: the first of two)" if twice else ""


def upcoming(rhythm: Rhythm, moment: datetime, count: int) -> list[datetime]:
    """The next moments after one, in UTC."""
    found: list[datetime] = []
    for _ in range(count):
        moment = rhythm.after(moment)
        found.append(moment)
    return found


def now() -> datetime:
    """The moment that it is, in UTC."""
    return datetime.now(UTC)
