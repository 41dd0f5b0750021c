"""Where the beats are: tempo by autocorrelation, beats by dynamic programming, then each set by its neighbours."""

from __future__ import annotations

import numpy as np

from gandream.audio.chain import chain
from gandream.audio.envelope import convolved

SLOWEST_BPM, FASTEST_BPM = 40.0, 240.0
PREFERRED_BPM, SPREAD_OCTAVES = 120.0, 0.8
"""People hear a beat near 120 bpm (van Noorden & Moelants 1999); decides between a tempo, its half and double."""
WINDOW_S, STEP_S = 12.0, 3.0
TIGHTNESS = 350.0
"""How much a beat that is off the tempo costs (Ellis 2007, alpha). His 100 is for librosa's own 43 frames per second:
it adds up the onsets within a share of the beat, so that at 150 they weigh 3.5 times as much."""
SILENT_BEATS = 8
"""Beats of silence around the music, over which a shift of phase costs next to nothing."""
NEIGHBOURS = 8
"""Beats on each side that have a say in where a beat is."""
ROUGH = 0.75
"""Frames (5 ms) that beats are off their curve on average, above which the tempo may have jumped."""
CLEAREST = 0.15
"""Least share of the onsets that must repeat at the tempo in the clearest quarter of the windows; noise and random
clicks have at most 0.12, drums 1.0, clicks that are 30 ms off on average, each third left out, 0.4."""
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
    bpm = _tempo(onsets, rate_hz)
    if bpm is None:
        return None
    beats = _path(onsets, bpm, rate_hz)
    if len(beats) < 2:
        return None
    places, strengths = _peaks(np.asarray(novelty, np.float64), beats, 60 * rate_hz / bpm)
    heard = np.flatnonzero(strengths > FAINTEST * np.median(strengths))
    if not len(heard):
        return None
    times = _settled(places, strengths)[heard[0] : heard[-1] + 1]
    times = times[np.concatenate([[True], np.diff(times) > 0.1 * 60 * rate_hz / bpm.max()])]
    return tuple(float(time) for time in np.maximum(times, 0.0) / rate_hz) if len(times) > 1 else None


def _levelled(novelty: np.ndarray, rate_hz: int) -> np.ndarray | None:
    """Onsets [T] above their local mean, in units of their local strength, so that quiet bars count too."""
    if len(novelty) < rate_hz or not np.percentile(novelty, 99) > LEAST_ONSET:
        return None
    above = np.maximum(novelty - _smooth(novelty, 0.25 * rate_hz), 0)
    # One outlier, such as the sound beginning at all, would press down everything within seconds of it.
    above = np.minimum(above, np.percentile(above, 99.5))
    if not above.any():
        return None
    strength = np.sqrt(np.maximum(_smooth(above**2, 4.0 * rate_hz), 0))
    # What is 20 dB below the piece's usual strength is not lifted further: the hiss before the first note.
    return above / np.maximum(strength, 0.1 * np.sqrt(np.mean(above**2)))


def _tempo(onsets: np.ndarray, rate_hz: int) -> np.ndarray | None:
    """Beats per minute at every frame [T], from windows of 12 s; None where too little repeats.

    Autocorrelation of windows every 3 s: a column for every frame would be a gigabyte for ten minutes. What repeats
    after one, two, three and four beats is counted, which noise and a single echo do not.
    """
    length, step = min(len(onsets), round(WINDOW_S * rate_hz)), round(STEP_S * rate_hz)
    slowest, fastest = (round(60 * rate_hz / bpm) for bpm in (SLOWEST_BPM, FASTEST_BPM))
    windows = np.lib.stride_tricks.sliding_window_view(_smooth(onsets, 0.015 * rate_hz), length)[::step].T
    repeats = _autocorrelation(windows - windows.mean(axis=0), min(length, 4 * slowest + 1))
    lags = np.arange(len(repeats))
    repeats /= np.maximum(repeats[:1], 1e-12) * np.maximum(1 - lags[:, None] / length, 0.25)
    repeats = np.pad(repeats, ((0, 4 * slowest + 1 - len(repeats)), (0, 0)))
    lags = lags[: slowest + 1]
    repeats = np.maximum(sum(repeats[count * lags] for count in (1, 2, 3, 4)) / 4, 0)
    if np.percentile(repeats[fastest:].max(axis=0), 75) < CLEAREST:
        return None
    # What the whole piece does has as much say as the window: a break without drums keeps its tempo.
    bpm = _likeliest(repeats + repeats.mean(axis=1, keepdims=True), rate_hz)
    bpm = np.median(np.lib.stride_tricks.sliding_window_view(np.pad(bpm, 2, mode="edge"), 5), axis=1)
    return np.interp(np.arange(len(onsets)), np.arange(len(bpm)) * step + length / 2, bpm)


