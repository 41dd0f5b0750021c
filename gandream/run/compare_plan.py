"""The films that a comparison is made of: planned, rendered into the store, and what one should know of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gandream.base.errors import OutputError
from gandream.recipe.recipe import Recipe
from gandream.recipe.video import Video
from gandream.rendering.device import Kind
from gandream.rendering.reel import Reel
from gandream.rendering.segments import render_segments
from gandream.rendering.store import Store
from gandream.run.prepare import Prepared, draft_of, load_model, prepare
from gandream.run.preview import Part
from gandream.run.variants import Variant, Variants

if TYPE_CHECKING:
    from gandream.models.spec import Generator

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Shown:
    """A variant and what there is of it."""

    variant: Variant
    prepared: Prepared
    reel: Reel

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return float(self.reel.frames / self.reel.fmt.fps)


def planned(table: Variants, cache: Path, kind: Kind, part: Part | None, full: bool) -> list[Shown]:
    """The variants, prepared; those after the first show the same seconds of theirs."""
    shown: list[Shown] = []
    seconds: tuple[float, float] | None = None
    for variant in table.variants:
        recipe = _whole(variant.recipe) if full else draft_of(variant.recipe.as_output(0))
        prepared = prepare(recipe, cache, beats=part is not None and part.needs_beats, device=kind)
        frames, fps, total = None, float(prepared.fmt.fps), prepared.score.trajectory.frames
        if part is not None and seconds is None:
            start, stop, _ = part.frames(prepared)
            frames, seconds = (start, stop), (start / fps, stop / fps)
        elif seconds is not None:
            frames = round(seconds[0] * fps), min(total, max(round(seconds[1] * fps), round(seconds[0] * fps) + 1))
            if frames[0] >= total:
                problem = f"{variant.label} has ended by then: it lasts {total / fps:.3f} s"
                raise OutputError(f"--at {part.at if part else ''}", problem, "Take an earlier time.")
        shown.append(Shown(variant, prepared, prepared.reel(kind, frames)))
    return shown


def _whole(recipe: Recipe) -> Recipe:
    """The recipe with its first output as it is, if that is a film that players show; else its pictures as one."""
    video = recipe.video
    if video.coding.codec == "h264" and (video.coding.depth, video.coding.subsampling) == (8, "420"):
        return recipe.as_output(0)
    words = {name: getattr(video, name) for name in ("size", "fps", "start", "duration", "loop", "fit")}
    return recipe.model_copy(update={"outputs": (Video().model_copy(update=words),)})


def rendered(shown: list[Shown], store: Store, progress: Progress) -> int:
    """Render what the store lacks, one variant after the other; gives the frames that were rendered here."""
    total, done, made = sum(one.reel.frames for one in shown), 0, 0
    models = _Latest()
    for one in shown:
        there = store.find_all(segment.key for segment in one.reel.segments)
        missing = [segment for segment in one.reel.segments if segment.key not in there]
        before = done + one.reel.frames - sum(segment.frames for segment in missing)
        done = before

        def advance(count: int) -> None:
            nonlocal done
            done += count
            progress("rendering", done, total)

        progress("rendering", done, total)
        if missing:
            made += render_segments(one.reel, missing, models.of(one), store, advance)
    return made


class _Latest:
    """Loads models, and keeps the latest: variants mostly share theirs."""

    def __init__(self) -> None:
        self._kept: tuple[Any, Generator] | None = None

    def of(self, one: Shown) -> Callable[[int], Generator]:
        """What loads a variant's models by their numbers."""
        recipes = [cut.recipe for cut in one.prepared.cuts] or [one.prepared.recipe]
        return lambda number: self._load(recipes[number], one.reel.device)

    def _load(self, recipe: Recipe, device: str) -> Generator:
        named = recipe.model.written, recipe.model.folder, recipe.model.precision, device
        if self._kept is None or self._kept[0] != named:
            self._kept = None  # let go of one before the next comes
            self._kept = named, load_model(recipe, device)
        return self._kept[1]


def heard(one: Shown) -> tuple[Fraction, float]:
    """The second of its music at a variant's first frame, and how much louder it is in the film."""
    start = one.prepared.score.trajectory.timeline.start_s + one.reel.start / one.reel.fmt.fps
    return start, one.prepared.recipe.audio.gain_db if one.prepared.recipe.audio else 0.0


def odd(shown: list[Shown], table: Variants) -> list[str]:
    """What one should know before one compares."""
    keys, first = [[segment.key for segment in one.reel.segments] for one in shown], shown[0]
    idle = table.idle(keys)
    notes = [f"{axis.key or 'the recipe'} changes nothing in these films" for axis in idle]
    for at, one in enumerate(shown if not idle else ()):
        if (same := keys.index(keys[at])) < at:
            notes.append(f"{one.variant.label} is the same film as {shown[same].variant.label}")
    longest = max(one.seconds for one in shown)
    notes += [f"{one.variant.label} ends at {one.seconds:.2f} s and stays there" for one in shown
              if one.seconds < longest - 0.5 / float(first.reel.fmt.fps)]  # fmt: skip
    sounds = [one.prepared.score.music and (one.prepared.score.music.fingerprint, heard(one)) for one in shown]
    if any(sound != sounds[0] for sound in sounds):
        notes.append(f"they differ in their sound; what is heard is that of {first.variant.label}")
    return notes
