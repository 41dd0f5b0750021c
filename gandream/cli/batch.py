"""``gandream batch``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gandream.base.errors import listed, printable
from gandream.cli.batch_progress import near, shown_batch
from gandream.cli.options import AsJson, On, SegmentsBack, Workers, device_word, echo_json, warn
from gandream.cli.voice import aside, say

if TYPE_CHECKING:
    from gandream.run.batch.outcome import BatchResult, Row
    from gandream.run.batch.run import Plan


def command(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE|RECIPE...", help="A batch file, or recipes.", show_default=False),
    ],
    varied: Annotated[
        list[str] | None,
        typer.Option(
            "--vary",
            metavar="KEY=VALUES",
            help="All values of a word: seed=1-20, audio='songs/*.flac', truncation=0.5,0.8; may be repeated.",
            show_default=False,
        ),
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change a word of all recipes, such as video.crf=23; may be repeated.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--out",
            metavar="NAME",
            help="Names of the films with fields: 'films/{recipe}-{seed}.mp4'. [default: outputs/<recipe>-<values>]",
            show_default=False,
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("-j", "--jobs", metavar="N", min=1, max=256, help="How many films at a time.", show_default=False),
    ] = None,
    retries: Annotated[
        int | None,
        typer.Option(
            "--retries",
            metavar="N",
            min=0,
            max=100,
            help="How often what failed is tried again. [default: 1]",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[
        str | None,
        typer.Option(
            "--timeout", metavar="TIME", help="What takes longer has failed: 90s, 20 min, 2h.", show_default=False
        ),
    ] = None,
    keep_going: Annotated[
        bool | None,
        typer.Option(
            "--keep-going/--stop-at-first",
            metavar="",
            help="Whether the others are rendered when one has failed. [default: keep-going]",
            show_default=False,
        ),
    ] = None,
    draft: Annotated[
        bool | None,
        typer.Option(
            "--draft/--no-draft", metavar="", help="Half the size, a third of the frames.", show_default=False
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", metavar="", help="Overwrite films that were made from other recipes.")
    ] = False,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The batch's name. [default: its file's]", show_default=False),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="The report. [default: <batch>.report.html by the films]",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", metavar="", help="Say what would be rendered, and check all of it.")
    ] = False,
    on: On = "local",
    store: SegmentsBack = "auto",
    workers: Workers = None,
    as_json: AsJson = False,
    device: Annotated[
        str | None,
        typer.Option("--device", metavar="DEVICE", help="What renders. [default: auto]", show_default=False),
    ] = None,
) -> None:
    """Render many films: those of a batch file, or recipes with all values of some words.

    Every recipe is checked before the first is rendered; those that are broken
    stop none of the others. What is done stays done: the same command goes on
    after it was stopped or killed, and does again what has failed.

    At the end there is a table, and a report as a page to look at.
    Status 1 if a film failed.

    Examples:
      gandream batch night.batch.yaml

      gandream batch look.yaml --vary seed=1-20 --jobs 2

      gandream batch looks/*.yaml --vary audio='album/*.flac' --dry-run
    """
    if device is not None:
        device_word(device)
    said = {"jobs": jobs, "retries": retries, "timeout": timeout, "keep_going": keep_going, "draft": draft}
    said |= {"name": name, "device": device, "report": None if report is None else str(report.absolute())}

    from gandream.cli.stopping import beside
    from gandream.run.batch.entries import Said
    from gandream.run.batch.run import Flags, plan_batch, run_batch

    words = {word: value for word, value in said.items() if value is not None}
    elsewhere = (
        {} if (on, store, workers) == ("local", "auto", None) else {"on": on, "store": store, "workers": workers}
    )
    flags = Flags(Said(assignments or (), varied or (), out), words, force, elsewhere)
    if dry_run:
        with shown_batch() as (checking, _):
            plan = beside(lambda: plan_batch(files, flags, checking))
        _tell_plan(plan, as_json)
        raise typer.Exit(1 if plan.broken else 0)
    with shown_batch() as (checking, watch):
        result = beside(
            lambda: run_batch(
                files,
                flags,
                planned=_tell_broken,
                checking=checking,
                watch=watch,
                note=lambda words: warn((words,)),
            )
        )
    if as_json:
        from gandream.run.batch.report import facts

        echo_json(facts(result, Path.cwd()))
    else:
        _tell_result(result)
    if not result.good:
        raise typer.Exit(1)


def _tell_broken(plan: Plan) -> None:
    by_mistake: dict[str, list[str]] = {}
    for film in plan.broken:
        by_mistake.setdefault(film.mistake, []).append(film.wanted.name)
    for mistake, names in by_mistake.items():
        say(printable(f"{listed(names, 3)}:"))
        say("".join(f"  {line}\n" if line else "\n" for line in mistake.splitlines()))
    if plan.broken:
        say(f"{len(plan.broken)} of {len(plan.films)} films can't be rendered, as said above.\n")


def _tell_plan(plan: Plan, as_json: bool) -> None:
    """What would be rendered."""
    if as_json:
        films = [
            {
                "name": film.wanted.name,
                "recipe": film.task.recipe,
                "set": list(film.task.overrides),
                "outputs": [str(path) for path in film.outputs],
                "mistake": film.mistake or None,
            }
            for film in plan.films
        ]
        echo_json({"batch": plan.name, "films": films})
        return
    _tell_broken(plan)
    wide = max((len(film.wanted.name) for film in plan.good), default=0)
    for film in plan.good:
        typer.echo(printable(f"{film.wanted.name:<{wide}}  ->  {', '.join(near(path) for path in film.outputs)}"))
    aside(f"{len(plan.good)} {'film' if len(plan.good) == 1 else 'films'}")


def _tell_result(result: BatchResult) -> None:
    """A table of what became of all films."""
    from gandream.run.batch.report import clock

    took = [clock(row.seconds) if row.now and row.state == "done" else "" for row in result.rows]
    rows = [(row.film.wanted.name, _state(row), time, _last(row)) for row, time in zip(result.rows, took, strict=True)]
    wide = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    for name, state, time, last in rows:
        typer.echo(printable(f"{name:<{wide[0]}}  {state:<{wide[1]}}  {time:>{wide[2]}}  {last}"))
    made, failed = len(result.in_state("done")), len(result.failed)
    rest = len(result.rows) - made - failed
    words = f"{made} of {len(result.rows)} done" + (f", {failed} failed" if failed else "")
    aside(words + (f", {rest} not yet" if rest else "") + f", in {clock(result.seconds)}")
    if result.report is not None:
        typer.echo(near(result.report))


def _state(row: Row) -> str:
    if row.state == "done":
        return "done" if row.now else "there"
    return {"waiting": "not yet", "quarantined": "crashed"}.get(row.state, row.state)


def _last(row: Row) -> str:
    """The film, or what is wrong in a line."""
    if row.state == "done":
        flaws = len(row.job.figures.get("quality", ()))
        return near(row.out) + (f"  ({flaws} to look at)" if flaws else "")
    lines = [line.strip() for line in row.job.error.splitlines() if line.strip()]
    return ": ".join(lines[:2])[:160]
