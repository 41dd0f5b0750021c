"""``gandream surprise``."""

from __future__ import annotations

from typing import Annotated

import typer

from gandream.cli.options import AsJson, echo_json


def command(
    seed: Annotated[
        int | None,
        typer.Option("--seed", metavar="N", min=0, help="The same number gives the same recipe.", show_default=False),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="MODEL", help="A generator; without it a bundled one.", show_default=False),
    ] = None,
    audio: Annotated[
        str | None,
        typer.Option("--audio", metavar="FILE", help="Music; without it the bundled piece.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print a recipe drawn by chance, of walks and mappings, to render and to keep.

    Example:
      gandream surprise --seed 7 > surprise.yaml && gandream render surprise.yaml
    """
    import secrets

    from gandream.recipe.surprise import surprise

    seed = secrets.randbelow(100_000) if seed is None else seed
    drawn = surprise(seed, model, audio)
    if as_json:
        echo_json({"seed": seed, "text": drawn})
    else:
        typer.echo(drawn, nl=False)
