"""A dark page that pictures are laid out on: its colours, its letters, and strips of what a signal does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import combining, normalize

import numpy as np

from gandream.base.errors import OutputError
from gandream.run.plot import HEAT

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

RGB = tuple[int, int, int]

GROUND, LANE, EMPTY = (14, 15, 19), (24, 26, 33), (20, 22, 28)
INK, SOFT, FAINT = (234, 236, 241), (168, 174, 188), (110, 116, 132)
MARGIN = 56
"""Pixels of nothing around everything."""
MOST_PIXELS = 120_000_000
"""Of a page: 360 MB while it is laid out."""
SHADE = 0.38
"""How much of its colour there is under the line of a strip."""


class Page:
    """A canvas in RGB. Letters and lines are placed in pixels from the upper left."""

    def __init__(self, width: int, height: int):
        from PIL import Image, ImageDraw

        self.image: Image = Image.new("RGB", (width, height), GROUND)
        self._pen = ImageDraw.Draw(self.image)

    def text(self, x: float, y: float, words: str, size: float, ink: RGB = INK, anchor: str = "la") -> None:
        """A line of words; ``anchor`` is Pillow's: left, middle or right, and ascender, middle or baseline (s)."""
        self._pen.text((x, y), writable(words), ink, font(size), anchor=anchor)

    def box(self, left: float, top: float, width: float, height: float, ink: RGB, radius: float = 0) -> None:
        """A filled rectangle of so many pixels."""
        corners = [round(left), round(top), round(left + width) - 1, round(top + height) - 1]
        if corners[2] >= corners[0] and corners[3] >= corners[1]:
            self._pen.rounded_rectangle(corners, radius, fill=ink)

    def picture(self, left: int, top: int, pixels: np.ndarray) -> None:
        """Pixels uint8 [h, w, 3]."""
        from PIL import Image

        self.image.paste(Image.fromarray(np.ascontiguousarray(pixels)), (left, top))


@dataclass(frozen=True)
class Heading:
    """What stands at the top of a page."""

    title: str
    lines: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """Pixels from the top of the page to what is below, without the margin above."""
        return 50 + 27 * len(self.lines) + 16

    def draw(self, page: Page, top: int = MARGIN - 8) -> None:
        """Put it on the page, cut where the page ends."""
        room = page.image.width - 2 * MARGIN
        page.text(MARGIN, top, fitted(self.title, 36, room), 36)
        for number, line in enumerate(self.lines):
            page.text(MARGIN + 1, top + 52 + 27 * number, fitted(line, 17, room), 17, SOFT)


def font(size: float) -> FreeTypeFont | ImageFont:
    """The letters of all pages: those that Pillow carries."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


def width_of(words: str, size: float) -> float:
    """Pixels that a line is wide."""
    return float(font(size).getlength(writable(words)))


def fitted(words: str, size: float, width: float) -> str:
    """The words as far as they fit into a width, with dots where they are cut."""
    words = writable(words)
    if width_of(words, size) <= width:
        return words
    while words and width_of(words + "...", size) > width:
        words = words[:-1]
    return f"{words.rstrip()}..." if words else ""


def lines(facts: Sequence[str], size: float, width: float) -> list[str]:
    """Facts side by side with dots between them, in as many lines as it takes."""
    found: list[str] = []
    for fact in facts:
        longer = f"{found[-1]}   ·   {fact}" if found else fact
        if found and width_of(longer, size) <= width:
            found[-1] = longer
        else:
            found.append(fact)
    return found


def writable(text: str) -> str:
    """The text in letters that the font has: accents are left out, other scripts become question marks."""
    plain = text.translate({ord("–"): "-", ord("—"): "-", ord("×"): "x", ord("ß"): "ss"})
    letters = "".join(letter for letter in normalize("NFKD", plain) if not combining(letter))
    return "".join(letter if " " <= letter <= "~" or letter in "·±°" else "?" for letter in letters)


def strip(values: np.ndarray, width: int, height: int, ink: RGB) -> np.ndarray:
    """A signal from 0 to 1 over its time, float [n], as a small filled curve: uint8 [height, width, 3].

    Each column has the highest value that falls into it, so that no short event is lost.
    """
    columns = np.clip(peaks(values, width), 0, 1)
    edge = (height - 1.5) * (1 - columns) + 0.5
    rows = np.arange(height)[:, None]
    under = np.clip(rows + 1 - edge[None], 0, 1) * SHADE
    around = np.stack([edge, np.roll(edge, 1), np.roll(edge, -1)])
    around[1, 0], around[2, -1] = edge[0], edge[-1]
    # The line goes on up and down between neighbours, so that steep flanks don't fall apart into dots.
    low, high = around.min(axis=0), np.maximum(edge + 1, (around.max(axis=0) + edge) / 2)
    low = (low + edge) / 2
    line = np.clip(np.minimum(rows + 1, high) - np.maximum(rows, low), 0, 1)
    line *= np.clip(columns * 6, 0.25, 1)
    share = np.maximum(under, line)[..., None]
    lane, colour = np.array(LANE, float), np.array(ink, float)
    return np.round(lane + (colour - lane) * share).astype(np.uint8)


def heat(values: np.ndarray, width: int, height: int) -> np.ndarray:
    """A signal of bands from 0 to 1, float [n, B], the first at the bottom: uint8 [height, width, 3]."""
    shares = np.clip(np.stack([peaks(band, width) for band in values.T])[::-1], 0, 1)
    shares = shares[np.arange(height) * len(shares) // height] * (len(HEAT) - 1)
    left = np.minimum(shares.astype(int), len(HEAT) - 2)
    colours = HEAT[left] + (HEAT[left + 1] - HEAT[left]) * (shares - left)[..., None]
    return np.round(colours).astype(np.uint8)


def peaks(values: np.ndarray, columns: int) -> np.ndarray:
    """The highest of the values that fall into each column, or what is between them where they are fewer."""
    if len(values) < columns:
        return np.interp((np.arange(columns) + 0.5) / columns * len(values) - 0.5, np.arange(len(values)), values)
    return np.maximum.reduceat(values, np.arange(columns) * len(values) // columns)


def checked_size(width: int, height: int, where: str, hint: str) -> None:
    """OutputError for a page that is too large to be laid out."""
    if width * height > MOST_PIXELS or max(width, height) > 60_000:
        raise OutputError(where, f"the sheet would have {width} x {height} pixels, too many for a picture", hint)
