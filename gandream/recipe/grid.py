"""The word ``grid``: many films of one recipe side by side, each in its cell."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from gandream.recipe.fields import Number, Switch, Whole, Word, Words, listed_as_one, wrong
from gandream.recipe.latent import MAX_SEED
from gandream.recipe.ranges import AnyColour, read_colour
from gandream.recipe.seeds import Seeds
from gandream.recipe.walk import Walk

MOST_CELLS = 256
_WANTED = "wanted a list of seeds, or a range such as 10-17"


def _seeds(value: Any) -> tuple[int, ...]:
    if isinstance(value, str):
        first, last = Seeds.model_validate({"seeds": value}).seeds  # type: ignore[misc]
        value = range(first, min(last, first + MOST_CELLS) + 1)
    elif not isinstance(value, list | tuple):
        raise wrong(_WANTED)
    for seed in value:
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
            raise wrong(f"{_WANTED}; seeds are from 0 to {MAX_SEED}")
    return tuple(value)


def _labels(value: Any) -> bool | tuple[str, ...]:
    if isinstance(value, bool):
        return value
    if not isinstance(value, list | tuple) or not all(isinstance(label, str | int | float) for label in value):
        raise wrong("wanted true, or a list of labels")
    return tuple(str(label) for label in value)


_Lists = dict[Words, Annotated[tuple[Any, ...], BeforeValidator(listed_as_one), Field(min_length=1)]]


class Grid(Word):
    """Cells in columns and rows. Expressions know `cell`, `column`, `row` (from 0), `cells`, `columns` and `rows`."""

    columns: Annotated[Whole | None, Field(ge=1, le=MOST_CELLS, description="how many; without it, by what varies")] = (
        None
    )
    rows: Annotated[Whole | None, Field(ge=1, le=MOST_CELLS, description="how many; without it, by what varies")] = None
    seeds: Annotated[
        Annotated[tuple[int, ...], BeforeValidator(_seeds), WithJsonSchema({"type": ["array", "string"]})] | None,
        Field(description="the recipe's `seed` in each cell; where it has no walk, the cell stands at this latent"),
    ] = None
    walks: Annotated[tuple[Walk, ...] | None, Field(min_length=1, description="the walk of each cell")] = None
    vary: Annotated[
        _Lists, Field(description="words and their values, one for each cell: {truncation: [0.4, 0.7, 1]}")
    ] = Field(default_factory=dict)
    across: Annotated[_Lists, Field(description="words and their values, one for each column")] = Field(
        default_factory=dict
    )
    down: Annotated[_Lists, Field(description="words and their values, one for each row")] = Field(default_factory=dict)
    gap: Annotated[Number, Field(ge=0, le=1, description="between cells, in heights of a cell")] = 0.03
    colour: Annotated[AnyColour, Field(description="what is between the cells: name, '#rrggbb' or [r, g, b]")] = (
        read_colour("black")
    )
    labels: Annotated[
        Annotated[Switch | tuple[str, ...], BeforeValidator(_labels)],
        Field(description="what varies, written into each cell; or a list of words of yours"),
    ] = False

    @model_validator(mode="after")
    def _sensible(self) -> Grid:
        cells, columns, rows = self.shape
        for word, values in (("seeds", self.seeds), ("walks", self.walks)):
            if values is not None and len(values) != cells:
                raise wrong(f"{len(values)} {word} for {cells} cells", "Give one for each cell.", key=word)
        if cells > MOST_CELLS:
            raise wrong(f"{cells} cells are too many for one film (at most {MOST_CELLS})")
        if cells > columns * rows:
            raise wrong(f"{columns} x {rows} has {columns * rows} cells, and here are {cells}", key="columns")
        for word, count, what in (("vary", cells, "cells"), ("across", columns, "columns"), ("down", rows, "rows")):
            for key, values in getattr(self, word).items():
                if len(values) != count:
                    raise wrong(f"{key} has {len(values)} values for {count} {what}", f"Give {count}.", key=word)
        if isinstance(self.labels, tuple) and len(self.labels) != cells:
            raise wrong(f"{len(self.labels)} labels for {cells} cells", key="labels")
        if cells == 1:
            said = [word for word in ("vary", "walks", "seeds", "across", "down", "columns", "rows")
                    if word in self.model_fields_set]  # fmt: skip
            hint = "For instance {columns: 4, rows: 2, seeds: 10-17}."
            raise wrong("a grid has more than one cell", hint, key=said[0] if said else None)
        return self

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many cells, columns and rows: as said, else by the lists, else about as many columns as rows."""
        lists = [*self.vary.values(), *(part for part in (self.seeds, self.walks) if part is not None)]
        cells = max((len(part) for part in lists), default=0)
        columns = self.columns or next((len(values) for values in self.across.values()), 0)
        rows = self.rows or next((len(values) for values in self.down.values()), 0)
        if not columns:
            columns = math.ceil(cells / rows) if rows and cells else math.ceil(math.sqrt(cells)) if cells else 1
        if not rows:
            rows = math.ceil(cells / columns) if cells else 1
        return cells or columns * rows, columns, rows
