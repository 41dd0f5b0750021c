"""``gandream schedule``."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gandream.base.errors import printable
from gandream.cli.options import AsJson, echo_json
from gandream.cli.schedule_shown import clock, plain, say_change, show_list, show_runs
from gandream.cli.voice import aside, note

if TYPE_CHECKING:
    from gandream.run.schedule.rhythm import Rhythm
    from gandream.run.schedule.store import Schedules

NO: dict[str, Any] = {"show_default": False}
PRINT = "Instead"
ECHO_S = 1.0
"""Signals within this time are one."""
LONGEST_LINE = 998
"""Of a command in Debian's crontab."""


def command(
    batch: Annotated[
        Path | None,
        typer.Argument(metavar="BATCH", help="A batch file, or a recipe. [default: all that are kept]", **NO),
    ] = None,
    cron: Annotated[
        str | None,
        typer.Option("--cron", metavar="TEXT", help="When, as a crontab says it: '0 3 * * *'.", **NO),
    ] = None,
    every: Annotated[
        str | None, typer.Option("--every", metavar="TIME", help="How often, instead: 90 min, 6h, 1 day.", **NO)
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option("--tz", metavar="ZONE", help="Whose clock: Europe/Berlin. [default: the machine's]", **NO),
    ] = None,
    grace: Annotated[
        str | None,
        typer.Option("--grace", metavar="TIME", help="By how much a run may be late. [default: 1h]", **NO),
    ] = None,
    upcoming: Annotated[
        int | None,
        typer.Option("--next", metavar="N", min=1, max=1000, help="Show the next runs.", rich_help_panel=PRINT, **NO),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", metavar="", help="Run it now, as at its time, and end.", rich_help_panel=PRINT)
    ] = False,
    add: Annotated[
        bool, typer.Option("--add", metavar="", help="Only keep it, for a scheduler that runs.", rich_help_panel=PRINT)
    ] = False,
    listed: Annotated[
        bool, typer.Option("--list", metavar="", help="Show all that are kept.", rich_help_panel=PRINT)
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", metavar="", help="Forget it.", rich_help_panel=PRINT)] = False,
    systemd: Annotated[
        bool,
        typer.Option("--systemd", metavar="", help="Print a unit and a timer for systemd.", rich_help_panel=PRINT),
    ] = False,
    crontab: Annotated[
        bool, typer.Option("--crontab", metavar="", help="Print a line for a crontab.", rich_help_panel=PRINT)
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run batches at their times, until Ctrl-C.

    The schedule is kept, and so are others that were given before: one process
    serves all of them. A run that was missed, as the machine slept or was off, is
    made up for once if it is late by no more than --grace. No batch runs beside
    itself, and no two at a time. Ctrl-C and SIGTERM park what runs; the same
    command goes on.

    A time of day comes once on each day, also when clocks are set forward or back.

    Examples:
      gandream schedule night.batch.yaml --cron "0 3 * * *"

      gandream schedule night.batch.yaml --cron "30 2 * * MON-FRI" --tz Europe/Berlin --next 5

      gandream schedule night.batch.yaml --cron "0 3 * * *" --systemd
    """
    instead = {"--next": upcoming is not None, "--once": once, "--add": add, "--list": listed, "--remove": remove}
    instead |= {"--systemd": systemd, "--crontab": crontab}
    asked = [name for name, wanted in instead.items() if wanted]
    timed = cron is not None or every is not None
    if len(asked) > 1:
        raise typer.BadParameter(f"and {asked[0]} are two things: give one", param_hint=asked[1])
    if cron is not None and every is not None:
        raise typer.BadParameter("and --cron are two rhythms: give one", param_hint="--every")
    if timed and (listed or remove):
        raise typer.BadParameter("needs no times", param_hint=asked[0])
    if batch is None and (timed or once or add or remove or systemd or crontab):
        raise typer.BadParameter("wanted a batch file, or a recipe", param_hint="BATCH")
    for word, given in (("--tz", zone), ("--grace", grace)):
        if given is not None and not timed:
            raise typer.BadParameter("wants --cron or --every beside it", param_hint=word)
    if grace is not None and asked not in ([], ["--add"]):
        raise typer.BadParameter(f"is for what is kept, and {asked[0]} keeps nothing", param_hint="--grace")

    from gandream.run.jobs.folder import jobs_folder
    from gandream.run.schedule.serve import check_installed
    from gandream.run.schedule.store import Schedules as Kept

    folder = jobs_folder().absolute()
    kept = Kept(folder)
    if listed:
        show_list(kept, as_json)
    elif remove and batch is not None:
        name = str(batch)  # as notes call one that can't be read any more
        if not kept.remove(name):
            name = kept.find(batch).name
            kept.remove(name)
        echo_json({"removed": name}) if as_json else aside(printable(f"forgotten: {name}"))
    elif systemd or crontab or upcoming is not None:
        _show(kept, batch, (cron, every, zone), upcoming, systemd, as_json)
    elif once and batch is not None:
        _once(kept, batch, as_json)
    else:
        if not add:
            check_installed()
        if batch is not None:
            _put(kept, batch, (cron, every, zone), grace, add, as_json)
        if not add:
            _serve(kept, as_json)


def _put(
    kept: Schedules,
    batch: Path,
    times: tuple[str | None, str | None, str | None],
    grace: str | None,
    add: bool,
    as_json: bool,
) -> None:
    """Keep a schedule, or find the one that is kept where no times are given."""
    from gandream.run.schedule.rhythm import now
    from gandream.run.schedule.store import GRACE_S
    from gandream.run.schedule.wanted import batch_file, grace_of, rhythm_of

    if times[0] is None and times[1] is None:
        if add:
            raise typer.BadParameter("wants --cron or --every beside it", param_hint="--add")
        kept.find(batch)
        return
    rhythm, seconds = rhythm_of(*times), GRACE_S if grace is None else grace_of(grace)
    schedule, before = kept.put(batch_file(batch), Path.cwd(), rhythm, seconds, now())
    if add and as_json:
        echo_json(plain(schedule))
    else:
        words = "kept anew" if before else "kept"
        aside(
            f"{words}: {printable(schedule.name)}, {schedule.rhythm}; first on {clock(schedule.next, schedule.rhythm)}"
        )


def _serve(kept: Schedules, as_json: bool) -> None:
    """Serve all that are kept, in this process."""
    from gandream.cli.stopping import end
    from gandream.run.schedule.errors import ScheduleError
    from gandream.run.schedule.serve import is_served, serve

    broken: list[str] = []
    there = kept.all(broken)
    for words in broken:
        note(words)
    if not there:
        hint = 'For instance: gandream schedule night.batch.yaml --cron "0 3 * * *"'
        raise ScheduleError("schedule", "nothing is kept that could be run", hint)
    served = is_served(kept.folder)
    for one in there if not served else []:
        aside(f"{printable(one.name)}: {one.rhythm}, next on {clock(one.next, one.rhythm)}")
    asked: list[int] = []
    if not served:
        aside("Ctrl-C parks what runs, and ends this.")
        with _parking() as (stop, asked):
            served = not serve(kept.folder, lambda change: say_change(change, as_json), stop)
    if served:
        aside("A scheduler runs here already: it takes what is kept within seconds.")
    if asked:
        end(asked[0])


@contextlib.contextmanager
def _parking() -> Iterator[tuple[threading.Event, list[int]]]:
    """Ctrl-C, SIGTERM and a terminal that is closed set an event; a second signal ends the process at once.

    One that comes with the first, as some terminals and schedulers send both, isn't a second: what runs must have
    been asked to park, or it would be left alone.
    """
    from gandream.cli.stopping import end

    stop, asked, heard = threading.Event(), [], [0.0]

    def hear(number: int, frame: Any) -> None:
        if asked and time.monotonic() - heard[0] > ECHO_S:
            end(number)
        if not asked:
            asked.append(number)
            heard[0] = time.monotonic()
            stop.set()

    wanted = (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))
    numbers = [one for one in dict.fromkeys(wanted) if signal.getsignal(one) is not signal.SIG_IGN]
    before = {number: signal.signal(number, hear) for number in numbers}
    try:
        yield stop, asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _once(kept: Schedules, batch: Path, as_json: bool) -> None:
    """Run a batch now."""
    from gandream.cli.stopping import end
    from gandream.run.schedule.errors import ScheduleError
    from gandream.run.schedule.rhythm import Every, now
    from gandream.run.schedule.serve import once
    from gandream.run.schedule.store import GRACE_S, Schedule
    from gandream.run.schedule.wanted import batch_file
    from gandream.run.schedule.zones import zone_named

    try:
        schedule = kept.find(batch)
    except ScheduleError:
        path = batch_file(batch)
        rhythm = Every(86400.0, now(), zone_named("UTC"))
        schedule = Schedule(kept.free_name(path), path, Path.cwd(), rhythm, GRACE_S, now())
    with _parking() as (stop, asked):
        outcome = once(schedule, kept.folder, lambda change: say_change(change, as_json), stop.is_set)
    if asked:
        end(asked[0])
    if outcome.state != "done":
        raise typer.Exit(1)


def _show(
    kept: Schedules,
    batch: Path | None,
    times: tuple[str | None, str | None, str | None],
    count: int | None,
    systemd: bool,
    as_json: bool,
) -> None:
    """Print the next runs, or what another scheduler wants, of the times that are given or kept."""
    from gandream.run.schedule.store import name_of
    from gandream.run.schedule.wanted import batch_file, rhythm_of

    wanted: list[tuple[str, Path, Path, Rhythm]]
    if times[0] is not None or times[1] is not None:
        assert batch is not None, "checked before"
        path = batch_file(batch)
        wanted = [(name_of(path), path, Path.cwd(), rhythm_of(*times))]
    else:
        found = [kept.find(batch)] if batch is not None else kept.all()
        wanted = [(one.name, one.batch, one.folder, one.rhythm) for one in found]
    if count is not None:
        show_runs(wanted, count, as_json)
        return
    from gandream.run.schedule import system
    from gandream.run.schedule.errors import ScheduleError
    from gandream.run.schedule.zones import system_zone

    name, path, folder, rhythm = wanted[0]
    if not systemd:
        here = ""
        with contextlib.suppress(ScheduleError):  # then the zone is said in any case
            here = system_zone().key
        line = system.crontab(name, path, folder, kept.folder, rhythm, here)
        echo_json({"crontab": line}) if as_json else typer.echo(line, nl=False)
        if "\nCRON_TZ=" in line:
            note(
                "cronie and others go by CRON_TZ, for the lines after it too: put these last; Debian's cron doesn't,"
                " and takes the machine's clock"
            )
        if max(map(len, line.encode("utf-8", "replace").splitlines())) > LONGEST_LINE:
            note(f"the line is long: Debian's cron reads {LONGEST_LINE} letters at most, PATH= may be shortened")
        return
    files = system.systemd(name, path, folder, kept.folder, rhythm)
    if as_json:
        echo_json({"files": files})
        return
    place = "~/.config/systemd/user"
    typer.echo("\n".join(f"# {place}/{file}\n{text}" for file, text in files.items()), nl=False)
    timer = next(file for file in files if file.endswith(".timer"))
    aside(f"\nWith both files in {place}:  systemctl --user daemon-reload && systemctl --user enable --now {timer}")
