"""How jobs look: a row each, all about one, a line per change, and a view that moves."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gandream.base.clock import duration
from gandream.base.errors import printable
from gandream.cli.voice import coloured

if TYPE_CHECKING:
    from gandream.run.jobs.following import Seen
    from gandream.run.jobs.records import Attempt, Job, State

COLOURS = {"running": "cyan", "done": "green", "failed": "red", "quarantined": "red", "cancelled": "yellow"}
GONE = "its process is no more; it waits to be taken again"
UNSAID = (None, False, "", [])
"""Options that are as if nobody had said them."""
LIVES = 12
"""Renders that the moving view shows at most."""


def as_json(job: Job) -> dict[str, Any]:
    """A job for programs; times are seconds since 1970."""
    task = job.task
    return {
        **{"id": job.id, "batch": job.batch, "name": task.name, "state": job.state, "orphaned": job.orphaned},
        **{"attempts": job.attempts, "retries": task.retries, "timeout_s": task.timeout_s},
        **{"recipe": task.recipe, "set": list(task.overrides), "out": task.out, "options": dict(task.options)},
        **{"key": task.key, "group": task.group, "worker": job.worker, "error": job.error, "log": job.log},
        **{"created": job.created, "started": job.started, "finished": job.finished, "figures": dict(job.figures)},
    }


def attempt_json(attempt: Attempt) -> dict[str, Any]:
    """A try for programs."""
    return {
        **{"number": attempt.number, "worker": attempt.worker, "outcome": attempt.outcome or "running"},
        **{"started": attempt.started, "finished": attempt.finished, "error": attempt.error},
        "figures": dict(attempt.figures),
    }


def place(path: str | Path) -> str:
    """A path as seen from here, or in full where that is shorter."""
    try:
        return printable(min(os.path.relpath(path), os.path.abspath(path), key=len))
    except ValueError:  # another drive
        return printable(os.path.abspath(path))


def named(job: Job) -> str:
    """A job as it is spoken of."""
    return printable(f"{job.id}  {job.batch}: {job.task.name}")


def counted(counts: Mapping[State, int]) -> str:
    """How many are in each state, those states left out that nobody is in."""
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "no jobs"


def table(jobs: Sequence[Job]) -> list[str]:
    """A row for each job under a heading; on a terminal none is wider than it."""
    if not jobs:
        return []
    several = len({job.batch for job in jobs}) > 1
    heads = ["job", *(["batch"] if several else []), "render", "state", "tried", "took", ""]
    rows = [
        [
            str(job.id),
            *([job.batch] if several else []),
            job.task.name,
            _state(job),
            _tried(job),
            _took(job),
            _what(job),
        ]
        for job in jobs
    ]
    cells = [[_line(cell) for cell in row] for row in [heads, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    most = shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else sys.maxsize
    state = heads.index("state")
    lines = []
    for number, row in enumerate(cells):
        padded = [
            cell.rjust(width) if head in ("job", "tried", "took") else cell.ljust(width)
            for cell, width, head in zip(row, widths, heads, strict=True)
        ]
        left, right = "  ".join(padded[:-1]), row[-1]
        if len(left) + 2 + len(right) > most:
            right = right[: max(0, most - len(left) - 3)] + "…" if most - len(left) > 12 else ""
        if number:
            padded[state] = _dyed(padded[state], row[state])
        lines.append("  ".join([*padded[:-1], right]).rstrip())
    return lines


def sheet(job: Job, attempts: Sequence[Attempt]) -> list[str]:
    """All about one job."""
    task, most = job.task, job.task.retries + 1
    rows = [
        ("state", _state(job) + (f" ({GONE})" if job.orphaned else "")),
        ("tried", f"{job.attempts} of {most} times" if job.attempts else "not yet"),
        ("error", "" if job.state == "done" else job.error),
        ("recipe", place(task.recipe)),
        ("changed", ", ".join(task.overrides)),
        ("options", ", ".join(f"{name}={value}" for name, value in task.options.items() if value not in UNSAID)),
        ("film", place(task.out) if task.out else ""),
        ("group", task.group),
        ("queued", _when(job.created)),
        ("log", place(job.log) if os.path.exists(job.log) else ""),
        *((name, _figure(value)) for name, value in job.figures.items()),
    ]
    rows = [(name, value) for name, value in rows if value]
    left = max(len(name) for name, _ in rows)
    lines = [f"job {named(job)}"]
    for name, value in rows:
        first, *others = printable(value).split("\n")
        first = _dyed(first, job.state) if name == "state" else first
        lines += [f"  {name.ljust(left)}  {first}", *(f"  {'':{left}}  {other.strip()}" for other in others)]
    if attempts:
        lines += ["", "tries"]
    for one in attempts:
        outcome = {"": "runs", "ended": one.error}.get(one.outcome, one.outcome)
        took = _lasted(one.started, one.finished)
        lines.append(printable(f"  {one.number}  {_when(one.started)}  {took:>8}  {outcome}").rstrip())
        if one.outcome == "failed":
            lines += [f"       {text.strip()}" for text in printable(one.error).split("\n")]
    return lines


def change(event: Mapping[str, Any]) -> str:
    """A line for a change of a state: ``03:12:45  12  night: sea-3: running → done``."""
    clock = str(event.get("time", ""))[11:19]
    error = _line(str(event.get("error") or ""))
    before = f"{event['from']} → " if event.get("from") else ""
    line = f"{clock}  {event.get('job')}  {event.get('batch')}: {event.get('name')}: {before}{event.get('to')}"
    return printable(f"{line}  {error}".rstrip())


@contextmanager
def live(moving: bool) -> Iterator[Callable[[Seen, Sequence[str]], None]]:
    """A view of the queue that moves below lines that stay; the lines alone where nobody watches."""
    if not moving:
        yield lambda _, lines: _print(lines)
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(no_color=not coloured(sys.stdout), highlight=False)
    with Live(console=console, transient=True, auto_refresh=False) as view:

        def show(seen: Seen, lines: Sequence[str]) -> None:
            now = time.time()
            for line in lines:
                console.print(line, markup=False, soft_wrap=True)
            below = [Text(counted(seen.counts), style="bold")]
            for job in seen.running[:LIVES]:
                told = GONE if job.orphaned else f"for {duration(max(0.0, now - (job.started or now)))}"
                text = Text(f"  {named(job)}  {told}", style="yellow" if job.orphaned else "cyan")
                text.truncate(console.width, overflow="ellipsis")
                below.append(text)
            if len(seen.running) > LIVES:
                below.append(Text(f"  and {len(seen.running) - LIVES} more"))
            view.update(Text("\n").join(below), refresh=True)

        yield show


def _print(lines: Sequence[str]) -> None:
    for line in lines:
        typer.echo(line)
    sys.stdout.flush()


def _state(job: Job) -> str:
    return "orphaned" if job.orphaned else job.state


def _dyed(text: str, state: str) -> str:
    return typer.style(text, fg=COLOURS.get(state.strip()))


def _tried(job: Job) -> str:
    return f"{job.attempts} of {job.task.retries + 1}" if job.attempts else ""


def _took(job: Job) -> str:
    if job.state == "waiting" or job.orphaned:
        return ""
    return _lasted(job.started, job.finished)


def _lasted(started: float | None, finished: float | None) -> str:
    """How long, with a clock that may have been set back meanwhile."""
    if started is None:
        return ""
    return duration(max(0.0, (time.time() if finished is None else finished) - started))


def _what(job: Job) -> str:
    if job.orphaned:
        return GONE
    return place(job.task.out) if job.state == "done" and job.task.out else job.error


def _figure(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(str(one) for one in value)
    return str(value)


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S")


def _line(text: str) -> str:
    """As one line."""
    return printable(": ".join(part.strip().rstrip(":") for part in text.splitlines() if part.strip()))
