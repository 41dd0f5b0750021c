"""``gandream explain``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gandream.cli.options import AsJson, Assignments, echo_json, warn
from gandream.cli.voice import aside


def command(
    recipe: Annotated[Path | None, typer.Argument(metavar="RECIPE", help="The recipe.", show_default=False)] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE.png", help="Draw every curve against the music.", show_default=False),
    ] = None,
    functions: Annotated[
        bool, typer.Option("--functions", metavar="", help="List what expressions know instead.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", metavar="", help="Overwrite a picture that was made from something else.")
    ] = False,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Print a recipe with all that it includes, its variables and every default said; it makes the same film.

    Example:
      gandream explain recipes/music_viz.yaml --plot curves.png
    """
    if functions:
        _functions(as_json)
        return
    if recipe is None:
        raise typer.BadParameter("RECIPE is missing, or --functions")
    from gandream.recipe.load import load_recipe
    from gandream.recipe.recipe import check_beats

    loaded = load_recipe(recipe, assignments or ())
    check_beats(loaded)
    if plot is not None:
        from gandream.run.drawings import png_target

        png_target(plot, "", recipe, force=force, what="plot", by="--plot")
    from gandream.run.explain import explained
    from gandream.run.explain import plot as draw

    text = explained(loaded)
    if as_json:
        echo_json({"recipe": str(recipe), "text": text, "plot": plot and str(plot)})
    else:
        typer.echo(text, nl=False)
    if plot is None:
        return
    from gandream.rendering.store import store_folder
    from gandream.run.prepare import prepare

    cache = store_folder(plot.parent)
    prepared = prepare(loaded, cache, beats=loaded.audio is not None)
    draw(recipe, tuple(assignments or ()), prepared, plot, cache / "audio")
    warn(prepared.warnings)
    aside(str(plot))


def _functions(as_json: bool) -> None:
    """Say what expressions know: names, and functions with an example of each."""
    from gandream.recipe.expression import NAMES
    from gandream.recipe.functions import GROUPS

    if as_json:
        functions = [
            {"name": name, "group": heading, "arguments": one.arguments, "about": one.help, "range": one.range}
            | {"example": one.example}
            for heading, group in GROUPS.items()
            for name, one in group.items()
        ]
        names = [{"name": name, "about": about} for name, about in NAMES.items()]
        echo_json({"names": names, "functions": functions})
        return
    typer.echo("Names")
    for name, about in NAMES.items():
        typer.echo(f"  {name:<16} {about}")
    for heading, group in GROUPS.items():
        typer.echo(f"\n{heading}")
        for name, one in group.items():
            typer.echo(f"  {name}({one.arguments})\n      {one.help}")
            typer.echo(f"      gives {one.range}; for instance {one.example}")
