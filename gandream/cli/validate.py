"""``gandream validate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gandream.cli.mistakes import plain
from gandream.cli.options import AsJson, Assignments, echo_json
from gandream.cli.voice import say


def command(
    recipes: Annotated[list[Path], typer.Argument(metavar="RECIPE...", help="Recipes to check.", show_default=False)],
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Check recipes without rendering: words, types, names, files, and what they want of the model, such as layers.

    Every mistake is told with its place. What depends on the music is checked by `still` and `render`.

    Example:
      gandream validate recipes/*.yaml
    """
    from gandream.base.errors import GandreamError
    from gandream.recipe.load import load_recipe
    from gandream.run.validity import mistakes as mistakes_of

    failed = 0
    told: list[dict[str, Any]] = []
    for path in recipes:
        try:
            mistakes = list(mistakes_of(load_recipe(path, assignments or ())))
        except GandreamError as error:
            mistakes = [error]
        for mistake in mistakes:
            say(f"{mistake}\n")
        if not mistakes and not as_json:
            typer.echo(f"{path}: good")
        failed += bool(mistakes)
        parts = [part for mistake in mistakes for part in (mistake, *getattr(mistake, "others", ()))]
        told.append({"recipe": str(path), "good": not mistakes, "mistakes": [plain(part) for part in parts]})
    if as_json:
        echo_json({"good": not failed, "recipes": told})
    if failed:
        raise typer.Exit(2)
