"""The words of what is laid over the picture: ``text``, ``image`` and ``mask``, three of the effects."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from gandream.recipe.curve import Constant, Curve
from gandream.recipe.fields import Choice, Duration, FileRef, Moment, Number, Switch, Word, existing_file, helps, wrong
from gandream.recipe.ranges import AnyColour, Place, Range, Share, read_colour

BLENDS: dict[str, str] = {
    "normal": "lies over the picture",
    "add": "its light is added",
    "screen": "lightens, and never burns out",
    "multiply": "darkens, as ink on paper",
}
ALIGNS: dict[str, str] = {
    "left": "lines begin at x",
    "centre": "x is their middle",
    "right": "lines end at x",
}
OVER_FITS: dict[str, str] = {
    "cover": "fills the frame, what stands out is cut off",
    "contain": "all of it is in the frame",
    "stretch": "as wide and high as the frame",
}
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
FONTS = (".ttf", ".otf", ".ttc")
LYRICS = (".srt", ".lrc")
MOST_LETTERS = 2000


def _file(value: Any, what: str, suffixes: tuple[str, ...]) -> FileRef:
    file = existing_file(value, f"{what} ({', '.join(suffixes)})")
    if file.path.suffix.lower() not in suffixes:
        raise wrong(f"wanted {what}: {', '.join(suffixes)}")
    return file


_WRITTEN, _SCHEMA = PlainSerializer(str), WithJsonSchema({"type": "string"})
PicturePath = Annotated[FileRef, BeforeValidator(lambda value: _file(value, "a picture", PICTURES)), _WRITTEN, _SCHEMA]
FontPath = Annotated[FileRef, BeforeValidator(lambda value: _file(value, "a font", FONTS)), _WRITTEN, _SCHEMA]
_LyricsPath = Annotated[FileRef, BeforeValidator(lambda value: _file(value, "lyrics", LYRICS)), _WRITTEN, _SCHEMA]


class Lyrics(Word):
    """Lines with their times, from a file."""

    file: Annotated[_LyricsPath, Field(description="an .srt or .lrc file; its times are those of the music")]


def _text(value: Any) -> str | Lyrics:
    if isinstance(value, Lyrics):
        return value
    if isinstance(value, dict):
        return Lyrics.model_validate(value)
    lines = value if isinstance(value, list | tuple) and value else [value]
    if not all(isinstance(line, str) for line in lines):
        raise wrong("wanted text, a list of lines, or {file: song.lrc}", "Put it in quotes: '2026'.")
    text = "\n".join(str(line) for line in lines)
    if not text.strip():
        raise wrong("there is nothing to show in this text")
    if len(text) > MOST_LETTERS:
        raise wrong(f"this text has {len(text)} letters; {MOST_LETTERS} at most")
    return text


def _text_written(value: str | Lyrics) -> Any:
    return value if isinstance(value, str) else {"file": str(value.file)}


Written = Annotated[str | Lyrics, BeforeValidator(_text), PlainSerializer(_text_written)]

From = Annotated[Moment | None, Field(description="from this time on; without it from the film's beginning")]
Until = Annotated[Moment | None, Field(description="up to this time; without it to the film's end")]
Fading = Annotated[
    Duration | None,
    Field(description="how long it takes to come in at `at` and to go before `until`; 0.5s where it isn't said"),
]
Opacity = Annotated[Share, Field(description="how much of it is there; 0 to 1")]
Turned = Annotated[Curve, Range(period=360), Field(description="degrees, clockwise, about its place")]
BlendWord = Annotated[str, Choice(BLENDS, "blend"), Field(description=helps(BLENDS))]
_ACROSS = "place across: -1 the left edge, 0 the middle, 1 the right edge"
_UPWARD = "place upward: -1 the lower edge, 0 the middle, 1 the upper edge"
Middle = Annotated[Place, Field(description=f"its middle's {_ACROSS}")]
Height = Annotated[Place, Field(description=f"its middle's {_UPWARD}")]
Fit = Annotated[str, Choice(OVER_FITS, "fit"), Field(description=helps(OVER_FITS))]


def _check_fade(entry: Any, timed: bool = False) -> None:
    if entry.fade is not None and entry.at is None and entry.until is None and not timed:
        raise wrong("`fade` goes with `at` or `until`", "Without them it is there all the time.", key="fade")


class Lettering(Word):
    """Words over the picture: a title, credits, or lyrics in time: `{text: Night Drive, at: 1s, until: 5s}`."""

    text: Annotated[Written, Field(description="what is written; a list for several lines, or {file: song.lrc}")]
    at: From = None
    until: Until = None
    fade: Fading = None
    size: Annotated[
        Curve, Range(0.002, 2), Field(description="of the letters (em) as a share of the frame's height; 0.002 to 2")
    ] = Constant(0.08)
    x: Annotated[Place, Field(description=f"{_ACROSS}; of what `align` says")] = Constant(0.0)
    y: Height = Constant(0.0)
    align: Annotated[str, Choice(ALIGNS, "alignment"), Field(description=helps(ALIGNS))] = "centre"
    rotate: Turned = Constant(0.0)
    opacity: Opacity = Constant(1.0)
    colour: Annotated[AnyColour, Field(description="name, '#rrggbb' or [r, g, b]")] = read_colour("white")
    blend: BlendWord = "normal"
    font: Annotated[
        FontPath | None, Field(description="a font's file; without it a plain one with the letters of English")
    ] = None
    line: Annotated[Number, Field(ge=0.5, le=4, description="from one line to the next, in em")] = 1.25
    track: Annotated[Number, Field(ge=-0.3, le=3, description="more room between letters, in em")] = 0.0
    wrap: Annotated[
        Number, Field(ge=0.05, le=10, description="longer lines are broken: share of the frame's width")
    ] = 0.9
    shadow: Annotated[Number, Field(ge=0, le=1, description="of a soft shadow behind the letters")] = 0.5
    outline: Annotated[Number, Field(ge=0, le=0.3, description="width of a line round the letters, in em")] = 0.0
    outline_colour: Annotated[AnyColour, Field(description="its colour")] = read_colour("black")

    @model_validator(mode="after")
    def _sensible(self) -> Lettering:
        _check_fade(self, isinstance(self.text, Lyrics))
        if self.outline == 0 and self.outline_colour != type(self).model_fields["outline_colour"].default:
            raise wrong("`outline_colour` goes with `outline`", "For instance `outline: 0.05`.", key="outline_colour")
        return self


class Overlay(Word):
    """A picture over the picture, such as a logo; what is transparent in it stays so."""

    image: Annotated[PicturePath, Field(description="its file")]
    at: From = None
    until: Until = None
    fade: Fading = None
    size: Annotated[Curve, Range(0.002, 20), Field(description="its height as a share of the frame's; 0.002 to 20")] = (
        Constant(0.2)
    )
    x: Middle = Constant(0.0)
    y: Height = Constant(0.0)
    rotate: Turned = Constant(0.0)
    opacity: Opacity = Constant(1.0)
    blend: BlendWord = "normal"

    @model_validator(mode="after")
    def _sensible(self) -> Overlay:
        _check_fade(self)
        return self


class Masked(Word):
    """A colour or a picture, shown where a mask is white; black and transparent parts of the mask hide it."""

    mask: Annotated[PicturePath, Field(description="its file")]
    image: Annotated[PicturePath | None, Field(description="what shows through it; it covers the frame")] = None
    colour: Annotated[AnyColour | None, Field(description="instead of an image; black where neither is said")] = None
    inverted: Annotated[Switch, Field(description="shows where the mask is black, and beside it")] = False
    fit: Fit = "cover"
    at: From = None
    until: Until = None
    fade: Fading = None
    size: Annotated[Curve, Range(0.01, 50), Field(description="of the mask, times what `fit` says; 0.01 to 50")] = (
        Constant(1.0)
    )
    x: Middle = Constant(0.0)
    y: Height = Constant(0.0)
    rotate: Turned = Constant(0.0)
    opacity: Opacity = Constant(1.0)
    blend: BlendWord = "normal"

    @model_validator(mode="after")
    def _sensible(self) -> Masked:
        _check_fade(self)
        if self.image is not None and self.colour is not None:
            raise wrong("either an image or a colour shows through a mask", "Keep one of the two.", key="colour")
        return self
