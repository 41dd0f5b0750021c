"""``gandream surprise``."""

from __future__ import annotations

from typing import Annotated

import typer


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
) -> None:
    """Print a recipe drawn by chance, of walks and mappings, to render and to keep.

    Example:
      gandream surprise --seed 7 > surprise.yaml && gandream render surprise.yaml
    """
    import secrets

    from gandream.recipe.surprise import surprise

    typer.echo(surprise(secrets.randbelow(100_000) if seed is None else seed, model, audio), nl=False)
