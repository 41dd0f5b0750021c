"""Where the music's sections are and which of them recur: Laplacian structural decomposition (McFee & Ellis 2014)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_LABELS = 8
"""Different sections at most that ``auto`` finds."""
UNIT_S = 0.5
"""Length of the units that are compared where there is no beat."""
MOST_UNITS = 1600
"""Units at most, since each is compared with each: thirteen minutes at 120 bpm; beyond it several beats are one."""
CLEAREST, COST = 0.3, 0.07
"""Share of the variance that labels must explain to be there at all, and that each more of them must add."""
NEAR = 4
"""Units on each side of a border that are compared to place it, and about how far it is moved: the median over nine
of them blurs it."""
MEMORY = 4
"""Neighbours, half of them on each side, that are compared together with a unit."""
SHORTEST_S = 4.0
"""A section that would be shorter belongs to the neighbour that it is more like."""


@dataclass(frozen=True)
class Section:
    """Music from ``start_s`` to ``end_s``, in seconds; those of one ``label`` (A, B, ... as they appear) are alike."""

    start_s: float
    end_s: float
    label: str


def segment(
    chroma: np.ndarray,
    timbre: np.ndarray,
    rate_hz: int,
    duration_s: float,
    beats_s: tuple[float, ...] | None,
    count: int | None,
) -> tuple[Section, ...]:
    """The sections of a piece, in order and without gaps; ``count`` different ones, or as many as part it best.

    ``chroma`` [12, T] and ``timbre`` (mel bands) [B, T] are amplitudes, ``rate_hz`` times a second.
    """
    edges = _units(duration_s, beats_s)
    labels = np.zeros(len(edges) - 1, int)
    most = min(max(count or 0, MOST_LABELS), len(labels) // 8)
    if most > 1 and count != 1 and chroma.any():
        sound = _sound(_in_units(chroma, edges, rate_hz), _in_units(timbre, edges, rate_hz))
        rows = _spectral(_graph(sound), most)
        settled = (_settled(_clustered(rows, kinds), edges, rows) for kinds in range(2, most + 1))
        tried = [labels, *(_moved(one, sound) for one in settled)]
        # Of those that part it into as many kinds as asked, or nearly, the one that explains most.
        labels = max(tried, key=lambda one: (-abs(len(np.unique(one)) - count) if count else 0, _worth(one, sound)))
    starts = np.flatnonzero(np.concatenate([[True], np.diff(labels) != 0]))
    order = list(dict.fromkeys(labels[starts].tolist()))
    bounds = [*edges[starts].tolist(), duration_s]
    return tuple(
        Section(bounds[index], bounds[index + 1], "ABCDEFGHIJKL"[order.index(labels[start])])
        for index, start in enumerate(starts)
    )


def _units(duration_s: float, beats_s: tuple[float, ...] | None) -> np.ndarray:
    """The borders of beats (or half seconds) in seconds, from 0 to the end, rising: [units + 1]."""
    inside = np.arange(UNIT_S, duration_s, UNIT_S)
    if beats_s is not None and len(beats_s) > 1:
        beat = float(np.median(np.diff(beats_s)))
        before, after = np.arange(beats_s[0] % beat, beats_s[0], beat), np.arange(beats_s[-1] + beat, duration_s, beat)
        inside = np.concatenate([before, beats_s, after])
    inside = inside[:: int(np.ceil(max(len(inside), 1) / MOST_UNITS))]
    inside = inside[(inside > 0.5 * UNIT_S) & (inside < duration_s - 0.5 * UNIT_S)]
    return np.concatenate([[0.0], inside, [max(duration_s, 1e-9)]])


def _in_units(values: np.ndarray, edges: np.ndarray, rate_hz: int) -> np.ndarray:
    """The mean over each unit, float64 [B, units]."""
    import librosa

    frames = np.minimum(np.round(edges[:-1] * rate_hz).astype(int), values.shape[1] - 1)
    return librosa.util.sync(values.astype(np.float64), np.unique(frames).tolist(), aggregate=np.mean)


def _sound(tones: np.ndarray, bands: np.ndarray) -> np.ndarray:
    """Harmony and timbre of each unit, of one weight: [12 + B, units]; the loudness in mel bands is in decibels."""
    import librosa

    loud = librosa.amplitude_to_db(bands, ref=max(float(bands.max()), 1e-9), top_db=60)
    return np.concatenate([_standard(np.sqrt(tones)) / np.sqrt(len(tones)), _standard(loud) / np.sqrt(len(loud))])


def _graph(sound: np.ndarray) -> np.ndarray:
    """How alike each two units are (recurrence) and how alike neighbours are (sequence), balanced: [units, units].

    Recurrence compares two units and those around them, keeps mutual nearest neighbours and straightens diagonals
    (section 2.1 of the paper); sequence compares timbre from one unit to the next (2.2); the balance is that of 2.3.
    """
    import librosa
    from scipy.ndimage import median_filter

    around = np.pad(sound, ((0, 0), (0, MEMORY // 2)), mode="edge")
    history = librosa.feature.stack_memory(around, n_steps=MEMORY + 1, mode="edge")[:, MEMORY // 2 :]
    affinity = librosa.segment.recurrence_matrix(history, width=3, mode="affinity", sym=True)
    recurrence = librosa.segment.timelag_filter(median_filter)(affinity, size=(1, 7))
    recurrence = np.maximum(recurrence, recurrence.T)
    timbre = librosa.feature.mfcc(S=sound[12:], n_mfcc=13)
    steps = np.sum(np.diff(timbre, axis=1) ** 2, axis=0)
    near = np.exp(-steps / max(float(np.median(steps)), 1e-9))
    sequence = np.diag(near, 1) + np.diag(near, -1)
    repeats, follows = recurrence.sum(axis=1), sequence.sum(axis=1)
    balance = float(follows @ (repeats + follows) / max(float(np.sum((repeats + follows) ** 2)), 1e-12))
    return balance * recurrence + (1 - balance) * sequence


def _standard(values: np.ndarray) -> np.ndarray:
    """Rows without their mean, in units of the spread of all together."""
    values = values - values.mean(axis=1, keepdims=True)
    return values / max(float(values.std()), 1e-9)


def _spectral(graph: np.ndarray, count: int) -> np.ndarray:
    """The first eigenvectors of the graph's normalised Laplacian, smoothed along time: [units, count]."""
    from scipy.linalg import eigh
    from scipy.ndimage import median_filter

    root = 1 / np.sqrt(np.maximum(graph.sum(axis=1), 1e-12))
    laplacian = np.eye(len(graph)) - root[:, None] * graph * root[None]
    _, vectors = eigh(laplacian, subset_by_index=(0, count - 1))
    return median_filter(vectors, size=(9, 1), mode="nearest")


