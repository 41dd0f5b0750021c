"""GIF, APNG and animated WebP: made at once from the lossless segments of a film, without sound, for ever repeated.

Delays are whole ticks of the format, rounded from the start of the film, so that its length is right to a tick.
"""

from __future__ import annotations

import mmap
import struct
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from gandream.base import ffmpeg
from gandream.base.errors import RenderError
from gandream.base.files import published, temporary_beside
from gandream.video.boxes import NotWholeError
from gandream.video.format import VideoFormat
from gandream.video.sound import disk_words
from gandream.video.stamp import Piece, pieces, png_chunk, stamped
from gandream.video.tracks import AGAIN


@dataclass(frozen=True)
class Kind:
    """A kind of animation."""

    tick_s: Fraction
    shortest_s: Fraction
    """What players show as it is: browsers take delays of 10 ms and less for 100 ms."""
    encoder: str
    muxer: tuple[str, ...]


KINDS = {
    "gif": Kind(Fraction(1, 100), Fraction(2, 100), "gif", ("-f", "gif", "-loop", "0")),
    "apng": Kind(Fraction(1, 1000), Fraction(11, 1000), "apng", ("-f", "apng", "-plays", "0")),
    "webp": Kind(Fraction(1, 1000), Fraction(11, 1000), "libwebp_anim", ("-f", "webp", "-loop", "0")),
}
REVISION = 1
"""Raised when the same segments become another file."""
LARGEST_WEBP = 16_383
"""Pixels of a side."""

PALETTES = (
    "split[a][b];[a]palettegen=stats_mode=single:reserve_transparent=0[p];"
    "[b][p]paletteuse=new=1:dither=bayer:bayer_scale=3"
)
"""A palette for each frame and a faint ordered dither, which stands still where the picture does.

Measured on moving pictures against one palette for the film: 3.5 dB nearer as the eye sees it (blurred over 3 pixels),
less flicker, and a tenth larger. Error diffusion is 2 dB nearer still, but sprinkles dots that boil.
"""


def every(kind: str, fps: Fraction) -> int:
    """Of how many frames one is kept, so that players show the rest: 1 up to 50 frames per second, of GIF."""
    step = 1
    while step / fps < KINDS[kind].shortest_s:
        step += 1
    return step


