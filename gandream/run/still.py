"""One frame of a film as a PNG, which carries its recipe and its time as a film does."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from gandream.base.clock import timestamp
from gandream.base.errors import OutputError
from gandream.base.files import writable_folder
from gandream.recipe.recipe import Recipe
from gandream.recipe.times import Time, parse_time
from gandream.rendering.device import DeviceWord, Kind
from gandream.rendering.store import ELSEWHERE, store_folder
from gandream.run.device import Note, failed_before, on_device
from gandream.run.drawings import png_target, save_png
from gandream.run.manifest import recipe_text
from gandream.run.prepare import Prepared, prepare
from gandream.video.colour import display_bytes


def still(
    recipe: Recipe,
    at: str,
    out: str | Path | None = None,
    *,
    force: bool = False,
    device: DeviceWord = "auto",
    note: Note = lambda words: None,
) -> tuple[Path, Prepared]:
    """Render the frame on screen at a time (``12.5s``, ``90 frames``, ``8 bars``, ``50%``) to a PNG.

    What was made from another recipe is not overwritten without ``force``.
    """
    try:
        time = parse_time(at)
    except ValueError as error:
        raise OutputError(f"--at {at}", str(error), "For instance --at 1:05.") from None
    subject = recipe.document.file or "film"
    usual = f"{Path(subject).stem}_at_{str(time).replace(' ', '_')}"
    target = png_target(out, usual, subject, force=force, what="still")
    cache = writable_folder(store_folder(target.parent), ELSEWHERE)
    make = partial(_still, recipe, time, at, target, cache)
    return on_device(device, make, note, failed_before(cache, recipe))


def _still(recipe: Recipe, time: Time, at: str, target: Path, cache: Path, kind: Kind) -> tuple[Path, Prepared]:
    from PIL import Image

    from gandream.rendering.projector import Projector

    prepared = prepare(recipe, cache, beats=time.unit in ("beats", "bars"), device=kind)
    frame = frame_at(time, at, prepared)
    reel = prepared.reel(kind, (frame, frame + 1))
    (image,) = Projector(reel, prepared.load(kind)).pictures(frame, frame + 1, batch=1)
    picture, subject = Image.fromarray(display_bytes(image)[0].cpu().numpy()), recipe.document.file
    title = recipe.title or Path(subject or target).stem
    moment = f"frame {frame}, at {timestamp(frame / float(prepared.fmt.fps))}"
    save_png(picture, target, subject or "film", title=title, recipe=recipe_text(recipe), moment=moment)
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
