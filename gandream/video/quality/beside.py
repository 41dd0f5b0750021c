"""Statistics at the end of a segment's own file, where players skip them: published, pruned and lost together.

In MP4 and MOV they are a box of our own (``uuid``, ISO/IEC 14496-12, 4.2); in Matroska an element Void (RFC 8794,
11.3.2). Segments from before there were any have none, and are as good.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from gandream.base import ffmpeg
from gandream.video.quality.looks import FRAME_BYTES, POINTS, SAMPLED, Looks, looks_of, unpacked

OURS = bytes.fromhex("6b3c1f0e9a5d4c7f8f26c1d2a7e05b94")
"""What tells our box from others'."""
_END = struct.Struct(">I16s")
"""The last bytes: how long everything is, and that it is ours."""


def attach(path: Path, looks: Looks) -> None:
    """Append statistics to a whole file of pictures."""
    data = looks.packed()
    length = 8 + 16 + len(data) + _END.size
    body = OURS + data + _END.pack(length, OURS)
    head = struct.pack(">I4s", length, b"uuid")
    if path.suffix.lower() == ".mkv":  # as long: one byte of name, and seven of size, the first of which is a mark
        head = b"\xec" + (0x02_000000_000000 | len(body)).to_bytes(7, "big")
    with open(path, "ab") as file:
        file.write(head + body)


def attached(path: Path) -> Looks | None:
    """The statistics at the end of a file, or None."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            if size < _END.size:
                return None
            file.seek(size - _END.size)
            length, mark = _END.unpack(file.read())
            if mark != OURS or not 24 + _END.size <= length <= size:
                return None
            file.seek(size - length + 8)
            body = file.read(length - 8)
    except OSError:
        return None
    return unpacked(body[16 : -_END.size]) if body[:16] == OURS else None


def points_in(decoded: bytes) -> np.ndarray:
    """The points that the filter ``SAMPLED`` gave: uint8 [F, 72, 72, 3]; of a frame that broke off nothing."""
    frames = len(decoded) // FRAME_BYTES
    return np.frombuffer(decoded, np.uint8, frames * FRAME_BYTES).reshape(-1, POINTS, POINTS, 3)


def look(path: Path) -> Looks:
    """The statistics of a file, taken anew by decoding it: of a segment that has none; RenderError if that fails."""
    told = ("-map", "0:v:0", "-fps_mode", "passthrough", "-vf", SAMPLED, "-f", "rawvideo", "-")
    return looks_of(points_in(ffmpeg.run(*ffmpeg.QUIET, "-threads", "2", *ffmpeg.media(path), *told)))
