"""The word ``walk``: the base path through latent space, and what all its kinds share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    model_serializer,
    model_validator,
)
from pydantic_core import core_schema

from gandream.base.errors import did_you_mean, listed
from gandream.recipe.curve import EASES, Constant, Curve
from gandream.recipe.fields import Choice, Length, Moment, Switch, Word, helps, listed_as_one, wrong
from gandream.recipe.latent import Latent
from gandream.recipe.roams import Bounce, Circle, Footage, Plane, Recorded, Seed, Simplex, Wander
from gandream.recipe.seeds import Seeds, Stops
from gandream.recipe.times import Time

WALKS: dict[str, str] = {
    "through": "from latent to latent",
    "wander": "a random path, smoothed by a gaussian; never the same twice",
    "circle": "a circle, round a latent or through two",
    "simplex": "a closed loop through noise",
    "bounce": "every dimension runs straight and turns round at the walls of a box",
    "file": "a saved trajectory",
    "plane": "a plane of seeds, dragged about by two curves",
    "footage": "a video, whose pictures lead the way",
}
PATHS: dict[str, str] = {
    "slerp": "along the sphere on which latents lie",
    "lerp": "straight",
    "spline": "a smooth curve through all of them (Catmull-Rom in time)",
    "step": "stays, then jumps to the next",
}
SPACES: dict[str, str] = {"z": "before the mapping network", "w": "after it, where layers can be told apart"}
ORDERS: dict[str, str] = {
    "as written": "the first latent first",
    "reverse": "the last first",
    "ping-pong": "to the last and back again",
    "shuffle": "mixed by the seed in `shuffle`, or the recipe's",
}
PACES: dict[str, str] = {
    "as written": "even in latent space",
    "perceptual": "the picture changes evenly from each latent to the next",
    "perceptual throughout": "the picture changes evenly all the way; latents come when they come",
}
_LED: dict[str, str] = {"file": "path.npz", "footage": "clip.mp4"}
"""Walks that need a file, and one for an example."""
OF_THROUGH = ("every", "at", "path", "ease", "order", "shuffle")


def check_pace(every: Any, at: tuple[Moment, ...] | None, count: int, one: str, many: str) -> None:
    """Refuse times that don't go with each other, or not with a number of latents or classes."""
    if every is not None and at is not None:
        raise wrong("`every` and `at` can't both be given", "Keep one of the two.", key="at")
    if at is not None and len(at) != count:
        raise wrong(
            f"`at` has {len(at)} time{'s' * (len(at) != 1)} for {count} {many}",
            f"Give one time for each {one}.",
            key="at",
        )


@dataclass(frozen=True, eq=False)
class Each:
    """Makes a field take one of a kind for all steps, or a list with one for each step; or nothing."""

    kind: Any

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read, serialization=core_schema.plain_serializer_function_ser_schema(self.written)
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        one = TypeAdapter(self.kind).json_schema()
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}, {"type": "null"}]}

    def read(self, value: Any) -> Any:
        """Give the one, or all of them."""
        if value is None:
            return None
        if not isinstance(value, list | tuple):
            return TypeAdapter(self.kind).validate_python(value)
        kind = Annotated[tuple[self.kind, ...], Field(min_length=1, max_length=10000)]
        return TypeAdapter(kind).validate_python(value)

    def written(self, value: Any) -> Any:
        """What the recipe would say."""
        if value is None:
            return None
        return [str(item) for item in value] if isinstance(value, tuple) else str(value)


