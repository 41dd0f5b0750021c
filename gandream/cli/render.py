"""``gandream render``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gandream.cli.options import Assignments, Device, RecipeFile, device_word, frame_words, warn


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
    frames: Annotated[
        str | None,
        typer.Option("--frames", metavar="A:B", help="Only frames A up to B, B not included.", show_default=False),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", metavar="", help="Overwrite a film that was made from another recipe.")
    ] = False,
    draft: Annotated[
        bool,
        typer.Option(
            "--draft", metavar="", help="A quick look: half the size, a third of the frames, <recipe>.draft.mp4."
        ),
    ] = False,
) -> None:
    """Render a recipe to a film with its sound.

    A render that was stopped goes on where it was when it is run again,
    and what didn't change isn't rendered again.

    Examples:
      gandream render recipes/music_viz.yaml

      gandream render recipes/music_viz.yaml -o small.mp4 --set video.size=256

      gandream render recipes/music_viz.yaml --frames 360:480
    """
    wanted = frame_words(frames)
    kind = device_word(device)

    from gandream.cli.progress import shown
    from gandream.cli.stopping import beside
    from gandream.recipe.load import load_recipe
    from gandream.run.film import render

    checked = load_recipe(recipe, assignments or ())
    with shown() as progress:
        film = beside(
            lambda: render(checked, out, device=kind, frames=wanted, force=force, draft=draft, progress=progress)
        )
    warn(film.warnings)
    if sys.stderr.isatty():
        rendered = film.rendered + sum(other.rendered for other in film.others)
        total = film.frames + sum(other.frames for other in film.others)
        typer.echo(f"{total} frames, {rendered} of them rendered now, in {film.seconds:.1f} s", err=True)
    for one in (film, *film.others):
        typer.echo(str(one.path))
