"""A storyboard: frames of a film at bars, sections or times, painted small and straight from the trajectory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from gandream.audio.analyse import Analysis
from gandream.base.errors import OutputError
from gandream.base.files import writable_folder
from gandream.recipe.recipe import Recipe
from gandream.recipe.scene import Sectioned
from gandream.recipe.signals import Signal
from gandream.recipe.times import parse_time
from gandream.recipe.video import MIN_SIDE, Video
from gandream.rendering.device import DeviceWord, Kind
from gandream.rendering.store import ELSEWHERE, store_folder
from gandream.run import page
from gandream.run.device import Note, failed_before, on_device
from gandream.run.drawings import png_target, save_png
from gandream.run.manifest import recipe_text
from gandream.run.moments import Chosen, Span, chosen
from gandream.run.prepare import Prepared, describe_model, prepare
from gandream.trajectory.listen import lay_out, listen, sampled
from gandream.trajectory.timeline import Timeline
from gandream.video.format import VideoFormat

WIDTH, NARROWEST, WIDEST = 1920, 240, 16000
LEAST_COLUMNS, MOST_COLUMNS = 4, 64
GAP = 12
"""Pixels between pictures."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Panel:
    """A frame on the sheet: where its picture is, in pixels, and when it is seen."""

    x: int
    y: int
    w: int
    h: int
    frame: int
    time_s: float
    bar: float | None
    """Of the music's grid, as `--at '8 bars'` counts them; None where there is no tempo."""
    section: str | None
    """Of the section or the scene that it is in."""


@dataclass(frozen=True)
class Storyboard:
    """A storyboard that was written."""

    path: Path
    size: tuple[int, int]
    """Width and height in pixels."""
    panels: tuple[Panel, ...]
    step: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Story:
    """What there is to draw; times are seconds of the film."""

    heading: page.Heading
    line: Timeline
    frames: tuple[int, ...]
    columns: int
    width: int
    """Of the page."""
    cell: tuple[int, int]
    """Width and height of a picture."""
    spans: tuple[Span, ...] = ()
    spans_are: str = "section"
    signals: dict[str, np.ndarray] = field(default_factory=dict)
    """float [F], or [F, B] with bands."""

    @property
    def times(self) -> list[float]:
        """Seconds of each frame."""
        return [frame / float(self.line.clock.fps) for frame in self.frames]

    def span_at(self, time_s: float) -> int | None:
        """The number of the section or scene in which a moment is."""
        inside = [number for number, span in enumerate(self.spans) if span.start_s <= time_s + 0.5e-3]
        return inside[-1] if inside and time_s < self.spans[inside[-1]].end_s + 1 else None

    def bar_at(self, time_s: float) -> float | None:
        """Bars since the music's first, where there is a grid."""
        grid = self.line.grid
        return None if grid is None else float(grid.bar_at(time_s + float(self.line.start_s)))


def storyboard(
    recipe: Recipe,
    out: str | Path | None = None,
    *,
    every: str | None = None,
    at: str | None = None,
    columns: int | None = None,
    width: int = WIDTH,
    force: bool = False,
    device: DeviceWord = "auto",
    progress: Progress = lambda done, total: None,
    note: Note = lambda words: None,
) -> Storyboard:
    """Paint frames of a film's first output and lay them out with what the music does between them.

    ``every`` is a time, ``section`` or ``scene``; ``at`` are times with commas between; without either, about 28 frames
    at whole beats, bars or seconds. ``width`` is the page's, in pixels. What was made from another recipe is not
    overwritten without ``force``.
    """
    if every is not None and at is not None:
        raise OutputError("--at", "this says which frames are shown, and so does --every", "Say one of the two.")
    for name, value, low, high in (("--width", width, NARROWEST, WIDEST), ("--columns", columns, 1, MOST_COLUMNS)):
        if value is not None and not low <= value <= high:
            raise OutputError(f"{name} {value}", f"wanted {low} to {high}", "Or leave it out.")
    subject = recipe.document.file or "film"
    target = png_target(out, f"{Path(subject).stem}_storyboard", subject, force=force)
    cache = store_folder(target.parent)
    writable_folder(cache, ELSEWHERE)
    recipe = _plain(recipe)
    music, beats, signals = _heard(recipe, cache / "audio")
    prepared = prepare(recipe, cache, beats=beats or _in_beats(every) or _in_beats(at), device=device)
    line, shape = prepared.score.trajectory.timeline, prepared.fmt
    spans, spans_are = _spans(prepared, line, music)
    fitting = spans if every is None or every.strip() == spans_are else ()
    starts = tuple(one.start_s for one in (music and music.sections) or ())
    picked = chosen(replace(line, sections_s=starts), fitting, every, at)
    aspect = shape.width / shape.height
    columns = columns or max(min(_columns(aspect), len(picked.frames)), LEAST_COLUMNS)
    cell = _cell(width, columns, aspect)
    heading = _heading(recipe, prepared, picked, width)
    story = Story(heading, line, picked.frames, columns, width, cell, spans, spans_are, signals)
    small = replace(prepared, formats=(VideoFormat(*cell, shape.fps),))
    from gandream.run.storyboard_page import drawn

    def make(kind: Kind):
        return drawn(story, _pictures(small, kind, picked.frames, progress))

    laid = on_device(device, make, note, failed_before(cache, recipe))
    save_png(laid.page.image, target, subject, title=heading.title, recipe=recipe_text(recipe))
    return Storyboard(target, laid.page.image.size, laid.panels, picked.step, prepared.warnings)


