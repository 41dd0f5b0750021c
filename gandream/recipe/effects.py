"""The words of ``effects``: what is done to the finished pictures, in the order of the list.

Each effect is a group of words whose first word is the effect's own name and its main parameter, so that what a person
writes is what is checked: ``{flash: kick, colour: white}``; ``vignette`` alone is the effect with all its defaults.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Union, get_args

from pydantic import BeforeValidator, Field, PlainSerializer, TypeAdapter, WithJsonSchema, model_validator

from gandream.base.errors import did_you_mean, listed
from gandream.recipe.curve import AnyCurve, Constant, Curve, read_curve
from gandream.recipe.entries import read_entry
from gandream.recipe.fields import Choice, Length, Number, Switch, Whole, Word, helps, listed_as_one, wrong
from gandream.recipe.motion import MAX_SEED
from gandream.recipe.overlays import Lettering, Masked, Overlay
from gandream.recipe.ranges import AnyColour, Degrees, Place, Range, Share, read_colour
from gandream.recipe.times import Time

PIVOTS: dict[str, str] = {"mean": "the frame's mean grey, which stays as it is", "grey": "mid-grey"}
FLASHES: dict[str, str] = {
    "mix": "the picture turns into the colour",
    "burn": "the light is turned up until it burns out; black stays black",
}
FADES: dict[str, str] = {"in": "at the film's beginning", "out": "at its end", "both": "at both ends"}
MIRRORS: dict[str, str] = {
    "horizontal": "the left half, and its reflection on the right",
    "vertical": "the upper half, and its reflection below",
    "both": "the upper left quarter, four times",
}
MEMORIES: dict[str, str] = {
    "max": "the brighter of picture and memory stays: trails of light",
    "mix": "the memory lies over the picture like a ghost",
}


def _fade(value: Any) -> AnyCurve | str:
    if isinstance(value, str) and value in FADES:
        return str(value)
    if isinstance(value, str) and (near := did_you_mean(value, FADES)):
        raise wrong(f"wanted a fade: {listed(FADES)}, or a curve", near)
    return read_curve(value)


_CURVE = TypeAdapter(Curve)

Fading = Annotated[
    AnyCurve | str,
    BeforeValidator(_fade),
    PlainSerializer(lambda value: value if isinstance(value, str) else _CURVE.dump_python(value)),
    WithJsonSchema({"type": ["number", "string", "object"]}),
    Range(0, 1, idle=0),
]

Across = Annotated[Place, Field(description="the centre across: -1 the left edge, 0 the middle, 1 the right edge")]
Upward = Annotated[Place, Field(description="the centre upward: -1 the lower edge, 0 the middle, 1 the upper edge")]
_MODE = Field(description=helps(MEMORIES))


class Contrast(Word):
    """Light lighter and dark darker, as in lucid-sonic-dreams: `{contrast: 1 + 0.5*kick}`."""

    contrast: Annotated[
        Curve, Range(0, 8, idle=1), Field(description="times; 1 leaves the picture alone, 0 is flat; 0 to 8")
    ] = Constant(1.25)
    about: Annotated[str, Choice(PIVOTS, "middle"), Field(description="what stays: " + helps(PIVOTS))] = "mean"


class Brightness(Word):
    """Exposure: more or less light, as with a lens."""

    brightness: Annotated[
        Curve, Range(0, 16, idle=1), Field(description="times the light: 1 as it is, 2 is one stop more; 0 to 16")
    ] = Constant(1.25)


class Saturation(Word):
    """Stronger or weaker colours of the same luma."""

    saturation: Annotated[
        Curve, Range(0, 8, idle=1), Field(description="times; 1 as it is, 0 is black and white; 0 to 8")
    ] = Constant(1.3)


class Hue(Word):
    """Turns the circle of colours; luma stays."""

    hue: Annotated[Degrees, Field(description="degrees, from red toward yellow and green; 360 is a full turn")]


class Flash(Word):
    """A flash of light: `{flash: kick}`."""

    flash: Annotated[Share, Field(description="how much of the colour; 0 to 1")]
    colour: Annotated[AnyColour, Field(description="name, '#rrggbb' or [r, g, b]")] = read_colour("white")
    mode: Annotated[str, Choice(FLASHES, "flash"), Field(description=helps(FLASHES))] = "mix"


class Invert(Word):
    """The negative."""

    invert: Annotated[Share, Field(description="0 the picture, 0.5 flat grey, 1 its negative; 0 to 1")] = Constant(1.0)


class Gamma(Word):
    """Lifts or lowers what lies between black and white."""

    gamma: Annotated[
        Curve, Range(0.1, 10, idle=1), Field(description="1 as it is, above 1 lighter, below 1 darker; 0.1 to 10")
    ] = Constant(1.2)


class AutoLevels(Word):
    """Each frame's darkest value becomes black and its lightest white, as in deep-music-visualizer."""

    auto_levels: Annotated[Share, Field(description="how much of it; 0 to 1")] = Constant(1.0)


