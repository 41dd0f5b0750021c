"""Signals from elsewhere: notes and controllers of MIDI files, columns of tables, as curves on the music's clock."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gandream.audio.blocks import FEATURE_HZ
from gandream.base.errors import AudioError, did_you_mean, listed
from gandream.recipe.signals import Signal

LOUDEST = 127
"""The highest velocity and controller value of MIDI: becomes 1."""
MOST_ROWS = 5_000_000
TABLE = "A table is CSV: a row of names, then rows of seconds and numbers, such as 1.5,0.3."
READABLE = "May you read it?"
EXPORTED = "Export it again as a standard MIDI file (.mid)."
"""What to do about a file that can't be used."""


def automation(signal: Signal, end_s: float) -> np.ndarray:
    """The bare curve of a MIDI or table signal from the music's t = 0 to ``end_s`` or later: float64 [1, T], 150 Hz.

    AudioError where the file can't be read or holds nothing of what is asked for.
    """
    frames = math.ceil(end_s * FEATURE_HZ) + 2
    if signal.csv is not None:
        times, values = read_column(signal.csv.path, signal.csv.column)
        curve = _between(times, values, frames, signal.interpolate or "linear")
    elif signal.controller is not None:
        curve = _between(*_controlled(signal), frames, "step")
    else:
        curve = _struck(signal, frames)
    if signal.scale == "piece":
        low, high = float(curve.min()), float(curve.max())
        curve = (curve - low) / (high - low) if high > low else np.zeros_like(curve)
    return curve / signal.scale if isinstance(signal.scale, float) else curve


def _between(times: np.ndarray, values: np.ndarray, frames: int, how: str) -> np.ndarray:
    """Values at times on the frames: [1, frames]; before the first row its value, after the last its value."""
    at = np.arange(frames) / FEATURE_HZ
    if how == "linear":
        return np.interp(at, times, values)[None]
    return values[np.clip(np.searchsorted(times, at + 1e-9, side="right") - 1, 0, len(values) - 1)][None]


