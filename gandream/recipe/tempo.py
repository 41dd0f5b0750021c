"""The word ``tempo``: the beat grid, said or corrected by hand."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from gandream.recipe.fields import Moment, Number, Whole, Word, wrong


class Tempo(Word):
    """The beat grid, where it isn't to be heard from the music, or not as it was heard."""

    bpm: Annotated[
        Number | None, Field(ge=10, le=1000, description="beats per minute; without it the music is tracked")
    ] = None
    factor: Annotated[
        Number | None,
        Field(
            ge=0.125,
            le=8,
            description="how many times faster the beat is than was heard: 2 where the music was tracked at half",
        ),
    ] = None
    beats: Annotated[
        tuple[Moment, ...] | None,
        Field(min_length=2, max_length=100_000, description="the times of all beats in the music, by hand"),
    ] = None
    beats_per_bar: Annotated[Whole, Field(ge=1, le=64, description="beats in a bar")] = 4
    first_beat: Annotated[Moment | None, Field(description="where in the music the first bar begins")] = None

    @model_validator(mode="after")
    def _sensible(self) -> Tempo:
        if self.beats is not None and self.bpm is not None:
            raise wrong("`bpm` and `beats` can't both be given", "Keep one of them.", key="beats")
        if self.factor is not None and (self.bpm is not None or self.beats is not None):
            raise wrong("`factor` corrects a tempo that was heard; here it is told", "Leave it out.", key="factor")
        for index, (one, other) in enumerate(zip(self.beats or (), (self.beats or ())[1:], strict=False)):
            if one.unit not in ("s", "frames") or other.unit != one.unit:
                raise wrong("wanted times in seconds or frames of the music, all in one unit", key="beats")
            if other.amount <= one.amount:
                raise wrong(f"beats must rise; {other} (number {index + 2}) comes after {one}", key="beats")
        return self

    @property
    def told(self) -> bool:
        """Whether the beats needn't be heard."""
        return self.bpm is not None or self.beats is not None
