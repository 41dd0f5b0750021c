"""Where the beats are: tempo by autocorrelation, beats by dynamic programming, then each set by its neighbours."""

from __future__ import annotations

import numpy as np

SLOWEST_BPM, FASTEST_BPM = 40.0, 240.0
PREFERRED_BPM, SPREAD_OCTAVES = 120.0, 0.8
"""People hear a beat near 120 bpm (van Noorden & Moelants 1999); decides between a tempo, its half and double."""
PER_OCTAVE = 96
"""Steps of tempo per octave, 0.7 % each."""
WINDOW_S, STEP_S = 12.0, 3.0
TIGHTNESS = 100.0
"""How much a beat that is off the tempo costs (Ellis 2007, alpha)."""
NEIGHBOURS = 8
"""Beats on each side that have a say in where a beat is."""
CLEAREST = 0.15
"""Least share of the onsets that must repeat at the tempo in the clearest quarter of the windows; noise and random
clicks have at most 0.13, drums 0.8, a pianist who is 30 ms off on average and leaves out each third note 0.2."""
LEAST_ONSET = 1.0
"""Below this (a sum of logarithms over the spectrum; a soft click has 30) onsets are the ripple of steady tones."""

FAINTEST = 0.05
"""Beats before the first and after the last onset of at least this share of the usual strength are left out."""


def track(novelty: np.ndarray, rate_hz: int) -> tuple[float, ...] | None:
    """Seconds of the beats in an onset curve [T], rising; None where nothing repeats.

    The dynamic programming of Ellis 2007 ("Beat Tracking by Dynamic Programming"), at a tempo that may drift.
    """
    onsets = _levelled(np.asarray(novelty, np.float64), rate_hz)
    if onsets is None:
        return None
    periods = _periods(onsets, rate_hz)
    if periods is None:
        return None
    beats = _path(onsets, periods)
    if len(beats) < 2:
        return None
    places, strengths = _peaks(np.asarray(novelty, np.float64), beats, periods)
    heard = np.flatnonzero(strengths > FAINTEST * np.median(strengths))
    if not len(heard):
        return None
    times = _settled(places, strengths)[heard[0] : heard[-1] + 1]
    times = times[np.concatenate([[True], np.diff(times) > 0.1 * periods.min()])]
    return tuple(float(time) for time in np.maximum(times, 0.0) / rate_hz) if len(times) > 1 else None


def _levelled(novelty: np.ndarray, rate_hz: int) -> np.ndarray | None:
    """Onsets [T] above their local mean, in units of their local strength, so that quiet bars count too."""
    from scipy.ndimage import gaussian_filter1d

    if len(novelty) < rate_hz or not np.percentile(novelty, 99) > LEAST_ONSET:
        return None
    above = np.maximum(novelty - gaussian_filter1d(novelty, 0.25 * rate_hz, mode="reflect"), 0)
    # One outlier, such as the sound beginning at all, would press down everything within seconds of it.
    above = np.minimum(above, np.percentile(above, 99.5))
    strength = np.sqrt(gaussian_filter1d(above**2, 4.0 * rate_hz, mode="reflect"))
    # What is 20 dB below the piece's usual strength is not lifted further: the hiss before the first note.
    return above / np.maximum(strength, 0.1 * np.sqrt(np.mean(above**2)))


def _periods(onsets: np.ndarray, rate_hz: int) -> np.ndarray | None:
    """Frames per beat at every frame [T]: the path through the tempi of overlapping windows that changes little."""
    from scipy.ndimage import gaussian_filter1d

    octaves = np.log2(FASTEST_BPM / SLOWEST_BPM)
    bpm = SLOWEST_BPM * 2 ** np.linspace(0, octaves, round(octaves * PER_OCTAVE) + 1)
    lags = 60.0 * rate_hz / bpm
    smooth = gaussian_filter1d(onsets, 0.015 * rate_hz)
    length, step = min(len(onsets), round(WINDOW_S * rate_hz)), round(STEP_S * rate_hz)
    starts = np.arange(0, len(onsets) - length + 1, step)
    profiles = np.stack([_repetition(smooth[start : start + length], lags) for start in starts])
    if np.percentile(profiles.max(axis=1), 75) < CLEAREST:
        return None
    prior = np.exp(-0.5 * (np.log2(bpm / PREFERRED_BPM) / SPREAD_OCTAVES) ** 2)
    # What the whole piece does has as much say as the window: a break without drums keeps its tempo.
    scores = (profiles + profiles.mean(axis=0)) * prior
    steps = np.arange(len(bpm))
    change = -0.002 * (steps[:, None] - steps[None]) ** 2 * scores.max() / 4
    best, back = scores[0], []
    for score in scores[1:]:
        candidates = best[None] + change
        back.append(np.argmax(candidates, axis=1))
        best = score + np.max(candidates, axis=1)
    path = [int(np.argmax(best))]
    for row in reversed(back):
        path.append(int(row[path[-1]]))
    return np.interp(np.arange(len(onsets)), starts + length / 2, lags[path[::-1]])


