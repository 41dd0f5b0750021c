"""Drawing a storyboard: frames with their times, and under each row what the music does along it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gandream.run import page
from gandream.run.plot import LINES, SECTIONS
from gandream.run.storyboard import GAP, Panel, Story

RIBBON, CAPTION, LANE, LANE_GAP, ROW_GAP = 4, 27, 18, 3, 26
"""Heights in pixels: of the line of sections, of the times, of a signal, between signals, between rows."""
MOST_SIGNALS = 5
LEGEND = 34


@dataclass(frozen=True)
class Laid:
    """The page and where each picture is on it."""

    page: page.Page
    panels: tuple[Panel, ...]


def drawn(story: Story, pictures: Iterable[np.ndarray]) -> Laid:
    """Lay the pictures out, row by row; they are taken one at a time."""
    lanes = list(story.signals.items())[:MOST_SIGNALS]
    wide, high = story.cell
    ribbon = RIBBON if story.spans else 0
    row_height = high + ribbon + CAPTION + sum(_lane(values) + LANE_GAP for _, values in lanes) + ROW_GAP
    rows = -(-len(story.frames) // story.columns)
    legend = LEGEND if lanes or story.spans else 0
    top = page.MARGIN - 8 + story.heading.height + legend
    height = top + rows * row_height - ROW_GAP + page.MARGIN
    page.checked_size(story.width, height, f"--width {story.width}", "Take a smaller --width, or a longer step.")
    sheet = page.Page(story.width, height)
    story.heading.draw(sheet)
    if legend:
        _legend(sheet, story, lanes, top - LEGEND)
    panels = []
    for number, (frame, time_s, picture) in enumerate(zip(story.frames, story.times, pictures, strict=True)):
        row, column = divmod(number, story.columns)
        x, y = page.MARGIN + column * (wide + GAP), top + row * row_height
        sheet.picture(x, y, picture)
        bar, span = story.bar_at(time_s), story.span_at(time_s)
        _caption(sheet, story, number, x, y + high + ribbon, bar)
        if ribbon:
            _ribbon(sheet, story, number, x, y + high, wide)
        _strips(sheet, story, number, x, y + high + ribbon + CAPTION, lanes)
        label = None if span is None else story.spans[span].label
        panels.append(Panel(x, y, wide, high, frame, time_s, bar, label))
    return Laid(sheet, tuple(panels))


def _legend(sheet: page.Page, story: Story, lanes: list[tuple[str, np.ndarray]], top: int) -> None:
    """The signals' names in their colours, and what the coloured line is."""
    x, middle = page.MARGIN + 1.0, top + 8
    for index, (name, values) in enumerate(lanes):
        if values.ndim == 2:
            swatch = page.heat(np.linspace(0, 1, 22)[:, None], 22, 10)
            sheet.picture(round(x), middle - 5, swatch)
        else:
            sheet.box(x, middle - 5, 22, 10, LINES[index % len(LINES)], 2)
        shown = page.fitted(name, 15, 200)
        sheet.text(x + 31, middle, shown, 15, page.SOFT, "lm")
        x += 31 + page.width_of(shown, 15) + 28
    if more := len(story.signals) - len(lanes):
        sheet.text(x, middle, f"and {more} more", 15, page.FAINT, "lm")
        x += page.width_of(f"and {more} more", 15) + 28
    if story.spans:
        for part in range(3):
            sheet.box(x + 8 * part, middle - 2, 8, RIBBON, SECTIONS[part])
        sheet.text(x + 33, middle, f"{story.spans_are}s", 15, page.SOFT, "lm")


