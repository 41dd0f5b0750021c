"""``gandream compare``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from gandream.cli.options import AsJson, Assignments, Device, device_word, echo_json, warn
from gandream.cli.voice import aside, note, watched


def command(
    recipes: Annotated[list[Path], typer.Argument(metavar="RECIPE", help="A recipe, or several.", show_default=False)],
    varied: Annotated[
        list[str] | None,
        typer.Option(
            "--vary",
            metavar="KEY=V1,V2..",
            help="Values of a word, as in --set; may be repeated: every combination is shown.",
            show_default=False,
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="Only a part, from then: 1:05, 8 bars, 50%.", show_default=False),
    ] = None,
    lasts: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="How long the part is. [default with --at: 5s]", show_default=False),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", metavar="", help="Render whole films, not drafts, from which they are shown.")
    ] = False,
    size: Annotated[str, typer.Option("--size", metavar="WxH", help="The film is no larger than this.")] = "1920x1080",
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="FILE", help="The film. [default: outputs/<recipe>_compare.mp4]", show_default=False
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", metavar="", help="Overwrite a film that was made from another recipe.")
    ] = False,
    as_json: AsJson = False,
    assignments: Assignments = None,
    device: Device = "auto",
) -> None:
    """Render variants of a film side by side in one film, with the first one's sound.

    Of two words the first goes down and the second across. Each variant is kept
    as a draft of its own: adding one renders that one alone, and `render --draft`
    of the one you like renders nothing. With --full, neither does `render`.

    Examples:
      gandream compare recipes/music_viz.yaml --vary model=cppn#7,cppn#12

      gandream compare first.yaml --vary seed=1,2,3 --vary truncation=0.5,0.8

      gandream compare a.yaml b.yaml --at "8 bars" --for "4 bars"
    """
    match = re.fullmatch(r"(\d{2,4})[x×](\d{2,4})", size, re.ASCII)
    if match is None or not all(64 <= int(side) <= 8192 for side in match.groups()):
        raise typer.BadParameter(f"'{size}' is no size from 64x64 to 8192x8192, such as 1920x1080", param_hint="--size")
    kind = device_word(device)

    from gandream.cli.progress import shown
    from gandream.cli.stopping import beside
    from gandream.run.compare import compare, facts
    from gandream.run.preview import LASTS, Part
    from gandream.run.variants import variants_of

    table = variants_of(recipes, varied or (), assignments or ())
    part = None if at is None and lasts is None else Part(at, lasts or LASTS)
    largest = (int(match[1]), int(match[2]))
    with shown() as progress:
        made = beside(
            lambda: compare(
                *(table, out),
                **{"part": part, "full": full, "largest": largest, "force": force},
                **{"device": kind, "progress": progress, "note": note},
            )
        )
    if as_json:
        echo_json(facts(made))
        return
    warn(made.warnings)
    if watched():
        words = f"{len(table.variants)} variants, {made.rendered} frames of them rendered now"
        aside(f"{words}, in {made.seconds:.1f} s")
    typer.echo(str(made.path))