def kept(kind: str, frames: int, fps: Fraction) -> int:
    """How many pictures there are; the last frames of a film may be too short for one, and the one before stays."""
    step = every(kind, fps)
    rest = frames % step / fps
    return max(1, frames // step + (rest >= KINDS[kind].shortest_s))


def tick(kind: str, fps: Fraction) -> Fraction:
    """Seconds of a tick: of an APNG, whose delays are fractions of 16 bits, a whole frame where that can be."""
    frame_s = every(kind, fps) / fps
    exact = kind == "apng" and max(frame_s.numerator, frame_s.denominator) < 2**16
    return frame_s if exact else KINDS[kind].tick_s


def length_s(kind: str, frames: int, fps: Fraction) -> Fraction:
    """Seconds of the animation: those of the film, to the nearest tick."""
    exact, unit = Fraction(frames) / fps, tick(kind, fps)
    return exact if unit not in (row.tick_s for row in KINDS.values()) else int(exact / unit + Fraction(1, 2)) * unit


def animate(
    segments: Sequence[Path],
    frames: Sequence[int],
    fmt: VideoFormat,
    target: Path,
    kind: str,
    *,
    crf: int | None = None,
    title: str = "",
    recipe_text: str = "",
) -> None:
    """Publish the animation of lossless segments of so many frames each; ``crf`` is for WebP, whose 0 is lossless."""
    row = KINDS[kind]
    if row.encoder not in ffmpeg.encoders():
        hint = "Unset IMAGEIO_FFMPEG_EXE, or pip install --force-reinstall imageio-ffmpeg."
        raise RenderError(kind, f"this ffmpeg was built without {row.encoder}", hint)
    smaller = "Make video.size smaller, or take `file: apng`."
    if kind == "webp" and max(fmt.width, fmt.height) > LARGEST_WEBP:
        raise RenderError(kind, f"{fmt.width}x{fmt.height} is larger than WebP can be ({LARGEST_WEBP} a side)", smaller)
    length = length_s(kind, sum(frames), fmt.fps)
    shown = kept(kind, sum(frames), fmt.fps)
    with published(target) as part, tempfile.TemporaryDirectory(prefix="gandream-") as folder, disk_words(target):
        part.touch()
        listing, raw = Path(folder, "segments.ffconcat"), temporary_beside(target)
        listing.write_text("ffconcat version 1.0\n" + "".join(map(_line, segments)), encoding="utf-8", newline="\n")
        inputs = ["-protocol_whitelist", "file", "-f", "concat", "-safe", "0", "-i", ffmpeg.file_url(listing)]
        outputs = [
            "-map",
            "0:v:0",
            "-vf",
            _filters(kind, fmt, shown),
            *_coder(kind, fmt, crf),
            "-fps_mode",
            "passthrough",
        ]
        outputs += ["-enc_time_base", str(tick(kind, fmt.fps))]
        try:
            muxer = [*row.muxer, *ffmpeg.BITEXACT, "-y", ffmpeg.file_url(raw)]
            ffmpeg.run(*ffmpeg.QUIET, *inputs, *outputs, *muxer)
            if kind in ALONE:
                _animated(raw, kind, fmt)
            _finish(raw, part, kind, shown, length, title, recipe_text)
        finally:
            raw.unlink(missing_ok=True)


def _line(segment: Path) -> str:
    return "file '{}'\n".format(ffmpeg.file_url(segment).replace("'", "'\\''"))


def _filters(kind: str, fmt: VideoFormat, shown: int) -> str:
    """Keep every n-th frame, give it its time in ticks, and the colours that the format has."""
    step, unit = every(kind, fmt.fps), tick(kind, fmt.fps)
    length = step / fmt.fps / unit
    dropped = [f"select='not(mod(n,{step}))*lt(n,{shown * step})'"] if step > 1 else []
    times = f"settb={unit},setpts='floor(N*{length.numerator}/{length.denominator}+0.5)'"
    colours = {"gif": f"format=rgb24,{PALETTES}", "apng": "format=rgba" if fmt.alpha else "format=rgb24"}
    return ",".join([*dropped, colours.get(kind, "format=bgra"), times])


def _coder(kind: str, fmt: VideoFormat, crf: int | None) -> list[str]:
    if kind != "webp":
        return ["-c:v", KINDS[kind].encoder]
    told = ["-lossless", "1", "-quality", "50"] if crf == 0 else ["-quality", str(quality(crf))]
    return ["-c:v", "libwebp_anim", *told, "-compression_level", "4"]


def quality(crf: int | None) -> int:
    """WebP's and JPEG's quality, 0 to 100, of a rate factor: 17 is 85."""
    return max(0, round(100 - (17 if crf is None else crf) * 15 / 17))


def _animated(path: Path, kind: str, fmt: VideoFormat) -> None:
    """Where all pictures are the same, or there is only one, ffmpeg writes one that stands still: make it animated."""
    with mapped(path) as data:
        found = pieces(data)
        if any(piece.delay_s is not None for piece in found):
            return
        made = ALONE[kind](data, found, fmt)
    path.write_bytes(made)


def _webp_of_one(data: bytes, found: list[Piece], fmt: VideoFormat) -> bytes:
    """RFC 9649, 2.7."""
    coded = b"".join(data[piece.start : piece.stop] for piece in found if piece.kind in (b"ALPH", b"VP8 ", b"VP8L"))
    sides = b"".join((side - 1).to_bytes(3, "little") for side in (fmt.width, fmt.height))
    frame = bytes(6) + sides + bytes(3) + b"\0" + coded
    flags = 0x02 | (0x10 if fmt.alpha else 0)  # it is animated, and has opacity
    body = b"VP8X" + struct.pack("<I", 10) + bytes([flags, 0, 0, 0]) + sides
    body += b"ANIM" + struct.pack("<IIH", 6, 0, 0) + b"ANMF" + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _png_of_one(data: bytes, found: list[Piece], fmt: VideoFormat) -> bytes:
    """W3C PNG, third edition, 11.3.6."""
    first = next(piece.start for piece in found if piece.kind == b"IDAT")
    control = png_chunk(b"acTL", struct.pack(">II", 1, 0))
    control += png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, fmt.width, fmt.height, 0, 0, 1, 1, 0, 0))
    return data[:first] + control + data[first:]


ALONE = {"webp": _webp_of_one, "apng": _png_of_one}


def _finish(raw: Path, part: Path, kind: str, shown: int, length: Fraction, title: str, recipe: str) -> None:
    """Write texts and the last delay into what ffmpeg made; RenderError unless all pictures are there."""
    with open(part, "wb") as file, mapped(raw) as data:
        try:
            delays = [piece.delay_s for piece in pieces(data) if piece.delay_s is not None]
            # An encoder of WebP makes one of pictures that are the same.
            if not delays or len(delays) > shown or (kind != "webp" and len(delays) != shown):
                raise NotWholeError(f"{len(delays)} pictures instead of {shown}")
        except NotWholeError as error:
            raise RenderError("joining", f"ffmpeg wrote a {kind} that isn't whole: {error}", AGAIN) from error
        shortest = KINDS[kind].shortest_s if len(delays) > 1 else KINDS[kind].tick_s
        file.writelines(stamped(data, title, recipe, max(length - sum(delays[:-1], Fraction(0)), shortest)))


@contextmanager
def mapped(path: Path) -> Iterator[bytes]:
    """A file's bytes, which are not read into memory."""
    with open(path, "rb") as file:
        if path.stat().st_size == 0:
            raise RenderError("joining", "ffmpeg wrote nothing", AGAIN)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data  # type: ignore[misc]  # it is read as bytes are
