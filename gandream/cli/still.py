"""``gandream still``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gandream.cli.options import AsJson, Assignments, Device, RecipeFile, device_word, echo_json, warn
from gandream.cli.voice import note


def command(
    recipe: RecipeFile,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="12.5s, 0:42, 90 frames, 8 bars or 50%.")] = "0s",
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            help="The PNG. [default: outputs/<recipe>_at_<time>.png]",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", metavar="", help="Overwrite a picture that was made from something else.")
    ] = False,
    assignments: Assignments = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Render one frame of a film as a PNG.

    Example:
      gandream still recipes/music_viz.yaml --at 12.5s
    """
    kind = device_word(device)

    from gandream.cli.stopping import beside
    from gandream.recipe.load import load_recipe
    from gandream.run.still import still

    checked = load_recipe(recipe, assignments or ())
    path, prepared = beside(lambda: still(checked, at, out, force=force, device=kind, note=note))
    warn(prepared.warnings)
    if as_json:
        echo_json({"file": str(path), "warnings": list(prepared.warnings)})
    else:
        typer.echo(str(path))
