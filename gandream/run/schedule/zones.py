"""Time zones: found by name, and what a clock on the wall there says, once, twice or never."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from gandream.base.errors import did_you_mean
from gandream.run.schedule.errors import ScheduleError

UTC = timezone.utc
INSTALL = "pip install 'gandream[schedule]'"
_HINT = "For instance Europe/Berlin, America/New_York or UTC."


@cache
def _known() -> frozenset[str]:
    return frozenset(name for name in available_timezones() if name != "localtime")


def zone_named(name: str, where: str = "--tz") -> ZoneInfo:
    """The zone of this name in the IANA data base; ScheduleError gives the nearest."""
    if name in _known():
        return ZoneInfo(name)
    if not _known():
        raise ScheduleError(where, "this system has no data on time zones", "pip install tzdata")
    same = [one for one in sorted(_known()) if one.lower() == name.lower().replace(" ", "_")]
    last = [one for one in sorted(_known()) if one.rpartition("/")[2].lower() == name.lower().replace(" ", "_")]
    cities = {one.rpartition("/")[2]: one for one in sorted(_known(), reverse=True) if "/" in one}
    near = f"Did you mean '{(same or last)[0]}'?" if same or last else did_you_mean(name, _known())
    if not near and (city := did_you_mean(name, cities)):
        near = f"Did you mean '{cities[city.split(chr(39))[1]]}'?"
    raise ScheduleError(f"{where} {name[:60]}", "no such time zone", near or _HINT)


def system_zone() -> ZoneInfo:
    """The zone that ``TZ`` names, or that this machine is set to; ScheduleError where it can't be told."""
    named = os.environ.get("TZ", "").removeprefix(":")
    if named in _known():
        return ZoneInfo(named)
    try:
        import tzlocal
    except ImportError:
        raise ScheduleError(
            "--tz", "the machine's time zone is found by tzlocal, which isn't installed", INSTALL
        ) from None
    try:
        name = tzlocal.get_localzone_name()
    except (ZoneInfoNotFoundError, ValueError, OSError, LookupError):
        name = None
    if not name or name not in _known():
        raise ScheduleError("--tz", "this machine doesn't say its time zone by name", f"Say it. {_HINT}")
    return ZoneInfo(name)


def instants(wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The moments, in UTC, at which a clock there shows a time: one; two where it is set back; none where it skips it.

    Args:
        wall: what the clock shows, without a zone.
        zone: where it hangs.
    """
    found = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return tuple(sorted(one for one in found if one.astimezone(zone).replace(tzinfo=None, fold=0) == wall))


def skipped_at(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment, in UTC, at which a clock there is set forward over a time that it never shows."""
    # PEP 495: in a gap, fold=1 takes the offset after it, and so a moment before it; fold=0 the other way round.
    before, later = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    offset = before.astimezone(zone).utcoffset()
    while later - before > timedelta(seconds=1):
        middle = (before + (later - before) / 2).replace(microsecond=0)
        middle = max(middle, before + timedelta(seconds=1))
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            later = middle
    return later
