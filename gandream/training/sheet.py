"""Contact sheets: many small pictures on one page, to look at how a training goes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from unicodedata import combining, normalize

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from gandream.base.files import published

WIDTH = 1600
"""Pixels that a page of small pictures is wide at most; large pictures aren't made smaller."""
_GUTTER = 2
_MARGIN = 12
_LARGE, _SMALL = 28, 16
_PAPER, _INK = (18, 18, 20), (200, 200, 204)


def sheet(
    images: Tensor, columns: int, *, labels: Sequence[str] | None = None, caption: str = "", width: int = WIDTH
) -> Image.Image:
    """Lay pictures uint8 [N, 3, R, R] out in rows, the first at the upper left.

    Small ones are enlarged by a whole number, each pixel to a square, as far as ``width`` allows.

    Args:
        images: uint8 [N, 3, R, R], on any device.
        columns: pictures in a row; fewer pictures make a narrower page.
        labels: a name for each row, written beside it.
        caption: a line below the pictures; longer ones are broken.
        width: of the page in pixels, which only pictures that are larger by themselves exceed.
    """
    if images.ndim != 4 or images.shape[1] != 3 or not len(images) or columns < 1:
        raise ValueError(
            f"pictures [N, 3, R, R] and at least one column are wanted, not {list(images.shape)}, {columns}"
        )
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    if labels is not None and len(labels) != rows:
        raise ValueError(f"{rows} rows have {len(labels)} names")
    names = [_writable(label) for label in labels or ()]
    room = width - 3 * _MARGIN - max((round(_LARGE * 0.6 * len(name)) for name in names), default=0)
    height, wide = images.shape[2:]
    times = max(1, (room // columns - _GUTTER) // wide)
    pictures = images.detach().cpu().numpy().transpose(0, 2, 3, 1).repeat(times, axis=1).repeat(times, axis=2)
    across, down = wide * times + _GUTTER, height * times + _GUTTER

    font = ImageFont.load_default(min(_LARGE, max(12, down // 3)))
    left = _MARGIN + max((round(font.getlength(label)) + _MARGIN for label in names), default=0)
    right = left + columns * across - _GUTTER
    small = ImageFont.load_default(_SMALL)
    text = _broken(_writable(caption), small, max(right - _MARGIN, 200))
    bottom = _MARGIN + rows * down - _GUTTER
    lines = 22 * (text.count("\n") + 1) + _MARGIN // 2 if text else 0

    page = np.empty((bottom + lines + _MARGIN, max(right, _MARGIN + 200 if text else 0) + _MARGIN, 3), np.uint8)
    page[:] = _PAPER
    for number, picture in enumerate(pictures):
        y, x = _MARGIN + number // columns * down, left + number % columns * across
        page[y : y + height * times, x : x + wide * times] = picture
    image = Image.fromarray(page)
    draw = ImageDraw.Draw(image)
    for row, label in enumerate(names):
        middle = _MARGIN + row * down + height * times / 2
        draw.text((left - _MARGIN, middle), label, _INK, font, anchor="rm")
    if text:
        draw.multiline_text((_MARGIN, bottom + _MARGIN // 2), text, _INK, small, spacing=4)
    return image


def save_sheet(
    path: Path, images: Tensor, columns: int, *, labels: Sequence[str] | None = None, caption: str = ""
) -> None:
    """Write a contact sheet; the ending of ``path`` says as what, png or jpg."""
    image = sheet(images, columns, labels=labels, caption=caption)
    with published(path) as part:
        image.save(part, quality=92)


def _writable(text: str) -> str:
    """The text in letters that pillow's font has: accents are left out, other scripts become question marks."""
    plain = text.translate({ord("–"): "-", ord("—"): "-", ord("’"): "'", ord("ß"): "ss"})
    letters = "".join(letter for letter in normalize("NFKD", plain) if not combining(letter))
    return letters.encode("ascii", "replace").decode()


def _broken(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """The text in lines that are no wider, broken at spaces."""
    lines = []
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and font.getlength(longer) > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return "\n".join(lines)
