"""``gandream bench``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from gandream.cli.options import AsJson, Assignments, Device, RecipeFile, device_word, echo_json, frame_words
from gandream.cli.voice import note

if TYPE_CHECKING:
    from gandream.run.bench import Bench


def command(
    recipe: RecipeFile,
    assignments: Assignments = None,
    device: Device = "auto",
    frames: Annotated[
        str | None,
        typer.Option(
            "--frames",
            metavar="A:B",
            help="Measure frames A up to B. [default: four seconds from the middle]",
            show_default=False,
        ),
    ] = None,
    rounds: Annotated[
        int, typer.Option("--rounds", metavar="COUNT", help="How often each stage is measured.", min=1)
    ] = 3,
    as_json: AsJson = False,
) -> None:
    """Say how fast a recipe renders here, stage by stage, and what holds it up.

    Each stage is measured alone, in turns, and then all of them together. The table is Markdown. Nothing is kept.

    Examples:
      gandream bench recipes/music_viz.yaml

      gandream bench recipes/music_viz.yaml --set video.codec=h265 --rounds 5
    """
    wanted, kind = frame_words(frames), device_word(device)

    from gandream.cli.progress import shown
    from gandream.recipe.load import load_recipe
    from gandream.run.bench import bench

    checked = load_recipe(recipe, assignments or ())
    with shown() as progress:
        found = bench(checked, device=kind, frames=wanted, rounds=rounds, progress=progress, note=note)
    if as_json:
        echo_json(_plain(found))
    else:
        typer.echo("\n".join(_table(found)))


def _plain(found: Bench) -> dict[str, object]:
    stages = {stage.name: round(stage.ms, 3) for stage in (*found.stages, found.whole)}
    derived = {
        "bottleneck": found.bottleneck.name,
        "bound_ms": round(found.bound.ms, 3),
        "ratio": round(found.ratio, 3),
    }
    return {**asdict(found), "stages": stages, "whole": stages[found.whole.name], **derived}


def _table(found: Bench) -> list[str]:
    first, stop = found.frames
    total = sum(stage.ms for stage in found.stages)
    lines = [
        f"{found.recipe}: {found.model}, {found.size}, {found.fps} fps, {found.codec}, frames {first} to {stop - 1}, "
        f"medians of {found.rounds}",
        f"{found.machine}; {found.versions}",
        "",
        "| stage | ms/frame | frames/s | share |",
        "|---|---:|---:|---:|",
    ]
    for stage in found.stages:
        share = stage.ms / total if total else 0
        rate = f"{stage.rate:.1f}" if stage.ms >= 0.01 else ""
        lines.append(f"| {stage.name} | {stage.ms:.2f} | {rate} | {share:.0%} |")
    lines.append(f"| **{found.whole.name}** | **{found.whole.ms:.2f}** | **{found.whole.rate:.1f}** | |")
    memory = f" Peak memory: {found.peak_memory_mb} MB." if found.peak_memory_mb else ""
    lines += [
        "",
        f"The {found.bottleneck.name} takes longest. The whole takes {found.ratio:.2f} times {found.bound.name} "
        f"({found.bound.ms:.2f} ms a frame).{memory}",
    ]
    return lines
