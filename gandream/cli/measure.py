"""``gandream measure``."""

from __future__ import annotations

from typing import Annotated

import typer

from gandream.cli.options import AsJson, Device, device_word, echo_json
from gandream.cli.voice import note


def command(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model's file or name.", show_default=False)],
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="A folder of pictures, or procedural:dreams.", show_default=False)
    ],
    samples: Annotated[int, typer.Option("--samples", metavar="COUNT", help="Pictures of each side.", min=64)] = 8192,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Say how far a model's pictures are from those it was trained on.

    Sliced Wasserstein distance over a Laplacian pyramid, times 1000: small levels judge the large shapes, the
    largest one edges and fine detail. The floor is what real pictures score against other real ones.

    Example:
      gandream measure flowers.safetensors photos/
    """
    kind = device_word(device)
    from gandream.cli.progress import counted
    from gandream.run.measure import measure

    with counted() as progress:
        found = measure(model, data, samples=samples, device=kind, progress=progress, note=note)
    rows = {"model": found.model, "floor": found.floor}
    if as_json:
        levels = {name: {str(level): one for level, one in row.items()} for name, row in rows.items()}
        echo_json({"unit": "SWD x 1000", "levels": levels, "samples": found.samples})
        return
    levels = list(found.model)
    typer.echo(f"{'SWD x 1000':<12}" + "".join(f"{f'{level}x{level}':>10}" for level in levels) + f"{'mean':>10}")
    means = {}
    for name, distances in rows.items():
        means[name] = sum(distances.values()) / len(distances)
        typer.echo(f"{name:<12}" + "".join(f"{distances[one]:>10.2f}" for one in levels) + f"{means[name]:>10.2f}")
    typer.echo(f"{means['model'] / means['floor']:.1f} x the floor, {found.samples} pictures of each side")