def _caption(sheet: page.Page, story: Story, number: int, x: int, top: int, bar: float | None) -> None:
    """Time, bar, and the name of the section or scene that begins here."""
    wide, time_s = story.cell[0], story.times[number]
    size = 15 if wide >= 120 else 12
    middle, right = top + CAPTION / 2 + 1, float(x + wide)
    time = spoken_time(time_s, story.times)
    sheet.text(x, middle, time, size, page.INK, "lm")
    left = x + page.width_of(time, size) + 10
    span = story.span_at(time_s)
    before = story.span_at(story.times[number - 1]) if number else None
    if span is not None and (span != before or number == 0):
        name = story.spans[span].label
        room = page.width_of(name, size) + 14
        if left + room < right:
            sheet.box(right - room, middle - 10, room, 19, _colour(story.spans[span].label), 5)
            sheet.text(right - room / 2, middle, name, size, page.INK, "mm")
            right -= room + 8
    if bar is not None:
        place = f"bar {_number(bar)}"
        if left + page.width_of(place, size) <= right:
            sheet.text(left, middle, place, size, page.FAINT, "lm")


def _ribbon(sheet: page.Page, story: Story, number: int, x: int, top: int, wide: int) -> None:
    """The sections between this frame and the next, as a coloured line."""
    start, end, room = _stretch(story, number, wide)
    for span in story.spans:
        first, last = max(span.start_s, start), min(span.end_s, end)
        if last > first:
            left, right = (x + room * (one - start) / (end - start) for one in (first, last))
            sheet.box(left, top, max(right - left, 1), RIBBON, _colour(span.label))


def _strips(sheet: page.Page, story: Story, number: int, x: int, top: int, lanes: list[tuple[str, np.ndarray]]) -> None:
    """What each signal does between this frame and the next."""
    start, end, room = _stretch(story, number, story.cell[0])
    fps, last = float(story.line.clock.fps), story.line.clock.frames
    first, stop = min(round(start * fps), last - 1), max(round(end * fps), round(start * fps) + 1)
    for index, (_, values) in enumerate(lanes):
        part, height = _to_one(values)[first : min(stop, last)], _lane(values)
        if values.ndim == 2:
            picture = page.heat(part, room, height)
        else:
            picture = page.strip(part, room, height, LINES[index % len(LINES)])
        sheet.picture(x, top, picture)
        top += height + LANE_GAP


def _lane(values: np.ndarray) -> int:
    """Height of a signal's strip: more for many bands."""
    return LANE if values.ndim == 1 else min(max(LANE, 3 * values.shape[1]), 2 * LANE)


def _to_one(values: np.ndarray) -> np.ndarray:
    """Signals that go beyond 0 to 1, such as degrees of a bend, brought into it by their lowest and highest."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 1.0 if float(values.max()) > 0.2 else 1e-9)
    return (values - low) / (high - low)


def _stretch(story: Story, number: int, wide: int) -> tuple[float, float, int]:
    """Seconds of the film from this frame to the next, and how many pixels they take: of the last frame's, as many as
    are in proportion to those of the others.
    """
    times, duration = story.times, float(story.line.clock.duration)
    start = times[number]
    gaps = np.diff(times)
    last_of_row = number % story.columns == story.columns - 1
    if number + 1 < len(times):
        # Between the pictures of a row the time goes on under the gap; at a row's end the gap isn't there.
        return start, times[number + 1], wide + (0 if last_of_row else GAP)
    usual = float(np.median(gaps)) if len(gaps) else duration - start
    share = min(1.0, (duration - start) / max(usual, 1e-9))
    share = 1.0 if share > 0.9 else share
    return start, min(duration, start + usual), max(2, round(wide * share))


def _colour(label: str) -> page.RGB:
    """Of a section or a scene."""
    number = int(label) - 1 if label.isdecimal() else ord(label[0]) - ord("A")
    return SECTIONS[number % len(SECTIONS)]


def spoken_time(time_s: float, times: list[float]) -> str:
    """Minutes and seconds with tenths where the moments want them: ``0:08``, ``0:08.5``."""
    fine = any(abs(one - round(one)) > 0.06 for one in times)
    count = round(time_s * 10 if fine else time_s)
    minutes, rest = divmod(count, 600 if fine else 60)
    return f"{minutes}:{rest / 10:04.1f}" if fine else f"{minutes}:{rest:02d}"


def _number(value: float) -> str:
    """A bar as it is counted: whole ones without decimals."""
    value = round(value * 4) / 4 if abs(value * 4 - round(value * 4)) < 0.15 else value
    return f"{value:.2f}".rstrip("0").rstrip(".")
