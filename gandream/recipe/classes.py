"""The word ``classes``: how the class of a conditional model moves."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from gandream.recipe.curve import EASES, AnyCurve, Constant, Curve, curve_written
from gandream.recipe.fields import (
    Choice,
    Duration,
    Length,
    Moment,
    Number,
    Reads,
    Switch,
    TimeCheck,
    Whole,
    Word,
    Words,
    helps,
    listed_as_one,
    wrong,
)
from gandream.recipe.latent import MAX_SEED, ClassWord
from gandream.recipe.motion import PATHS, check_pace
from gandream.recipe.times import WRITTEN, Time, parse_time

ORDERS: dict[str, str] = {
    "as written": "the first class first; with `from`, the first one to the first band",
    "reverse": "the last first",
    "ping-pong": "to the last and back again",
    "shuffle": "mixed by the seed in `shuffle`, or the recipe's",
    "strength": "with `from`: the first class to the band that is strongest over the film, and so on",
}
LEVELS: dict[str, str] = {
    "minmax": "at each moment the strongest class is 1 and the weakest 0",
    "peak": "at each moment the strongest class is 1",
    "none": "as they add up",
}
CLASS_PATHS: dict[str, str] = {word: meaning for word, meaning in PATHS.items() if word != "slerp"}
"""Weights of classes are no directions, so they have no sphere to go along."""
LEAK = Time.seconds(2)
_PACED = ("every", "at", "hold", "path", "ease", "loop")
_HEARD = ("leak", "react", "levels", "complexity", "floor", "smooth")


def _hold(time: Time) -> str:
    if time.amount < 0:
        return "a time can't be negative here"
    return "a class can be held for 100% of its step at most" if time.unit == "%" and time.amount > 100 else ""


Hold = Annotated[Time, TimeCheck(_hold)]


def _leak(value: Any) -> Time | None:
    if value is None or (isinstance(value, str) and value == "never"):
        return None
    try:
        time = parse_time(value)
    except ValueError as error:
        raise wrong(f"wanted a time or `never`; {error}") from None
    if time.unit == "%" or time.amount <= 0:
        raise wrong("wanted a time above 0 in seconds, frames, beats or bars, or `never`")
    return time


Leak = Annotated[
    Time | None,
    BeforeValidator(_leak),
    PlainSerializer(lambda time: "never" if time is None else str(time)),
    WithJsonSchema({"type": ["number", "string"], "description": f"never, or {WRITTEN}"}),
]


class Shuffle(Word):
    """The classes change their bands while the music plays."""

    every: Annotated[Length | None, Field(description="time from one change to the next")] = None
    at: Annotated[
        Annotated[tuple[Moment, ...], BeforeValidator(listed_as_one), Field(max_length=10000)] | None,
        Field(description="instead of `every`: the time of each change"),
    ] = None
    strength: Annotated[
        Number, Field(ge=0, le=1, description="how far: the list of classes turns by this share of its length")
    ] = 0.5
    seed: Annotated[
        Whole | None,
        Field(ge=0, le=MAX_SEED, description="then this share of the classes change places by chance instead"),
    ] = None

    @model_validator(mode="after")
    def _timing(self) -> Shuffle:
        if (self.every is None) == (self.at is None):
            key = "every" if self.every is None else "at"
            raise wrong("a shuffle wants either `every` or `at`", "For instance `shuffle: {every: 4 bars}`.", key=key)
        return self


def _shuffle(value: Any) -> Any:
    if value is None or isinstance(value, Shuffle):
        return value
    if isinstance(value, dict):
        return Shuffle.model_validate(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SEED:
        raise wrong("wanted a seed, or words such as {every: 4 bars, strength: 0.5}")
    return value


def _weights(value: Any) -> Any:
    if value is not None and not isinstance(value, dict):
        hint = "Several classes to go through are `through: [...]`."
        raise wrong("wanted classes with their weights, such as {goldfish: 0.7, tench: 0.3*kick}", hint)
    # Where mappings can only have text as keys, as in JSON, numbers come as text.
    numbers = {key: int(key) for key in value or () if isinstance(key, str) and key.isascii() and key.isdecimal()}
    return value and {numbers.get(key, key): weight for key, weight in value.items()}


def _weights_written(weights: dict[int | str, AnyCurve] | None) -> Any:
    return weights and {name: curve_written(curve) for name, curve in weights.items()}


class Classes(Word):
    """Class morphs: latents that name no class of their own have the one of the moment. The walk goes on by itself.

    Either through classes in time, or several at once by ``weights``, or by the bands of a signal (``from``).
    """

    through: Annotated[
        tuple[ClassWord, ...],
        BeforeValidator(listed_as_one),
        Field(max_length=10000, description="the classes in order, by number or name; one stays"),
    ] = ()
    weights: Annotated[
        dict[ClassWord, Curve] | None,
        BeforeValidator(_weights),
        PlainSerializer(_weights_written),
        Field(description="instead: several classes at once, each with its weight, {goldfish: 0.7, tench: 0.3*kick}"),
    ] = None
    from_: Annotated[
        Words | None,
        Field(
            alias="from",
            description="instead: a signal with bands, such as a chroma; each band feeds one of the classes in "
            "`through`, which are repeated if there are fewer, and drawn by chance where none are named",
        ),
    ] = None
    every: Annotated[
        Length | None,
        Field(description="time from one class to the next, `hold` included (4s where `at` says nothing)"),
    ] = None
    at: Annotated[tuple[Moment, ...] | None, Field(description="instead of `every`: the time of each class")] = None
    hold: Annotated[
        Hold, Field(description="how long a class stays pure before the next one comes: a time, or a % of the step")
    ] = Time.seconds(0)
    path: Annotated[str, Choice(CLASS_PATHS, "path"), Field(description="how to go: " + helps(CLASS_PATHS))] = "lerp"
    ease: Annotated[str, Choice(EASES, "ease"), Field(description="the pace between two classes")] = "smooth"
    order: Annotated[Annotated[str, Choice(ORDERS, "order")] | None, Field(description=helps(ORDERS))] = None
    shuffle: Annotated[
        Annotated[int | Shuffle | None, BeforeValidator(_shuffle)],
        Reads(Shuffle),
        Field(description="mixes the classes: a seed; with `from`, {every:, strength:} while the music plays"),
    ] = None
    loop: Annotated[
        Switch, Field(description="after the last class: back to the first (true), or stay there (false)")
    ] = True
    leak: Annotated[
        Leak, Field(description="with `from`: time after which 63 % of what was heard is forgotten, or `never`")
    ] = LEAK
    react: Annotated[
        Curve | None,
        Field(
            description="with `from`: how fast a band adds to its class, per second (1 / leak, or 20 without a leak)"
        ),
    ] = None
    levels: Annotated[
        str, Choice(LEVELS, "way"), Field(description="with `from`, of what was heard so far: " + helps(LEVELS))
    ] = "minmax"
    complexity: Annotated[
        Curve, Field(description="with `from`: times the weights at each step; below 1 the present counts for more")
    ] = Constant(1.0)
    floor: Annotated[
        Number,
        Field(ge=0, le=1e6, description="with `levels`: what the first class gets more where all are equally strong"),
    ] = 0.1
    smooth: Annotated[
        Duration, Field(description="with `from`: means over so long, and a straight line from one to the next")
    ] = Time.seconds(1)
    normalise: Annotated[
        Switch,
        Field(description="with `weights` and `from`: whether the weights are made to sum to 1, from 0 up"),
    ] = True
    optional: Annotated[
        Switch, Field(description="a model without classes goes without them (true), or is refused (false)")
    ] = False

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """The classes alone."""
        return value if isinstance(value, cls | dict) else {"through": value}

    @model_validator(mode="after")
    def _sensible(self) -> Classes:
        kind = "from" if self.from_ is not None else "weights" if self.weights is not None else "through"
        if self.weights is not None and (self.from_ is not None or self.through):
            other = "from" if self.from_ is not None else "through"
            raise wrong(f"`weights` and `{other}` can't both be given", "Keep one of the two.", key="weights")
        if kind == "through" and not self.through:
            raise wrong("no class is named", "For instance `classes: {through: [0, 1], every: 4s}`.", key="through")
        if kind == "weights" and not self.weights:
            raise wrong("no class has a weight", "For instance {goldfish: 0.7, tench: 0.3*kick}.", key="weights")
        foreign = {"through": (*_HEARD, "normalise"), "weights": (*_PACED, *_HEARD, "order", "shuffle"), "from": _PACED}
        for word in foreign[kind]:
            if getattr(self, word) != type(self).model_fields[word].default:
                goes = "from" if word in _HEARD else "through" if word in (*_PACED, "order", "shuffle") else "weights"
                raise wrong(f"`{word}` goes with `{goes}`, and these classes are by `{kind}`", key=word)
        self._ordered(kind)
        if self.levels == "none" and self.floor != type(self).model_fields["floor"].default:
            raise wrong("`floor` goes with levels, and here are none", "Leave one of the two out.", key="floor")
        if kind == "through":
            count = len(self.sequence(self.through))
            check_pace(
                self.every, self.at, count, "class", "classes" + (", there and back" * (count != len(self.through)))
            )
        return self

    def _ordered(self, kind: str) -> None:
        """Refuse orders and shuffles that don't go together."""
        heard = kind == "from"
        if self.order is not None and self.order != "as written" and heard != (self.order == "strength"):
            hint = "With `from` it is `as written` or `strength`." if heard else ""
            raise wrong(f"`order: {self.order}` doesn't go with `{kind}`", hint, key="order")
        if isinstance(self.shuffle, Shuffle) != heard and self.shuffle is not None:
            hint = "With `from` it is {every: 4 bars}." if heard else "While music plays it goes with `from`."
            raise wrong("wanted words such as {every: 4 bars}" if heard else "wanted a seed", hint, key="shuffle")
        if self.shuffle is not None and not heard and self.order not in (None, "shuffle"):
            raise wrong("`shuffle` goes with `order: shuffle`", "Keep one of the two.", key="shuffle")

    @property
    def paced(self) -> bool:
        """Whether it goes from class to class in time."""
        return self.from_ is None and self.weights is None and len(self.through) > 1

    @property
    def moves(self) -> bool:
        """Whether the class moves at all; a single one stays."""
        return self.paced or self.from_ is not None or self.weights is not None

    def sequence(self, things: Any) -> list[Any]:
        """Things, one for each class named, in the order in which they come; all but shuffled ones."""
        things = list(things)
        if self.order == "reverse":
            return things[::-1]
        return things + things[-2:0:-1] if self.order == "ping-pong" else things
