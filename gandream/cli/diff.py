"""``gandream diff``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gandream.base.errors import printable
from gandream.cli.options import AsJson, echo_json, warn

if TYPE_CHECKING:
    from gandream.run.diff import Difference, Differs

_HELP = "A recipe, a film, an animation, a PNG or a manifest."


def command(
    before: Annotated[Path, typer.Argument(metavar="A", help=_HELP, show_default=False)],
    after: Annotated[Path, typer.Argument(metavar="B", help=_HELP, show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Say what differs: words of the recipes, where in the film that is seen, and how films were made.

    Status 0 if nothing does, 1 if something does, 2 if they can't be compared.

    Example:
      gandream diff outputs/monday.mp4 outputs/tuesday.mp4
    """
    from gandream.run.diff import diff

    found = diff(before, after)
    warn(found.notes)
    if as_json:
        echo_json(_told(found))
    else:
        for line in _lines(found):
            typer.echo(printable(line))  # films come from anywhere
    if not found.same:
        raise typer.Exit(1)


def _told(found: Difference) -> dict[str, Any]:
    return {
        "same": found.same,
        "words": [vars(one) for one in found.words],
        "parts": [vars(one) for one in found.parts],
        "made": [vars(one) for one in found.made],
        "notes": list(found.notes),
    }


def _lines(found: Difference) -> list[str]:
    if found.same:
        return ["nothing differs"]
    lines: list[str] = []
    lines += _table("words", found.words)
    lines += ["where", *(f"  {one.said}" for one in found.parts)] if found.parts else []
    lines += _table("how it was made", found.made)
    return lines


def _table(heading: str, rows: tuple[Differs, ...]) -> list[str]:
    """Names in a column, and what was and what is."""
    if not rows:
        return []
    width = max(len(one.name) for one in rows)
    return [heading, *(f"  {one.name:<{width}}  {one.shown[0]} -> {one.shown[1]}" for one in rows)]
