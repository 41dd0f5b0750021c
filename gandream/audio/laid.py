"""What is laid over the beats and the sections that were found: pulses, steps and the tempo, 150 times a second."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gandream.audio.analyse import Analysis
from gandream.audio.measure import REGISTERS
from gandream.audio.scales import by_band
from gandream.recipe.signals import Signal

TEMPO_BEATS = 4
"""Beats that the tempo at a time is taken over."""
DROP_S = 8.0
"""Seconds before and after a border that are compared; a section that is shorter counts as a whole."""


@dataclass(frozen=True)
class Grid:
    """Seconds of the beats and of those that begin a bar, rising."""

    beats_s: tuple[float, ...] = ()
    bars_s: tuple[float, ...] = ()


Laid = Callable[[Analysis, Grid], np.ndarray]
"""What was found, the beats and bars -> float64 [1, T]."""


def beat(analysis: Analysis, grid: Grid) -> np.ndarray:
    """1 at each beat."""
    return _pulses(analysis, grid.beats_s)


def bar(analysis: Analysis, grid: Grid) -> np.ndarray:
    """1 at the first beat of each bar."""
    return _pulses(analysis, grid.bars_s)


def tempo(analysis: Analysis, grid: Grid) -> np.ndarray:
    """Beats per minute, over four beats around each moment, even before the first and after the last; 0 without."""
    beats, times = np.array(grid.beats_s), np.arange(_length(analysis)) / analysis.rate_hz
    if len(beats) < 2:
        return np.zeros((1, len(times)))
    over = min(TEMPO_BEATS, len(beats) - 1)
    bpm = 60 * over / (beats[over:] - beats[:-over])
    return np.interp(times, (beats[over:] + beats[:-over]) / 2, bpm)[None]


def section(analysis: Analysis, grid: Grid) -> np.ndarray:
    """The number of the section, from 0."""
    return _stepped(analysis, range(len(analysis.sections or ())))


def label(analysis: Analysis, grid: Grid) -> np.ndarray:
    """The number of the section's label, from 0 for A."""
    return _stepped(analysis, (ord(one.label) - ord("A") for one in analysis.sections or ()))


def section_start(analysis: Analysis, grid: Grid) -> np.ndarray:
    """1 where a section begins."""
    return _pulses(analysis, [one.start_s for one in analysis.sections or ()])


def drop(analysis: Analysis, grid: Grid) -> np.ndarray:
    """How much fuller each section begins than the one before it ended, where it begins.

    The mean over eight registers, each 1 at its loudest, of what it gained from the 8 s before to the 8 s after: a
    drop brings back the bass that a build-up left out, and the brightness.
    """
    registers = by_band(analysis.features[REGISTERS.key].astype(np.float64), Signal.model_validate("mel"))
    found, sections = np.zeros((1, _length(analysis))), analysis.sections or ()
    for before, after in pairwise(sections):
        at, reach = round(after.start_s * analysis.rate_hz), DROP_S * analysis.rate_hz
        first = max(round(before.start_s * analysis.rate_hz), round(at - reach))
        last = min(round(after.end_s * analysis.rate_hz), round(at + reach))
        gained = registers[:, at:last].mean(axis=1) - registers[:, first:at].mean(axis=1)
        found[0, at] = np.maximum(gained, 0).mean()
    return found


LAID: dict[str, Laid] = {
    "beat": beat,
    "bar": bar,
    "tempo": tempo,
    "section": section,
    "label": label,
    "section_start": section_start,
    "drop": drop,
}


def _length(analysis: Analysis) -> int:
    return int(analysis.duration_s * analysis.rate_hz) + 1


def _pulses(analysis: Analysis, times_s: Iterable[float]) -> np.ndarray:
    pulses = np.zeros((1, _length(analysis)))
    places = np.round(np.array(tuple(times_s), np.float64) * analysis.rate_hz).astype(int)
    pulses[:, places[(places >= 0) & (places < pulses.shape[1])]] = 1
    return pulses


def _stepped(analysis: Analysis, numbers: Iterable[int]) -> np.ndarray:
    steps = np.zeros((1, _length(analysis)))
    for one, number in zip(analysis.sections or (), numbers, strict=True):
        steps[0, round(one.start_s * analysis.rate_hz) :] = number
    return steps
