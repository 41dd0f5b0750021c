"""``gandream sheet``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gandream.cli.options import AsJson, Assignments, Device, device_word, echo_json, warn
from gandream.cli.voice import note

RECIPES = (".yaml", ".yml")

_Text = str | None


def _said(name: str, metavar: str, help: str, panel: str, *more: str) -> Any:
    return typer.Option(name, *more, metavar=metavar, help=help, show_default=False, rich_help_panel=panel)


FILM, MODEL = "Of a recipe", "Of a model"


def command(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE|MODEL",
            help="A recipe (.yaml), or a model: its file, its name, cppn#7.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            help="The PNG. [default: outputs/<recipe>_storyboard.png, outputs/<model>_sheet.png]",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", metavar="", help="Overwrite a picture that was made from something else.")
    ] = False,
    columns: Annotated[
        int | None, typer.Option("--columns", metavar="COUNT", help="Pictures in a row.", show_default=False)
    ] = None,
    device: Device = "auto",
    as_json: AsJson = False,
    every: Annotated[
        _Text,
        _said("--every", "TIME", "A frame so often: '1 bar', 2s, `section`, `scene`. [default: about 28]", FILM),
    ] = None,
    at: Annotated[_Text, _said("--at", "T1,T2..", "Frames at these times instead.", FILM)] = None,
    width: Annotated[int | None, _said("--width", "PX", "Of the page. [default: 1920]", FILM)] = None,
    assignments: Assignments = None,
    seeds: Annotated[
        _Text, _said("--seeds", "SEEDS", "Such as 1,5,9-12. [default: 0-63, in tables 0-7]", MODEL)
    ] = None,
    classes: Annotated[_Text, _said("--classes", "NAMES", "Classes by seeds: 0-9, names, or all.", MODEL)] = None,
    truncation: Annotated[
        _Text, _said("--truncation", "A:B:COUNT", "Seeds by truncations: -1:1:5, or a list.", MODEL)
    ] = None,
    mix: Annotated[_Text, _said("--mix", "SEEDS", "Style mixing: these seeds, in rows ...", MODEL)] = None,
    mixed_with: Annotated[_Text, _said("--with", "SEEDS", "... with layers of these, in columns.", MODEL)] = None,
    direction: Annotated[
        _Text, _said("--direction", "FILE", "Seeds pushed along a direction: smile.npy, all.npz#smile.", MODEL)
    ] = None,
    strength: Annotated[float | None, _said("--strength", "X", "Push from -X to X. [default: 3]", MODEL)] = None,
    steps: Annotated[int | None, _said("--steps", "COUNT", "In so many steps. [default: 7]", MODEL)] = None,
    layers: Annotated[
        _Text, _said("--layers", "LAYERS", "Those mixed or pushed: coarse, middle, fine, 0-3.", MODEL)
    ] = None,
    class_: Annotated[_Text, _said("--class", "NAME", "The class of all pictures.", MODEL)] = None,
    psi: Annotated[float | None, _said("--psi", "X", "Their truncation. [default: 1]", MODEL)] = None,
    size: Annotated[int | None, _said("--size", "PX", "The longer side of a picture.", MODEL)] = None,
) -> None:
    """Draw a storyboard of a recipe, or a contact sheet of a model.

    A storyboard has a frame for each bar, or for some of them, and what the
    music does between them. A contact sheet has a picture for each seed; of
    classes, truncations, mixed styles and directions it is a table.
    --json says where each picture is.

    Examples:
      gandream sheet recipes/music_viz.yaml

      gandream sheet recipes/music_viz.yaml --every '1 bar' -o bars.png

      gandream sheet cppn#7 --seeds 0-99

      gandream sheet dream --classes all --seeds 0-7

      gandream sheet dream --mix 1-4 --with 5-9 --layers coarse
    """
    film = {"--every": every, "--at": at, "--width": width, "--set": assignments or None}
    model = {
        "--seeds": seeds, "--classes": classes, "--truncation": truncation, "--mix": mix, "--with": mixed_with,
        "--direction": direction, "--strength": strength, "--steps": steps, "--layers": layers, "--class": class_,
        "--psi": psi, "--size": size,
    }  # fmt: skip
    of_recipe = subject.lower().endswith(RECIPES)
    odd = next((name for name, value in (model if of_recipe else film).items() if value is not None), None)
    if odd is not None:
        kinds = ("models", "recipe") if of_recipe else ("recipes", "model")
        raise typer.BadParameter(f"this is for sheets of {kinds[0]}, and {subject} is a {kinds[1]}", param_hint=odd)
    kind = device_word(device)

    from gandream.cli.progress import counted
    from gandream.cli.stopping import beside

    with counted() as progress:
        told = {"device": kind, "progress": progress, "note": note}
        if of_recipe:
            from gandream.recipe.load import load_recipe
            from gandream.run import storyboard

            recipe = load_recipe(Path(subject), assignments or ())
            wide = {} if width is None else {"width": width}
            options = {"every": every, "at": at, "columns": columns, "force": force, **wide}
            made = beside(lambda: storyboard.storyboard(recipe, out, **options, **told))
            found = storyboard.facts(made)
        else:
            from gandream.run import model_sheet

            wanted = model_sheet.Wanted(
                *(seeds, classes, truncation, mix, mixed_with, direction, strength, steps, layers),
                *(class_, psi, size, columns),
            )
            made = beside(lambda: model_sheet.model_sheet(subject, wanted, out, force=force, **told))
            found = model_sheet.facts(made)
    if as_json:
        echo_json(found)
        return
    warn(made.warnings)
    typer.echo(str(made.path))
