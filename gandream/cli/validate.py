"""``gandream validate``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gandream.cli.mistakes import plain
from gandream.cli.options import AsJson, Assignments, echo_json
from gandream.cli.voice import say

if TYPE_CHECKING:
    from gandream.base.errors import GandreamError
    from gandream.recipe.recipe import Recipe


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

    failed = 0
    told: list[dict[str, Any]] = []
    for path in recipes:
        try:
            mistakes = list(_mistakes(load_recipe(path, assignments or ())))
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


def _mistakes(recipe: Recipe) -> Iterator[GandreamError]:
    """What is wrong with a recipe that can be read; whatever stops the check is raised."""
    from gandream.recipe.cells import cells_of
    from gandream.recipe.recipe import check_beats
    from gandream.recipe.scene import Sectioned
    from gandream.run.picture import picture_format
    from gandream.run.prepare import describe_model, shown_layer
    from gandream.trajectory.misfits import misfits

    check_beats(recipe)
    cells = [cell.recipe for cell in cells_of(recipe)]
    spec = describe_model(recipe)
    picture_format(recipe, spec)
    parts = cells or recipe.told_scenes()
    whole = [recipe] if not parts or isinstance(recipe.scenes, Sectioned) else []
    told: set[str] = set()
    for part in (*whole, *parts):
        own = describe_model(part) if "model" in part.own_words else spec
        shown_layer(part, own)
        for mistake in misfits(part, own):
            if str(mistake) not in told:  # what scenes inherit is wrong once
                told.add(str(mistake))
                yield mistake
