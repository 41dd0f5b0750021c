"""``gandream jobs``: the queue of renders, and what became of them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gandream.cli.cache import FILMS
from gandream.cli.front import ListFirst
from gandream.cli.options import AsJson, echo_json
from gandream.cli.voice import aside, watched

if TYPE_CHECKING:
    from gandream.run.jobs.queue import Queue
    from gandream.run.jobs.records import Job, State

app = typer.Typer(
    cls=ListFirst,
    help="""See the renders that were queued, stop them, or have them tried again. Alone it lists them.

    Examples:
      gandream jobs

      gandream jobs --state failed

      gandream jobs retry --batch night
    """,
)

Folder = Annotated[
    Path,
    typer.Option(
        "--folder", metavar="FOLDER", help="The films' folder, with the queue in its store; or set GANDREAM_JOBS."
    ),
]
Batch = Annotated[
    str | None, typer.Option("--batch", metavar="BATCH", help="Only those of this batch.", show_default=False)
]
Number = Annotated[str, typer.Argument(metavar="ID", help="The job's number.", show_default=False)]
Numbers = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]", help="Numbers of jobs, as the list shows.", show_default=False)
]


@app.command("list")
def list_jobs(
    batch: Batch = None,
    states: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help="Only those that are waiting, running, done, failed, cancelled or quarantined; may be repeated.",
            show_default=False,
        ),
    ] = None,
    folder: Folder = FILMS,
    as_json: AsJson = False,
) -> None:
    """List the renders with their states, times and films.

    A render whose process crashed or was killed waits again; one that did that to all its tries is quarantined.

    Examples:
      gandream jobs list

      gandream jobs list --batch night --state failed --state quarantined
    """
    wanted: list[State] = [_state(one) for one in states or ()]

    from gandream.cli.jobs_shown import as_json as plain
    from gandream.cli.jobs_shown import counted, place, table

    queue = _opened(folder)
    if queue is None:
        if as_json:
            echo_json({"queue": str(_file(folder)), "jobs": [], "counts": {}})
        else:
            typer.echo(f"nothing was queued in {place(_file(folder).parent)}")
        return
    with queue:
        _known_batch(queue, batch)
        jobs, counts = queue.jobs(batch, wanted), queue.counts(batch)
    if as_json:
        echo_json({"queue": str(_file(folder)), "jobs": [plain(job) for job in jobs], "counts": counts})
        return
    for line in table(jobs):
        typer.echo(line)
    typer.echo(f"{counted(counts)}, in {place(_file(folder).parent)}")


@app.command("show")
def show(word: Number, folder: Folder = FILMS, as_json: AsJson = False) -> None:
    """Say all about a job: what was asked, each try at it, its figures and its log.

    Example:
      gandream jobs show 12
    """
    number = _number(word)

    from gandream.cli.jobs_shown import as_json as plain
    from gandream.cli.jobs_shown import attempt_json, sheet

    with _needed(folder) as queue:
        job, attempts = queue.job(number), queue.attempts(number)
    if as_json:
        echo_json({**plain(job), "tries": [attempt_json(one) for one in attempts]})
        return
    for line in sheet(job, attempts):
        typer.echo(line)


@app.command("cancel")
def cancel(words: Numbers = None, batch: Batch = None, folder: Folder = FILMS, as_json: AsJson = False) -> None:
    """Take jobs out of the queue; a render that runs is stopped, and its segments are kept.

    Examples:
      gandream jobs cancel 12 13

      gandream jobs cancel --batch night
    """
    with _needed(folder) as queue:
        ids = _chosen(queue, words, batch, ("waiting", "running"))
        before = [queue.job(id) for id in ids]
        jobs = queue.cancel(ids)
    _tell(before, jobs, as_json, "nothing waits or runs there")


@app.command("retry")
def retry(words: Numbers = None, batch: Batch = None, folder: Folder = FILMS, as_json: AsJson = False) -> None:
    """Let jobs wait anew that failed, were quarantined or cancelled; of a batch, those that failed or were quarantined.

    They are rendered by the batch that runs, or when it is started again.

    Examples:
      gandream jobs retry 12

      gandream jobs retry --batch night
    """
    with _needed(folder) as queue:
        ids = _chosen(queue, words, batch, ("failed", "quarantined"))
        before = [queue.job(id) for id in ids]
        jobs = queue.retry(ids)
    _tell(before, jobs, as_json, "nothing failed there")


@app.command("logs")
def logs(
    word: Number,
    follow: Annotated[
        bool, typer.Option("-f", "--follow", metavar="", help="Go on until the job is at its end.")
    ] = False,
    folder: Folder = FILMS,
) -> None:
    """Print what a job's tries said.

    Example:
      gandream jobs logs 12 --follow
    """
    number = _number(word)

    from gandream.base.errors import printable
    from gandream.cli.stopping import beside
    from gandream.run.jobs.following import log_pieces

    def work() -> None:
        with _needed(folder) as queue:
            job, said = queue.job(number), False
            if follow and not Path(job.log).exists():
                aside(f"job {number} is {job.state}; nothing was said yet")
            for piece in log_pieces(queue, number, follow):
                typer.echo(printable(piece.expandtabs()), nl=False)
                sys.stdout.flush()
                said = True
            if not said:
                aside(f"job {number} is {queue.job(number).state}; it said nothing")

    beside(work)


@app.command("watch")
def watch(batch: Batch = None, folder: Folder = FILMS) -> None:
    """Watch the queue until nothing waits or runs in it; where nobody watches, print a line for each change.

    Programs read the file events.jsonl beside the queue instead: a JSON object per change.

    Example:
      gandream jobs watch --batch night
    """
    from gandream.cli.jobs_shown import change, counted, live
    from gandream.cli.stopping import beside
    from gandream.run.jobs import following

    def work() -> None:
        with _needed(folder) as queue:
            _known_batch(queue, batch)
            seen = None
            with live(watched() and sys.stdout.isatty()) as show:
                for seen in following.watched(queue, batch):
                    show(seen, [change(event) for event in seen.events])
            if seen is not None:
                typer.echo(counted(seen.counts))

    beside(work)


def _number(word: str) -> int:
    if re.fullmatch(r"[0-9]{1,40}", word) is None:
        raise typer.BadParameter(f"'{word}' is no number of a job", param_hint="ID")
    return int(word)


def _state(word: str) -> State:
    from gandream.base.errors import did_you_mean
    from gandream.run.jobs.records import STATES

    for state in STATES:
        if word == state:
            return state
    hint = did_you_mean(word, STATES)
    raise typer.BadParameter(f"'{word}' is no state; wanted {', '.join(STATES)}. {hint}".strip(), param_hint="--state")


def _file(folder: Path) -> Path:
    from gandream.base.errors import OutputError
    from gandream.run.jobs.folder import jobs_folder, queue_file

    place = jobs_folder(folder)
    if folder != FILMS and not folder.is_dir() and folder in place.parents:
        raise OutputError(str(folder), "no such folder", "--folder names the one where your films are.")
    return queue_file(place)


def _opened(folder: Path) -> Queue | None:
    """The queue that is there; looking makes none."""
    from gandream.run.jobs.queue import Queue

    file = _file(folder)
    return Queue(file.parent) if file.exists() else None


def _needed(folder: Path) -> Queue:
    from gandream.base.errors import GandreamError

    if (queue := _opened(folder)) is not None:
        return queue
    raise GandreamError(
        str(_file(folder)), "there is no queue here", "gandream batch makes one; --folder names the films' folder."
    )


def _known_batch(queue: Queue, batch: str | None) -> None:
    from gandream.base.errors import GandreamError, did_you_mean, listed

    if batch is None or batch in (known := queue.batches()):
        return
    hint = did_you_mean(batch, known) or (f"There are: {listed(known)}." if known else "The queue is empty.")
    raise GandreamError(f"--batch {batch}", "there is no batch of this name in the queue", hint)


def _chosen(queue: Queue, words: list[str] | None, batch: str | None, states: Iterable[State]) -> list[int]:
    """The jobs that are meant: those of the numbers, or those of the batch in these states."""
    if bool(words) == (batch is not None):
        problem = "these jobs, or all of a batch? Leave one out" if words else "nothing says which jobs"
        raise typer.BadParameter(problem if words else f"{problem}; wanted their numbers, or --batch")
    if words:
        return [_number(word) for word in words]
    _known_batch(queue, batch)
    return [job.id for job in queue.jobs(batch, states)]


def _tell(before: list[Job], after: list[Job], as_json: bool, nothing: str) -> None:
    """What became of jobs, those too that stayed as they were."""
    from gandream.cli.jobs_shown import as_json as plain
    from gandream.cli.jobs_shown import named

    if as_json:
        echo_json({"jobs": [plain(job) for job in after]})
        return
    was = {job.id: job for job in before}
    say: Callable[[str], None] = typer.echo
    for job in after:
        same = was[job.id].state == job.state and not was[job.id].orphaned
        say(f"{named(job)}: {job.state}{' already, left as it is' if same else ''}")
    if not after:
        aside(nothing)