class Posterise(Word):
    """Few steps of each colour, as in a screen print."""

    posterise: Annotated[
        Curve, Range(2, 256, idle=256, whole=True), Field(description="steps of each colour; 2 to 256")
    ] = Constant(5.0)


class Fade(Word):
    """Out of a colour and into it: `fade` alone fades in and out through black."""

    fade: Annotated[Fading, Field(description=f"{helps(FADES)}; or how much of the colour over time, 0 to 1")] = "both"
    over: Annotated[Length, Field(description="how long a fade takes")] = Time.seconds(1)
    colour: Annotated[AnyColour, Field(description="name, '#rrggbb' or [r, g, b]")] = read_colour("black")

    @model_validator(mode="after")
    def _sensible(self) -> Fade:
        if not isinstance(self.fade, str) and self.over != type(self).model_fields["over"].default:
            raise wrong(f"`over` goes with {listed(FADES)}", "A curve says by itself how long it takes.", key="over")
        return self


class Vignette(Word):
    """Less light toward the corners."""

    vignette: Annotated[Share, Field(description="light taken from the corners; 0 to 1")] = Constant(0.6)
    radius: Annotated[Curve, Range(0, 2), Field(description="where it begins: 0 the middle, 1 the corners; 0 to 2")] = (
        Constant(0.3)
    )
    softness: Annotated[
        Curve, Range(0.01, 4), Field(description="how far from there to full strength, in the same unit; 0.01 to 4")
    ] = Constant(0.7)


class Grain(Word):
    """Film grain: strongest in the mid-tones, fresh in every frame, the same in every rendering and at every size."""

    grain: Annotated[Share, Field(description="standard deviation, of white; 0 to 1")] = Constant(0.04)
    size: Annotated[Number, Field(ge=0.1, le=20, description="size of a grain in thousandths of the height")] = 1.5
    coloured: Annotated[Switch, Field(description="its own grain in each colour")] = False
    seed: Annotated[Whole | None, Field(ge=0, le=MAX_SEED, description="without it: from the recipe's")] = None


class Blur(Word):
    """Soft focus (gaussian)."""

    blur: Annotated[
        Curve, Range(0, 0.5, idle=0), Field(description="radius (sigma) as a share of the height; 0 to 0.5")
    ] = Constant(0.01)


class Glow(Word):
    """Bloom: what is bright lights up what is round it."""

    glow: Annotated[Curve, Range(0, 8, idle=0), Field(description="strength of the light; 0 to 8")] = Constant(0.7)
    radius: Annotated[
        Curve, Range(0.001, 0.5), Field(description="how far it reaches, as a share of the height; 0.001 to 0.5")
    ] = Constant(0.03)
    threshold: Annotated[Curve, Range(0, 0.99), Field(description="what is brighter than this glows; 0 to 0.99")] = (
        Constant(0.5)
    )


class Sharpen(Word):
    """Crisper edges (unsharp mask)."""

    sharpen: Annotated[Curve, Range(0, 8, idle=0), Field(description="strength; 0 to 8")] = Constant(0.6)
    radius: Annotated[
        Curve, Range(0.0005, 0.1), Field(description="radius as a share of the height; 0.0005 to 0.1")
    ] = Constant(0.003)


class Aberration(Word):
    """Coloured fringes toward the edges, as from a simple lens: red is larger, blue is smaller."""

    aberration: Annotated[
        Curve, Range(-0.2, 0.2, idle=0), Field(description="how much larger and smaller, as a share; -0.2 to 0.2")
    ] = Constant(0.006)


