"""Which files hold which codecs, and what each codec can: what goes together in ``video``, and what is usual."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gandream.base.errors import listed
from gandream.recipe.fields import wrong


@dataclass(frozen=True)
class Codec:
    """A way to code pictures. Of what it can, the first is the usual."""

    about: str
    files: tuple[str, ...]
    subsamplings: tuple[str, ...] = ("420", "422", "444")
    depths: tuple[int, ...] = (8, 10)
    crf: tuple[int, int] | None = None
    """The usual constant rate factor and the largest; None: it has none."""
    alpha: tuple[str, ...] = ()
    """Files in which it keeps an alpha channel."""


@dataclass(frozen=True)
class FileKind:
    """A kind of file. One without codecs keeps R'G'B' as it is, in so many bits, perhaps with alpha."""

    about: str
    depths: tuple[int, ...] = ()
    alpha: bool = False
    crf: tuple[int, int] | None = None
    """As of a codec; 17 is 85 of WebP's and JPEG's quality."""


CODECS: dict[str, Codec] = {
    "h264": Codec("plays everywhere", ("mp4", "mov", "mkv"), crf=(17, 51)),
    "h265": Codec("smaller; phones, televisions and editors play it", ("mp4", "mov", "mkv"), crf=(18, 51)),
    "vp9": Codec("for web pages", ("webm", "mp4", "mkv"), crf=(24, 63), alpha=("webm", "mkv")),
    "av1": Codec("the smallest, for what is new", ("mp4", "mkv", "webm"), ("420", "444"), crf=(23, 63)),
    "prores": Codec("ProRes 422 HQ, for editing", ("mov", "mkv"), ("422",), (10,)),
    "prores_4444": Codec("ProRes 4444, for compositing", ("mov", "mkv"), ("444",), (10,), alpha=("mov", "mkv")),
    "ffv1": Codec("lossless, for archives", ("mkv", "mov"), alpha=("mkv", "mov")),
}
FILES: dict[str, FileKind] = {
    "mp4": FileKind("plays everywhere"),
    "mov": FileKind("for editing programs"),
    "mkv": FileKind("holds everything"),
    "webm": FileKind("for web pages"),
    "gif": FileKind("an animation of 256 colours, without sound", (8,)),
    "apng": FileKind("an animation without loss and without sound", (8,), True),
    "webp": FileKind("a small animation without sound; `crf: 0` without loss", (8,), True, (17, 63)),
    "png": FileKind("a folder of numbered pictures", (8, 16), True),
    "jpg": FileKind("a folder of small ones", (8,), crf=(8, 63)),
    "webp-images": FileKind("a folder of small ones that may have alpha; `crf: 0` without loss", (8,), True, (8, 63)),
    "exr": FileKind("a folder of half floats, for compositing", (16,), True),
}
SUBSAMPLINGS: dict[str, str] = {
    "420": "plays everywhere",
    "422": "for editing",
    "444": "full colour; not every player shows it",
}
DEPTHS: dict[int, str] = {8: "plays everywhere", 10: "smooth dark gradients", 16: "png; half floats in exr"}
ENCODERS: dict[str, str] = {
    "software": "the best pictures for their size, and the same bytes every time",
    "hardware": "the graphics chip's, which is faster",
    "auto": "the graphics chip's where it works",
}


@dataclass(frozen=True)
class Coding:
    """What ``video`` says of the file, with what is usual where it is silent."""

    file: str
    codec: str
    """A key of CODECS, or nothing for a file that keeps R'G'B' as it is."""
    crf: int | None
    depth: int
    """Bits of each value; 16 in exr are half floats."""
    subsampling: str
    """A key of SUBSAMPLINGS, or `rgb` for a file without codecs."""
    alpha: bool


def codecs_of(file: str) -> list[str]:
    """What a kind of file holds, the usual one first."""
    return [name for name, codec in CODECS.items() if file in codec.files]


