"""Text drawn as a picture with transparency."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

RGB = tuple[float, float, float]
SHADOW_EM, SHADOW_DOWN_EM = 0.07, 0.03
"""How soft a shadow is (sigma), and how far below the letters."""
LEAST_EM_PX, LARGEST_EM_PX = 1.0, 1500.0
MOST_TEXELS = 1 << 26


@dataclass(frozen=True)
class Style:
    """How text is written; lengths are in em, the size of the letters."""

    colour: RGB = (1.0, 1.0, 1.0)
    align: str = "centre"
    font: Path | None = None
    line: float = 1.25
    track: float = 0.0
    shadow: float = 0.0
    outline: float = 0.0
    outline_colour: RGB = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Drawn:
    """A picture with transparency: premultiplied float32 [h, w, 4] in [0, 1], and the texel (x, y) at its place."""

    pixels: np.ndarray
    anchor: tuple[float, float]
    box: tuple[float, float, float, float]
    """Where the lines are: left, top, right, bottom, in texels."""
    em_px: float
    """The size at which it was drawn."""


def load_font(path: Path | None, em_px: float) -> FreeTypeFont:
    """A font at a size, laid out without libraries that not every machine has; OSError where it isn't one."""
    from PIL import ImageFont

    if path is None:
        default = ImageFont.load_default(em_px)
        if not isinstance(default, ImageFont.FreeTypeFont):
            raise OSError("this Pillow was built without FreeType, which draws text")
        return default
    return ImageFont.truetype(str(path), em_px, layout_engine=ImageFont.Layout.BASIC)


def lacking(font: FreeTypeFont, text: str) -> list[str]:
    """The characters of a text that a font has no glyphs for."""

    def look(character: str) -> tuple[Any, bytes]:
        mask: Any = font.getmask(character)
        return mask.size, bytes(mask)

    none = look("\uffff")
    seen = (character for character in dict.fromkeys(text) if unicodedata.category(character)[0] not in "ZC")
    return [character for character in seen if look(character) == none]


def draw(text: str, style: Style, em_px: float, widest_px: float = math.inf) -> Drawn:
    """Draw a text; lines wider than ``widest_px`` are broken at spaces."""
    from PIL import Image, ImageDraw, ImageFilter

    if em_px < LEAST_EM_PX:
        return draw(text, style, LEAST_EM_PX, widest_px * LEAST_EM_PX / em_px)
    em_px = min(em_px, LARGEST_EM_PX)
    font, track = load_font(style.font, em_px), style.track * em_px
    lines = [part for line in text.expandtabs(4).splitlines() for part in _broken(line, font, track, widest_px)]
    widths = [_width(line, font, track) for line in lines]
    ascent, descent = font.getmetrics()
    wide, high = max(widths), (len(lines) - 1) * style.line * em_px + ascent + descent
    margin = math.ceil(em_px * (0.3 + style.outline + (3 * SHADOW_EM + SHADOW_DOWN_EM) * (style.shadow > 0)))
    size = math.ceil(wide) + 2 * margin, math.ceil(high) + 2 * margin
    if size[0] * size[1] > MOST_TEXELS:
        return draw(text, style, em_px / 2, widest_px / 2)
    stroke = style.outline * em_px

    def covered(stroke_px: float) -> Any:
        plane = Image.new("L", size)
        pen = ImageDraw.Draw(plane)
        for number, (line, width) in enumerate(zip(lines, widths, strict=True)):
            x = margin + {"left": 0.0, "centre": (wide - width) / 2, "right": wide - width}[style.align]
            y = margin + ascent + number * style.line * em_px
            for at, piece in _pieces(line, font, track):
                pen.text((x + at, y), piece, 255, font, anchor="ls", stroke_width=round(stroke_px))
        return plane

    fill = covered(0)
    outer = covered(stroke) if stroke >= 0.5 else fill
    pixels = np.zeros((size[1], size[0], 4), np.float32)
    if style.shadow > 0:
        soft = outer.filter(ImageFilter.GaussianBlur(SHADOW_EM * em_px))
        down = round(SHADOW_DOWN_EM * em_px)
        pixels[down:, :, 3] = _share(soft)[: size[1] - down] * style.shadow
    if outer is not fill:
        _over(pixels, _share(outer), style.outline_colour)
    _over(pixels, _share(fill), style.colour)
    at = {"left": 0.0, "centre": wide / 2, "right": wide}[style.align]
    return Drawn(pixels, (margin + at, margin + high / 2), (margin, margin, margin + wide, margin + high), em_px)


def _share(plane: Any) -> np.ndarray:
    return np.asarray(plane, np.float32) / 255


def _over(pixels: np.ndarray, share: np.ndarray, colour: RGB) -> None:
    """Lay a colour over, where its share is."""
    pixels *= (1 - share)[:, :, None]
    pixels += share[:, :, None] * np.array([*colour, 1], np.float32)


def _pieces(line: str, font: FreeTypeFont, track: float) -> list[tuple[float, str]]:
    """What is drawn at once, and where: the whole line, or letter by letter where they stand apart."""
    if not track:
        return [(0.0, line)]
    starts = [font.getlength(line[: number + 1]) - font.getlength(letter) for number, letter in enumerate(line)]
    return [(start + number * track, letter) for number, (start, letter) in enumerate(zip(starts, line, strict=True))]


def _width(line: str, font: FreeTypeFont, track: float) -> float:
    return max(0.0, font.getlength(line) + track * max(0, len(line) - 1))


def _broken(line: str, font: FreeTypeFont, track: float, widest: float) -> list[str]:
    """A line in lines that are no wider, broken at spaces; a word alone is never broken."""
    if _width(line, font, track) <= widest:
        return [line]
    lines, current = [], ""
    for word in line.split():
        longer = f"{current} {word}".strip()
        if current and _width(longer, font, track) > widest:
            lines.append(current)
            longer = word
        current = longer
    return [*lines, current]
