"""The moments of a film that a storyboard shows: a frame per bar, per section, per so many seconds, or told ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from gandream.base.errors import OutputError
from gandream.recipe.times import Time, parse_time
from gandream.trajectory.timeline import Timeline

USUAL = 28
"""About so many frames are on a storyboard whose step isn't told: between 16 and 48 where the film allows."""
MOST = 1000
SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)
BARS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
LAST = 0.15
"""Of a step: what is left of a film after its last moment, at least."""
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Span:
    """A section of the music, or a scene, in seconds of the film."""

    start_s: float
    end_s: float
    label: str


@dataclass(frozen=True)
class Chosen:
    """Frames of the film in order, and what tells them apart, in words."""

    frames: tuple[int, ...]
    step: str


def chosen(line: Timeline, spans: Sequence[Span], every: str | None, at: str | None) -> Chosen:
    """The frames at some moments ``at``, or one ``every`` so often; without either, as many as are seen at a glance.

    The frame of a regular moment is the first that isn't before it, which shows what begins there; that of a told one
    is the one on screen, as a still's.
    """
    if at is not None:
        return Chosen(_told(line, at), "at moments of choice")
    if every is None:
        return _usual(line)
    if every.strip() in ("section", "scene"):
        if not spans:
            hint = "For instance --every '4 bars', or --every 2s."
            raise OutputError(f"--every {every}", f"this film has no {every.strip()}s to tell", hint)
        starts = [max(0.0, span.start_s) for span in spans]
        return Chosen(_frames(line, starts, f"--every {every}"), f"a frame per {every.strip()}")
    try:
        step = parse_time(every)
    except ValueError as error:
        problem = str(error).replace("wanted a time:", "wanted a time, `section` or `scene`; times are")
        raise OutputError(f"--every {every}", problem, "For instance --every '1 bar'.") from None
    if step.amount <= 0 or (step.unit == "%" and step.amount > 100):
        raise OutputError(f"--every {every}", "wanted more than nothing", "For instance --every '1 bar'.")
    return Chosen(_frames(line, _regular(line, step, every), f"--every {every}"), f"a frame every {said(step)}")


def _usual(line: Timeline) -> Chosen:
    """Beats or bars where there is a grid, else round seconds: what comes nearest to the usual number of frames."""
    duration = float(line.clock.duration)
    if line.grid is not None:
        half = [Time(Fraction(line.grid.beats_per_bar, 2), "beats")] if line.grid.beats_per_bar % 2 == 0 else []
        beats = [Time(Fraction(1, parts), "beats") for parts in (4, 2, 1)]
        steps = [*beats, *half, *(Time(Fraction(count), "bars") for count in BARS)]
    else:
        steps = [Time(Fraction(str(seconds))) for seconds in SECONDS]
    lengths = [max(line.length_s(step), 1e-9) for step in steps]
    step, length = min(zip(steps, lengths, strict=True), key=lambda one: abs(math.log(duration / one[1] / USUAL)))
    if duration / length < 3:  # shorter than a few beats: as many frames as there are, or some of them
        step = Time(Fraction(math.ceil(line.clock.frames / USUAL)), "frames")
    return Chosen(_frames(line, _regular(line, step, str(step)), "--every"), f"a frame every {said(step)}")


def said(step: Time) -> str:
    """A step as a person says it: ``bar``, ``2 bars``, ``0.5s``."""
    if step.unit in ("beats", "bars", "frames") and step.amount == 1:
        return step.unit[:-1]
    return str(step)


def _regular(line: Timeline, step: Time, where: str) -> list[float]:
    """Seconds of the film at which a step begins anew: beats and bars as they are played, else from the first frame."""
    duration, length = float(line.clock.duration), line.length_s(step)
    _few(duration / length if length > 0 else math.inf, f"--every {where}")
    # One that begins just before the film's end would show nothing of what it is for.
    end = max(duration - LAST * length, _ROUNDING)
    if line.grid is None or step.unit not in ("beats", "bars"):
        return [time for time in (np.arange(math.ceil(duration / length)) * length).tolist() if time < end]
    grid, start = line.grid, float(line.start_s)
    beats = float(step.amount) * (grid.beats_per_bar if step.unit == "bars" else 1)
    first = math.ceil((float(grid.beat_at(start)) - grid.downbeat) / beats - 1e-3)
    last = math.ceil((float(grid.beat_at(start + duration)) - grid.downbeat) / beats - 1e-3)
    times = [grid.time_of(number * beats + grid.downbeat) - start for number in range(first, max(last, first + 1))]
    opening = [0.0] if times[0] > 0.4 * length else []
    return opening + [max(time, 0.0) for time in times if time < end]


def _told(line: Timeline, at: str) -> tuple[int, ...]:
    frames = []
    for word in at.split(","):
        where = f"--at {word.strip()}"
        try:
            time = parse_time(word.strip(), sections=True)
        except ValueError as error:
            raise OutputError(where, str(error), "For instance --at 2s,1:05.") from None
        if time.unit == "section" and time.amount > len(line.sections_s):
            many = f"the music has {len(line.sections_s)}" if line.sections_s else "this film has none to tell"
            raise OutputError(where, f"there is no {time}: {many}")
        seconds = line.moment_s(time)
        frame = int(seconds * float(line.clock.fps) + _ROUNDING)
        if not 0 <= seconds <= float(line.clock.duration) or frame > line.clock.frames:
            film = f"the film goes from 0 to {float(line.clock.duration):.3f} s ({line.clock.frames} frames)"
            raise OutputError(where, f"that is at {seconds:.3f} s, and {film}")
        frames.append(min(frame, line.clock.frames - 1))
    return tuple(sorted(set(frames)))


def _frames(line: Timeline, seconds: Sequence[float], where: str) -> tuple[int, ...]:
    fps, last = float(line.clock.fps), line.clock.frames - 1
    kept = [one for one in seconds if one < float(line.clock.duration)]
    found = sorted({min(max(0, math.ceil(one * fps - _ROUNDING)), last) for one in kept})
    _few(len(found), where)
    return tuple(found or [0])


def _few(count: float, where: str) -> None:
    if count > MOST:
        problem = f"that would be {count:,.0f} frames".replace(",", " ") if math.isfinite(count) else "that is no step"
        raise OutputError(where, f"{problem}, and a sheet has {MOST} at most", "Take a longer step.")
