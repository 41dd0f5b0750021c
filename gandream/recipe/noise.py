"""The word ``noise``: the noise maps of the style-based generators."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from gandream.base.errors import did_you_mean, listed
from gandream.recipe.curve import Constant, Curve
from gandream.recipe.fields import (
    Choice,
    FileRef,
    Reads,
    Switch,
    Whole,
    Word,
    Words,
    existing_file,
    helps,
    listed_as_one,
    wrong,
)
from gandream.recipe.latent import MAX_SEED
from gandream.recipe.layers import LayerRange, Layers

NOISES: dict[str, str] = {
    "fixed": "the maps that the model was saved with",
    "off": "none",
    "animate": "maps that change smoothly; closed where the film loops",
}
PARTS_OF_THE_PICTURE: dict[str, str] = {
    "left": "its left half",
    "right": "its right half",
    "top": "its upper half",
    "bottom": "its lower half",
    "centre": "a round spot in the middle",
    "edges": "the outer quarter all round",
}
ALL = Layers(("all",))
_WHERE = f"{listed(PARTS_OF_THE_PICTURE)}, an image file (white is where), or a spot {{x: 0.5, y: 0.5, radius: 0.3}}"


class Spot(Word):
    """A round spot of the picture with a soft edge."""

    x: Annotated[Curve, Field(description="its middle, 0 at the left edge of the picture, 1 at the right")] = Constant(
        0.5
    )
    y: Annotated[Curve, Field(description="0 at the upper edge, 1 at the lower")] = Constant(0.5)
    radius: Annotated[Curve, Field(description="in heights of the picture; the outer half of it fades away")] = (
        Constant(0.3)
    )


def _where(value: Any) -> Any:
    if isinstance(value, Spot | FileRef):
        return value
    if isinstance(value, dict):
        return Spot.model_validate(value)
    if not isinstance(value, str) or not value:
        raise wrong(f"wanted a part of the picture: {_WHERE}")
    if value in PARTS_OF_THE_PICTURE:
        return str(value)
    if "." not in value and "/" not in value:
        raise wrong(f"wanted a part of the picture: {_WHERE}", did_you_mean(value, PARTS_OF_THE_PICTURE))
    return existing_file(value, "an image file")


Where = Annotated[
    str | Annotated[FileRef, WithJsonSchema({"type": "string"})] | Spot,
    BeforeValidator(_where),
    PlainSerializer(lambda where: where.model_dump(mode="json") if isinstance(where, Spot) else str(where)),
]


class Noise(Word):
    """The noise maps of the style-based generators; models without them are not changed."""

    mode: Annotated[str, Choice(NOISES, "noise"), Field(description=helps(NOISES))] = "fixed"
    strength: Annotated[Curve, Field(description="times what the model learned")] = Constant(1.0)
    speed: Annotated[Curve, Field(description="new maps per second, with `animate`")] = Constant(1.0)
    seed: Annotated[
        Whole | None, Field(ge=0, le=MAX_SEED, description="of the animated maps; without it the recipe's")
    ] = None
    layers: Annotated[LayerRange, Field(description="the style layers meant; others keep the model's noise")] = ALL
    by: Annotated[
        Words | None,
        Field(
            description="a signal with bands, also times the strength: low bands the coarse layers, high ones the fine"
        ),
    ] = None
    where: Annotated[
        Where | None, Reads(Spot), Field(description=f"the part of the picture that has noise: {_WHERE}")
    ] = None
    pyramid: Annotated[
        Switch, Field(description="with `animate`: one noise for all layers, which each sees at its resolution")
    ] = False
    optional: Annotated[
        Switch,
        Field(description="a model goes without those of these layers that it hasn't (true), or is refused (false)"),
    ] = False

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """A mode alone."""
        return value if isinstance(value, cls | dict) else {"mode": value}

    @model_validator(mode="after")
    def _sensible(self) -> Noise:
        if self.pyramid and self.mode != "animate":
            raise wrong("`pyramid` goes with `mode: animate`", "With `speed: 0` it stands still.", key="pyramid")
        return self


Noises = Annotated[tuple[Noise, ...], BeforeValidator(listed_as_one)]
