"""A schedule as the system's own schedulers want it: a unit and a timer of systemd, or a line of a crontab."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

from gandream.run.schedule.calendar_events import calendar_events, plain_line
from gandream.run.schedule.errors import ScheduleError
from gandream.run.schedule.rhythm import ByCron, Every, Rhythm, spoken_length

PARK_S = 30
PLACES = ("GANDREAM_CACHE", "GANDREAM_MODELS")
"""Variables that say where things are kept; the queue's place is said in any case."""


def systemd(name: str, batch: Path, folder: Path, jobs: Path, rhythm: Rhythm) -> dict[str, str]:
    """The texts of the service and the timer by their file names."""
    unit = f"gandream-{re.sub(r'[^A-Za-z0-9_.-]+', '_', name)}"
    words = [sys.executable, "-m", "gandream", "batch", str(batch)]
    environment = _environment(jobs)
    _printable(*words, str(folder), *environment.values())
    if str(folder).endswith(("\\", " ")):
        # systemd.unit(5): the line would go on on the next one, or the space be cut off; there are no quotes for it.
        raise ScheduleError(str(folder), "a folder with such an end can't stand in a unit", "Rename it.")
    service = [
        "[Unit]",
        f"Description=gandream batch {_percent(name)}",
        "",
        "[Service]",
        "Type=oneshot",
        f"WorkingDirectory={_percent(str(folder))}",
        *(f"Environment={_quoted(f'{word}={value}', dollars=False)}" for word, value in environment.items()),
        f"ExecStart={' '.join(_quoted(word) for word in words)}",
        "# Stopping it parks the films: what is finished is kept, and the next run goes on from there.",
        "KillMode=mixed",
        f"TimeoutStopSec={PARK_S}",
        "SuccessExitStatus=143",
    ]
    timer = ["[Unit]", f"Description=gandream batch {_percent(name)}: {_percent(str(rhythm))}", "", "[Timer]"]
    if isinstance(rhythm, ByCron):
        timer += [f"OnCalendar={event}" for event in calendar_events(rhythm.cron, rhythm.zone.key)]
        timer += ["AccuracySec=1s", "# A run that was missed is made up for, once.", "Persistent=true"]
    elif isinstance(rhythm, Every):
        timer += [f"OnActiveSec={rhythm.seconds:.0f}s", f"OnUnitActiveSec={rhythm.seconds:.0f}s", "AccuracySec=1s"]
    timer += ["", "[Install]", "WantedBy=timers.target"]
    return {f"{unit}.service": "\n".join(service) + "\n", f"{unit}.timer": "\n".join(timer) + "\n"}


def crontab(name: str, batch: Path, folder: Path, jobs: Path, rhythm: Rhythm, here: str) -> str:
    """A line of a crontab; ``here`` is the machine's time zone. ScheduleError where cron has no words for it."""
    there = _environment(jobs)
    _printable(str(batch), str(folder), sys.executable, *there.values())
    environment = [f"{word}={shlex.quote(value)}" for word, value in there.items()]
    words = [sys.executable, "-m", "gandream", "batch", str(batch)]
    log = shlex.quote(str(folder / f"{name}.cron.log"))
    command = f"cd {shlex.quote(str(folder))} && {' '.join(environment)} {shlex.join(words)} >>{log} 2>&1"
    when = _when(rhythm)
    # Crons that don't know CRON_TZ take it as a variable of the command.
    zone = [f"CRON_TZ={rhythm.zone.key}"] if isinstance(rhythm, ByCron) and not _same(rhythm.zone.key, here) else []
    if "\\%" in command:  # cron(8) has no way to say it
        raise ScheduleError(f"{batch}", "a \\ before a % can't stand in a crontab", "Rename it.")
    # To cron a % ends the command, whatever quotes are around it, unless a \ stands before.
    return "\n".join([f"# gandream: {name}", *zone, f"{when} {command.replace('%', chr(92) + '%')}"]) + "\n"


def _same(zone: str, here: str) -> bool:
    return zone == here or {zone, here} <= {"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Zulu", "Etc/Zulu"}


def _when(rhythm: Rhythm) -> str:
    if isinstance(rhythm, ByCron):
        return plain_line(rhythm.cron)
    assert isinstance(rhythm, Every), rhythm
    minutes, rest = divmod(rhythm.seconds, 60)
    if rest == 0 and minutes < 60 and 60 % minutes == 0:
        return f"*/{minutes:.0f} * * * *" if minutes > 1 else "* * * * *"
    if rest == 0 and minutes % 60 == 0 and 1440 % minutes == 0:
        return {1440: "0 0 * * *", 60: "0 * * * *"}.get(int(minutes), f"0 */{minutes / 60:.0f} * * *")
    hint = "--systemd has it; or take a length by which an hour or a day can be divided."
    raise ScheduleError(f"--every {spoken_length(rhythm.seconds)}", "cron has no words for it", hint)


def _environment(jobs: Path) -> dict[str, str]:
    """What a run needs of the terminal; and what lies in its folder is no part of the program."""
    found = {"PATH": _path(), "PYTHONSAFEPATH": "1", "GANDREAM_JOBS": str(jobs)}
    for word in PLACES:
        if os.environ.get(word):
            found[word] = os.path.abspath(os.path.expanduser(os.environ[word]))
    return found


def _path() -> str:
    """Where programs are found: this Python's folder, then what the terminal says, absolute parts alone."""
    parts = [str(Path(sys.executable).parent), *os.environ.get("PATH", os.defpath).split(os.pathsep)]
    return os.pathsep.join(dict.fromkeys(part for part in parts if os.path.isabs(part) and part.isprintable()))


def _printable(*words: str) -> None:
    for word in words:
        if not word.isprintable():
            raise ScheduleError(word, "this name can't stand in a unit or a crontab", "Rename it.")


def _percent(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(word: str, *, dollars: bool = True) -> str:
    """A word of a systemd unit, systemd.service(5) "Command lines": no specifiers, no variables, no splitting."""
    if re.fullmatch(r"[\w/.,:+@=-]+", word, re.ASCII):
        return word
    word = _percent(word.replace("\\", "\\\\").replace('"', '\\"'))
    return f'"{word.replace("$", "$$") if dollars else word}"'
