"""Cron texts: five fields that say on which days and at which minutes, as crontab(5) and POSIX's crontab read them.

A day counts if it is in *both* day fields where one of them begins with ``*``, and in *either* where none does.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from gandream.base.errors import did_you_mean, listed
from gandream.run.schedule.errors import ScheduleError

CYCLE_YEARS = 400
"""Dates and their days of the week come again after so many years: 146097 days, which are whole weeks."""
MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
HINT = "Five fields: minute, hour, day of the month, month, day of the week. '0 3 * * *' is every night at 3."
_LONGEST = 400
_NUMBER = re.compile(r"\d{1,4}", re.ASCII)


@dataclass(frozen=True)
class Field:
    """One of the five."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    """Names of the values from ``low`` on."""


WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 0, 7, WEEKDAYS),
)


@dataclass(frozen=True)
class Cron:
    """When: the values that each field allows, days of the week from 0 = Sunday to 6."""

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either: bool
    """Whether a day may be in one of the two day fields, and needn't be in both."""

    @property
    def hourly(self) -> bool:
        """Whether every hour is meant, so that it goes by hours that pass rather than by what clocks say."""
        return len(self.hours) == 24

    def on(self, day: date) -> bool:
        """Whether it fires on a date at all."""
        if day.month not in self.months:
            return False
        by_date, by_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_date or by_week if self.either else by_date and by_week

    def dates(self, start: date) -> Iterator[date]:
        """Its dates from one on, for as long as dates differ; none means that it never fires."""
        for year in range(start.year, min(start.year + CYCLE_YEARS, 9998) + 1):
            for month in self.months:
                if (year, month) < (start.year, start.month):
                    continue
                for number in range(1, calendar.monthrange(year, month)[1] + 1):
                    day = date(year, month, number)
                    if day >= start and self.on(day):
                        yield day


def parse_cron(text: str, where: str = "--cron") -> Cron:
    """Read a cron text; ScheduleError says which field is wrong, and refuses one that never fires."""
    place = f'{where} "{text[:_LONGEST]}"'
    if len(text) > _LONGEST:
        raise ScheduleError(f"{where} ...", f"{len(text)} characters are no cron text", HINT)
    written = MACROS.get(text.strip().lower(), text)
    if written.strip().startswith("@"):
        near = did_you_mean(written.strip(), MACROS) or f"Words: {listed(MACROS)}."
        known = "a schedule has times, and the start of a machine is none" if "reboot" in written else "no such word"
        raise ScheduleError(place, known, near)
    words = written.split()
    if len(words) != len(FIELDS):
        many = f"{len(words)} field{'s' * (len(words) != 1)}; wanted five"
        raise ScheduleError(place, many, HINT if len(words) < 6 else f"{HINT} There are no seconds and no years.")
    values = [_values(word, field, place) for word, field in zip(words, FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = values
    weekdays = tuple(sorted({day % 7 for day in weekdays}))
    either = not words[2].startswith("*") and not words[4].startswith("*")
    cron = Cron(" ".join(words), minutes, hours, days, months, weekdays, either)
    if next(cron.dates(date(2000, 1, 1)), None) is None:
        months_said = " and ".join(calendar.month_name[month] for month in months)
        hint = f"{months_said} {'has' if len(months) == 1 else 'have'} no day {' or '.join(map(str, days))}."
        raise ScheduleError(place, "never fires: there is no such date", hint)
    return cron


def _values(word: str, field: Field, place: str) -> tuple[int, ...]:
    found: set[int] = set()
    for part in word.split(","):
        found.update(_part(part, word, field, place))
    return tuple(sorted(found))


def _part(part: str, word: str, field: Field, place: str) -> range:
    """``*``, ``a``, ``a-b``, with a step ``/n`` behind the first and the last."""
    where = f"{place}  {field.name} = {word}"
    span, slash, step = part.partition("/")
    if span == "*":
        low, high = field.low, field.high
    else:
        first, dash, last = span.partition("-")
        low = _number(first, field, where)
        high = _number(last, field, where) if dash else low
        if field.names is WEEKDAYS and dash and high == 0:
            high = 7  # SAT-SUN, as people say it
        if high < low:
            high_end = field.names[-1] if first.isalpha() else 6 if field.names is WEEKDAYS else field.high
            low_end = field.names[0] if last.isalpha() else field.low
            hint = f"Write {first}-{high_end},{low_end}-{last}."
            raise ScheduleError(where, f"the range {span} goes backwards", hint)
        if slash and not dash:
            hint = f"Write {low}-{field.high}/{step} or */{step}."
            raise ScheduleError(where, f"a step stands behind a range or *, and {low} is neither", hint)
    if not slash:
        return range(low, high + 1)
    if not _NUMBER.fullmatch(step) or int(step) == 0:
        raise ScheduleError(
            where, f"'{step}' is no step; wanted a whole number from 1", f"*/15 is every 15th {field.name}."
        )
    if int(step) > high - low and high > low:
        hint = (
            "For lengths that don't fit into an hour or a day there is --every." if field.low == 0 else f"Write {low}."
        )
        raise ScheduleError(
            where, f"the step {step} is longer than the range {low}-{high}: only {low} would be left", hint
        )
    return range(low, high + 1, int(step))


def _number(text: str, field: Field, where: str) -> int:
    if field.names and text.upper() in field.names:
        return field.names.index(text.upper()) + field.low
    wanted = f"wanted {field.low} to {field.high}" + (
        f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
    )
    if not _NUMBER.fullmatch(text):
        if text[:1] in ("?", "L", "W") or "#" in text:
            raise ScheduleError(
                where, f"'{text}' is of another cron; {wanted}", "? is * here; L, W and # aren't known."
            )
        near = did_you_mean(text, field.names) if text.isalpha() else ""
        raise ScheduleError(where, f"'{text}' is no {field.name}; {wanted}", near)
    if not field.low <= int(text) <= field.high:
        raise ScheduleError(where, f"{int(text)} is no {field.name}; {wanted}")
    return int(text)


def after(day: date) -> date:
    """The next date."""
    return day + timedelta(days=1)