def _clustered(rows: np.ndarray, count: int) -> np.ndarray:
    """Labels 0.. of units by k-means on the first ``count`` eigenvectors, each unit's at length 1: [units]."""
    from sklearn.cluster import KMeans

    means = KMeans(n_clusters=count, n_init=10, random_state=0)  # pyright: ignore[reportArgumentType]
    return means.fit_predict(_unit_rows(rows, count))


def _unit_rows(rows: np.ndarray, count: int) -> np.ndarray:
    points = rows[:, :count]
    return points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12)


def _worth(labels: np.ndarray, sound: np.ndarray) -> float:
    """The share of the sound's variance over time that the labels explain, less what each more of them costs.

    One label is worth CLEAREST: what explains less than this is chance.
    """
    kinds = np.unique(labels)
    if len(kinds) == 1:
        return CLEAREST
    left = sum(float(np.sum((part - part.mean(axis=1, keepdims=True)) ** 2)) for part in _parts(labels, sound))
    return 1 - left / max(float(np.sum(sound**2)), 1e-12) - COST * (len(kinds) - 1)


def _parts(labels: np.ndarray, sound: np.ndarray) -> list[np.ndarray]:
    return [sound[:, labels == kind] for kind in np.unique(labels)]


def _moved(labels: np.ndarray, sound: np.ndarray) -> np.ndarray:
    """Labels with each border where, near it, the sound changes most from the NEAR units before to those after."""
    labels = labels.copy()
    sums = np.pad(np.cumsum(np.pad(sound, ((0, 0), (NEAR, NEAR)), mode="edge"), axis=1), ((0, 0), (1, 0)))
    means = (sums[:, NEAR:] - sums[:, :-NEAR]) / NEAR
    change = np.sum((means[:, NEAR:] - means[:, :-NEAR]) ** 2, axis=0)  # [units + 1]: at the start of each
    borders = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    for index in range(1, len(borders) - 1):
        border, before, after = borders[index], labels[borders[index] - 1], labels[borders[index]]
        places = np.arange((borders[index - 1] + border) // 2 + 1, (border + borders[index + 1]) // 2 + 1)
        moved = int(places[np.argmax(change[places] * np.exp(-0.5 * ((places - border) / NEAR) ** 2))])
        labels[borders[index - 1] : moved], labels[moved : borders[index + 1]] = before, after
        borders[index] = moved
    return labels


def _settled(labels: np.ndarray, edges: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Labels in which no section is shorter than 4 s: the shortest goes to the neighbour that it is more like."""
    labels = labels.copy()
    while True:
        starts = np.flatnonzero(np.concatenate([[True], np.diff(labels) != 0]))
        stops = np.append(starts[1:], len(labels))
        lengths = edges[stops] - edges[starts]
        shortest = int(np.argmin(lengths))
        if len(starts) == 1 or lengths[shortest] >= SHORTEST_S:
            return labels
        middle = rows[starts[shortest] : stops[shortest]].mean(axis=0)
        beside = [index for index in (shortest - 1, shortest + 1) if 0 <= index < len(starts)]
        like = [float(middle @ rows[starts[index] : stops[index]].mean(axis=0)) for index in beside]
        labels[starts[shortest] : stops[shortest]] = labels[starts[beside[int(np.argmax(like))]]]
