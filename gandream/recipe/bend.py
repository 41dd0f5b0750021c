"""The words of ``bend``: operations on what layers of the generator give, in the order of the list (network bending).

Each entry names its layer and one operation, whose parameters stand beside it: ``{layer: 5, rotate: 20*kick}``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from gandream.recipe.curve import Constant, Curve, read_curve
from gandream.recipe.entries import read_entry
from gandream.recipe.fields import Choice, Number, Whole, Word, helps, listed_as_one, wrong
from gandream.recipe.latent import MAX_SEED
from gandream.recipe.layers import GROUPS
from gandream.recipe.ranges import Degrees, Range, Share

CONST = "const"
"""What synthesis begins with, where that is a constant."""
FLIPS: dict[str, str] = {
    "horizontal": "left and right change places",
    "vertical": "top and bottom change places",
    "both": "half a turn",
}
Span = tuple[int, "int | None"]


@dataclass(frozen=True)
class Bent:
    """Layers as written: numbers with both ends (last None: to the end), and names."""

    parts: tuple[str | Span, ...]

    def written(self) -> list[str | int]:
        """As the recipe would write them."""
        return [part if isinstance(part, str) else _span_written(part) for part in self.parts]


@dataclass(frozen=True)
class Channels:
    """Channels as written: a random share of them, or numbers with both ends; neither is all."""

    share: float | None = None
    spans: tuple[Span, ...] = ()

    def written(self) -> Any:
        """As the recipe would write them."""
        return self.share if self.share is not None else [_span_written(span) for span in self.spans] or "all"


def _span_written(span: Span) -> str | int:
    first, last = span
    return first if first == last else f"{first}-{'' if last is None else last}"


def _span(item: Any, what: str) -> Span | None:
    """A number, or two with a dash between them."""
    if isinstance(item, int) and not isinstance(item, bool) and 0 <= item < 100000:
        return (item, item)
    if isinstance(item, str) and (match := re.fullmatch(r"\s*([0-9]{1,5})\s*-\s*([0-9]{1,5})?\s*", item)):
        first, last = int(match[1]), int(match[2]) if match[2] else None
        if last is not None and last < first:
            raise wrong(f"a range of {what} rises: write {last}-{first}")
        return (first, last)
    return None


_LAYERS = "wanted a layer: its number from 0, its name, 4-7, 8-, all, or a list of these"


def _layers(value: Any) -> Bent:
    if isinstance(value, Bent):
        return value
    items = value if isinstance(value, list | tuple) else [value]
    parts: list[str | Span] = []
    for item in items:
        span = _span(item, "layers")
        if span is None and not (isinstance(item, str) and item.strip()):
            raise wrong(_LAYERS)
        parts.append(str(item) if span is None else span)
    if not parts:
        raise wrong(_LAYERS)
    return Bent(tuple(parts))


_CHANNELS = "wanted channels: all, a number from 0, 0-31, 32-, a list of these, or a random share such as 0.25"


def _channels(value: Any) -> Channels:
    if isinstance(value, Channels):
        return value
    if value == "all":
        return Channels()
    if isinstance(value, float):
        if not 0 < value <= 1:
            raise wrong("a random share of the channels is above 0, and 1 at most")
        return Channels(share=value)
    spans = [_span(item, "channels") for item in (value if isinstance(value, list | tuple) else [value])]
    found = tuple(span for span in spans if span is not None)
    if not found or len(found) != len(spans):
        raise wrong(_CHANNELS)
    return Channels(spans=found)


BentLayers = Annotated[
    Bent,
    BeforeValidator(_layers),
    PlainSerializer(Bent.written),
    WithJsonSchema({"type": ["string", "integer", "array"], "description": _LAYERS}),
]
ChannelRange = Annotated[
    Channels,
    BeforeValidator(_channels),
    PlainSerializer(Channels.written),
    WithJsonSchema({"type": ["string", "number", "array"], "description": _CHANNELS}),
]


def pair(value: Any) -> Any:
    """[x, y]; one curve alone is x."""
    if isinstance(value, tuple):
        return value
    if isinstance(value, list):
        if len(value) != 2:
            raise wrong("wanted [x, y]: to the right and upward", "One value alone is to the right.")
        return tuple(value)
    return read_curve(value), Constant(0.0)


Pair = Annotated[tuple[Curve, Curve], BeforeValidator(pair)]
"""Two curves: to the right and upward."""


class Operation(Word):
    """What all bends have in common."""

    layer: Annotated[
        BentLayers,
        Field(
            description="which layers: a number from 0, a name, 4-7, a list, `all`, "
            + ", ".join(f"`{name}`" for name in GROUPS[:3])
            + f"; `{CONST}` is the constant that StyleGAN1 and 2 begin with"
        ),
    ]
    channels: Annotated[
        ChannelRange,
        Field(description="`all`, a number from 0, 0-31, a list, or a random share such as 0.25; layers may lack some"),
    ] = Channels()
    amount: Annotated[
        Curve, Range(-8, 8, idle=0), Field(description="from what is there, 0, to what is made of it, 1; -8 to 8")
    ] = Constant(1.0)
    seed: Annotated[
        Whole | None,
        Field(ge=0, le=MAX_SEED, description="of the random share, and of noise; without it from the recipe's"),
    ] = None

    @property
    def name(self) -> str:
        """The operation's word."""
        return next(word for word in self.words() if word in BENDS)


