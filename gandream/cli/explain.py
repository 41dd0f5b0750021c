"""``gandream explain``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gandream.cli.options import Assignments, warn


def command(
    recipe: Annotated[Path | None, typer.Argument(metavar="RECIPE", help="The recipe.", show_default=False)] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE.png", help="Draw every curve against the music.", show_default=False),
    ] = None,
    functions: Annotated[bool, typer.Option("--functions", help="List what expressions know instead.")] = False,
    assignments: Assignments = None,
) -> None:
    """Print a recipe with all that it includes, its variables and every default said; it makes the same film.

    Example:
      gandream explain recipes/music_viz.yaml --plot curves.png
    """
    if functions:
        _functions()
        return
    if recipe is None:
        raise typer.BadParameter("which recipe?", param_hint="RECIPE")
    from gandream.recipe.load import load_recipe
    from gandream.recipe.recipe import check_beats

    loaded = load_recipe(recipe, assignments or ())
    check_beats(loaded)
    from gandream.run.explain import explained
    from gandream.run.explain import plot as draw

    typer.echo(explained(loaded), nl=False)
    if plot is None:
        return
    from gandream.rendering.store import store_folder
    from gandream.run.prepare import prepare

    cache = store_folder(plot.parent)
    prepared = prepare(loaded, cache, beats=loaded.audio is not None)
    draw(recipe, tuple(assignments or ()), prepared, plot, cache / "audio")
    warn(prepared.warnings)
    typer.echo(str(plot), err=True)


def _functions() -> None:
    """Say what expressions know: names, and functions with an example of each."""
    from gandream.recipe.expression import NAMES
    from gandream.recipe.functions import GROUPS

    typer.echo("Names")
    for name, about in NAMES.items():
        typer.echo(f"  {name:<16} {about}")
    for heading, group in GROUPS.items():
        typer.echo(f"\n{heading}")
        for name, one in group.items():
            typer.echo(f"  {name}({one.arguments})\n      {one.help}")
            typer.echo(f"      gives {one.range}; for instance {one.example}")
