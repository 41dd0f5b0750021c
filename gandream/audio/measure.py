"""One thing to be measured in the sound: its kind and what the kind depends on, and its name in the cache."""

from __future__ import annotations

from dataclasses import dataclass

from gandream.audio.blocks import RATE_HZ
from gandream.recipe.heard import JOINED_BANDS
from gandream.recipe.signals import Signal

LOWEST_HZ, HIGHEST_HZ = 20.0, RATE_HZ / 2
"""What is heard where ``low`` and ``high`` say nothing."""
LOWEST_PITCH_HZ, HIGHEST_PITCH_HZ = 65.4064, 2093.0045
"""C2 and C7: where a melody is looked for."""


@dataclass(frozen=True)
class Measure:
    """A feature that is asked for. What a kind doesn't depend on has its default, so that equal things are equal."""

    kind: str
    low_hz: float = LOWEST_HZ
    high_hz: float = HIGHEST_HZ
    detector: str = "superflux"
    bands: int = 0
    part: str = ""
    margin: float = 1.0
    join: str = ""

    @property
    def key(self) -> str:
        """Its name in :attr:`Analysis.features` and in the cache."""
        words = f"{self.kind} {self.low_hz:.10g}-{self.high_hz:.10g} Hz"
        words += f" {self.detector}" if self.detector != "superflux" else ""
        words += f" {self.bands} bands" if self.bands else ""
        words += f" {self.join}" if self.join else ""
        return words + (f" {self.part} {self.margin:.10g}" if self.part else "")


CHROMA, TIMBRE, REGISTERS = Measure("chroma"), Measure("mel", bands=40), Measure("mel", bands=8)
"""What sections are found by, and how full the music is in eight registers."""


def measure_of(signal: Signal) -> Measure:
    """What is measured for a signal that is heard in the sound."""
    kind = signal.source
    low, high = (LOWEST_PITCH_HZ, HIGHEST_PITCH_HZ) if kind == "pitch" else (LOWEST_HZ, HIGHEST_HZ)
    low = low if signal.low is None else max(signal.low, LOWEST_HZ)
    high = high if signal.high is None else signal.high
    part = kind if kind in ("harmonic", "percussive") else signal.part or ""
    margin = 1.0 if signal.margin is None else signal.margin
    if kind in ("harmonic", "percussive"):
        kind = "rms"
    if kind == "tonnetz" or (kind == "chroma" and signal.kind in (None, "cqt", "cens")):
        kind = "chroma"  # made from it over the whole piece
    elif kind == "chroma":
        kind = f"chroma {signal.kind}"
    bands = len(signal.band_names) if signal.source in ("mel", "contrast", "mfcc") else 0
    if signal.join is not None:
        bands = signal.bands or JOINED_BANDS
    margin = margin if part else 1.0
    return Measure(kind, low, high, signal.detector or "superflux", bands, part, margin, signal.join or "")