def settle(
    file: str,
    codec: str | None = None,
    crf: int | None = None,
    depth: int | None = None,
    subsampling: str | None = None,
    alpha: bool = False,
    encoder: str = "software",
) -> Coding:
    """What these words come to; a mistake, at its word, where they don't go together."""
    if not (held := codecs_of(file)):
        return _plain(file, codec, crf, depth, subsampling, alpha, encoder)
    codec = codec or held[0]
    row = CODECS[codec]
    if file not in row.files:
        raise wrong(
            f"{file} files hold {_either(held)}, not {codec}", f"{codec} goes in {_either(row.files)}.", key="codec"
        )
    if crf is not None and row.crf is None:
        raise wrong(f"{codec} has no rate factor", "Leave `crf` out.", key="crf")
    if crf is not None and row.crf is not None and crf > row.crf[1]:
        raise wrong(f"must be from 0 to {row.crf[1]} for {codec}", key="crf")
    if depth is not None and depth not in row.depths:
        raise wrong(f"{codec} has {_either(row.depths)} bits, not {depth}", _deep(depth), key="depth")
    if subsampling is not None and subsampling not in row.subsamplings:
        raise wrong(f"{codec} has {_either(row.subsamplings)}, not {subsampling}", key="subsampling")
    depth, subsampling = depth or row.depths[0], subsampling or row.subsamplings[0]
    if alpha:
        _transparent(file, codec, depth, subsampling, encoder)
    return Coding(file, codec, row.crf[0] if crf is None and row.crf else crf, depth, subsampling, alpha)


def _plain(
    file: str, codec: str | None, crf: int | None, depth: int | None, subsampling: str | None, alpha: bool, encoder: str
) -> Coding:
    """As :func:`settle`, of a file that keeps R'G'B' as it is."""
    kind = FILES[file]
    if crf is not None and kind.crf is not None and crf > kind.crf[1]:
        raise wrong(f"must be from 0 to {kind.crf[1]} for {file}", key="crf")
    for word, value in (("codec", codec), ("crf", None if kind.crf else crf), ("subsampling", subsampling)):
        if value is not None:
            raise wrong(f"{file} files have no {word}", f"Leave `{word}` out.", key=word)
    if depth is not None and depth not in kind.depths:
        raise wrong(f"{file} files have {_either(kind.depths)} bits, not {depth}", _deep(depth), key="depth")
    if alpha and not kind.alpha:
        raise wrong(f"{file} files have no alpha channel", _HOLD_ALPHA, key="alpha")
    if encoder == "hardware":
        raise wrong(f"no hardware writes {file} files", "Leave `encoder` out.", key="encoder")
    usual = kind.crf[0] if kind.crf else None
    return Coding(file, "", usual if crf is None else crf, depth or kind.depths[0], "rgb", alpha)


def _transparent(file: str, codec: str, depth: int, subsampling: str, encoder: str) -> None:
    if file not in CODECS[codec].alpha:
        raise wrong(f"{codec} in {file} files has no alpha channel", _HOLD_ALPHA, key="alpha")
    if codec == "vp9" and (depth, subsampling) != (8, "420"):
        raise wrong("vp9 has alpha with 8 bits and 4:2:0 only", "Or take prores_4444 or ffv1.", key="alpha")
    if codec != "prores_4444" and encoder == "hardware":
        raise wrong(f"no hardware codes {codec} with alpha", "Leave `encoder` out.", key="encoder")


def _either(words: Iterable[object]) -> str:
    several = [str(word) for word in words]
    return " or ".join(filter(None, (", ".join(several[:-1]), several[-1])))


def _deep(depth: int) -> str:
    able = [name for rows in (CODECS, FILES) for name, row in rows.items() if depth in row.depths]
    return f"{depth} bits: {listed(able)}."


_ABLE = listed(name for name, kind in FILES.items() if kind.alpha)
_HOLD_ALPHA = f"Alpha: prores_4444 or ffv1 in mov or mkv, vp9 in webm or mkv, and {_ABLE}."
