"""``gandream new``."""

from __future__ import annotations

from typing import Annotated

import typer

from gandream.cli.options import AsJson, echo_json, warn


def command(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="The recipe's file: NAME.yaml.")] = "film",
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="RECIPE",
            help="Begin with a recipe that ships, by name (see --list), or with a recipe file.",
            show_default=False,
        ),
    ] = None,
    song: Annotated[
        str | None,
        typer.Option("--song", metavar="FILE", help="The music, or bundled:night_drive.", show_default=False),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", metavar="MODEL", help="The generator: a name, a file or an address.", show_default=False
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", metavar="", help="Write over a recipe that is there.")] = False,
    no_schema: Annotated[
        bool, typer.Option("--no-schema", metavar="", help="Write no schema for editors beside it.")
    ] = False,
    show: Annotated[bool, typer.Option("--list", metavar="", help="List the recipes that ship instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a recipe to begin with: commented, and it renders as it is.

    Beside it goes a schema, with which editors complete words and mark mistakes.

    Example:
      gandream new night --song song.mp3
    """
    from gandream.run.new import new_recipe, shipped_recipes

    if show:
        found = shipped_recipes()
        if as_json:
            echo_json([{"name": one.name, "about": one.about, "file": str(one.path)} for one in found])
            return
        width = max(len(one.name) for one in found)
        for one in found:
            typer.echo(f"{one.name:<{width}}  {one.about}")
        return
    begun = new_recipe(name, source=source, song=song, model=model, force=force, schema=not no_schema)
    if as_json:
        echo_json(
            {
                "recipe": str(begun.recipe),
                "schema": None if begun.schema is None else str(begun.schema),
                "notes": list(begun.notes),
                "next": list(begun.next),
            }
        )
        return
    warn(begun.notes)
    typer.echo(f"{begun.recipe}\n\nNext:")
    for line in begun.next:
        typer.echo(f"  {line}")
