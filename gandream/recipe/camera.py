"""The word ``camera``: the picture is made larger, turned and moved, inside the generator where that can be done."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from gandream.recipe.bend import Pair
from gandream.recipe.curve import Constant, Curve
from gandream.recipe.fields import Choice, Whole, Word, helps
from gandream.recipe.latent import MAX_SEED
from gandream.recipe.ranges import Degrees, Range
from gandream.recipe.times import parse_time

ANCHORS: dict[str, str] = {
    "own": "each latent places its picture as it was trained",
    "mean": "all pictures are placed as the mean one is, so that a walk doesn't drift and turn",
}
BY: dict[str, str] = {
    "model": "inside the model where it can be done, else the picture",
    "picture": "the finished picture",
}


class Shake(Word):
    """A hand that isn't steady: smooth noise in place and angle, closed where the film loops."""

    amount: Annotated[
        Curve, Range(0, 1, idle=0), Field(description="how far, in heights of the picture; 1 also turns by a radian")
    ] = Constant(0.02)
    speed: Annotated[Curve, Field(description="changes of direction per second, about")] = Constant(3.0)
    seed: Annotated[Whole | None, Field(ge=0, le=MAX_SEED, description="without it: from the recipe's")] = None


def _shake(value: Any) -> Any:
    """An amount alone; keyframes are a mapping too, and have none of the words."""
    words = isinstance(value, dict) and not any(_is_time(key) for key in value)
    return value if isinstance(value, Shake) or words else {"amount": value}


def _is_time(key: Any) -> bool:
    try:
        parse_time(key)
    except ValueError:
        return False
    return True


class Camera(Word):
    """The picture is sheared, turned and made larger about its middle, and then moved."""

    zoom: Annotated[Curve, Range(0.01, 1000, idle=1), Field(description="times; 2 is twice as large; 0.01 to 1000")] = (
        Constant(1.0)
    )
    rotate: Annotated[Degrees, Field(description="degrees, clockwise")] = Constant(0.0)
    pan: Annotated[
        Pair, Field(description="[x, y]: the picture moves right in its widths, and up in its heights; or x alone")
    ] = (Constant(0.0), Constant(0.0))
    shear: Annotated[
        Curve, Range(-10, 10, idle=0), Field(description="the top leans to the right by this much of its height")
    ] = Constant(0.0)
    shake: Annotated[
        Annotated[Shake, BeforeValidator(_shake)] | None,
        Field(description="smooth noise in place and angle: {amount, speed, seed}, or the amount alone"),
    ] = None
    zoom_speed: Annotated[
        Curve,
        Range(-20, 20, idle=0),
        Field(description="infinite zoom: 1 is twice as large each second, without end; below 0 out of it; -20 to 20"),
    ] = Constant(0.0)
    anchor: Annotated[str, Choice(ANCHORS, "anchor"), Field(description="StyleGAN3: " + helps(ANCHORS))] = "own"
    by: Annotated[str, Choice(BY, "camera"), Field(description="what is moved: " + helps(BY))] = "model"
