"""The words that move latents: ``walk`` and ``push``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from gandream.recipe.curve import EASES, Constant, Curve
from gandream.recipe.fields import Choice, Length, Moment, Number, Switch, Word, listed_as_one, wrong
from gandream.recipe.latent import MAX_SEED, Latent
from gandream.recipe.layers import LayerRange
from gandream.recipe.times import Time

PATHS: dict[str, str] = {
    "slerp": "along the sphere on which latents lie",
    "lerp": "straight",
    "spline": "a smooth curve through all of them (Catmull-Rom in time)",
    "step": "stays, then jumps to the next",
}
MODES: dict[str, str] = {
    "offset": "the push is `by` at each moment",
    "drift": "`by` is a speed per second, and the push adds up",
}
SPACES: dict[str, str] = {"z": "before the mapping network", "w": "after it, where layers can be told apart"}


def _helps(words: dict[str, str]) -> str:
    return ", ".join(f"`{word}`: {meaning}" for word, meaning in words.items())


def check_pace(every: Time | None, at: tuple[Moment, ...] | None, count: int, one: str, many: str) -> None:
    """Refuse times that don't go with each other, or not with a number of latents or classes."""
    if every is not None and at is not None:
        raise wrong("`every` and `at` can't both be given", "Keep one of the two.", key="at")
    if at is not None and len(at) != count:
        raise wrong(f"`at` has {len(at)} times for {count} {many}", f"Give one time for each {one}.", key="at")


class Walk(Word):
    """The base path through latent space, from one latent to the next."""

    through: Annotated[
        tuple[Latent, ...],
        BeforeValidator(listed_as_one),
        Field(min_length=1, max_length=10000, description="the latents, in order"),
    ] = tuple(Latent(seed=seed) for seed in range(4))
    every: Annotated[
        Length | None, Field(description="time from one latent to the next (4s where `at` says nothing)")
    ] = None
    at: Annotated[tuple[Moment, ...] | None, Field(description="instead of `every`: the time of each latent")] = None
    space: Annotated[
        Annotated[str, Choice(SPACES, "space")] | None,
        Field(description=_helps(SPACES) + "; without it z, or w where a latent is only there"),
    ] = None
    path: Annotated[
        Annotated[str, Choice(PATHS, "path")] | None,
        Field(description="how to go: " + _helps(PATHS) + "; without it slerp in z, lerp in w"),
    ] = None
    ease: Annotated[str, Choice(EASES, "ease"), Field(description="the pace between two latents")] = "linear"
    loop: Annotated[
        Switch, Field(description="after the last latent: back to the first (true), or stay there (false)")
    ] = True
    speed: Annotated[
        Curve, Field(description="how fast the path is travelled: 1 is as written; music can drive it")
    ] = Constant(1.0)

    @model_validator(mode="after")
    def _timing(self) -> Walk:
        check_pace(self.every, self.at, len(self.through), "latent", "latents")
        return self


def _direction(value: Any) -> int | bool:
    if value is not True and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SEED):
        raise wrong("wanted a seed from 0 to 4294967295 for the direction, or true")
    return value


Direction = Annotated[int | bool, BeforeValidator(_direction)]


class Push(Word):
    """Moves the latent off the walk by a curve: toward a latent, or along a random direction."""

    toward: Annotated[Latent | None, Field(description="a latent; `by: 1` arrives there")] = None
    random: Annotated[
        Direction | None,
        Field(description="a direction by its seed (true: from the recipe's); `by: 1` is one standard deviation"),
    ] = None
    by: Annotated[Curve, Field(description="how far, over time")] = Constant(1.0)
    mode: Annotated[str, Choice(MODES, "mode"), Field(description=_helps(MODES))] = "offset"
    box: Annotated[
        Number | None, Field(ge=1e-6, le=1e6, description="random drift turns round at this distance from the walk")
    ] = None
    space: Annotated[
        Annotated[str, Choice(SPACES, "space")] | None,
        Field(
            description=_helps(SPACES)
            + "; without it z, or w where `layers` are given, the walk is in w, or `toward` has another class"
        ),
    ] = None
    layers: Annotated[LayerRange | None, Field(description="only these style layers")] = None

    @model_validator(mode="after")
    def _sensible(self) -> Push:
        if (self.toward is None) == (self.random is None):
            raise wrong("a push wants either `toward: <latent>` or `random: <seed>`")
        if self.box is not None and (self.random is None or self.mode != "drift"):
            raise wrong("`box` goes with `random` and `mode: drift`", key="box")
        if self.space == "z" and self.layers is not None:
            raise wrong("z has no layers", "Leave `space` out, or write `space: w`.", key="space")
        return self

    @property
    def in_w(self) -> bool:
        """Whether the push is made after the mapping network."""
        return self.space == "w" or self.layers is not None
