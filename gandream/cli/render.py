"""``gandream render``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gandream.cli.options import (
    AsJson,
    Assignments,
    Device,
    Frames,
    On,
    RecipeFile,
    SegmentsBack,
    Workers,
    device_word,
    echo_json,
    frame_words,
    rendered_on,
    warn,
)
from gandream.cli.voice import aside, say, watched

if TYPE_CHECKING:
    from gandream.run.film import Film


def command(
    recipe: RecipeFile,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            help="The film, or a folder of pictures; of several outputs the first. [default: outputs/<recipe>.mp4]",
            show_default=False,
        ),
    ] = None,
    assignments: Assignments = None,
    device: Device = "auto",
    frames: Frames = None,
    force: Annotated[
        bool, typer.Option("--force", metavar="", help="Overwrite a film that was made from another recipe.")
    ] = False,
    draft: Annotated[
        bool,
        typer.Option(
            "--draft", metavar="", help="A quick look: half the size, a third of the frames, <recipe>.draft.mp4."
        ),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", metavar="", help="Status 1 if anything is wrong with the film; it stays.")
    ] = False,
    on: On = "local",
    store: SegmentsBack = "auto",
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Render a recipe to a film with its sound.

    A render that was stopped goes on where it was when it is run again,
    and what didn't change isn't rendered again.

    What is wrong with the film is told with its time and likely cause:
    stretches that are black, stand still, are burnt out, flicker or flash,
    a loop's seam, frames or sound out of time.

    Examples:
      gandream render recipes/music_viz.yaml

      gandream render recipes/music_viz.yaml -o small.mp4 --set video.size=256

      gandream render recipes/music_viz.yaml --frames 360:480

      gandream render recipes/music_viz.yaml --on ray:auto
    """
    wanted = frame_words(frames)
    kind = device_word(device)

    from gandream.cli.progress import shown
    from gandream.cli.stopping import beside
    from gandream.recipe.load import load_recipe
    from gandream.run.film import render

    checked = load_recipe(recipe, assignments or ())
    with shown() as progress, rendered_on(on, store, workers) as cluster:
        more = {
            "force": force,
            "draft": draft,
            "progress": progress,
            "note": lambda words: warn((words,)),
            "on": cluster,
        }
        film = beside(lambda: render(checked, out, device=kind, frames=wanted, **more))
    films = (film, *film.others)
    flaws = {flaw.said for one in films for flaw in one.flaws}
    warn(film.notes)
    if watched():
        rendered = film.rendered + sum(other.rendered for other in film.others)
        total = film.frames + sum(other.frames for other in film.others)
        aside(f"{total} frames, {rendered} of them rendered now, in {film.seconds:.1f} s")
    if as_json:
        echo_json({**_told(film), "others": [_told(one) for one in film.others]})
    else:
        for one in films:
            typer.echo(str(one.path))
    if strict and flaws:
        what = "a flaw was" if len(flaws) == 1 else f"{len(flaws)} flaws were"
        say(f"{what} found, and --strict makes that an error; the film is there")
        raise typer.Exit(1)


def _told(film: Film) -> dict[str, Any]:
    """One output for programs."""
    from gandream.run.flaws import as_json

    return {
        "file": str(film.path),
        "manifest": str(film.manifest),
        "frames": film.frames,
        "rendered": film.rendered,
        "seconds": round(film.seconds, 3),
        "warnings": list(film.warnings),
        "quality": as_json(film.flaws),
    }
