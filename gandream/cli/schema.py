"""``gandream schema``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="Write it to a file instead.", show_default=False),
    ] = None,
    batch: Annotated[
        bool, typer.Option("--batch", metavar="", help="That of batch files, for `gandream batch`.")
    ] = False,
) -> None:
    """Print the JSON Schema of recipes, with which editors complete words and mark mistakes.

    An editor with a YAML language server takes it from a line of the recipe:
      # yaml-language-server: $schema=./gandream.schema.json

    Example:
      gandream schema -o gandream.schema.json
    """
    from gandream.run.schema import schema_text, write_schema

    if out is None:
        typer.echo(schema_text(batch), nl=False)
        return
    write_schema(out, batch)
    typer.echo(str(out))
