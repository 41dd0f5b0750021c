"""The frame of a comparison: where each variant is in it, and what is written around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandream.base.errors import OutputError
from gandream.run import page
from gandream.run.variants import Variants

EDGE, GAP = 24, 12
"""Pixels around everything, and between variants."""
LABEL = 18
ABOVE, BELOW = 40, 36
"""Heights of what stands above columns, and of a label under a variant."""
LEAST_CELL, USUAL_CELL = 48, 320
"""Pixels of the wider side of a variant: what can still be seen, and what small films are enlarged to."""
MOST_LEFT = 240


@dataclass(frozen=True)
class Place:
    """Where a variant's pictures are, in pixels, all even."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True)
class Layout:
    """The frame of the film."""

    width: int
    height: int
    cells: tuple[Place, ...]
    """The room of each variant."""
    left: int
    table: Variants


def layout(table: Variants, size: tuple[int, int], most: tuple[int, int]) -> Layout:
    """Places for variants of a ``size`` (width, height), in a film of at most ``most``; OutputError without room."""
    rows, columns = table.rows, table.columns
    left = max((int(page.width_of(name, LABEL)) for name in table.down), default=0)
    left = min(left, MOST_LEFT) + 20 if left else 0
    below, above = (0, ABOVE) if table.across else (BELOW, 0)
    fixed = 2 * EDGE + left + (columns - 1) * GAP, 2 * EDGE + above + rows * below + (rows - 1) * GAP
    room = (most[0] - fixed[0]) / columns, (most[1] - fixed[1]) / rows
    scale = min(max(1.0, USUAL_CELL / max(size)), room[0] / size[0], room[1] / size[1])
    wide, high = (max(2, int(side * scale) // 2 * 2) for side in size)
    if scale <= 0 or max(wide, high) < LEAST_CELL:
        problem = f"{len(table.variants)} variants have no room in a film of {most[0]}x{most[1]}"
        raise OutputError("--vary", problem, "Vary less, or take a larger --size.")
    places = []
    for number in range(len(table.variants)):
        row, column = divmod(number, columns)
        x = EDGE + left + column * (wide + GAP)
        y = EDGE + above + row * (high + below + GAP)
        places.append(Place(x // 2 * 2, y // 2 * 2, wide, high))
    width, height = fixed[0] + columns * wide, fixed[1] + rows * high
    return Layout(width + width % 2, height + height % 2, tuple(places), left, table)


def background(made: Layout) -> np.ndarray:
    """Everything but the variants, uint8 [h, w, 3]."""
    sheet, table = page.Page(made.width, made.height), made.table
    for place in made.cells:
        sheet.box(place.x, place.y, place.w, place.h, (0, 0, 0))
    if table.across:
        for column, name in enumerate(table.across):
            place = made.cells[column]
            sheet.text(place.x + place.w / 2, EDGE + 14, page.fitted(name, LABEL, place.w), LABEL, page.INK, "mm")
        for row, name in enumerate(table.down):
            place = made.cells[row * table.columns]
            words = page.fitted(name, LABEL, MOST_LEFT)
            sheet.text(place.x - 20, place.y + place.h / 2, words, LABEL, page.INK, "rm")
    else:
        letters = "AB" if len(table.variants) == 2 else ""
        for number, (place, variant) in enumerate(zip(made.cells, table.variants, strict=True)):
            x, y = float(place.x), place.y + place.h + BELOW / 2
            if letters:
                sheet.text(x, y, letters[number], LABEL, page.FAINT, "lm")
                x += 22
            sheet.text(x, y, page.fitted(variant.label, LABEL, place.x + place.w - x), LABEL, page.INK, "lm")
    return np.asarray(sheet.image)


def inside(place: Place, size: tuple[int, int]) -> Place:
    """Where a picture of another shape is seen whole, in the middle of a variant's room."""
    scale = min(place.w / size[0], place.h / size[1])
    wide, high = (min(room, max(2, round(side * scale / 2) * 2)) for side, room in zip(size, (place.w, place.h),
                                                                                       strict=True))  # fmt: skip
    x, y = place.x + (place.w - wide) // 4 * 2, place.y + (place.h - high) // 4 * 2
    return Place(x, y, wide, high)
