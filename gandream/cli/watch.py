"""``gandream watch``."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gandream.base.errors import printable
from gandream.cli.options import Assignments, Device, RecipeFile, device_word, warn
from gandream.cli.voice import say

if TYPE_CHECKING:
    from gandream.run.film import Progress
    from gandream.run.watch import Event


def command(
    recipe: RecipeFile,
    full: Annotated[bool, typer.Option("--full", metavar="", help="Render the film itself instead of its draft.")] = (
        False
    ),
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="Only a part of the draft, from then on: 1:05, 8 bars. [default with --for: where most happens]",
            show_default=False,
        ),
    ] = None,
    lasts: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="TIME",
            help="Only a part of the draft, so long: 5s, 2 bars. [default with --at: 5s]",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="FILE", help="The film. [default: outputs/<recipe>.draft.mp4]", show_default=False
        ),
    ] = None,
    assignments: Assignments = None,
    device: Device = "auto",
) -> None:
    """Render a recipe's draft, and again whenever the recipe is saved, until Ctrl-C.

    It says which bars and words a save changed, and renders only those. Files that
    the recipe includes or names (music, pictures, a model) are watched too.

    Examples:
      gandream watch recipes/music_viz.yaml

      gandream watch recipes/music_viz.yaml --at 8bars --for 4bars
    """
    kind = device_word(device)
    if full and (at is not None or lasts is not None):
        raise typer.BadParameter("the whole film or a part of its draft? Leave --at and --for out", param_hint="--full")

    from gandream.cli.progress import shown
    from gandream.cli.stopping import beside
    from gandream.run.preview import LASTS, Part
    from gandream.run.watch import Wanted, watch

    part = Part(at, lasts or LASTS) if at is not None or lasts is not None else None

    bar = contextlib.ExitStack()
    show: list[Progress] = []

    def progress(stage: str, done: int, total: int) -> None:
        if not show:
            show.append(bar.enter_context(shown()))
        show[0](stage, done, total)

    def follow() -> None:
        for event in watch(recipe, assignments or (), Wanted(part, full, out, kind), progress):
            bar.close()  # a bar is there while something is rendered
            show.clear()
            _say(event)

    with bar:
        beside(follow)


def _say(event: Event) -> None:
    """A line for an event, with the clock's time; notes once."""
    if event.error is not None:
        say(f"{_now()}  {event.error}")
    if event.film is not None:
        warn(event.film.notes)
    typer.echo(printable(f"{_now()}  {event.said}"))


def _now() -> str:
    return time.strftime("%H:%M:%S")
