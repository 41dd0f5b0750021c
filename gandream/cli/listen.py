"""``gandream listen``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from gandream.cli.options import AsJson, Assignments, echo_json, warn


def command(
    heard: Annotated[
        Path, typer.Argument(metavar="RECIPE|SOUNDFILE", help="A recipe, or any sound file.", show_default=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="FILE", help="The PNG. [default: outputs/<name>_heard.png]", show_default=False
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", metavar="", help="Overwrite a picture that was made from something else.")
    ] = False,
    as_json: AsJson = False,
    assignments: Assignments = None,
) -> None:
    """Say and draw what is heard: tempo, key, sections, and every signal of a recipe (or a usual set of a sound file).

    With --json nothing is drawn unless -o says where.

    Example:
      gandream listen recipes/music_viz.yaml -o heard.png
    """
    from gandream.rendering.store import store_folder
    from gandream.run.drawings import png_target, save_png
    from gandream.run.listen import facts, hear

    picture = None
    if out is not None or not as_json:
        picture = png_target(out, f"{heard.stem}_heard", heard, force=force, what="picture")
    folder = Path("outputs") if picture is None else picture.parent
    listened = hear(heard, store_folder(folder) / "audio", tuple(assignments or ()))
    if picture is not None:
        from gandream.run.plot import draw

        save_png(draw(listened), picture, heard)
    found = facts(listened)
    if as_json:
        echo_json(found)
        return
    warn(listened.warnings)
    for line in lines(found):
        typer.echo(line)
    typer.echo(str(picture))


def lines(found: dict[str, Any]) -> Iterator[str]:
    """What was heard, for people."""
    from gandream.base.clock import timestamp

    length = found["duration_s"] or found["film"]["duration_s"]
    yield f"{found['file']}: {timestamp(length)}"
    if found["bpm"]:
        grid = f"{found['beats']} beats, {found['beats_per_bar']} to a bar, the first at {found['first_beat_s']:.2f} s"
        yield f"  tempo     {found['bpm']:.1f} bpm, {grid}"
    if found["key"]:
        key = found["key"]
        yield f"  key       {key['name']} (fits {key['fit']:.2f}; {key['next']} {key['next_fit']:.2f})"
    if found["loudness_range_db"] is not None:
        yield f"  loudness  range {found['loudness_range_db']:.1f} dB"
    for number, one in enumerate(found["sections"]):
        name = "sections" if number == 0 else ""
        lasts = f"{timestamp(one['start_s'])} to {timestamp(one['end_s'])}"
        yield f"  {name:<8}  {number + 1:>2}  {one['label']}  {lasts}  ({one['end_s'] - one['start_s']:.1f} s)"
    for number, (name, one) in enumerate(found["signals"].items()):
        bands = f", {one['bands']} bands" if one["bands"] else ""
        head = "signals" if number == 0 else ""
        yield f"  {head:<8}  {name}: {one['min']:.2f} to {one['max']:.2f}, mean {one['mean']:.2f}{bands}"
