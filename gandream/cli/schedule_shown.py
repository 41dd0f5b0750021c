"""How schedules are shown: those that are kept, their next runs, what happens to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gandream.base.errors import printable
from gandream.cli.options import echo_json
from gandream.cli.voice import aside, note

if TYPE_CHECKING:
    from datetime import datetime

    from gandream.run.schedule.keeper import Change
    from gandream.run.schedule.rhythm import Rhythm
    from gandream.run.schedule.store import Schedule, Schedules


def show_runs(wanted: list[tuple[str, Path, Path, Rhythm]], count: int, as_json: bool) -> None:
    """The next runs."""
    from gandream.run.schedule.rhythm import moved, now, upcoming

    moment = now()
    if as_json:
        echo_json(
            [
                {
                    "schedule": name,
                    "batch": str(path),
                    "next": [one.astimezone(rhythm.zone).isoformat() for one in there],
                }
                for name, path, _, rhythm in wanted
                for there in [upcoming(rhythm, moment, count)]
            ]
        )
        return
    for name, _, _, rhythm in wanted:
        if len(wanted) > 1:
            typer.echo(printable(f"{name}: {rhythm}"))
        for one in upcoming(rhythm, moment, count):
            typer.echo(f"{clock(one, rhythm)}{moved(rhythm, one)}")


def show_list(kept: Schedules, as_json: bool) -> None:
    """All that are kept."""
    from gandream.run.schedule.serve import is_served

    broken: list[str] = []
    there = kept.all(broken)
    for words in broken:
        note(words)
    served = is_served(kept.folder)
    if as_json:
        echo_json({"served": served, "schedules": [plain(one) for one in there]})
        return
    rows = [
        (one.name, str(one.rhythm), clock(one.next, one.rhythm), one.state or "not yet", str(one.batch))
        for one in there
    ]
    rows.insert(0, ("name", "times", "next", "last", "batch"))
    wide = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows if there else []:
        typer.echo(printable("  ".join([*(f"{row[at]:<{wide[at]}}" for at in range(4)), row[4]])))
    if not there:
        aside("Nothing is kept.")
    elif not served:
        aside("No scheduler runs: gandream schedule starts one.")


def plain(schedule: Schedule) -> dict[str, Any]:
    """A schedule for programs."""
    zone = schedule.rhythm.zone
    return {
        "name": schedule.name,
        "batch": str(schedule.batch),
        "folder": str(schedule.folder),
        "times": str(schedule.rhythm),
        "zone": zone.key,
        "grace_s": schedule.grace_s,
        "next": schedule.next.astimezone(zone).isoformat(),
        "last": schedule.state or None,
    }


def clock(moment: datetime, rhythm: Rhythm) -> str:
    """What a clock there shows."""
    return f"{moment.astimezone(rhythm.zone):%a %Y-%m-%d %H:%M %Z}"


def say_change(change: Change, as_json: bool) -> None:
    """A line for a change, with the clock's time; for programs the line of the log."""
    from gandream.run.schedule.rhythm import now

    if as_json:
        line = {"time": now().astimezone().isoformat(timespec="milliseconds"), **change.plain()}
        print(json.dumps(line, ensure_ascii=False), flush=True)
        return
    facts, rest = change.facts, []
    if change.state in ("start", "missed", "skipped", "waiting", "goes on"):
        rest.append(f"due {change.due:%a %H:%M %Z}")
    if "seconds" in facts:
        rest.append(f"{facts['seconds']:.0f} s")
    if counts := facts.get("counts"):
        rest.append(", ".join(f"{number} {state}" for state, number in counts.items()))
    rest += [str(facts["error"])] if "error" in facts else []
    rest += [str(facts["log"])] if change.state == "failed" and "log" in facts else []
    told = f"{now().astimezone():%a %H:%M:%S}  {change.name}: {change.state}" + "".join(f"; {words}" for words in rest)
    print(printable(told), flush=True)
