"""One frame of a film as a PNG."""

from __future__ import annotations

from pathlib import Path

from gandream.base.errors import OutputError
from gandream.base.files import published, writable_folder
from gandream.recipe.recipe import Recipe
from gandream.recipe.times import Time, parse_time
from gandream.rendering.device import DeviceWord, pick
from gandream.rendering.store import ELSEWHERE, store_folder
from gandream.run.prepare import Prepared, prepare
from gandream.video.colour import display_bytes


def still(
    recipe: Recipe, at: str, out: str | Path | None = None, *, device: DeviceWord = "auto"
) -> tuple[Path, Prepared]:
    """Render the frame on screen at a time (``12.5s``, ``90 frames``, ``8 bars``, ``50%``) to a PNG."""
    from PIL import Image

    from gandream.rendering.projector import Projector

    try:
        time = parse_time(at)
    except ValueError as error:
        raise OutputError(f"--at {at}", str(error)) from None
    kind = pick(device)
    target = (
        Path(out)
        if out is not None
        else Path("outputs") / f"{Path(recipe.document.file or 'film').stem}_at_{str(time).replace(' ', '_')}.png"
    )
    if target.suffix.lower() != ".png":
        raise OutputError(
            str(target),
            "a still is a PNG, so its name should end in .png",
            f"For instance {target.with_suffix('.png')}.",
        )
    writable_folder(target.parent)
    cache = writable_folder(store_folder(target.parent), ELSEWHERE)
    prepared = prepare(recipe, cache, beats=time.unit in ("beats", "bars"))
    frame = _frame(time, at, prepared)
    reel = prepared.reel(kind, (frame, frame + 1))
    (image,) = Projector(reel, prepared.load(kind)).pictures(frame, frame + 1, batch=1)
    with published(target) as part:
        Image.fromarray(display_bytes(image)[0].cpu().numpy()).save(part, format="PNG")
    return target, prepared


def _frame(time: Time, at: str, prepared: Prepared) -> int:
    line = prepared.score.trajectory.timeline
    seconds = line.moment_s(time)
    frame = int(seconds * float(line.clock.fps) + 1e-6)
    if not 0 <= frame < line.clock.frames and not (time.unit == "%" and time.amount == 100):
        last = float(line.clock.duration)
        hint = ""
        if line.grid is not None and time.unit in ("beats", "bars"):
            place = line.grid.bar_at if time.unit == "bars" else line.grid.beat_at
            first, end = (float(place(float(line.start_s) + at_s)) for at_s in (0.0, last))
            hint = f"In the music that is {time.unit} {first:.1f} to {end:.1f}."
        raise OutputError(f"--at {at}", f"the film goes from 0 to {last:.3f} s ({line.clock.frames} frames)", hint)
    return min(frame, line.clock.frames - 1)
