"""The words of ``signals``: what the music does, as curves from 0 to 1, and the envelope that shapes each."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from gandream.recipe.fields import Duration, Number, Whole, Word, is_number, wrong
from gandream.recipe.heard import (
    AUTOMATION,
    BEATEN,
    DETECTORS,
    FLATS,
    HEARD,
    KINDS,
    LAID,
    PITCHES,
    SECTIONED,
    Source,
)

__all__ = [
    "AUTOMATION", "BEATEN", "DETECTORS", "FLATS", "HEARD", "KINDS", "LAID", "PITCHES", "SECTIONED",
    "Knee", "Sections", "Signal",
]  # fmt: skip

Unit = Annotated[Number, Field(ge=0, le=1)]


class Knee(Word):
    """A threshold, and the ratio by which what is beyond it changes."""

    threshold: Annotated[Number, Field(ge=0, le=1, description="where it sets in, 0 to 1")]
    ratio: Annotated[Number, Field(ge=1, le=1000, description="1 changes nothing")]


class Steps(Word):
    """Equal steps."""

    steps: Annotated[Whole, Field(ge=1, le=1000, description="how many steps from 0 to 1")]


def _scale(value: Any) -> str | float:
    if value in ("piece", "none") and isinstance(value, str):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise wrong("wanted `piece`, `none`, or the measured value that becomes 1")
    return float(value)


Scale = Annotated[
    str | float, BeforeValidator(_scale), WithJsonSchema({"anyOf": [{"enum": ["piece", "none"]}, {"type": "number"}]})
]


class Signal(Source, Word):
    """One signal: what is heard, and its envelope, applied in the order in which its words are listed."""

    scale: Annotated[
        Scale | None,
        Field(
            description="`piece`: 0..1 over the piece; `none`: as measured (Hz, beats per minute, the section's number "
            "...); or the measured value that becomes 1. MIDI and tables are taken as they are"
        ),
    ] = None
    causal: Annotated[
        Unit,
        Field(description="of `smooth`: the weight of what is still to come; 1 is centred, 0 never looks ahead"),
    ] = 1.0
    smooth: Annotated[
        Duration | None,
        Field(description="gaussian smoothing; the sigma as a time; the highest peak keeps its height"),
    ] = None
    clip: Annotated[
        tuple[Annotated[Number, Field(ge=0, le=100)], Annotated[Number, Field(ge=0, le=100)]] | None,
        Field(description="percentiles that become 0 and 1; one number names the upper one"),
    ] = None
    peaks: Annotated[
        Number | None,
        Field(ge=0, le=100, description="the percentile of the local peaks that becomes 1; beyond it is cut"),
    ] = None
    gate: Annotated[Unit, Field(description="what is below this is 0; the rest stays as it is")] = 0.0
    compress: Annotated[
        Knee | None,
        Field(description="above the threshold it rises `ratio` times less; the highest peak keeps its height"),
    ] = None
    expand: Annotated[
        Knee | None, Field(description="below the threshold it falls `ratio` times faster, to 0 at the lowest")
    ] = None
    power: Annotated[
        Number, Field(gt=0, le=32, description="exponent: above 1 keeps the peaks, below 1 lifts the quiet")
    ] = 1.0
    attack: Annotated[
        Duration | None,
        Field(description="time constant of rising (63 % of the way); the highest peak keeps its height"),
    ] = None
    release: Annotated[Duration | None, Field(description="time constant of falling (to 37 %)")] = None
    hold: Annotated[Duration | None, Field(description="how long each value stays before it may fall")] = None
    quantise: Annotated[
        Steps | None, Field(description="to equal steps: `4` gives 0, 0.25, 0.5, 0.75 and 1, the nearest one")
    ] = None
    delay: Annotated[Duration | None, Field(description="how much later than the music")] = None
    range: Annotated[tuple[Number, Number], Field(description="what 0 and 1 become")] = (0.0, 1.0)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """``rms`` is short for ``{from: rms}``, ``clip: 95`` for ``[0, 95]``, ``quantise: 4`` for ``{steps: 4}``."""
        value = {"from": value} if isinstance(value, str) else value
        if isinstance(value, dict) and is_number(value.get("clip")):
            value = {**value, "clip": [0, value["clip"]]}
        if isinstance(value, dict) and is_number(value.get("quantise")):
            value = {**value, "quantise": {"steps": value["quantise"]}}
        return value

    @model_validator(mode="after")
    def _sensible(self) -> Signal:
        if self.clip is not None and self.clip[0] >= self.clip[1]:
            raise wrong("the first percentile of `clip` must be below the second")
        if self.clip is not None and self.peaks is not None:
            raise wrong("`clip` and `peaks` can't both be given", "Both say what becomes 1.")
        if self.causal != 1 and self.smooth is None:
            raise wrong("`causal` goes with `smooth`, which isn't there", "For instance `smooth: 0.2`.", key="causal")
        return self


def _count(value: Any) -> int | None:
    if value is None or (isinstance(value, str) and value == "auto"):
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 12:
        raise wrong("wanted `auto` or how many different sections there are, 1 to 12")
    return int(value)


class Sections(Word):
    """How the music is parted into sections (McFee & Ellis 2014)."""

    count: Annotated[
        int | None,
        BeforeValidator(_count),
        PlainSerializer(lambda count: "auto" if count is None else count),
        WithJsonSchema({"type": ["integer", "string"]}),
        Field(description="how many different ones there are (verse, chorus ...): `auto`, or a number"),
    ] = None
