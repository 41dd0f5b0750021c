"""A part of a film as a quick draft with its sound, for a look while a recipe is written."""

from __future__ import annotations

import math
import time as clock
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gandream.base.errors import OutputError
from gandream.recipe.recipe import Recipe
from gandream.recipe.times import Time, parse_time
from gandream.rendering.device import DeviceWord, Kind
from gandream.rendering.plan import SEGMENT_S
from gandream.run.ahead import load_torch
from gandream.run.device import failed_before, on_device
from gandream.run.film import Film, Note, Progress, made_film, ready
from gandream.run.outputs import outputs
from gandream.run.prepare import Prepared, draft_of, prepare
from gandream.run.still import frame_at
from gandream.run.targets import targets

LASTS = "5s"


@dataclass(frozen=True)
class Preview:
    """A draft of a part of a film."""

    film: Film
    start_s: float
    stop_s: float
    """The part, in seconds of the film."""
    where: str
    """Why it is this part, if nobody said which."""


@dataclass(frozen=True)
class Part:
    """Which part of a film: from a time on, for so long; without the time, where most happens."""

    at: str | None = None
    lasts: str = LASTS

    def checked(self) -> list[Time]:
        """Its times; OutputError for what is none."""
        return [_time("--for", self.lasts), *([] if self.at is None else [_time("--at", self.at)])]

    @property
    def needs_beats(self) -> bool:
        """Whether it is told in beats or bars."""
        return any(time.unit in ("beats", "bars") for time in self.checked())

    def frames(self, prepared: Prepared) -> tuple[int, int, str]:
        """Its frames [start, stop), and why they are these if nobody said; OutputError where the film hasn't them."""
        line = prepared.score.trajectory.timeline
        lasts, fps, total = _time("--for", self.lasts), float(line.clock.fps), line.clock.frames
        if lasts.amount <= 0:
            raise OutputError(f"--for {self.lasts}", "wanted more than nothing", "For instance --for 5s.")
        if self.at is not None:
            start, where = frame_at(_time("--at", self.at), self.at, prepared), ""
            count = line.end_s(lasts, start / fps) * fps
        else:
            count = line.length_s(lasts) * fps
            start, where = busiest(prepared, math.ceil(count))
        return start, min(total, start + max(1, math.ceil(count - 1e-6))), where


def preview(
    recipe: Recipe,
    part: Part | None = None,
    out: str | Path | None = None,
    *,
    device: DeviceWord = "auto",
    progress: Progress = lambda stage, done, total: None,
    note: Note = lambda words: None,
) -> Preview:
    """Render a part of a recipe's draft to ``outputs/<recipe>.preview.mp4``, from the same store as all drafts."""
    began, part = clock.perf_counter(), part or Part()
    beats = part.needs_beats
    recipe = draft_of(recipe)
    places = targets(recipe, out or preview_file(recipe), None)
    cache = ready(places, recipe)
    if not places[0].exists():
        load_torch()

    def make(kind: Kind) -> Preview:
        progress("listening", 0, 0)
        prepared = prepare(recipe, cache, beats=beats, device=kind)
        start, stop, where = part.frames(prepared)
        film = made_film(outputs(places, prepared, kind, (start, stop)), prepared, cache, progress, note, began=began)
        fps = float(prepared.fmt.fps)
        return Preview(film, start / fps, stop / fps, where)

    return on_device(device, make, note, failed_before(cache, recipe))


def preview_file(recipe: Recipe) -> Path:
    """Where the preview of a recipe goes."""
    return Path("outputs") / f"{Path(recipe.document.file or 'film').stem}.preview.mp4"


def busiest(prepared: Prepared, count: int) -> tuple[int, str]:
    """The first of so many frames where most happens, where segments meet if it can be, and that in words.

    That is where the signals that drive the film are strongest, and move most; a third into one that has none.
    """
    trajectory, fps = prepared.score.trajectory, float(prepared.fmt.fps)
    last = max(0, trajectory.frames - count)
    if not last:
        return 0, ""
    step = max(1, round(SEGMENT_S * fps))
    starts = np.arange(0, last + 1, step if last >= step else 1)
    happening = activity(trajectory.signals or {})
    if happening is None:
        return int(starts[np.argmin(abs(starts - trajectory.frames / 3))]), "a third into the film"
    sums = np.concatenate([[0.0], np.cumsum(happening)])
    return int(starts[np.argmax(sums[starts + count] - sums[starts])]), "where the signals are strongest"


def activity(signals: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """How much happens at each frame, float64 [F]: how strong signals are and how fast they change, each as a share
    of its own largest; None where nothing moves.
    """
    total = None
    for values in signals.values():
        bands = values.reshape(len(values), -1).astype(np.float64)
        for one in (bands.mean(axis=1), np.abs(np.diff(bands, axis=0, prepend=bands[:1])).mean(axis=1)):
            if np.ptp(one) > 0:
                share = one / np.abs(one).max()
                total = share if total is None else total + share
    return total


def _time(option: str, written: str) -> Time:
    try:
        return parse_time(written)
    except ValueError as error:
        raise OutputError(f"{option} {written}", str(error), f"For instance {option} 5s.") from None