class Multiply(Operation):
    """Stronger or weaker."""

    multiply: Annotated[
        Curve, Range(-100, 100, idle=1), Field(description="times; 0 is nothing, -1 the negative; -100 to 100")
    ]


class Ablate(Operation):
    """Switches channels off."""

    ablate: Annotated[Share, Field(description="how far; 0 to 1")] = Constant(1.0)


class BendInvert(Operation):
    """Mirrors each channel at its mean over the picture."""

    invert: Annotated[Share, Field(description="0 as it is, 0.5 flat, 1 mirrored; 0 to 1")] = Constant(1.0)


class Threshold(Operation):
    """Two values in each channel: what lies above, and what doesn't."""

    threshold: Annotated[
        Curve, Range(-8, 8), Field(description="where it is cut, in deviations above the channel's mean; -8 to 8")
    ] = Constant(0.0)


class BendNoise(Operation):
    """Adds noise that moves, of its own in each channel; closed where the film loops."""

    noise: Annotated[Curve, Range(-100, 100, idle=0), Field(description="in RMS of the layer; -100 to 100")] = Constant(
        0.3
    )
    speed: Annotated[Curve, Field(description="new maps per second; 0 stands still")] = Constant(1.0)
    size: Annotated[
        Number, Field(ge=0, le=1, description="of a grain, in sides of the picture; never finer than the layer; 0 to 1")
    ] = 0.05


class Translate(Operation):
    """Moves what the layer gives; beyond the edges it is mirrored."""

    translate: Annotated[Pair, Field(description="[x, y] to the right and upward in sides of the picture; or x alone")]


class BendRotate(Operation):
    """Turns what the layer gives."""

    rotate: Annotated[Degrees, Field(description="degrees, clockwise")]


class BendZoom(Operation):
    """Makes what the layer gives larger or smaller."""

    zoom: Annotated[Curve, Range(0.05, 50, idle=1), Field(description="times; 2 is twice as large; 0.05 to 50")]


class Flip(Operation):
    """Mirrors what the layer gives."""

    flip: Annotated[str, Choice(FLIPS, "flip"), Field(description=helps(FLIPS))] = "horizontal"


class Erode(Operation):
    """What is high shrinks: the least within a square."""

    erode: Annotated[
        Curve, Range(0, 0.5, idle=0), Field(description="half the square's side, in sides of the picture; 0 to 0.5")
    ] = Constant(0.05)


class Dilate(Operation):
    """What is high spreads: the greatest within a square."""

    dilate: Annotated[
        Curve, Range(0, 0.5, idle=0), Field(description="half the square's side, in sides of the picture; 0 to 0.5")
    ] = Constant(0.05)


class BendBlur(Operation):
    """Softens what the layer gives (gaussian)."""

    blur: Annotated[
        Curve, Range(0, 0.5, idle=0), Field(description="radius (sigma) in sides of the picture; 0 to 0.5")
    ] = Constant(0.05)


class BendSharpen(Operation):
    """Sharpens what the layer gives (unsharp mask)."""

    sharpen: Annotated[Curve, Range(-1, 20, idle=0), Field(description="strength; -1 to 20")] = Constant(1.0)
    radius: Annotated[Curve, Range(0, 0.5), Field(description="radius (sigma) in sides of the picture; 0 to 0.5")] = (
        Constant(0.05)
    )


class Edges(Operation):
    """The outlines of what the layer gives (Sobel)."""

    edges: Annotated[Share, Field(description="0 as it is, 1 outlines alone; 0 to 1")] = Constant(1.0)


BendEntry = Union[  # noqa: UP007 - made to be shown in schemas
    Multiply, Ablate, BendInvert, Threshold, BendNoise, Translate, BendRotate, BendZoom, Flip, Erode, Dilate, BendBlur,
    BendSharpen, Edges,
]  # fmt: skip

BENDS: dict[str, type[Operation]] = {
    next(word for word in kind.words() if word not in Operation.words()): kind for kind in get_args(BendEntry)
}
"""Each operation by its name, which is the first word that is its own."""

_FORM = "a layer and what is done to it, {layer: 5, rotate: 20*kick}"


def _entry(value: Any) -> Any:
    if isinstance(value, str) or (isinstance(value, dict) and "layer" not in value):
        raise wrong("a bend wants a layer", "For instance {layer: 5, rotate: 20}.")
    if isinstance(value, dict) and set(value) <= set(Operation.words()):
        raise wrong("what is done to the layer?", f"There is: {', '.join(BENDS)}.")
    return read_entry(value, BENDS, "bend", _FORM)


BendList = Annotated[
    tuple[Annotated[BendEntry, BeforeValidator(_entry)], ...],
    BeforeValidator(listed_as_one),
    Field(max_length=100),
]
"""The list of bends."""