class Mirror(Word):
    """One part of the picture and its reflections."""

    mirror: Annotated[str, Choice(MIRRORS, "mirror"), Field(description=helps(MIRRORS))] = "horizontal"


class Kaleidoscope(Word):
    """Looks at the picture between mirrors."""

    kaleidoscope: Annotated[
        Curve,
        Range(1, 64, idle=1, whole=True),
        Field(description="sectors of the star, 1 to 64; 1 is no star"),
    ] = Constant(6.0)
    angle: Annotated[
        Curve, Range(period=360), Field(description="degrees by which the picture is turned behind the mirrors")
    ] = Constant(0.0)
    x: Across = Constant(0.0)
    y: Upward = Constant(0.0)


class Zoom(Word):
    """Larger or smaller; beyond its edges the picture is mirrored."""

    zoom: Annotated[Curve, Range(0.05, 50, idle=1), Field(description="times; 2 is twice as large; 0.05 to 50")]
    x: Across = Constant(0.0)
    y: Upward = Constant(0.0)


class Rotate(Word):
    """Turns the picture; beyond its edges it is mirrored."""

    rotate: Annotated[Degrees, Field(description="degrees, clockwise")]
    x: Across = Constant(0.0)
    y: Upward = Constant(0.0)


class Pan(Word):
    """Moves the picture; beyond its edges it is mirrored."""

    pan: Annotated[Curve, Range(idle=0, period=2), Field(description="to the right, in widths of the picture")]
    up: Annotated[Curve, Range(idle=0, period=2), Field(description="upward, in heights")] = Constant(0.0)


class Pixelate(Word):
    """Large square pixels."""

    pixelate: Annotated[
        Curve, Range(0, 1, idle=0), Field(description="their side as a share of the height; 0 to 1")
    ] = Constant(0.025)


class Trails(Word):
    """What was seen stays and fades; with `zoom` or `turn` it moves on as in video feedback."""

    trails: Annotated[
        Curve, Range(0, 0.95, idle=0), Field(description="what is left after 1/30 s, at any frame rate; 0 to 0.95")
    ] = Constant(0.85)
    mode: Annotated[str, Choice(MEMORIES, "mode"), _MODE] = "max"
    zoom: Annotated[Curve, Range(0.5, 2), Field(description="the memory grows by this factor in 1/30 s; 0.5 to 2")] = (
        Constant(1.0)
    )
    turn: Annotated[
        Curve, Range(-90, 90), Field(description="the memory turns by this in 1/30 s: degrees, clockwise; -90 to 90")
    ] = Constant(0.0)


class Echo(Word):
    """The picture as it was a moment ago, over the one now."""

    echo: Annotated[Share, Field(description="strength of the first echo, each next one weaker by it; 0 to 1")] = (
        Constant(0.6)
    )
    delay: Annotated[Length, Field(description="from one echo to the next")] = Time.seconds(Fraction(1, 4))
    repeats: Annotated[Whole, Field(ge=1, le=8, description="how many echoes")] = 2
    mode: Annotated[str, Choice(MEMORIES, "mode"), _MODE] = "max"


Effect = Union[  # noqa: UP007 - made to be shown in schemas
    Contrast, Brightness, Saturation, Hue, Flash, Invert, Gamma, AutoLevels, Posterise, Fade, Vignette, Grain, Blur,
    Glow, Sharpen, Aberration, Mirror, Kaleidoscope, Zoom, Rotate, Pan, Pixelate, Trails, Echo, Lettering, Overlay,
    Masked,
]  # fmt: skip

EFFECTS: dict[str, type[Word]] = {kind.words()[0]: kind for kind in get_args(Effect)}
"""Each effect by its name, which is its first word."""


_FORM = "an effect: its name, {contrast: 1.5}, or {flash: kick, colour: white}"


Effects = Annotated[
    tuple[Annotated[Effect, BeforeValidator(lambda value: read_entry(value, EFFECTS, "effect", _FORM))], ...],
    BeforeValidator(listed_as_one),
    Field(max_length=100),
]
"""The list of effects: a tuple of the groups of words above."""
