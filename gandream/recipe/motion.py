"""The word ``push``, which moves latents off the walk."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from gandream.recipe.curve import Constant, Curve
from gandream.recipe.fields import Choice, Number, Word, wrong
from gandream.recipe.latent import MAX_SEED, Latent
from gandream.recipe.layers import LayerRange
from gandream.recipe.walk import PATHS, SPACES, Walk, check_pace, helps

__all__ = ["MAX_SEED", "MODES", "PATHS", "SPACES", "Push", "Walk", "check_pace"]

MODES: dict[str, str] = {
    "offset": "the push is `by` at each moment",
    "drift": "`by` is a speed per second, and the push adds up",
}


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
    mode: Annotated[str, Choice(MODES, "mode"), Field(description=helps(MODES))] = "offset"
    box: Annotated[
        Number | None, Field(ge=1e-6, le=1e6, description="random drift turns round at this distance from the walk")
    ] = None
    space: Annotated[
        Annotated[str, Choice(SPACES, "space")] | None,
        Field(
            description=helps(SPACES)
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
