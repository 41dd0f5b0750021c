"""``gandream trajectory``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gandream.cli.options import AsJson, Assignments, Device, RecipeFile, device_word, echo_json, warn
from gandream.cli.voice import note


def command(
    recipe: RecipeFile,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="FILE", help="The .npz. [default: outputs/<recipe>.npz]", show_default=False
        ),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(
            "--space",
            metavar="z|w",
            help="z: the walk; w: all that synthesis is fed. [default: z, or w where the walk is there]",
            show_default=False,
        ),
    ] = None,
    assignments: Assignments = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Save where a film's walk is at every frame. `walk: {file: path.npz}` goes along it again.

    Example:
      gandream trajectory recipes/latent_walk.yaml -o path.npz
    """
    kind = device_word(device)
    if space not in (None, "z", "w"):
        raise typer.BadParameter(f"'{space}' is no space; wanted z or w", param_hint="--space")

    from gandream.recipe.load import load_recipe
    from gandream.run.trajectory import write_trajectory

    checked = load_recipe(recipe, assignments or ())
    path, prepared = write_trajectory(checked, out, space=space, device=kind, note=note)
    warn(prepared.warnings)
    if as_json:
        echo_json({"file": str(path), "frames": prepared.score.trajectory.frames, "warnings": list(prepared.warnings)})
    else:
        typer.echo(str(path))
