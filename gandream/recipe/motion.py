"""The word ``push``, which moves latents off the walk."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from gandream.base.errors import did_you_mean, listed
from gandream.recipe.curve import Constant, Curve
from gandream.recipe.fields import Choice, Duration, Length, Number, Word, helps, wrong
from gandream.recipe.latent import MAX_SEED, SAVED, Latent
from gandream.recipe.layers import LayerRange
from gandream.recipe.roams import Seed
from gandream.recipe.times import Time
from gandream.recipe.walk import PATHS, SPACES, Walk, check_pace

__all__ = ["BEGINS", "DIRECTIONS", "MAX_SEED", "MODES", "PATHS", "SPACES", "Bounced", "Push", "Walk", "check_pace"]

MODES: dict[str, str] = {
    "offset": "the push is `by` at each moment",
    "drift": "`by` is a speed per second, and the push adds up",
}

DIRECTIONS: dict[str, str] = {"ones": "every number of z by the same"}
BEGINS: dict[str, str] = {"random": "each up or down by chance", "inward": "each toward 0"}


def _direction(value: Any) -> int | bool:
    if value is not True and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SEED):
        raise wrong("wanted a seed from 0 to 4294967295 for the direction, or true")
    return value


Direction = Annotated[int | bool, BeforeValidator(_direction)]


def _along(value: Any) -> Any:
    """A direction's name, or a saved one: text or words as of a saved latent."""
    if value is None or isinstance(value, Latent) or (isinstance(value, str) and value in DIRECTIONS):
        return value
    saved = isinstance(value, dict) and "file" in value
    if not saved and not (isinstance(value, str) and any(ending in value.lower() for ending in SAVED)):
        near = did_you_mean(value, DIRECTIONS) if isinstance(value, str) else ""
        raise wrong("wanted a direction: `ones`, or a saved one such as smile.npy or directions.npz#smile", near)
    latent = Latent.model_validate(value)
    if latent.class_ is not None:
        raise wrong("a direction has no class", key="class")
    return latent


class Bounced(Word):
    """Every number of z goes straight on, some slower than others, and turns round at the walls of a box around 0.

    The walls stand still in z, wherever the walk is: what turns round is the walk and the pushes before together.
    """

    box: Annotated[Number, Field(ge=1e-3, le=1e4, description="where the walls are, in standard deviations")] = 2.0
    margin: Annotated[Number, Field(ge=0, le=1e4, description="how long before a wall it turns round")] = 0.0
    randomness: Annotated[
        Number, Field(ge=0, le=1, description="how much slower half of the numbers are at a time")
    ] = 0.5
    redraw: Annotated[Length, Field(description="how often it is drawn again which these are")] = Time.seconds(4)
    begin: Annotated[str, Choice(BEGINS, "way to begin"), Field(description=helps(BEGINS))] = "random"
    seed: Annotated[Seed | None, Field(description="draws signs and who is slower; without it the recipe's")] = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """The box alone, or true."""
        if value is True:
            return {}
        return value if isinstance(value, cls | dict) else {"box": value}

    @model_validator(mode="after")
    def _roomy(self) -> Bounced:
        if self.margin >= self.box:
            raise wrong("the margin must be smaller than the box", key="margin")
        return self


class Push(Word):
    """Moves the latent off the walk by a curve: toward a latent, or along a direction, or about in a box."""

    toward: Annotated[Latent | None, Field(description="a latent; `by: 1` arrives there")] = None
    random: Annotated[
        Direction | None,
        Field(description="a direction by its seed (true: from the recipe's); `by: 1` is one standard deviation"),
    ] = None
    along: Annotated[
        Annotated[str | Latent, BeforeValidator(_along)] | None,
        Field(
            description=f"a direction: {helps(DIRECTIONS)}, or a saved one, smile.npy, directions.npz#smile; `by: 1` "
            "is once what is saved. Where it may be both, it is one of w"
        ),
    ] = None
    bounce: Annotated[
        Bounced | None,
        Field(description="every number of z by itself, turning round in a box; `by` is its speed per second"),
    ] = None
    by: Annotated[Curve, Field(description="how far, over time")] = Constant(1.0)
    inertia: Annotated[
        Duration, Field(description="it follows `by` with this time constant, from 0 at the beginning")
    ] = Time.seconds(0)
    mode: Annotated[str, Choice(MODES, "mode"), Field(description=helps(MODES) + "; not asked with `bounce`")] = (
        "offset"
    )
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
        kinds = [word for word in ("toward", "random", "along", "bounce") if getattr(self, word) is not None]
        if len(kinds) != 1:
            problem = "a push wants either `toward: <latent>` or `random: <seed>`"
            hint = "Or `along: smile.npy`, `along: ones`, or `bounce: {box: 2}`."
            if kinds:
                problem, hint = (
                    f"one push goes one way, and here are {listed(kinds)}",
                    "Write a list with a push for each.",
                )
            raise wrong(problem, hint, key=kinds[1] if kinds else None)
        in_z = kinds[0] == "bounce" or isinstance(self.along, str)
        if in_z and (self.space == "w" or self.layers is not None):
            word = "space" if self.space == "w" else "layers"
            raise wrong(f"`{kinds[0]}` is in z", f"Leave `{word}` out.", key=word)
        if self.bounce is not None and self.mode != "offset":
            raise wrong("with `bounce`, `by` is a speed anyway", "Leave `mode` out.", key="mode")
        if self.box is not None and (self.random is None or self.mode != "drift"):
            raise wrong("`box` goes with `random` and `mode: drift`", key="box")
        if self.space == "z" and self.layers is not None:
            raise wrong("z has no layers", "Leave `space` out, or write `space: w`.", key="space")
        return self

    @property
    def in_w(self) -> bool:
        """Whether the push is made after the mapping network."""
        return self.space == "w" or self.layers is not None