# --- tables --------------------------------------------------------------------------------------------------------
def read_column(path: Path, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Rising seconds [rows] of a table's first column and the numbers [rows] of another, by its name or number.

    Cells are parted by commas, semicolons or tabs; a first row that is no numbers names the columns.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except OSError as error:
        raise AudioError(str(path), f"can't read this: {error.strerror}", READABLE) from error
    except UnicodeDecodeError as error:
        raise AudioError(str(path), "this is no table: it is not text in UTF-8", "Save it as CSV in UTF-8.") from error
    first = text.split("\n", 1)[0]
    cells = max((";", "\t", ","), key=first.count)
    rows = [(number, row) for number, row in enumerate(_rows(path, text, cells), 1) if any(map(str.strip, row))]
    if not rows:
        raise AudioError(str(path), "this table is empty", TABLE)
    names = None
    if any(_number(cell) is None for cell in rows[0][1]):
        names = [cell.strip() for cell in rows[0][1]]
        rows = rows[1:]
    if not rows:
        raise AudioError(str(path), "this table has names of columns, but no rows", TABLE)
    index = _column(path, column, names, len(names or rows[0][1]))
    times, values = np.empty(len(rows)), np.empty(len(rows))
    for at, (number, row) in enumerate(rows):
        for place, kept, what in ((0, times, "a time in seconds"), (index, values, "a number")):
            cell = row[place].strip() if place < len(row) else ""
            value = _number(cell)
            if value is None or not math.isfinite(value):
                shown = f"'{cell[:40]}'" if cell else "an empty cell"
                where = f"{path.name}, row {number}, column {names[place] if names else place + 1}"
                raise AudioError(where, f"wanted {what}, found {shown}", "Every row needs both.")
            kept[at] = value
        if at and times[at] <= times[at - 1]:
            problem = f"times must rise: {times[at]:g} s comes after {times[at - 1]:g} s"
            raise AudioError(f"{path.name}, row {number}", problem, "Sort the rows; each time stands once.")
    return times, values


def _rows(path: Path, text: str, cells: str) -> Iterator[list[str]]:
    try:
        for number, row in enumerate(csv.reader(text.splitlines(), delimiter=cells), 1):
            if number > MOST_ROWS:
                raise AudioError(
                    str(path),
                    f"a table has at most {MOST_ROWS} rows",
                    "Write fewer: between rows values go on straight.",
                )
            yield row
    except csv.Error as error:
        raise AudioError(str(path), f"this is no table: {error}", TABLE) from error


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _column(path: Path, column: str, names: list[str] | None, count: int) -> int:
    if count < 2:
        raise AudioError(
            str(path), "a table has its times in the first column and values in others; here is only one", TABLE
        )
    there = names[1:] if names else [str(number) for number in range(2, count + 1)]
    hint = f"There is: {listed(there)}."
    if not column:
        if count > 2:
            raise AudioError(str(path), "which column? Write its name after a #", hint)
        return 1
    if names and column in names[1:]:
        return names.index(column, 1)
    if column.isdigit() and 2 <= int(column) <= count:
        return int(column) - 1
    near = did_you_mean(column, there)
    raise AudioError(str(path), f"there is no column '{column[:40]}'", f"{near} {hint}".strip())


# --- MIDI ----------------------------------------------------------------------------------------------------------
def _struck(signal: Signal, frames: int) -> np.ndarray:
    """A pulse as high as its velocity at each note, [1, frames]; the louder of two in one frame."""
    path = _midi_path(signal)
    wanted, curve = None if signal.note is None else frozenset(signal.note.numbers), np.zeros((1, frames))
    heard: set[int] = set()
    found = False
    for time_s, message in _messages(path, signal.channel):
        if message.type == "note_on" and message.velocity > 0:
            heard.add(message.note)
            if wanted is None or message.note in wanted:
                found = True
                frame = round(time_s * FEATURE_HZ)
                if frame < frames:
                    curve[0, frame] = max(curve[0, frame], message.velocity / LOUDEST)
    channel = "" if signal.channel is None else f" on channel {signal.channel}"
    if not heard:
        hint = "Channels are from 1 to 16." if channel else "Is it the right file?"
        raise AudioError(str(path), f"there are no notes in this MIDI file{channel}", hint)
    if not found:
        raise AudioError(
            str(path), f"none of these notes is played{channel}", f"There is: {listed(sorted(heard), 40)}."
        )
    return curve


def _controlled(signal: Signal) -> tuple[np.ndarray, np.ndarray]:
    """Times and values 0..1 of a controller; 0 before its first."""
    path = _midi_path(signal)
    times, values, heard = [-1.0], [0.0], set()
    for time_s, message in _messages(path, signal.channel):
        if message.type == "control_change":
            heard.add(message.control)
            if message.control == signal.controller:
                times.append(time_s)
                values.append(message.value / LOUDEST)
    if len(times) == 1:
        hint = f"There is: {listed(sorted(heard), 40)}." if heard else "It has no controllers at all."
        raise AudioError(str(path), f"controller {signal.controller} is never moved in this MIDI file", hint)
    return np.array(times), np.array(values)


def _midi_path(signal: Signal) -> Path:
    assert signal.midi is not None, "a MIDI signal names its file"
    return signal.midi.path


def _messages(path: Path, channel: int | None) -> Iterator[tuple[float, Any]]:
    """Seconds and messages of all tracks in order, tempo changes accounted for; of one channel (1..16) if named."""
    try:
        import mido
    except ImportError as error:
        hint = 'Install it: pip install "gandream[midi]"'
        raise AudioError(str(path), "MIDI files are read with mido, which isn't installed", hint) from error
    try:
        time_s, messages = 0.0, []
        for message in mido.MidiFile(str(path), clip=True):
            time_s += message.time
            if not message.is_meta and (channel is None or getattr(message, "channel", -1) == channel - 1):
                messages.append((time_s, message))
    except OSError as error:
        raise AudioError(str(path), f"this is no MIDI file: {error or 'it ends too early'}", EXPORTED) from error
    except Exception as error:  # a damaged file fails in a dozen ways
        raise AudioError(str(path), f"can't read this MIDI file: {error or type(error).__name__}", EXPORTED) from error
    yield from messages