def _repetition(window: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """How much of a window's onsets repeats after one, two, three and four times each lag, in [-1, 1]: [lags]."""
    size = 2 ** int(np.ceil(np.log2(2 * len(window))))
    centred = window - window.mean()
    power = np.abs(np.fft.rfft(centred, size)) ** 2
    repeats = np.fft.irfft(power, size)[: len(window)]
    repeats = (
        repeats
        / max(repeats[0], 1e-12)
        * len(window)
        / np.maximum(len(window) - np.arange(len(window)), len(window) / 4)
    )
    return np.mean(
        [np.interp(times * lags, np.arange(len(window)), repeats, right=0.0) for times in (1, 2, 3, 4)], axis=0
    )


def _path(onsets: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Frames of the beats: the chain that meets most onsets at intervals nearest to the period."""
    from scipy.ndimage import gaussian_filter1d

    local = gaussian_filter1d(onsets, float(np.median(periods)) / 32, mode="constant")
    local = local / max(local.std(), 1e-12)
    total, back = local.copy(), np.full(len(local), -1)
    costs: dict[int, tuple[int, np.ndarray]] = {}
    for frame, period in enumerate(np.round(periods).astype(int)):
        if period not in costs:
            gaps = np.arange(2 * period, period // 2, -1)
            costs[period] = (len(gaps), -TIGHTNESS * np.log(gaps / period) ** 2)
        _, cost = costs[period]
        first, last = frame - 2 * period, frame - period // 2
        if last <= 0:
            continue
        chain = total[max(first, 0) : last] + cost[max(-first, 0) :]
        best = int(np.argmax(chain))
        if chain[best] > 0:
            total[frame] += chain[best]
            back[frame] = max(first, 0) + best
    frame = len(total) - round(float(periods[-1])) + int(np.argmax(total[-round(float(periods[-1])) :]))
    beats = []
    while frame >= 0:
        beats.append(frame)
        frame = int(back[frame])
    return np.array(beats[::-1])


def _peaks(onsets: np.ndarray, beats: np.ndarray, periods: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frame, with its fraction, and strength of the onset nearest to each beat: [beats], [beats]."""
    places, strengths = [], []
    for beat in beats:
        reach = max(2, round(0.1 * float(periods[beat])))
        start = max(int(beat) - reach, 0)
        near = (
            onsets[start : beat + reach + 1]
            * np.hanning(2 * reach + 3)[1:-1][start - (int(beat) - reach) :][: len(onsets) - start]
        )
        peak = start + int(np.argmax(near))
        left, top, right = (onsets[min(max(peak + d, 0), len(onsets) - 1)] for d in (-1, 0, 1))
        bend = left - 2 * top + right
        places.append(peak + (0.5 * (left - right) / bend if bend < 0 else 0.0))
        strengths.append(float(onsets[peak]))
    return np.array(places), np.array(strengths)


def _settled(places: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """Each beat on the curve through itself and its neighbours; the strong and the agreeing count most: [beats].

    A parabola, which a drifting tempo follows, or a line at both ends of the piece.
    """
    settled = places.copy()
    for beat in range(len(places)):
        near = slice(max(0, beat - NEIGHBOURS), beat + NEIGHBOURS + 1)
        around, trust = places[near], strengths[near] + 1e-6 * strengths.max()
        numbers = np.arange(len(around)) - (beat - near.start)
        degree = 2 if len(around) == 2 * NEIGHBOURS + 1 else 1
        weights = trust
        for _ in range(4 if len(around) > 2 else 0):
            curve = np.polyfit(numbers, around, degree, w=np.sqrt(weights))
            settled[beat] = curve[-1]
            weights = trust / (1 + (around - np.polyval(curve, numbers)) ** 2)
    return settled
