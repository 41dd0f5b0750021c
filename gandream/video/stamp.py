"""What pictures and animations say of themselves: title and recipe in PNG, APNG, GIF and WebP, and how long they last.

A reader and rewriter of files that we made ourselves: anything unexpected means that the file is not whole.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from gandream.video.boxes import NotWholeError

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
TITLE, RECIPE, MOMENT = "Title", "Comment", "Description"
MAKER, SOURCE, NAME = "Software", "Source", "gandream"
"""Names of the texts, which are among those that the PNG specification knows (11.3.3.2). The last three are of pictures
that a command draws."""


@dataclass(frozen=True)
class Piece:
    """A part of a file: bytes [start, stop) and its kind; of one that is shown for a while, its delay in seconds."""

    kind: bytes
    start: int
    stop: int
    delay_s: Fraction | None = None


@dataclass(frozen=True)
class Stamp:
    """What is read from a file."""

    title: str
    recipe: str
    delays_s: tuple[Fraction, ...]
    """Seconds of each picture; none of one that stands still."""
    loops: int | None = None
    """How often it is played, 0 for ever; None if it stands still."""
    moment: str = ""
    """Of a still, where in the film it is."""
    source: str = ""
    """Of a picture that gandream drew, what it was made from."""


def pieces(data: bytes) -> list[Piece]:
    """The parts of a file, in order and without gaps; NotWholeError where it ends too early."""
    walk = _png if data[:8] == PNG_MAGIC else _gif if data[:3] == b"GIF" else _webp if data[8:12] == b"WEBP" else None
    if walk is None:
        raise NotWholeError("neither PNG nor GIF nor WebP")
    try:
        found = list(walk(data))
    except (struct.error, IndexError, ZeroDivisionError) as error:
        raise NotWholeError("cut off") from error
    if not found or found[-1].stop > len(data):
        raise NotWholeError("cut off")
    return found


def _png(data: bytes) -> Iterator[Piece]:
    """Chunks of a PNG (W3C PNG, third edition, 5.3); an fcTL holds the delay of a frame (11.3.6.2)."""
    at, kind = 8, b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        delay = None
        if kind == b"fcTL":
            numerator, denominator = struct.unpack_from(">HH", data, at + 8 + 20)
            delay = Fraction(numerator, denominator or 100)
        yield Piece(kind, at, at + 12 + length, delay)
        at += 12 + length


def _gif(data: bytes) -> Iterator[Piece]:
    """Blocks of a GIF89a: extensions by their label, pictures as `,`, the trailer as `;`; delays are 1/100 s."""
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    yield Piece(b"head", 0, at)
    while True:
        start, kind, delay = at, data[at : at + 1], None
        if kind == b";":
            yield Piece(kind, at, at + 1)
            return
        if kind == b"!":
            kind = data[at : at + 2]
            if kind == b"!\xf9":
                delay = Fraction(struct.unpack_from("<H", data, at + 4)[0], 100)
            at += 2
        elif kind == b",":
            flags = data[at + 9]
            at += 10 + (3 << (flags & 7) + 1 if flags & 0x80 else 0) + 1
        else:
            raise NotWholeError(f"an unknown block {kind!r}")
        while data[at]:
            at += 1 + data[at]
        at += 1
        yield Piece(kind, start, at, delay)


def _webp(data: bytes) -> Iterator[Piece]:
    """Chunks of a WebP (RFC 9649, 2.3); an ANMF holds the delay of a frame in ms (2.7.1.1)."""
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        raise NotWholeError("cut off")
    at = 12
    while at < end:
        kind, length = struct.unpack_from("<4sI", data, at)
        delay = None
        if kind == b"ANMF":
            delay = Fraction(int.from_bytes(data[at + 8 + 12 : at + 8 + 15], "little"), 1000)
        stop = at + 8 + length + length % 2
        yield Piece(kind, at, stop, delay)
        at = stop


def read_stamp(path: Path) -> Stamp:
    """What a file says about itself; NotWholeError unless it is whole."""
    data = path.read_bytes()
    found = pieces(data)
    delays = tuple(piece.delay_s for piece in found if piece.delay_s is not None)
    texts = _texts(data, found)
    title, recipe, moment = (texts.get(key, "") for key in (TITLE, RECIPE, MOMENT))
    source = texts.get(SOURCE, "") if texts.get(MAKER) == NAME else ""
    return Stamp(title, recipe, delays, _loops(data, found), moment, source)


def recipe_in(path: Path) -> str | None:
    """The recipe that an animation, a picture or a folder of pictures carries, or None."""
    if path.is_dir():
        path = min(path.glob("[0-9]*.png"), default=path)
    try:
        return read_stamp(path).recipe or None
    except (NotWholeError, IsADirectoryError):
        return None


def _texts(data: bytes, found: list[Piece]) -> dict[str, str]:
    texts = {}
    for piece in found:
        body = data[piece.start : piece.stop]
        if piece.kind == b"iTXt":
            key, _, rest = body[8:-4].partition(b"\0")
            if rest[:2] == b"\0\0":  # not compressed; then language and translated key, both empty
                texts[key.decode("latin-1")] = rest[2:].split(b"\0", 2)[2].decode("utf-8", "replace")
        elif piece.kind == b"!\xfe":
            key, mark, text = _unblocked(body[2:]).decode("utf-8", "replace").partition(":\n")
            texts[key] = text if mark else ""
        elif piece.kind == b"XMP ":
            length = struct.unpack_from("<I", body, 4)[0]
            texts |= _from_xmp(body[8 : 8 + length])
    return texts


def _loops(data: bytes, found: list[Piece]) -> int | None:
    for piece in found:
        if piece.kind == b"acTL":
            return struct.unpack_from(">I", data, piece.start + 12)[0]
        if piece.kind == b"ANIM":
            return struct.unpack_from("<H", data, piece.start + 12)[0]
        if piece.kind == b"!\xff" and data[piece.start + 3 : piece.start + 14] == b"NETSCAPE2.0":
            return struct.unpack_from("<H", data, piece.start + 16)[0]
    return None


def stamped(
    data: bytes, title: str, recipe: str, last_s: Fraction | None = None, moment: str = "", source: str = ""
) -> Iterator[bytes]:
    """The file with these texts in place of those that it had; ``last_s`` is for how long the last picture stays,
    ``moment`` where a still is in its film, and ``source`` what a picture was drawn from.
    """
    found = pieces(data)
    texts = {key: text for key, text in ((TITLE, title), (RECIPE, recipe), (MOMENT, moment)) if text}
    texts |= {MAKER: NAME, SOURCE: source} if source else {}
    last = max((index for index, piece in enumerate(found) if piece.delay_s is not None), default=-1)
    webp = data[8:12] == b"WEBP"
    new = _of_webp(texts) if webp else _of_gif(texts) if data[:3] == b"GIF" else _of_png(texts)
    kept = [piece for piece in found if piece.kind not in (b"!\xfe", b"iTXt", b"XMP ")]
    # PNG: behind the header; GIF: before the first picture; WebP: at the end.
    place = len(kept) if webp else 1
    if data[:3] == b"GIF":
        place = next((at for at, piece in enumerate(kept) if piece.kind in (b"!\xf9", b",")), 1)
    out = [_with_delay(data, piece, last_s if piece is found[last] else None) for piece in kept]
    out.insert(place, new)
    if webp:
        flags = out[0][8] & ~0x04 | (0x04 if new else 0)
        out[0] = out[0][:8] + bytes([flags]) + out[0][9:]
        size = 4 + sum(map(len, out))
        yield b"RIFF" + struct.pack("<I", size) + b"WEBP"
    elif data[:8] == PNG_MAGIC:
        yield PNG_MAGIC
    yield from out


def _with_delay(data: bytes, piece: Piece, delay_s: Fraction | None) -> bytes:
    body = data[piece.start : piece.stop]
    if delay_s is None or piece.delay_s == delay_s:
        return body
    if piece.kind == b"!\xf9":
        return body[:4] + struct.pack("<H", int(delay_s * 100)) + body[6:]
    if piece.kind == b"ANMF":
        return body[:20] + int(delay_s * 1000).to_bytes(3, "little") + body[23:]
    return png_chunk(b"fcTL", body[8:28] + struct.pack(">HH", delay_s.numerator, delay_s.denominator) + body[32:34])


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk of a PNG with its length and checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _of_png(texts: dict[str, str]) -> bytes:
    made = ((key.encode("latin-1") + b"\0\0\0\0\0" + text.encode("utf-8", "replace")) for key, text in texts.items())
    return b"".join(png_chunk(b"iTXt", body) for body in made)


def _of_gif(texts: dict[str, str]) -> bytes:
    """Comment extensions, each with its key in a line of its own."""
    out = b""
    for key, text in texts.items():
        body = f"{key}:\n{text}".encode("utf-8", "replace")
        blocks = (body[at : at + 255] for at in range(0, len(body), 255))
        out += b"!\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"
    return out


def _unblocked(data: bytes) -> bytes:
    at, out = 0, b""
    while data[at]:
        out += data[at + 1 : at + 1 + data[at]]
        at += 1 + data[at]
    return out


_RDF, _DC = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://purl.org/dc/elements/1.1/"
_NAMES = {TITLE: "title", RECIPE: "description"}
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def _of_webp(texts: dict[str, str]) -> bytes:
    """A chunk of XMP (ISO 16684-1) with Dublin Core's title and description."""
    if not texts:
        return b""
    rows = "".join(
        f'<dc:{name}><rdf:Alt><rdf:li xml:lang="x-default">{_for_xml(texts[key])}</rdf:li></rdf:Alt></dc:{name}>'
        for key, name in _NAMES.items()
        if key in texts
    )
    packet = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="{_RDF}"><rdf:Description rdf:about="" xmlns:dc="{_DC}">{rows}</rdf:Description></rdf:RDF>'
        '</x:xmpmeta><?xpacket end="r"?>'
    ).encode()
    return b"XMP " + struct.pack("<I", len(packet)) + packet + b"\0" * (len(packet) % 2)


def _for_xml(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text), {"\r": "&#13;"})


def _from_xmp(packet: bytes) -> dict[str, str]:
    try:
        tree = ElementTree.fromstring(packet.decode("utf-8", "replace"))
    except ElementTree.ParseError:
        return {}
    found = {key: tree.find(f".//{{{_DC}}}{name}//{{{_RDF}}}li") for key, name in _NAMES.items()}
    return {key: row.text or "" for key, row in found.items() if row is not None}
