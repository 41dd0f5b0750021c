"""Pictures as PNG (W3C, third edition) of 8 or 16 bits, with or without alpha; sRGB, without loss."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from gandream.video.stamp import PNG_MAGIC, png_chunk

LEVEL = 6
"""How long zlib tries, 1 to 9."""
_COLOUR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}
"""Grey, grey and alpha, colour, colour and alpha (11.2.1)."""


def png_bytes(pixels: np.ndarray) -> bytes:
    """A whole file of uint8 or uint16 [H, W, C] with 1 to 4 channels; opacity is the last one, not multiplied in."""
    height, width, channels = pixels.shape
    bits = pixels.dtype.itemsize * 8
    header = struct.pack(">IIBBBBB", width, height, bits, _COLOUR_TYPE[channels], 0, 0, 0)
    rows = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder(">")).view(np.uint8).reshape(height, -1)
    data = zlib.compress(_filtered(rows, channels * bits // 8).tobytes(), LEVEL)
    body = png_chunk(b"IHDR", header) + png_chunk(b"sRGB", b"\0") + png_chunk(b"IDAT", data)
    return PNG_MAGIC + body + png_chunk(b"IEND", b"")


def _filtered(rows: np.ndarray, step: int) -> np.ndarray:
    """Rows uint8 [H, B] with their filters, uint8 [H, 1 + B]: of Sub, Up, Average and Paeth that with the least sum of
    absolute differences (9.2, 12.7); ``step`` is the bytes of a pixel.
    """
    left, above, corner = np.zeros_like(rows), np.zeros_like(rows), np.zeros_like(rows)
    left[:, step:], above[1:], corner[1:, step:] = rows[:, :-step], rows[:-1], rows[:-1, :-step]
    candidates = [left, above, ((left.astype(np.uint16) + above) >> 1).astype(np.uint8), _paeth(left, above, corner)]
    made = np.stack([rows - guess for guess in candidates])
    sums = np.minimum(made, -made).sum(axis=2, dtype=np.uint32)
    best = sums.argmin(axis=0)
    chosen = made[best, np.arange(len(rows))]
    return np.concatenate([(best + 1).astype(np.uint8)[:, None], chosen], axis=1)


def _paeth(left: np.ndarray, above: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """Of the three neighbours that nearest to left + above - corner (9.4)."""
    a, b, c = (part.astype(np.int16) for part in (left, above, corner))
    to_left, to_above, to_corner = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    near_left = (to_left <= to_above) & (to_left <= to_corner)
    return np.where(near_left, left, np.where(to_above <= to_corner, above, corner))