class Walk(Word):
    """The base path through latent space."""

    through: Annotated[
        Stops,
        BeforeValidator(listed_as_one),
        Field(
            min_length=1,
            max_length=10000,
            description="the latents, in order; a range of seeds `0-63`, {seeds: 12} drawn by chance, all of a file",
        ),
    ] = tuple(Latent(seed=seed) for seed in range(4))
    wander: Annotated[Wander | None, Field(description=WALKS["wander"])] = None
    circle: Annotated[Circle | None, Field(description=WALKS["circle"])] = None
    simplex: Annotated[Simplex | None, Field(description=WALKS["simplex"])] = None
    bounce: Annotated[Bounce | None, Field(description=WALKS["bounce"])] = None
    file: Annotated[Recorded | None, Field(description=WALKS["file"])] = None
    plane: Annotated[Plane | None, Field(description=WALKS["plane"])] = None
    footage: Annotated[Footage | None, Field(description=WALKS["footage"])] = None
    every: Annotated[
        Time | tuple[Time, ...] | None,
        Each(Length),
        Field(description="time from one latent to the next (4s where `at` says nothing), or one for each step"),
    ] = None
    at: Annotated[tuple[Moment, ...] | None, Field(description="instead of `every`: the time of each latent")] = None
    space: Annotated[
        Annotated[str, Choice(SPACES, "space")] | None,
        Field(description=helps(SPACES) + "; without it z, or w where a latent is only there"),
    ] = None
    path: Annotated[
        str | tuple[str, ...] | None,
        Each(Annotated[str, Choice(PATHS, "path")]),
        Field(description="how to go, or how each step: " + helps(PATHS) + "; without it slerp in z, lerp in w"),
    ] = None
    ease: Annotated[
        str | tuple[str, ...],
        Each(Annotated[str, Choice(EASES, "ease")]),
        Field(description="the pace between two latents, or one for each step"),
    ] = "linear"
    order: Annotated[Annotated[str, Choice(ORDERS, "order")] | None, Field(description=helps(ORDERS))] = None
    shuffle: Annotated[Seed | None, Field(description="mixes the latents: its seed, as in `shuffle: 7`")] = None
    loop: Annotated[
        Switch, Field(description="after the last latent: back to the first (true), or stay there (false)")
    ] = True
    speed: Annotated[
        Curve, Field(description="how fast the path is travelled: 1 is as written; music can drive it")
    ] = Constant(1.0)

    pace: Annotated[str, Choice(PACES, "pace"), Field(description=helps(PACES))] = "as written"

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """A kind alone, and a kind that says nothing, have its defaults."""
        if isinstance(value, str):
            if value not in WALKS:
                raise wrong(f"wanted a walk: {listed(WALKS)}", did_you_mean(value, WALKS))
            if value in _LED:
                raise wrong("which file?", f"For instance `walk: {{{value}: {_LED[value]}}}`.")
            return {} if value == "through" else {value: {}}
        if isinstance(value, dict):
            said = {key for key in value if key in WALKS and value[key] is not None}
            if said:  # a kind that is null is not meant: so a recipe can have another than the one that it includes
                return {key: words for key, words in value.items() if key not in WALKS or key in said}
            alone = [key for key in value if key in KINDS]
            if len(alone) == 1:
                return {**{key: words for key, words in value.items() if key not in WALKS}, alone[0]: {}}
        return value

    @model_validator(mode="after")
    def _sensible(self) -> Walk:
        given = [kind for kind in WALKS if kind in self.model_fields_set and getattr(self, kind) is not None]
        if len(given) > 1:
            hint = "A second walk goes into `mix: {from: ...}`."
            raise wrong(f"a walk is one of {listed(WALKS)}; here are {listed(given)}", hint, key=given[1])
        self._fitting()
        if self.kind != "through":
            return self
        if not self.many_unknown:
            check_pace(self.every, self.at, len(self.through), "latent", "latents")
        elif self.every is not None:
            check_pace(self.every, self.at, len(self.at or ()), "latent", "latents")
        if self.shuffle is not None and self.order not in (None, "shuffle"):
            raise wrong("`shuffle` goes with `order: shuffle`", "Keep one of the two.", key="shuffle")
        return self

    @model_serializer(mode="wrap")
    def _own_words(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the words of other kinds of walk."""
        written, kind = handler(self), self.kind
        others = {*WALKS} - {kind}
        if kind != "through":
            others |= {*OF_THROUGH} | {"speed"} if kind == "plane" else {*OF_THROUGH}
        return {word: value for word, value in written.items() if word not in others}

    def _fitting(self) -> None:
        """Refuse words that belong to another kind of walk."""
        kind = self.kind
        if kind == "through":
            return
        for word in OF_THROUGH:
            if word in self.model_fields_set and getattr(self, word) is not None:
                inside = word in KINDS[kind].words()
                hint = f"Write it inside: {{{kind}: {{{word}: ...}}}}." if inside else ""
                raise wrong(f"`{word}` goes with `through`, and this walk is `{kind}`", hint, key=word)
        if kind == "plane" and not self.loop:
            raise wrong("`plane` has no end: its `x` and `y` say where it is", "Leave `loop` out.", key="loop")
        if kind == "plane" and "speed" in self.model_fields_set:
            raise wrong("`plane` has no speed: its `x` and `y` say where it is", key="speed")
        if kind in ("plane", "bounce", "file", "footage") and self.pace != "as written":
            raise wrong(f"`{kind}` goes as it is written", "Paces go with `through`, `circle`, `simplex`, `wander`.",
                        key="pace")  # fmt: skip
        if kind == "file" and self.space is not None:
            raise wrong("what a file holds says itself whether it is z or w", "Leave `space` out.", key="space")

    @property
    def kind(self) -> str:
        """Which of WALKS it is."""
        return next((kind for kind in KINDS if getattr(self, kind) is not None), "through")

    @property
    def many_unknown(self) -> bool:
        """Whether only the model's shape, a draw or the order tells how many latents there are."""
        files = any(isinstance(stop, Seeds) or (stop.file is not None and not stop.name) for stop in self.through)
        return files or self.order == "ping-pong"

    @property
    def goes(self) -> bool:
        """Whether it moves at all, as far as one can tell without the model."""
        return self.kind != "through" or len(self.through) > 1 or self.many_unknown


KINDS: dict[str, type[Word]] = {
    "wander": Wander,
    "circle": Circle,
    "simplex": Simplex,
    "bounce": Bounce,
    "file": Recorded,
    "plane": Plane,
    "footage": Footage,
}

__all__ = ["KINDS", "ORDERS", "PATHS", "SPACES", "WALKS", "Walk", "check_pace"]
