"""What a Matroska or WebM file says about its pictures, read from its elements (RFC 8794, RFC 9559), without a decoder.

As in :mod:`gandream.video.boxes`, a reader of files that we wrote ourselves: their elements all say how long they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from gandream.video.boxes import NotWholeError

HEADER, SEGMENT, INFO, TRACKS, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
SCALE, ENTRY, NUMBER, KIND, CODEC, PRIVATE, VIDEO = 0x2AD7B1, 0xAE, 0xD7, 0x83, 0x86, 0x63A2, 0xE0
WIDTH, HEIGHT, ALPHA = 0xB0, 0xBA, 0x53C0
TIME, SIMPLE_BLOCK, GROUP, BLOCK, ADDITIONS, REFERENCE = 0xE7, 0xA3, 0xA0, 0xA1, 0x75A1, 0xFB
HEAD_LIMIT = 1 << 20
"""Bytes of one element that is read into memory."""

ENTRIES = {
    **{"V_MPEG4/ISO/AVC": "avc1", "V_MPEGH/ISO/HEVC": "hvc1", "V_VP9": "vp09", "V_AV1": "av01", "V_FFV1": "FFV1"},
    "V_PRORES": "",  # its four letters are its private data
}
"""Sample entries, by which MP4 and MOV call the same codecs."""


@dataclass(frozen=True)
class MatroskaTrack:
    """The only picture track of a file."""

    codec: str
    """Four letters, as of a sample entry in MP4."""
    width: int
    height: int
    times_ms: tuple[int, ...]
    """When each picture is shown, in the order of decoding."""
    starts_with_key: bool
    config: bytes
    """Codec, size, parameter sets, alpha. Equal ones can be joined."""
    alpha: bool
    """Whether every picture has its opacity beside it."""
    delay: int = 0

    @property
    def samples(self) -> int:
        """Coded frames in the file."""
        return len(self.times_ms)

    def runs_at(self, fps: Fraction) -> bool:
        """Whether each frame is shown on its millisecond."""
        wanted = (int(index * 1000 / fps + Fraction(1, 2)) for index in range(self.samples))
        return all(found == time for found, time in zip(sorted(self.times_ms), wanted, strict=True))

    @property
    def rate(self) -> str:
        """Frames per second, for people."""
        span = max(self.times_ms, default=0) - min(self.times_ms, default=0)
        return f"about {1000 * (self.samples - 1) / span:.4g}" if span else "any"


def matroska_track(path: Path) -> MatroskaTrack:
    """Read the picture track; NotWholeError unless every element of the file ends inside it."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        top = [*_elements(file, 0, size)]
        if [kind for kind, _, _ in top[:1]] != [HEADER]:
            raise NotWholeError("it is no Matroska file")
        parts = [part for kind, start, end in top if kind == SEGMENT for part in _elements(file, start, end)]
        tracks = [
            _values(file, *entry)
            for kind, start, end in parts
            if kind == TRACKS
            for entry in ((at, to) for one, at, to in _elements(file, start, end) if one == ENTRY)
        ]
        pictures = [track for track in tracks if _number(track.get(KIND, b"")) == 1]
        if len(pictures) != 1 or VIDEO not in pictures[0]:
            raise NotWholeError(f"{len(pictures)} picture tracks")
        if any(
            _values(file, at, to).get(SCALE, b"\x0f\x42\x40") != b"\x0f\x42\x40" for one, at, to in parts if one == INFO
        ):
            raise NotWholeError("its times aren't in milliseconds")
        number = _number(pictures[0].get(NUMBER, b"\1"))
        blocks = [
            block
            for kind, start, end in parts
            if kind == CLUSTER
            for block in _blocks(file, start, end)
            if block[0] == number
        ]
        video = _values_in(pictures[0][VIDEO])
    codec = pictures[0].get(CODEC, b"").decode("latin-1")
    private = pictures[0].get(PRIVATE, b"")
    width, height, alpha = (_number(video.get(kind, b"")) for kind in (WIDTH, HEIGHT, ALPHA))
    return MatroskaTrack(
        ENTRIES.get(codec, codec) or private[:4].decode("latin-1"),
        *(width, height, tuple(time for _, time, _, _ in blocks)),
        starts_with_key=bool(blocks) and blocks[0][2],
        config=f"{codec} {width}x{height} {alpha} ".encode() + private,
        alpha=bool(alpha) and all(more for _, _, _, more in blocks),
    )


def _elements(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Kind, start and end of the content of each element."""
    while start < end:
        file.seek(start)
        head = file.read(12)
        kind, used = _vint(head, keep=True)
        length, more = _vint(head[used:], keep=False)
        start += used + more
        if start + length > end:
            raise NotWholeError("cut off")
        yield kind, start, start + length
        start += length


def _vint(data: bytes, *, keep: bool) -> tuple[int, int]:
    """A number of variable length and the bytes it takes; ``keep`` keeps the bit that marks the length."""
    if not data or not data[0]:
        raise NotWholeError("cut off")
    count = 9 - data[0].bit_length()
    if len(data) < count:
        raise NotWholeError("cut off")
    value = int.from_bytes(data[:count], "big")
    return value if keep else value & ~(1 << 7 * count), count


def _values(file: BinaryIO, start: int, end: int) -> dict[int, bytes]:
    """What the elements inside one hold, by kind."""
    if end - start > HEAD_LIMIT:
        raise NotWholeError("its index is too large")
    file.seek(start)
    return _values_in(file.read(end - start))


def _values_in(data: bytes) -> dict[int, bytes]:
    values, at = dict[int, bytes](), 0
    while at < len(data):
        kind, used = _vint(data[at : at + 4], keep=True)
        length, more = _vint(data[at + used : at + used + 8], keep=False)
        at += used + more
        values[kind] = data[at : at + length]
        at += length
    return values


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _blocks(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, bool, bool]]:
    """Track, time, whether it is a key frame, whether something lies beside it, of each block of a cluster."""
    base = 0
    for kind, at, to in _elements(file, start, end):
        if kind == TIME:
            file.seek(at)
            base = _number(file.read(to - at))
        elif kind == SIMPLE_BLOCK:
            track, time, flags = _block(file, at)
            yield track, base + time, bool(flags & 0x80), False
        elif kind == GROUP:
            inside = {one: place for one, *place in _elements(file, at, to)}
            if BLOCK not in inside:
                raise NotWholeError("a group without its block")
            track, time, _ = _block(file, inside[BLOCK][0])
            yield track, base + time, REFERENCE not in inside, ADDITIONS in inside


def _block(file: BinaryIO, at: int) -> tuple[int, int, int]:
    """Track, time after the cluster's, flags."""
    file.seek(at)
    head = file.read(12)
    track, used = _vint(head, keep=False)
    return track, int.from_bytes(head[used : used + 2], "big", signed=True), head[used + 2]
