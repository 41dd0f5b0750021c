"""One frame of a film as a PNG, which carries its recipe and its time as a film does."""

from __future__ import annotations

import io
from pathlib import Path

from gandream.base.clock import timestamp
from gandream.base.errors import OutputError
from gandream.base.files import published, writable_folder
from gandream.recipe.recipe import Recipe
from gandream.recipe.times import Time, parse_time
from gandream.rendering.device import DeviceWord, pick
from gandream.rendering.store import ELSEWHERE, store_folder
from gandream.run.manifest import recipe_text
from gandream.run.prepare import Prepared, prepare
from gandream.video.colour import display_bytes
from gandream.video.stamp import stamped


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
    prepared = prepare(recipe, cache, beats=time.unit in ("beats", "bars"), device=kind)
    frame = frame_at(time, at, prepared)
    reel = prepared.reel(kind, (frame, frame + 1))
    (image,) = Projector(reel, prepared.load(kind)).pictures(frame, frame + 1, batch=1)
    made = io.BytesIO()
    Image.fromarray(display_bytes(image)[0].cpu().numpy()).save(made, format="PNG")
    title = recipe.title or Path(recipe.document.file or target).stem
    moment = f"frame {frame}, at {timestamp(frame / float(prepared.fmt.fps))}"
    with published(target) as part:
        part.write_bytes(b"".join(stamped(made.getvalue(), title, recipe_text(recipe), moment=moment)))
    return target, prepared


def frame_at(time: Time, at: str, prepared: Prepared) -> int:
    """The frame on screen at a time; ``at`` is how the option says it, for the error where the film hasn't that."""
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
