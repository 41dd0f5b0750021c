"""The words of ``signals``: what the music does, as curves from 0 to 1."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from gandream.recipe.fields import AudioPath, Choice, Duration, Number, Word, wrong

KINDS: dict[str, str] = {
    "rms": "loudness (root mean square)",
    "onset": "onset strength: how much of the spectrum just began (spectral flux, Böck & Widmer 2013)",
    "beat": "1 on every beat, falling with `release` (0.2s)",
    "chroma": "the strength of each of the twelve pitch classes; one at a time in expressions: `chroma.C`",
    "band": "energy (the square of rms) between `low` and `high` in Hz",
}
PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
BANDS = {"chroma": len(PITCHES)}
"""How many bands the signals have that have more than one."""
FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#"}

Unit = Annotated[Number, Field(ge=0, le=1)]


class Signal(Word):
    """One signal: what is heard, and its envelope: smooth, clip, gate, power, attack/release, delay, range."""

    source: Annotated[str, Choice(KINDS, "signal")] = Field(
        alias="from", description="what is heard: " + "; ".join(f"`{k}`: {v}" for k, v in KINDS.items())
    )
    low: Annotated[
        Number | None, Field(ge=0, le=11025, description="lowest frequency heard, Hz (rms, onset, band)")
    ] = None
    high: Annotated[
        Number | None, Field(gt=0, le=11025, description="highest frequency heard, Hz (rms, onset, band)")
    ] = None
    of: Annotated[AudioPath | None, Field(description="another sound file to listen to instead, such as a stem")] = None
    smooth: Annotated[
        Duration | None,
        Field(description="gaussian smoothing, centred; the sigma as a time; the highest peak keeps its height"),
    ] = None
    clip: Annotated[
        tuple[Annotated[Number, Field(ge=0, le=100)], Annotated[Number, Field(ge=0, le=100)]] | None,
        Field(description="percentiles that become 0 and 1; one number names the upper one"),
    ] = None
    gate: Annotated[Unit, Field(description="what is below this is 0; the rest stays as it is")] = 0.0
    power: Annotated[
        Number, Field(gt=0, le=32, description="exponent: above 1 keeps the peaks, below 1 lifts the quiet")
    ] = 1.0
    attack: Annotated[
        Duration | None,
        Field(description="time constant of rising (63 % of the way); the highest peak keeps its height"),
    ] = None
    release: Annotated[Duration | None, Field(description="time constant of falling (to 37 %)")] = None
    delay: Annotated[Duration | None, Field(description="how much later than the music")] = None
    range: Annotated[tuple[Number, Number], Field(description="what 0 and 1 become")] = (0.0, 1.0)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """``level: rms`` is short for ``level: {from: rms}``, and ``clip: 95`` for ``clip: [0, 95]``."""
        value = {"from": value} if isinstance(value, str) else value
        if (
            isinstance(value, dict)
            and isinstance(value.get("clip"), int | float)
            and not isinstance(value["clip"], bool)
        ):
            value = {**value, "clip": [0, value["clip"]]}
        return value

    @model_validator(mode="after")
    def _sensible(self) -> Signal:
        if self.source == "band" and self.low is None and self.high is None:
            raise wrong("a band wants `low`, `high` or both, in Hz")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise wrong(f"`low` ({self.low:g} Hz) must be below `high` ({self.high:g} Hz)")
        if self.source in ("beat", "chroma") and (self.low is not None or self.high is not None):
            raise wrong(f"`low` and `high` don't apply to {self.source}")
        if self.clip is not None and self.clip[0] >= self.clip[1]:
            raise wrong("the first percentile of `clip` must be below the second")
        return self