def _likeliest(repeats: np.ndarray, rate_hz: int) -> np.ndarray:
    """Beats per minute of each window by how much repeats after each lag [lags, windows], and what people prefer."""
    tempos = 60 * rate_hz / np.arange(1, len(repeats))
    preferred = -0.5 * (np.log2(tempos / PREFERRED_BPM) / SPREAD_OCTAVES) ** 2
    preferred[tempos >= FASTEST_BPM] = -np.inf
    return tempos[np.argmax(np.log1p(1e6 * repeats[1:]) + preferred[:, None], axis=0)]


def _autocorrelation(windows: np.ndarray, lags: int) -> np.ndarray:
    """Of each window, for lags from 0: [length, windows] -> [lags, windows]."""
    size = 1 << (len(windows) + lags - 1).bit_length()
    return np.fft.irfft(np.abs(np.fft.rfft(windows, size, axis=0)) ** 2, size, axis=0)[:lags]


def _smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    """Values [T] through a Gaussian, with their mirror image beyond both ends."""
    reach = int(4 * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    padded = np.pad(values, reach, mode="symmetric")
    return convolved(padded[None], kernel[None] / kernel.sum())[0, 2 * reach : len(padded)]


def _path(onsets: np.ndarray, bpm: np.ndarray, rate_hz: int) -> np.ndarray:
    """Frames of the beats: the chain that meets most onsets at intervals nearest to the tempo."""
    # A beat within the first two would want one before it, and the last chain ends; silence leaves both ends free.
    around = round(SILENT_BEATS * 60 * rate_hz / bpm.min())
    beats = chain(np.pad(onsets, around), np.pad(bpm, around, mode="edge"), rate_hz, TIGHTNESS)
    return beats[(beats >= around) & (beats < around + len(onsets))] - around


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
    """Each beat on the parabola through itself and its neighbours, which a drifting tempo follows: [beats].

    The neighbours are those of both sides (as many at both ends of the piece), or those of one side where these agree
    far better: the tempo jumps on the other.
    """
    settled, last = places.copy(), len(places)
    for beat in range(last):
        first = min(max(0, beat - NEIGHBOURS), max(0, last - 2 * NEIGHBOURS - 1))
        settled[beat], rough = _fitted(places, strengths, beat, first, first + 2 * NEIGHBOURS + 1)
        for start in (max(beat - NEIGHBOURS, 0), max(min(beat, last - NEIGHBOURS - 1), 0)) if rough > ROUGH else ():
            place, one_sided = _fitted(places, strengths, beat, start, start + NEIGHBOURS + 1)
            if one_sided < rough / 3:
                settled[beat], rough = place, one_sided
    return settled


def _fitted(places: np.ndarray, strengths: np.ndarray, beat: int, start: int, stop: int) -> tuple[float, float]:
    """A beat's place on the parabola through the beats [start, stop), and how far off these are on average.

    The strong and the agreeing count most.
    """
    around, trust = places[start:stop], strengths[start:stop] + 1e-6 * strengths.max()
    numbers = np.arange(start, start + len(around)) - beat
    weights, off = trust, np.zeros(len(around))
    curve = around[numbers == 0]
    for _ in range(4 if len(around) > 3 else 0):
        curve = np.polyfit(numbers, around, 2, w=np.sqrt(weights))
        off = around - np.polyval(curve, numbers)
        weights = trust / (1 + off**2)
    return float(curve[-1]), float(np.average(np.abs(off), weights=trust))
