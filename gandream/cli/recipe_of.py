"""``gandream recipe``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from gandream.cli.options import AsJson, echo_json
from gandream.cli.voice import note


def command(
    film: Annotated[
        Path,
        typer.Argument(
            metavar="FILM", help="A film, an animation, a PNG, a folder of pictures or a manifest.", show_default=False
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE.yaml", help="Save it instead of printing it.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", metavar="", help="Overwrite a file that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give back the recipe that a film was made from, as it was written.

    Names of files in it start from the folder of the recipe that it was: saved there, it makes the same film.

    Example:
      gandream recipe outputs/music_viz.mp4 -o again.yaml
    """
    from gandream.base.errors import OutputError
    from gandream.base.files import published
    from gandream.run.recipe_of import carried

    found = carried(film)
    if out is not None:
        if out.exists() and not force:
            raise OutputError(
                str(out), "a file is here already", "Choose another name with -o, or overwrite it with --force."
            )
        with published(out) as part:
            part.write_bytes(found.text.encode())
    if found.source.name != film.name:
        note(f"{film} carries no recipe any more; this is its manifest's")
    saved_in = Path.cwd() if out is None else out.absolute().parent
    if found.file is not None and found.folder.resolve() != saved_in.resolve():
        note(f"it was {_shown(found.file)}; names of files in it start from there")
    if as_json:
        file = None if found.file is None else _shown(found.file)
        saved = None if out is None else str(out)
        echo_json(
            {"film": str(film), "recipe": file, "moment": found.moment or None, "saved": saved, "text": found.text}
        )
    elif out is not None:
        typer.echo(str(out))
    else:  # byte for byte: nothing is added, and no line break is turned into another
        sys.stdout.buffer.write(found.text.encode())
        sys.stdout.buffer.flush()


def _shown(path: Path) -> str:
    """A path as seen from here, or in full where that is shorter."""
    try:
        return min(os.path.relpath(path), os.path.abspath(path), key=len)
    except ValueError:  # another drive
        return os.path.abspath(path)
