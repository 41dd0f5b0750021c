"""Music measured: the features that a film asks for, in one pass over the file, kept by content."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from gandream.audio.beats import track
from gandream.audio.blocks import FEATURE_HZ, RATE_HZ, blocks
from gandream.audio.cache import Entry, Shelf
from gandream.audio.decode import check_readable, mono_blocks, probe
from gandream.audio.features import FEATURES
from gandream.audio.measure import CHROMA, REGISTERS, TIMBRE, Measure, measure_of
from gandream.audio.sections import Section, segment
from gandream.audio.separate import separated
from gandream.base.hashing import file_fingerprint
from gandream.recipe.signals import BEATEN, HEARD, SECTIONED, Signal

SILENCE = 1e-4
"""Peak (full scale is 1) below which a file holds no music: -80 dB, some steps of 16 bit."""


@dataclass(frozen=True)
class Analysis:
    """What was measured in one sound file.

    ``features`` are by :func:`feature_key`, float32 [B, T], frame i at i / ``rate_hz`` seconds; ``beats_s`` are rising
    seconds, None where none were asked for or found; ``sections`` cover the whole music, None where not asked for;
    ``warnings`` are sentences for the person.
    """

    fingerprint: str
    duration_s: Fraction
    rate_hz: int = FEATURE_HZ
    features: Mapping[str, np.ndarray] = field(default_factory=dict)
    beats_s: tuple[float, ...] | None = None
    sections: tuple[Section, ...] | None = None
    warnings: tuple[str, ...] = ()


def feature_key(signal: Signal) -> str:
    """The name in :attr:`Analysis.features` of what a signal is made from."""
    return measure_of(signal).key


def analyse(
    path: Path,
    signals: Collection[Signal],
    *,
    beats: bool,
    sections: int | Literal["auto"] | None = None,
    cache: Path | None = None,
) -> Analysis:
    """Measure what the signals need in a sound file, its beats and its sections if asked for or needed; nothing else.

    ``sections`` is how many different ones there are (1 to 12), or "auto". With ``cache``, a folder, what was
    measured once in a file of this content is read from there.
    """
    check_readable(path)
    hearing = _Hearing(path, Shelf(cache, file_fingerprint(path)))
    kinds = {signal.source for signal in signals}
    needed = {measure_of(signal) for signal in signals if signal.source in HEARD}
    if "drop" in kinds:
        needed.add(REGISTERS)
    if sections is None and kinds & SECTIONED:
        sections = "auto"
    needs_beats, needs_sections = beats or bool(kinds & BEATEN), sections is not None
    wants_beats = (needs_beats or needs_sections) and hearing.shelf.get("beats") is None
    wants_sections = needs_sections and hearing.shelf.get(_named(sections)) is None
    # All that is missing is measured at once: the file is decoded once.
    hearing.measure(
        needed | ({Measure("novelty")} if wants_beats else set()) | ({CHROMA, TIMBRE} if wants_sections else set())
    )
    beats_s = hearing.beats() if needs_beats or needs_sections else None
    warnings = [str(words) for words in hearing.facts["warnings"]]
    if needs_beats and not beats_s:
        warnings.append(f"no beat was found in {path.name}")
    return Analysis(
        fingerprint=hearing.shelf.fingerprint,
        duration_s=hearing.duration_s,
        features={measure.key: hearing.features[measure.key] for measure in needed},
        beats_s=(beats_s or None) if needs_beats else None,
        sections=None if sections is None else hearing.sections(sections, beats_s or None),
        warnings=tuple(warnings),
    )


def _named(sections: int | str | None) -> str:
    return f"sections {sections}"


class _Hearing:
    """One sound file while it is analysed: what is known of it, from the cache or measured."""

    def __init__(self, path: Path, shelf: Shelf):
        self.path, self.shelf = path, shelf
        self.facts = shelf.get("facts") or shelf.put("facts", _facts(path))
        self.duration_s = Fraction(int(self.facts["samples"]), int(self.facts["rate_hz"]))
        self.features: dict[str, np.ndarray] = {}

    def measure(self, measures: Collection[Measure]) -> None:
        """Fill in ``features``."""
        unknown = sorted((one for one in measures if one.key not in self.features), key=lambda one: one.key)
        kept = {one.key: entry["values"] for one in unknown if (entry := self.shelf.get(one.key))}
        missing = [one for one in unknown if one.key not in kept]
        made = _measured(self.path, missing, self.facts)
        self.features |= kept | {key: self.shelf.put(key, {"values": values})["values"] for key, values in made.items()}

    def beats(self) -> tuple[float, ...]:
        """Rising seconds of the beats; none where none were found."""
        entry = self.shelf.get("beats")
        if entry is None:
            self.measure([Measure("novelty")])
            seconds = track(self.features[Measure("novelty").key][0], FEATURE_HZ)
            entry = self.shelf.put("beats", {"seconds": np.array(seconds or (), np.float64)})
        return tuple(map(float, entry["seconds"]))

    def sections(self, count: int | str, beats_s: tuple[float, ...] | None) -> tuple[Section, ...]:
        """The sections, in order, from the music's first moment to its last."""
        entry = self.shelf.get(_named(count))
        if entry is None:
            self.measure([CHROMA, TIMBRE])
            found = segment(
                self.features[CHROMA.key],
                self.features[TIMBRE.key],
                FEATURE_HZ,
                float(self.duration_s),
                beats_s,
                None if isinstance(count, str) else count,
            )
            edges = np.array([*(section.start_s for section in found), found[-1].end_s])
            entry = self.shelf.put(
                _named(count), {"edges": edges, "labels": np.array([section.label for section in found])}
            )
        edges, labels = entry["edges"].tolist(), entry["labels"].tolist()
        return tuple(
            Section(start, stop, str(label)) for start, stop, label in zip(edges, edges[1:], labels, strict=False)
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


def _measured(path: Path, measures: Collection[Measure], facts: Entry) -> dict[str, np.ndarray]:
    """Each measure over the whole file, float32 [B, T], of the music brought to a peak of 1 without offset."""
    silent = float(facts["peak"]) < SILENCE
    gain = 0.0 if silent else 1.0 / float(facts["peak"])
    offset = float(facts["offset"])
    parts: dict[str, list[np.ndarray]] = {measure.key: [] for measure in measures}
    for part, margin in sorted({(measure.part, measure.margin) for measure in measures}):
        asked = [measure for measure in measures if (measure.part, measure.margin) == (part, margin)]
        levelled = (((piece - offset) * gain).astype(np.float32) for piece in mono_blocks(path, RATE_HZ))
        for block in blocks(separated(levelled, part, margin) if part else levelled):
            for measure in asked:
                parts[measure.key].append(FEATURES[measure.kind](block, measure).astype(np.float32))
    return {key: np.concatenate(values, axis=1) for key, values in parts.items()}
