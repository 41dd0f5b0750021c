"""What an MP4 or MOV file says about its pictures, read from its boxes (ISO/IEC 14496-12), without a decoder.

A reader of files that we wrote ourselves: anything unexpected means that the file is not whole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

MOOV_LIMIT = 256 << 20
"""Bytes of index that are read into memory; 10 hours at 60 fps need 40 MB."""


class NotWholeError(ValueError):
    """The file is cut off, or isn't what was expected."""


@dataclass(frozen=True)
class PictureTrack:
    """The only picture track of a file."""

    codec: str
    """The sample entry's four letters, such as ``avc1``."""
    width: int
    height: int
    timescale: int
    """Ticks per second."""
    ticks: int
    """Ticks of each sample. All are equal; one, as the last of a track may be, is allowed to differ."""
    samples: int
    """Coded frames in the file, all of them inside it."""
    delay: int
    """Frames by which the first picture is shown later than it is decoded (for B-frames)."""
    starts_with_key: bool
    config: bytes
    """The sample entry but its bit rate: codec, size, parameter sets, colours. Equal ones can be joined."""

    def runs_at(self, fps: Fraction) -> bool:
        """Whether each frame lasts exactly its share of a second."""
        return self.ticks * fps == self.timescale

    @property
    def rate(self) -> str:
        """Frames per second, for people."""
        return f"{self.timescale / self.ticks if self.ticks else 0.0:.6g}"


def picture_track(path: Path) -> PictureTrack:
    """Read the picture track; NotWholeError unless every one of its samples lies inside the file."""
    with open(path, "rb") as file:
        moov = _moov(file, path.stat().st_size)
    try:
        tracks = [track for track in _all(moov, b"trak") if _handler(track) == b"vide"]
        if len(tracks) != 1:
            raise NotWholeError(f"{len(tracks)} picture tracks")
        return _track(tracks[0], path.stat().st_size)
    except (struct.error, KeyError, IndexError, StopIteration) as error:
        raise NotWholeError(f"its index can't be read ({error})") from error


def _moov(file: BinaryIO, size: int) -> bytes:
    """The index; every box at the top must end inside the file."""
    at, moov = 0, None
    while at < size:
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            raise NotWholeError("cut off")
        length, kind = struct.unpack(">I4s", head[:8])
        start = 8
        if length == 1 and len(head) == 16:
            length, start = struct.unpack(">Q", head[8:16])[0], 16
        if length < start or at + length > size:
            raise NotWholeError("cut off")
        if kind == b"moov":
            if length > MOOV_LIMIT:
                raise NotWholeError("its index is too large")
            file.seek(at + start)
            moov = file.read(length - start)
        at += length
    if moov is None:
        raise NotWholeError("no index: it was never finished")
    return moov


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        start = 8
        if length == 1:
            length, start = struct.unpack_from(">Q", data, at + 8)[0], 16
        length = length or len(data) - at
        if length < start or at + length > len(data):
            raise NotWholeError(f"the box {kind!r} is cut off")
        yield kind, data[at + start : at + length]
        at += length


def _all(data: bytes, kind: bytes) -> list[bytes]:
    return [body for name, body in _boxes(data) if name == kind]


def _one(data: bytes, *path: bytes) -> bytes:
    for kind in path:
        found = _all(data, kind)
        if not found:
            raise KeyError(kind.decode())
        data = found[0]
    return data


def _handler(track: bytes) -> bytes:
    return _one(track, b"mdia", b"hdlr")[8:12]


def _runs(body: bytes, columns: str) -> list[tuple[int, ...]]:
    """Rows of a full box whose body is version, flags, count, rows."""
    count = struct.unpack_from(">I", body, 4)[0]
    return [*struct.iter_unpack(">" + columns, body[8 : 8 + count * struct.calcsize(">" + columns)])]


def _track(track: bytes, file_size: int) -> PictureTrack:
    header = _one(track, b"mdia", b"mdhd")
    timescale = struct.unpack_from(">I", header, 20 if header[0] == 1 else 12)[0]
    table = _one(track, b"mdia", b"minf", b"stbl")
    kind, entry = next(_boxes(_one(table, b"stsd")[8:]))
    width, height = struct.unpack_from(">HH", entry, 24)
    # A visual sample entry is 78 bytes of fields, then boxes; btrt is the bit rate, which no two segments
    # share.
    config = kind + entry[:78] + b"".join(name + body for name, body in _boxes(entry[78:]) if name != b"btrt")
    durations = _runs(_one(table, b"stts"), "II")
    ticks = durations[0][1]
    if any(delta != ticks for _, delta in durations[:-1]) or sum(n for n, d in durations if d != ticks) > 1:
        raise NotWholeError(f"frames of different durations: {durations[:4]}")
    samples = _samples_inside(table, file_size)
    if samples != sum(n for n, _ in durations):
        raise NotWholeError(f"{samples} samples, but durations for {sum(n for n, _ in durations)}")
    offsets = _all(table, b"ctts")
    first = struct.unpack_from(">i", offsets[0], 12)[0] if offsets else 0
    keys = _all(table, b"stss")
    starts = not keys or _runs(keys[0], "I")[:1] == [(1,)]
    return PictureTrack(
        kind.decode("latin-1"),
        width,
        height,
        timescale,
        ticks,
        samples,
        first // max(ticks, 1),
        starts,
        config,
    )


def _samples_inside(table: bytes, file_size: int) -> int:
    """The number of samples, each of which lies inside the file."""
    sizes = _one(table, b"stsz")
    same, count = struct.unpack_from(">II", sizes, 4)
    if count > file_size:
        raise NotWholeError("cut off")
    lengths = [same] * count if same else [n for (n,) in struct.iter_unpack(">I", sizes[12 : 12 + 4 * count])]
    chunks = _all(table, b"stco")
    starts = _runs(chunks[0], "I") if chunks else _runs(_one(table, b"co64"), "Q")
    rows = _runs(_one(table, b"stsc"), "III")
    sample = 0
    for row, (first_chunk, per_chunk, _) in enumerate(rows):
        end = rows[row + 1][0] if row + 1 < len(rows) else len(starts) + 1
        for chunk in range(first_chunk - 1, end - 1):
            if starts[chunk][0] + sum(lengths[sample : sample + per_chunk]) > file_size:
                raise NotWholeError("cut off")
            sample += per_chunk
    if sample != count or len(lengths) != count or not all(lengths):
        raise NotWholeError(f"{count} samples, of which {sample} are placed")
    return count
