"""Drawing a sheet of a model: tables of pictures with what each row and column is, or with a number under each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from gandream.models.spec import Spec
from gandream.run import page
from gandream.run.model_pictures import Sample
from gandream.run.model_tables import MOST_SIDE, Arranged, Block

EDGE = 14
"""Pixels more between sources and what is made of them."""
LABEL, MOST_LABEL = 15, 200
ABOVE, BELOW = 28, 22
TITLE, BETWEEN = 36, 44
NARROWEST = 760
WIDTH = 1920
"""Pixels of a page at most, where the size of pictures isn't told."""
SMALLEST, LARGEST_USUAL = 48, 256
ENLARGED = 2.5
"""How much larger than they are made pictures are shown at most, where nobody says."""
GAP = 8


@dataclass(frozen=True)
class Cell:
    """Where a picture is on the page, in pixels, and what it is of."""

    x: int
    y: int
    w: int
    h: int
    sample: Sample
    layers: str = ""


@dataclass(frozen=True)
class Measure:
    """Sizes in pixels: of a picture (width, height), of the page, of what stands left of rows, and heading's lines."""

    picture: tuple[int, int]
    page: tuple[int, int]
    left: int
    heading: page.Heading


@dataclass(frozen=True)
class Laid:
    """The page and where each picture is on it."""

    page: page.Page
    cells: tuple[Cell, ...]


def measured(arranged: Arranged, spec: Spec, size: int | None) -> Measure:
    """Decide how large everything is; OutputError where that is too large. ``size`` is a picture's longer side."""
    columns = max(len(row) for block in arranged.blocks for row in block.cells)
    left = max((math.ceil(page.width_of(name, LABEL)) for block in arranged.blocks for name in block.down), default=0)
    left = min(left, MOST_LABEL) + 14 if left else 0
    edge = EDGE if any(block.edged for block in arranged.blocks) else 0
    around = 2 * page.MARGIN + left + edge
    native = spec.size or (LARGEST_USUAL, LARGEST_USUAL)
    room = (WIDTH - around + GAP) // columns - GAP
    widest = max(SMALLEST, round(ENLARGED * native[1])) if spec.size else LARGEST_USUAL
    width = min(max(room, SMALLEST), LARGEST_USUAL, widest)
    scale = width / native[1] if size is None else size / max(native)
    wide, high = (max(8, min(MOST_SIDE, round(side * scale))) for side in (native[1], native[0]))
    total = max(around + columns * (wide + GAP) - GAP, NARROWEST)
    native_words = f"{spec.size[1]} x {spec.size[0]}" if spec.size else "any size"
    facts = [spec.family, native_words, *arranged.facts]
    heading = page.Heading(spec.name, tuple(page.lines(facts, 17, total - 2 * page.MARGIN)))
    height = page.MARGIN - 8 + heading.height + sum(_height(block, high) for block in arranged.blocks)
    height += BETWEEN * (len(arranged.blocks) - 1) + page.MARGIN
    page.checked_size(total, height, spec.name, "Take a smaller --size, or fewer pictures.")
    return Measure((wide, high), (total, height), left, heading)


def _height(block: Block, high: int) -> int:
    """Of a block with everything around it."""
    caption = 0 if block.across else _below(high)
    return (
        (TITLE if block.title else 0)
        + (ABOVE if block.across else 0)
        + len(block.cells) * (high + caption + GAP)
        - GAP
        + (EDGE if block.edged else 0)
    )


def _below(high: int) -> int:
    """Of the number under a picture."""
    return BELOW if high >= 90 else 15


def drawn(arranged: Arranged, spec: Spec, measure: Measure, made: Iterable[np.ndarray]) -> Laid:
    """Lay the pictures out as they come, in the order of ``arranged.samples``."""
    sheet = page.Page(*measure.page)
    measure.heading.draw(sheet)
    top, left_over = page.MARGIN - 8 + measure.heading.height, iter(made)
    cells: list[Cell] = []
    for block in arranged.blocks:
        cells += _block(sheet, block, top, measure, left_over)
        top += _height(block, measure.picture[1]) + BETWEEN
    assert next(left_over, None) is None, "each picture has its place"
    return Laid(sheet, tuple(cells))


def _block(sheet: page.Page, block: Block, top: int, measure: Measure, made: Iterator[np.ndarray]) -> Iterator[Cell]:
    wide, high = measure.picture
    left = page.MARGIN + measure.left
    if block.title:
        sheet.text(page.MARGIN + 1, top, block.title, 17, page.SOFT)
        top += TITLE
    caption = 0 if block.across else _below(high)
    if block.across:
        for column, name in enumerate(block.across):
            middle = left + column * (wide + GAP) + wide / 2 + (EDGE if block.edged and column else 0)
            sheet.text(middle, top + 10, page.fitted(name, LABEL, wide), LABEL, page.SOFT, "mm")
        top += ABOVE
    if block.edged:
        _corner(sheet, left, top, wide, high)
    for row, samples in enumerate(block.cells):
        y = top + row * (high + caption + GAP) + (EDGE if block.edged and row else 0)
        if block.down:
            name = page.fitted(block.down[row], LABEL, MOST_LABEL)
            sheet.text(left - 14, y + high / 2, name, LABEL, page.SOFT, "rm")
        for column, sample in enumerate(samples):
            if sample is None:
                continue
            x = left + column * (wide + GAP) + (EDGE if block.edged and column else 0)
            sheet.picture(x, y, next(made))
            if caption:
                size = 14 if wide >= 90 else 11
                sheet.text(x + wide / 2, y + high + caption / 2 + 1, str(sample.seed), size, page.SOFT, "mm")
            yield Cell(x, y, wide, high, sample, block.layers if sample.other is not None else "")


def _corner(sheet: page.Page, left: int, top: int, wide: int, high: int) -> None:
    """Which source is which: B goes on to the right, A goes down."""
    size = max(12, min(22, wide // 6))
    sheet.text(left + wide - 10, top + high / 2, "B", size, page.SOFT, "rm")
    sheet.text(left + wide / 2, top + high - 8, "A", size, page.SOFT, "ms")
    sheet.box(left + wide - 4, top + high * 0.25, 1, high * 0.5, page.FAINT)
    sheet.box(left + wide * 0.25, top + high - 4, wide * 0.5, 1, page.FAINT)
