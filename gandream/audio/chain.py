"""The chain of beats that meets most onsets at intervals nearest to the tempo: the dynamic programming of Ellis 2007
("Beat Tracking by Dynamic Programming"), in numpy. A beat is at least half a period after the one before it, so that
half a period is done at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from gandream.audio.spectra import TINY

SHARPNESS = 32.0
"""Periods by the deviation of the Gaussian that onsets are gathered with."""
WEAKEST = 0.01
"""Share of the best score below which there is no first beat."""
ENDS = 0.5
"""Share of the usual score that the last beat has reached, at least."""


def chain(onsets: np.ndarray, bpm: np.ndarray, rate_hz: int, tightness: float) -> np.ndarray:
    """Frames of the beats, rising, in an onset curve [T] with beats per minute at every frame [T].

    ``tightness`` (alpha in the paper) is what an interval that is off costs: that times ln(interval / period)^2.
    """
    periods = np.round(rate_hz * 60.0 / bpm).astype(int)
    runs = list(_runs(periods))
    scores = _gathered(onsets / (onsets.std(ddof=1) + TINY), runs)
    room = 2 * int(periods.max())
    totals = np.concatenate([np.full(room, -np.inf), scores])  # frame i is at room + i
    links = np.full(len(scores), -1)
    for start, stop, period in runs:
        nearest = round(period / 2)
        intervals = np.arange(2 * period, nearest - 1, -1)
        costs = tightness * (np.log(intervals) - np.log(period)) ** 2
        for first in range(start, stop, nearest):
            last = min(first + nearest, stop)
            before = totals[room + first - 2 * period : room + last - nearest]
            found = np.lib.stride_tricks.sliding_window_view(before, len(intervals)) - costs
            chosen = len(intervals) - 1 - np.argmax(found[:, ::-1], axis=1)  # of equals the nearest
            best = found[np.arange(last - first), chosen]
            there = best > -np.inf
            totals[room + first : room + last][there] += best[there]
            links[first:last] = np.where(there, np.arange(first, last) - intervals[chosen], -1)
    links[: int(np.argmax(scores >= WEAKEST * scores.max()))] = -1
    return _followed(links, _end(totals[room:]), scores)


def _runs(periods: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """First and stop of frames of one period, and the period."""
    edges = [0, *(np.flatnonzero(np.diff(periods)) + 1).tolist(), len(periods)]
    for start, stop in pairwise(edges):
        yield start, stop, int(periods[start])


def _gathered(onsets: np.ndarray, runs: list[tuple[int, int, int]]) -> np.ndarray:
    """How much begins near each frame: [T]."""
    room = max(period for _, _, period in runs)
    padded, found = np.pad(onsets, room), np.empty(len(onsets))
    for start, stop, period in runs:
        kernel = np.exp(-0.5 * (np.arange(-period, period + 1) * SHARPNESS / period) ** 2)
        found[start:stop] = np.convolve(padded[room + start - period : room + stop + period], kernel, "valid")
    return found


def _end(totals: np.ndarray) -> int:
    """The last frame whose score is a peak that is high enough to be a beat."""
    after = np.append(totals[1:], totals[-1])
    peaks = np.flatnonzero(np.concatenate([[False], totals[1:] > totals[:-1]]) & (totals >= after))
    if not len(peaks):
        return len(totals) - 1
    return int(peaks[totals[peaks] >= ENDS * np.median(totals[peaks])][-1])


def _followed(links: np.ndarray, end: int, scores: np.ndarray) -> np.ndarray:
    """The frames from which the last one comes, and it, without those before and after all that is heard."""
    beats = []
    while end >= 0:
        beats.append(end)
        end = int(links[end])
    heard = np.flatnonzero(scores > 0)
    found = np.array(beats[::-1])
    return found[(found >= heard[0]) & (found <= heard[-1])]
