"""One render, end to end: recipe in, film and manifest out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gandream.audio.playable import playable
from gandream.base.errors import OutputError
from gandream.base.files import writable_folder
from gandream.base.hashing import content_key
from gandream.recipe.recipe import Recipe
from gandream.rendering.device import DeviceWord, pick
from gandream.rendering.reel import Reel
from gandream.rendering.segments import render_segments
from gandream.rendering.store import ELSEWHERE, Store, store_folder
from gandream.run import manifest
from gandream.run.prepare import Prepared, prepare
from gandream.video.join import join
from gandream.video.sound import Sound

Progress = Callable[[str, int, int], None]
"""Told the stage, how many frames are there, and how many there will be."""


@dataclass(frozen=True)
class Film:
    """A finished film."""

    path: Path
    manifest: Path
    frames: int
    rendered: int
    """How many of the frames were rendered now; the others were in the store."""
    seconds: float
    """How long it took."""
    warnings: tuple[str, ...] = ()


def render(
    recipe: Recipe,
    out: str | Path | None = None,
    *,
    device: DeviceWord = "auto",
    frames: tuple[int | None, int | None] | None = None,
    force: bool = False,
    progress: Progress = lambda stage, done, total: None,
) -> Film:
    """Render a recipe to a film with its sound, and ``<film>.manifest.json`` beside it.

    ``out`` is ``outputs/<recipe>.mp4`` unless given. ``frames`` renders only [start, stop). A film of another recipe is
    not overwritten without ``force``. A render that was killed goes on with the segments that were finished.
    """
    began = time.perf_counter()
    kind = pick(device)
    target = film_path(recipe, out, frames)
    writable_folder(target.parent)
    if not force:
        manifest.refuse_foreign(target, recipe)
    cache = writable_folder(store_folder(target.parent), ELSEWHERE)
    progress("listening", 0, 0)
    prepared = prepare(recipe, cache)
    plan = prepared.reel(kind, frame_range(recipe, frames, prepared))
    key = _film_key(prepared, plan)
    if manifest.describes(target, key):
        progress("there already", plan.frames, plan.frames)
        return Film(target, manifest.path_of(target), plan.frames, 0, time.perf_counter() - began, prepared.warnings)
    store = Store(cache)
    rendered, render_seconds = _fill(plan, prepared, store, progress)
    progress("joining", plan.frames, plan.frames)
    _join(plan, prepared, store, target)
    seconds = time.perf_counter() - began
    figures = {
        "frames_rendered": rendered,
        "seconds": round(seconds, 3),
        "render_seconds": round(render_seconds, 3),
    }
    manifest.write(target, prepared, plan, key, figures)
    return Film(target, manifest.path_of(target), plan.frames, rendered, seconds, prepared.warnings)


def film_path(recipe: Recipe, out: str | Path | None, frames: tuple[int | None, int | None] | None) -> Path:
    """Where the film goes."""
    suffix = f".{recipe.video.file}"
    if out is None:
        part = "" if frames is None else f".{frames[0] or 0}-{'' if frames[1] is None else frames[1]}"
        return Path("outputs") / f"{Path(recipe.document.file or 'film').stem}{part}{suffix}"
    target = Path(out)
    if target.is_dir() or str(out).endswith(("/", "\\")):
        raise OutputError(
            str(target),
            "this is a folder; wanted the name of a film",
            f"For instance {target / ('film' + suffix)}.",
        )
    if target.suffix.lower() != suffix:
        raise OutputError(
            str(target),
            f"the film will be {recipe.video.file}, so its name should end in {suffix}",
            f"For instance {target.with_suffix(suffix)}.",
        )
    return target


def frame_range(
    recipe: Recipe, frames: tuple[int | None, int | None] | None, prepared: Prepared
) -> tuple[int, int] | None:
    """The asked range held against the film's length."""
    if frames is None:
        return None
    total = prepared.score.trajectory.frames
    start, stop = frames[0] or 0, total if frames[1] is None else frames[1]
    if not 0 <= start < stop <= total:
        raise OutputError(
            f"--frames {start}:{stop}",
            f"the film has frames 0:{total}",
            f"For instance --frames 0:{min(60, total)}.",
        )
    return start, stop


def _film_key(prepared: Prepared, plan: Reel) -> str:
    music, recipe = prepared.score.music, prepared.recipe
    sound = None if music is None else [music.fingerprint, _sound_start(prepared, plan)]
    return content_key(
        "film", [segment.key for segment in plan.segments], sound, recipe.title, manifest.recipe_text(recipe)
    )


def _sound_start(prepared: Prepared, plan: Reel):
    return prepared.score.trajectory.timeline.start_s + plan.start / plan.fmt.fps


def _fill(plan: Reel, prepared: Prepared, store: Store, progress: Progress) -> tuple[int, float]:
    """Render what the store lacks; gives the frames rendered and the seconds that took."""
    missing = [segment for segment in plan.segments if store.find(segment.key) is None]
    lacking = sum(segment.frames for segment in missing)
    if not missing:
        return 0, 0.0
    progress("loading", plan.frames - lacking, plan.frames)
    done, began = plan.frames - lacking, time.perf_counter()

    def advance(count: int) -> None:
        nonlocal done
        done += count
        progress("rendering", done, plan.frames)

    progress("rendering", done, plan.frames)
    render_segments(plan, missing, prepared.load(plan.device), store, advance)
    return lacking, time.perf_counter() - began


def _join(plan: Reel, prepared: Prepared, store: Store, target: Path) -> None:
    paths = [store.find(segment.key) for segment in plan.segments]
    whole = [path for path in paths if path is not None]
    if len(whole) != len(paths):
        raise OutputError(
            str(store.segments), "segments vanished while the film was made", "Run the same command again."
        )
    recipe = prepared.recipe
    title = recipe.title or Path(recipe.document.file or target).stem
    lengths = [segment.frames for segment in plan.segments]
    text = manifest.recipe_text(recipe)
    if recipe.audio is None:
        join(whole, lengths, plan.fmt, target, title=title, recipe_text=text)
        return
    with playable(recipe.audio.path) as path:
        sound = Sound(path, _sound_start(prepared, plan))
        join(whole, lengths, plan.fmt, target, sound=sound, title=title, recipe_text=text)
