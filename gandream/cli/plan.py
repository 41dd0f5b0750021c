"""``gandream plan``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gandream.cli.options import (
    AsJson,
    Assignments,
    Device,
    Frames,
    RecipeFile,
    device_word,
    echo_json,
    frame_words,
    warn,
)
from gandream.cli.voice import note

if TYPE_CHECKING:
    from gandream.run.estimate import Between, FilmPlan, OutputPlan


def command(
    recipe: RecipeFile,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="FILE", help="The film. [default: outputs/<recipe>.mp4]", show_default=False
        ),
    ] = None,
    assignments: Assignments = None,
    device: Device = "auto",
    frames: Frames = None,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe/--no-probe",
            help="Make a few frames from two places, to tell time and size; nothing of them is kept.",
        ),
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Say what a render will make and take, before it is begun: time, file size, memory and disk.

    Example:
      gandream plan recipes/music_viz.yaml --set video.size=1920x1080
    """
    kind, wanted = device_word(device), frame_words(frames)

    from gandream.cli.progress import shown
    from gandream.cli.stopping import beside
    from gandream.recipe.load import load_recipe
    from gandream.run.estimate import plan_film

    checked = load_recipe(recipe, assignments or ())
    with shown() as progress:
        more = {"probe": probe, "progress": progress, "note": note}
        found = beside(lambda: plan_film(checked, out, device=kind, frames=wanted, **more))
    if as_json:
        echo_json(_plain(found))
        return
    warn(found.warnings)
    for line in _lines(found):
        typer.echo(line)


def _lines(plan: FilmPlan) -> Iterator[str]:
    from gandream.base.clock import timestamp
    from gandream.run.needs import size

    needs = plan.needs
    yield f"{plan.recipe}: {plan.model}, on the {'CPU' if plan.device == 'cpu' else 'GPU'}"
    yield ""
    for one in plan.outputs:
        yield _row("file", str(one.file))
        yield _row("", f"{one.width}x{one.height}, {_number(one.fps)} fps, {one.codec}")
        yield _row("frames", f"{one.frames} ({timestamp(plan.seconds)}), of which {one.missing} are to be rendered")
        yield _row("segments", f"{one.segments}, of which {one.there} are there")
        if one.bytes is not None:
            yield _row("size", _between(one.bytes, size))
    if plan.takes_s is not None:
        yield _row("time", _between(plan.takes_s, _duration))
    yield _row("memory", _of(needs.memory, needs.memory_room.free))
    batch = f"{needs.batch} picture{'s' * (needs.batch > 1)} at a time"
    yield _row("batch", f"{batch}; the largest that fits is {needs.largest_batch}")
    yield _row("disk", _of(needs.disk, needs.disk_free))
    if plan.probed:
        fps = plan.outputs[0].frames / plan.seconds
        places = " and ".join(timestamp(first / fps) for first in plan.probed)
        yield ""
        yield f"Measured with {plan.probed_frames} frames, from {places} on."


def _row(name: str, text: str) -> str:
    return f"  {name:<9} {text}"


def _of(needed: int, free: int) -> str:
    from gandream.run.needs import size

    if needed == 0:
        return "nothing more"
    if free >= 1 << 62:
        return f"about {size(needed)}"
    enough = "are free" if needed <= free else "are free: not enough"
    return f"about {size(needed)}; {size(free)} {enough}"


def _between(span: Between, said: Any) -> str:
    low, high = said(span.low), said(span.high)
    return f"about {high}" if low == high else f"{low} to {high}"


def _duration(seconds: float) -> str:
    from gandream.base.clock import duration

    return duration(seconds)


def _number(fps: str) -> str:
    from fractions import Fraction

    return f"{float(Fraction(fps)):.6g}"


def _plain(plan: FilmPlan) -> dict[str, Any]:
    needs = plan.needs
    return {
        "recipe": plan.recipe,
        "model": plan.model,
        "device": plan.device,
        "seconds": plan.seconds,
        "outputs": [_plain_output(one) for one in plan.outputs],
        "takes_s": _pair(plan.takes_s),
        "memory_bytes": {"needed": needs.memory, "free": needs.memory_room.free, "there": needs.memory_room.total},
        "batch": needs.batch,
        "largest_batch": needs.largest_batch,
        "disk_bytes": {"needed": needs.disk, "free": needs.disk_free},
        "probe": {"frames": plan.probed_frames, "from": list(plan.probed)} if plan.probed else None,
        "warnings": list(plan.warnings),
    }


def _plain_output(one: OutputPlan) -> dict[str, Any]:
    return {
        "file": str(one.file),
        "width": one.width,
        "height": one.height,
        "fps": one.fps,
        "codec": one.codec,
        "frames": one.frames,
        "segments": one.segments,
        "segments_there": one.there,
        "frames_missing": one.missing,
        "bytes": _pair(one.bytes),
    }


def _pair(span: Between | None) -> list[float] | None:
    return None if span is None else [round(span.low, 3), round(span.high, 3)]