def facts(board: Storyboard) -> dict[str, Any]:
    """What is where, as plain values."""
    panels = [
        {"x": one.x, "y": one.y, "w": one.w, "h": one.h, "frame": one.frame, "time_s": round(one.time_s, 6)}
        | ({} if one.bar is None else {"bar": round(one.bar, 4)})
        | ({} if one.section is None else {"section": one.section})
        for one in board.panels
    ]
    size = {"width": board.size[0], "height": board.size[1]}
    return {"file": str(board.path), **size, "step": board.step, "cells": panels, "warnings": list(board.warnings)}


def _columns(aspect: float) -> int:
    """Fours and eights, so that bars of songs stand above one another."""
    return 4 if aspect > 1.5 else 8 if aspect > 0.4 else 12


def _cell(width: int, columns: int, aspect: float) -> tuple[int, int]:
    """Width and height of a picture, both even."""
    room = (width - 2 * page.MARGIN - (columns - 1) * GAP) // columns // 2 * 2
    if room < MIN_SIDE:
        problem = f"on a page {width} pixels wide, {columns} columns are too many"
        raise OutputError(f"--columns {columns}", problem, "Take fewer, or a larger --width.")
    return room, max(MIN_SIDE, round(room / aspect / 2) * 2)


def _plain(recipe: Recipe) -> Recipe:
    """The recipe with the pictures of its first output, and nothing said of files."""
    words = {name: getattr(recipe.video, name) for name in ("size", "fps", "start", "duration", "loop", "fit")}
    return recipe.model_copy(update={"outputs": (Video().model_copy(update=words),)})


def _in_beats(told: str | None) -> bool:
    """Whether a time, or one of several, is told in beats or bars."""
    for word in (told or "").split(","):
        try:
            if parse_time(word.strip(), sections=True).unit in ("beats", "bars"):
                return True
        except ValueError:
            continue
    return False


def _heard(recipe: Recipe, cache: Path) -> tuple[Analysis | None, bool, dict[str, np.ndarray]]:
    """The music with its sections, whether there are beats, and the recipe's signals, or else how loud it is."""
    if recipe.audio is not None and not recipe.signals:
        recipe = recipe.model_copy(update={"signals": {"loudness": Signal.model_validate("rms")}})
    heard = listen(recipe, cache, beats=recipe.audio is not None, sections=recipe.audio is not None)
    music = heard[recipe.audio.path] if recipe.audio else None
    beats = recipe.tempo.told or (music is not None and music.beats_s is not None)
    line = lay_out(recipe, music, beats=beats, spec=describe_model(recipe))
    return music, beats, sampled(recipe, heard, line)


def _spans(prepared: Prepared, line: Timeline, music: Analysis | None) -> tuple[tuple[Span, ...], str]:
    """The scenes of the film, or the sections of its music, over the film's time."""
    duration = float(line.clock.duration)
    if prepared.cuts and not isinstance(prepared.recipe.scenes, Sectioned):
        fps = float(line.clock.fps)
        starts = [(cut.start + len(cut.shares) * (cut.start > 0)) / fps for cut in prepared.cuts]
        spans = zip(starts, [*starts[1:], duration], strict=True)
        return tuple(Span(start, end, str(number)) for number, (start, end) in enumerate(spans, 1)), "scene"
    start = float(line.start_s)
    sections = [Span(one.start_s - start, one.end_s - start, one.label) for one in (music and music.sections) or ()]
    return tuple(one for one in sections if one.end_s > 0 and one.start_s < duration), "section"


def _heading(recipe: Recipe, prepared: Prepared, picked: Chosen, width: int) -> page.Heading:
    line = prepared.score.trajectory.timeline
    clock, file = line.clock, Path(recipe.document.file or "film")
    models = list(dict.fromkeys([cut.recipe.model.written for cut in prepared.cuts] or [recipe.model.written]))
    shown = [Path(one).stem if "/" in one else one for one in models]
    named = ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")
    seconds = float(clock.duration)
    lasts = f"{int(seconds) // 60}:{seconds % 60:04.1f}".removesuffix(".0") if seconds >= 60 else f"{seconds:.4g} s"
    said = [named, lasts, f"{prepared.fmt.width} x {prepared.fmt.height}", f"{float(clock.fps):.4g} frames per second"]
    if line.grid is not None:
        said.append(f"{line.grid.bpm:.1f} bpm")
    said += [f"{len(picked.frames)} frames" if "choice" in picked.step else picked.step]
    return page.Heading(recipe.title or file.stem, tuple(page.lines(said, 17, width - 2 * page.MARGIN)))


def _pictures(prepared: Prepared, device: Kind, frames: tuple[int, ...], progress: Progress) -> Iterator[np.ndarray]:
    """The pictures of the frames, one after the other, uint8 [h, w, 3]."""
    from gandream.rendering.projector import Projector
    from gandream.video.colour import display_bytes

    projector = Projector(prepared.reel(device), prepared.load(device))
    for number, frame in enumerate(frames):
        progress(number, len(frames))
        (image,) = projector.pictures(frame, frame + 1, batch=1)
        yield display_bytes(image)[0, :, :, :3].cpu().numpy()
    progress(len(frames), len(frames))
