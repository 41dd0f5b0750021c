"""Options that several commands share, declared once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gandream.cli.voice import note

if TYPE_CHECKING:
    from gandream.run.cluster.cluster import Cluster

MACHINES = "Many machines"

RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe, a YAML file.", show_default=False)]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a word of the recipe, such as video.crf=23; may be repeated.",
        show_default=False,
    ),
]
Device = Annotated[
    str,
    typer.Option("--device", metavar="DEVICE", help="What renders: auto (a GPU where there is one), cpu, cuda or mps."),
]

Frames = Annotated[
    str | None,
    typer.Option("--frames", metavar="A:B", help="Only frames A up to B, B not included.", show_default=False),
]
On = Annotated[
    str,
    typer.Option(
        "--on",
        metavar="local|ray[:ADDRESS]",
        help="Where segments are rendered: here, on a Ray cluster, or with ray on one that is started here.",
        rich_help_panel=MACHINES,
    ),
]
SegmentsBack = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="auto|shared|bytes|URL",
        help="How they come back from workers: a folder that all see, as bytes, or a store such as s3://bucket/film.",
        rich_help_panel=MACHINES,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        min=1,
        max=100_000,
        help="How many; more than there is room for asks a cluster that grows. [default: what fits]",
        show_default=False,
        rich_help_panel=MACHINES,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Say it as JSON, for programs.")]


def device_word(device: str):
    """The device as one of the four words."""
    if device not in ("auto", "cpu", "cuda", "mps"):
        raise typer.BadParameter(f"'{device}' is no device; wanted auto, cpu, cuda or mps", param_hint="--device")
    return device


def warn(warnings: Iterable[str]) -> None:
    """Say notes on standard error, each of them once in a run; none with -q."""
    for warning in warnings:
        note(warning)


def echo_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    typer.echo(json.dumps(value, indent=1, ensure_ascii=False))


def frame_words(written: str | None) -> tuple[int | None, int | None] | None:
    """The range that ``--frames A:B`` asks for."""
    if written is None:
        return None
    match = re.fullmatch(r"(\d{0,9}):(\d{0,9})", written)
    if match is None:
        raise typer.BadParameter(
            f"'{written}' is no range of frames; wanted A:B such as 0:60, :60 or 60:", param_hint="--frames"
        )
    return (int(match[1]) if match[1] else None, int(match[2]) if match[2] else None)


def rendered_on(on: str, store: str, workers: int | None) -> AbstractContextManager[Cluster | None]:
    """The cluster that ``--on``, ``--store`` and ``--workers`` ask for, to be entered; None for this process."""
    from gandream.run.cluster.where import where

    place = where(on, store, workers)
    if place is None:
        return nullcontext()
    from gandream.run.cluster.cluster import Cluster

    return Cluster(place)
