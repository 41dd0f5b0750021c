"""The words of ``video``: the picture, its time and its file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from gandream.recipe.codecs import CODECS, DEPTHS, ENCODERS, FILES, SUBSAMPLINGS, Codec, Coding, FileKind, settle
from gandream.recipe.fields import Choice, FrameRate, Length, Moment, Switch, Whole, Word, wrong

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
MIN_SIDE, MAX_SIDE = 16, 8192
FITS: dict[str, str] = {
    "cover": "the picture fills the frame, and what stands out is cut off",
    "contain": "the whole picture, with black beside it",
    "stretch": "the picture is stretched to the frame",
    "extend": "the whole picture, which the model continues beyond its edges until the frame is full",
}


def _size(value: Any) -> tuple[int, int]:
    if isinstance(value, str) and (match := re.fullmatch(r"([0-9]{1,7})\s*[x×]\s*([0-9]{1,7})", value)):
        value = [int(match[1]), int(match[2])]
    sides: list[Any] = list(value) if isinstance(value, list | tuple) else [value] * 2
    if len(sides) != 2 or not all(isinstance(side, int) and not isinstance(side, bool) for side in sides):
        raise wrong("wanted a size in pixels: 512, 1280x720 or [1280, 720] (width, height)")
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in sides):
        raise wrong(f"each side must be from {MIN_SIDE} to {MAX_SIDE} pixels")
    return (sides[0], sides[1])


Size = Annotated[
    tuple[int, int],
    BeforeValidator(_size),
    WithJsonSchema({"type": ["integer", "string", "array"], "description": "512, 1280x720"}),
]


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\w[\w+-]{0,39}", value):
        raise wrong("wanted a short name of letters, digits, _, + and -")
    return str(value)


def _depth(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in DEPTHS:
        raise wrong("wanted 8, 10 or 16 bits")
    return value


def _abouts(rows: Mapping[str, Codec] | Mapping[str, FileKind]) -> str:
    return "; ".join(f"`{name}`: {row.about}" for name, row in rows.items())


_FACTORS = ", ".join(f"{name} 0-{row.crf[1]} ({row.crf[0]})" for name, row in CODECS.items() if row.crf)


class Video(Word):
    """The picture, its time and its file."""

    name: Annotated[
        Annotated[str, BeforeValidator(_name)] | None,
        Field(description="what this output's file is called beside the others': `night_wide.mp4` for `wide`"),
    ] = None
    size: Annotated[Size | None, Field(description="width and height in pixels; without it the model's, or 512")] = None
    fit: Annotated[str, Choice(FITS, "fit"), Field(description="; ".join(f"`{k}`: {v}" for k, v in FITS.items()))] = (
        "cover"
    )
    fps: Annotated[
        FrameRate, Field(description="frames per second; 23.976, 29.97 and 59.94 mean 24000/1001 and so on")
    ] = Fraction(30)
    duration: Annotated[
        Length | None, Field(description="without it: to the end of the music, or once round the walk")
    ] = None
    start: Annotated[Moment | None, Field(description="where in the music the film begins")] = None
    loop: Annotated[Switch, Field(description="stretch the walk so that the film's end meets its beginning")] = False
    file: Annotated[str, Choice(FILES, "file kind"), Field(description=_abouts(FILES))] = "mp4"
    codec: Annotated[
        Annotated[str, Choice(CODECS, "codec")] | None,
        Field(description=f"{_abouts(CODECS)}; without it h264, in a webm vp9"),
    ] = None
    crf: Annotated[
        Whole | None,
        Field(ge=0, le=63, description=f"constant rate factor: less is better; {_FACTORS}"),
    ] = None
    preset: Annotated[str, Choice(PRESETS, "preset"), Field(description="encoder effort: slower is smaller")] = (
        "veryfast"
    )
    depth: Annotated[
        Annotated[int, BeforeValidator(_depth)] | None,
        Field(description=f"bits: {'; '.join(f'`{bits}`: {about}' for bits, about in DEPTHS.items())}"),
    ] = None
    subsampling: Annotated[
        Annotated[str, Choice(SUBSAMPLINGS, "chroma subsampling"), BeforeValidator(_text)] | None,
        Field(description=f"chroma subsampling: {'; '.join(f'`{k}`: {v}' for k, v in SUBSAMPLINGS.items())}"),
    ] = None
    alpha: Annotated[Switch, Field(description="keep what is transparent, where the model makes it")] = False
    encoder: Annotated[
        str,
        Choice(ENCODERS, "kind of encoder"),
        Field(description="; ".join(f"`{k}`: {v}" for k, v in ENCODERS.items())),
    ] = "software"

    @model_validator(mode="after")
    def _goes_together(self) -> Video:
        assert self.coding
        return self

    @property
    def coding(self) -> Coding:
        """What is said of the file, with what is usual where nothing is said."""
        return settle(self.file, self.codec, self.crf, self.depth, self.subsampling, self.alpha, self.encoder)
