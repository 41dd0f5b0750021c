"""``gandream validate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gandream.cli.options import Assignments


def command(
    recipes: Annotated[list[Path], typer.Argument(metavar="RECIPE...", help="Recipes to check.", show_default=False)],
    assignments: Assignments = None,
) -> None:
    """Check recipes without rendering: words, types, names, files and the model. Every mistake is told with its place.

    Example:
      gandream validate recipes/*.yaml
    """
    from gandream.base.errors import GandreamError
    from gandream.recipe.cells import cells_of
    from gandream.recipe.load import load_recipe
    from gandream.recipe.recipe import check_beats
    from gandream.run.prepare import describe_model

    failed = 0
    for path in recipes:
        try:
            checked = load_recipe(path, assignments or ())
            check_beats(checked)
            cells_of(checked)
            describe_model(checked)
            for scene in checked.told_scenes():
                if "model" in scene.own_words:
                    describe_model(scene)
        except GandreamError as error:
            failed += 1
            typer.echo(f"{error}\n", err=True)
        else:
            typer.echo(f"{path}: good")
    if failed:
        raise typer.Exit(2)
