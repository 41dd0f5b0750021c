"""Pictures as OpenEXR: half floats in linear light with BT.709 primaries, scan lines, ZIP compression.

What is displayed is brought to linear light by the curve of sRGB (IEC 61966-2-1), so that display white is 1 and a
compositing program that shows the file as sRGB shows what the film shows. Opacity is multiplied in, as programs that
read OpenEXR expect. Written by the OpenEXR file layout document ("OpenEXR File Layout", openexr.com).
"""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction

import numpy as np

MAGIC, VERSION = 20_000_630, 2
ZIP, LINES = 3, 16
"""The compression whose blocks are of so many lines."""
HALF = 1
BT709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
"""x and y of red, green, blue and white."""


def exr_bytes(pixels: np.ndarray, fps: Fraction) -> bytes:
    """A whole file of float16 [H, W, 3 or 4] in linear light, opacity multiplied in."""
    height, width, channels = pixels.shape
    names = sorted("RGBA"[:channels])
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    rows = b"".join(name.encode() + b"\0" + struct.pack("<iB3xii", HALF, 0, 1, 1) for name in names)
    header = struct.pack("<II", MAGIC, VERSION)
    header += _attribute("channels", "chlist", rows + b"\0")
    header += _attribute("chromaticities", "chromaticities", struct.pack("<8f", *BT709))
    header += _attribute("compression", "compression", bytes([ZIP]))
    header += _attribute("dataWindow", "box2i", window) + _attribute("displayWindow", "box2i", window)
    header += _attribute("framesPerSecond", "rational", struct.pack("<iI", fps.numerator, fps.denominator))
    header += _attribute("lineOrder", "lineOrder", b"\0")
    header += _attribute("pixelAspectRatio", "float", struct.pack("<f", 1))
    header += _attribute("screenWindowCenter", "v2f", struct.pack("<2f", 0, 0))
    header += _attribute("screenWindowWidth", "float", struct.pack("<f", 1))
    header += b"\0"
    # [H, channels by name, W]: each line holds its channels one after the other.
    lines = np.ascontiguousarray(pixels[:, :, ["RGBA".index(name) for name in names]].transpose(0, 2, 1), "<f2")
    blocks = [_block(lines[top : top + LINES], top) for top in range(0, height, LINES)]
    at, offsets = len(header) + 8 * len(blocks), []
    for block in blocks:
        offsets.append(at)
        at += len(block)
    return header + struct.pack(f"<{len(offsets)}Q", *offsets) + b"".join(blocks)


def _attribute(name: str, kind: str, value: bytes) -> bytes:
    return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value


def _block(lines: np.ndarray, top: int) -> bytes:
    """Some lines: low bytes before high ones, each as its difference from the one before, and then zlib."""
    raw = lines.tobytes()
    data = np.frombuffer(raw, np.uint8)
    parted = np.concatenate([data[0::2], data[1::2]])
    differences = parted.copy()
    differences[1:] = parted[1:] - parted[:-1] + np.uint8(128)
    packed = zlib.compress(differences.tobytes(), 4)
    packed = packed if len(packed) < len(raw) else raw
    return struct.pack("<ii", top, len(packed)) + packed
