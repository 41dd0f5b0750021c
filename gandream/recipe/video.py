"""The words of ``video``: the picture, its time and its file."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from gandream.recipe.fields import Choice, FrameRate, Length, Moment, Switch, Whole, Word, wrong

CONTAINERS: dict[str, str] = {"mp4": "plays everywhere"}
CODECS: dict[str, str] = {"h264": "plays everywhere (libx264)"}
SUBSAMPLINGS: dict[str, str] = {"420": "plays everywhere", "444": "full colour; not every player shows it"}
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


class Video(Word):
    """The picture, its time and its file."""

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
    file: Annotated[str, Choice(CONTAINERS, "file kind"), Field(description="kind of file")] = "mp4"
    codec: Annotated[str, Choice(CODECS, "codec"), Field(description="how the pictures are coded")] = "h264"
    crf: Annotated[
        Whole, Field(ge=0, le=51, description="constant rate factor: 0 lossless, 17 looks the same, 28 small")
    ] = 17
    preset: Annotated[str, Choice(PRESETS, "preset"), Field(description="encoder effort: slower is smaller")] = (
        "veryfast"
    )
    subsampling: Annotated[
        str,
        Choice(SUBSAMPLINGS, "chroma subsampling"),
        BeforeValidator(_text),
        Field(description="chroma subsampling: 420 or 444"),
    ] = "420"
