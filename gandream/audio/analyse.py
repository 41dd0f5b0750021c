"""Music measured: the features that a film asks for, in one pass over the file, kept by content."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from gandream.audio.beats import track
from gandream.audio.blocks import FEATURE_HZ, RATE_HZ, blocks
from gandream.audio.cache import Entry, Shelf
from gandream.audio.decode import check_readable, mono_blocks, probe
from gandream.audio.features import FEATURES, HIGHEST_HZ, LOWEST_HZ
from gandream.base.hashing import file_fingerprint
from gandream.recipe.signals import Signal

SILENCE = 1e-4
"""Peak (full scale is 1) below which a file holds no music: -80 dB, some steps of 16 bit."""


@dataclass(frozen=True)
class Analysis:
    """What was measured in one sound file.

    ``features`` are by :func:`feature_key`, float32 [B, T], frame i at i / ``rate_hz`` seconds; ``beats_s`` are rising
    seconds, None where none were asked for or found; ``warnings`` are sentences for the person.
    """

    fingerprint: str
    duration_s: Fraction
    rate_hz: int = FEATURE_HZ
    features: Mapping[str, np.ndarray] = field(default_factory=dict)
    beats_s: tuple[float, ...] | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Measure:
    """One feature that is asked for."""

    kind: str
    low_hz: float = LOWEST_HZ
    high_hz: float = HIGHEST_HZ

    @property
    def key(self) -> str:
        return f"{self.kind} {self.low_hz:.10g}-{self.high_hz:.10g} Hz"


def feature_key(signal: Signal) -> str:
    """The name in :attr:`Analysis.features` of what a signal is made from."""
    return _measure(signal).key


def _measure(signal: Signal) -> _Measure:
    low = LOWEST_HZ if signal.low is None else max(signal.low, LOWEST_HZ)
    return _Measure(signal.source, low, HIGHEST_HZ if signal.high is None else signal.high)


def analyse(path: Path, signals: Collection[Signal], *, beats: bool, cache: Path | None = None) -> Analysis:
    """Measure what the signals need in a sound file, and its beats if asked for or needed; nothing else.

    With ``cache``, a folder, what was measured once in a file of this content is read from there.
    """
    check_readable(path)
    shelf = Shelf(cache, file_fingerprint(path))
    facts = shelf.get("facts") or shelf.put("facts", _facts(path))
    needed = {_measure(signal) for signal in signals if signal.source != "beat"}
    beats = beats or any(signal.source == "beat" for signal in signals)
    tracked = shelf.get("beats") if beats else None
    to_measure = needed | ({_Measure("beat")} if beats and tracked is None else set())
    features = {measure.key: entry["values"] for measure in to_measure if (entry := shelf.get(measure.key))}
    missing = sorted((measure for measure in to_measure if measure.key not in features), key=lambda one: one.key)
    for key, values in _measured(path, missing, facts).items():
        features[key] = shelf.put(key, {"values": values})["values"]
    if beats and tracked is None:
        seconds = track(features[_Measure("beat").key][0], FEATURE_HZ)
        tracked = shelf.put("beats", {"seconds": np.array(seconds or (), np.float64)})
    warnings = [str(words) for words in facts["warnings"]]
    if tracked is not None and not len(tracked["seconds"]):
        warnings.append(f"no beat was found in {path.name}")
    return Analysis(
        fingerprint=shelf.fingerprint,
        duration_s=Fraction(int(facts["samples"]), int(facts["rate_hz"])),
        features={measure.key: features[measure.key] for measure in needed},
        beats_s=tuple(map(float, tracked["seconds"])) or None if tracked is not None else None,
        warnings=tuple(warnings),
    )


def _facts(path: Path) -> Entry:
    """Length, level and offset of the sound, at its own rate, and the decoder's warnings."""
    rate_hz, warnings = probe(path).rate_hz, []
    samples, total, lowest, highest = 0, 0.0, np.inf, -np.inf
    for piece in mono_blocks(path, rate_hz, warn=warnings.append):
        samples, total = samples + len(piece), total + float(np.sum(piece, dtype=np.float64))
        lowest, highest = min(lowest, float(piece.min())), max(highest, float(piece.max()))
    offset = total / samples
    return {
        "samples": np.array(samples),
        "rate_hz": np.array(rate_hz),
        "offset": np.array(offset),
        "peak": np.array(max(highest - offset, offset - lowest)),
        "warnings": np.array(warnings, dtype=np.str_),
    }


def _measured(path: Path, measures: Collection[_Measure], facts: Entry) -> dict[str, np.ndarray]:
    """Each measure over the whole file, float32 [B, T], of the music brought to a peak of 1 without offset."""
    if not measures:
        return {}
    silent = float(facts["peak"]) < SILENCE
    gain = 0.0 if silent else 1.0 / float(facts["peak"])
    offset = float(facts["offset"])
    parts: dict[str, list[np.ndarray]] = {measure.key: [] for measure in measures}
    levelled = ((piece - offset) * gain for piece in mono_blocks(path, RATE_HZ))
    for block in blocks(piece.astype(np.float32) for piece in levelled):
        for measure in measures:
            values = FEATURES[measure.kind](block, measure.low_hz, measure.high_hz)
            parts[measure.key].append(values.astype(np.float32))
    return {key: np.concatenate(values, axis=1) for key, values in parts.items()}
