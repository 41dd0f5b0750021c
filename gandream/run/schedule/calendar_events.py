"""Cron texts as systemd's calendar events, systemd.time(7), and as plain lines for every cron."""

from __future__ import annotations

from collections.abc import Sequence

from gandream.run.schedule.cron import FIELDS, WEEKDAYS, Cron


def calendar_events(cron: Cron, zone: str) -> list[str]:
    """The events of a cron text; two where a day needs only be in one of the two day fields."""
    months = _these(cron.months, 1, 12, "..")
    days = _these(cron.days, 1, 31, "..")
    at = f"{_these(cron.hours, 0, 23, '..')}:{_these(cron.minutes, 0, 59, '..')}:00 {zone}"
    names = "" if len(cron.weekdays) == 7 else f"{_weekdays(cron.weekdays)} "
    if cron.either:
        return [f"*-{months}-{days} {at}", f"{names}*-{months}-* {at}"]
    return [f"{names}*-{months}-{days} {at}"]


def plain_line(cron: Cron) -> str:
    """The text with numbers alone, which all crons read; what begins with ``*`` stays: it means more than its days."""
    values = (cron.minutes, cron.hours, cron.days, cron.months, cron.weekdays)
    words = cron.text.split()
    return " ".join(
        word if word.startswith("*") else _listed(these, "-")
        for word, these, _ in zip(words, values, FIELDS, strict=True)
    )


def _these(values: Sequence[int], low: int, high: int, to: str) -> str:
    if len(values) == high - low + 1:
        return "*"
    step = values[1] - values[0] if len(values) > 2 else 0
    if step > 1 and list(values) == list(range(values[0], high + 1, step)):
        return f"{values[0]:02d}/{step}"
    return _listed(values, to, 2)


def _listed(values: Sequence[int], to: str, digits: int = 1) -> str:
    """Numbers in order, with ranges for three and more in a row."""
    return ",".join(
        f"{first:0{digits}d}{to}{last:0{digits}d}" if last > first else f"{first:0{digits}d}"
        for first, last in _runs(values)
    )


def _weekdays(values: Sequence[int]) -> str:
    # A week begins on Monday there, and ranges don't wrap.
    order = sorted(values, key=lambda day: (day - 1) % 7)
    names = [WEEKDAYS[day].capitalize() for day in order]
    runs = _runs([(day - 1) % 7 for day in order])
    name = {(day - 1) % 7: names[index] for index, day in enumerate(order)}
    return ",".join(f"{name[first]}..{name[last]}" if last > first else name[first] for first, last in runs)


def _runs(values: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of what follows one another; two that do are two."""
    found: list[list[int]] = []
    for value in values:
        if found and value == found[-1][-1] + 1:
            found[-1].append(value)
        else:
            found.append([value])
    return [pair for run in found for pair in ([(run[0], run[-1])] if len(run) > 2 else [(one, one) for one in run])]
