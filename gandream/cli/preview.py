"""``gandream preview``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gandream.cli.options import AsJson, Assignments, Device, RecipeFile, device_word, echo_json, warn
from gandream.cli.voice import aside, note, watched

At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="TIME",
        help="From when: 12.5s, 1:05, 90 frames, 8 bars or 50%. [default: where most happens]",
        show_default=False,
    ),
]
For = Annotated[str, typer.Option("--for", metavar="TIME", help="For how long: 5s, 2 bars, 25%.")]


def command(
    recipe: RecipeFile,
    at: At = None,
    lasts: For = "5s",
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="FILE", help="The film. [default: outputs/<recipe>.preview.mp4]", show_default=False
        ),
    ] = None,
    assignments: Assignments = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Render a part of a film as a quick draft, with its sound: half the size, a third of the frames.

    Without --at it is the part where the music that drives the film does most.

    Examples:
      gandream preview recipes/music_viz.yaml

      gandream preview recipes/music_viz.yaml --at 8bars --for 4bars
    """
    kind = device_word(device)

    from gandream.base.clock import timestamp
    from gandream.cli.progress import shown
    from gandream.cli.stopping import beside
    from gandream.recipe.load import load_recipe
    from gandream.run.flaws import as_json as flaws
    from gandream.run.preview import Part, preview

    checked = load_recipe(recipe, assignments or ())
    with shown() as progress:
        made = beside(lambda: preview(checked, Part(at, lasts), out, device=kind, progress=progress, note=note))
    warn(made.film.notes)
    if made.where:
        part = f"{timestamp(made.start_s)} to {timestamp(made.stop_s)}"
        note(f"this is {part}, {made.where}; --at says another time")
    film = made.film
    if watched():
        aside(f"{film.frames} frames, {film.rendered} of them rendered now, in {film.seconds:.1f} s")
    if as_json:
        facts = {"file": str(film.path), "start_s": made.start_s, "stop_s": made.stop_s, "why": made.where or None}
        counts = {"frames": film.frames, "rendered": film.rendered, "seconds": round(film.seconds, 3)}
        echo_json({**facts, **counts, "warnings": list(film.warnings), "quality": flaws(film.flaws)})
    else:
        typer.echo(str(film.path))
