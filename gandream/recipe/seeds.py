"""Many seeds at once: a range of them, or some drawn by chance; and the list that a walk goes through."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from gandream.recipe.fields import Whole, Word, wrong
from gandream.recipe.latent import MAX_SEED, ClassWord, Latent

MOST = 10000
_WANTED = "wanted how many seeds, such as 12, or a range such as 0-63"
_RANGE = re.compile(r"\s*(\d{0,12})\s*-\s*(\d{0,12})\s*", re.ASCII)


def _seeds(value: Any) -> int | tuple[int, int]:
    if isinstance(value, tuple):
        return value
    if isinstance(value, str):
        match = _RANGE.fullmatch(value)
        if match is None:
            raise wrong(_WANTED)
        if not (match[1] and match[2]):
            raise wrong("a range of seeds has two ends, such as 0-63")
        first, last = int(match[1]), int(match[2])
        if last > MAX_SEED:
            raise wrong(f"seeds are from 0 to {MAX_SEED}")
        if first > last:
            raise wrong("a range of seeds rises", f"Write {last}-{first}, and `order: reverse`.")
        if last - first >= MOST:
            raise wrong(f"these are {last - first + 1} seeds; a walk has {MOST} latents at most")
        return first, last
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST:
        raise wrong(f"{_WANTED}; from 1 to {MOST}")
    return value


class Seeds(Word):
    """Many latents: a range of seeds, or so many drawn by chance, the same ones every time."""

    seeds: Annotated[
        int | tuple[int, int],
        BeforeValidator(_seeds),
        PlainSerializer(lambda seeds: seeds if isinstance(seeds, int) else f"{seeds[0]}-{seeds[1]}"),
        WithJsonSchema({"type": ["integer", "string"]}),
        Field(description="how many to draw, such as 12, or a range such as 0-63"),
    ]
    seed: Annotated[Whole | None, Field(ge=0, le=MAX_SEED, description="of the draw; without it the recipe's")] = None
    class_: Annotated[ClassWord | None, Field(alias="class", description="of all of them, in conditional models")] = (
        None
    )

    @model_validator(mode="after")
    def _sensible(self) -> Seeds:
        if isinstance(self.seeds, tuple) and self.seed is not None:
            raise wrong("`seed` goes with a number of seeds to draw; a range says them itself", key="seed")
        return self

    def count(self) -> int:
        """How many there are."""
        return self.seeds if isinstance(self.seeds, int) else self.seeds[1] - self.seeds[0] + 1


def _stop(value: Any) -> Any:
    if isinstance(value, Latent | Seeds):
        return value
    if isinstance(value, dict) and "seeds" in value:
        return Seeds.model_validate(value)
    if isinstance(value, str) and _RANGE.fullmatch(value) and not value.strip().isdecimal():
        return Seeds.model_validate({"seeds": value})
    return Latent.model_validate(value)


def _written(stop: Latent | Seeds) -> Any:
    return stop.model_dump(mode="json", by_alias=True, exclude_none=True)


Stop = Annotated[Latent | Seeds, BeforeValidator(_stop), PlainSerializer(_written)]
Stops = tuple[Stop, ...]
