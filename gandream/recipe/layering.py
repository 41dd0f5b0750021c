"""The words that tell layers apart: ``mix``, ``blend``, ``noise``, and ``truncation`` by layer."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, TypeAdapter, model_validator

from gandream.recipe.curve import Constant, Curve, curve_written, read_curve
from gandream.recipe.fields import Choice, Duration, Moment, Reads, Whole, Word, Words, listed_as_one, wrong
from gandream.recipe.latent import MAX_SEED, Latent
from gandream.recipe.layers import LayerRange, Layers
from gandream.recipe.motion import Walk

NOISES: dict[str, str] = {
    "fixed": "the maps that the model was saved with",
    "off": "none",
    "animate": "maps that change smoothly; closed where the film loops",
}
ALL = Layers(("all",))


def _source(value: Any) -> Any:
    """A latent, or a whole second walk: words of a walk."""
    if isinstance(value, Walk | Latent):
        return value
    if isinstance(value, dict) and not set(Walk.words()).isdisjoint(value):
        return Walk.model_validate(value)
    return Latent.model_validate(value)


class Mix(Word):
    """Style mixing: some layers go from what is there to a latent, or to a whole second walk."""

    source: Annotated[
        Annotated[Latent | Walk, BeforeValidator(_source)],
        Field(alias="from", description="a latent, or a second walk such as {through: [4, 5], every: 2s}"),
    ]
    layers: Annotated[LayerRange, Field(description="the style layers that are mixed")] = ALL
    amount: Annotated[Curve, Field(description="0: nothing, 1: all of it; beyond is allowed")] = Constant(1.0)
    at: Annotated[Moment | None, Field(description="from this time on")] = None
    until: Annotated[Moment | None, Field(description="up to this time")] = None
    fade: Annotated[
        Duration | None, Field(description="how long it takes to come in at `at` and to go before `until`")
    ] = None

    @model_validator(mode="after")
    def _sensible(self) -> Mix:
        if self.fade is not None and self.at is None and self.until is None:
            raise wrong("`fade` goes with `at` or `until`", "Without them the mix is there all the time.", key="fade")
        return self


class Blend(Word):
    """Many latents at once, weighted by the bands of a signal: each pitch class has its picture."""

    by: Annotated[Words, Field(description="the name of a signal with bands, such as a chroma")]
    latents: Annotated[
        tuple[Latent, ...], Field(min_length=1, max_length=256, description="one for each band, in order")
    ]
    layers: Annotated[LayerRange, Field(description="the style layers that are blended")] = ALL
    amount: Annotated[Curve, Field(description="0: nothing, 1: all of it")] = Constant(1.0)


class Noise(Word):
    """The noise maps of the style-based generators; models without them are not changed."""

    mode: Annotated[
        str, Choice(NOISES, "noise"), Field(description="; ".join(f"`{k}`: {v}" for k, v in NOISES.items()))
    ] = "fixed"
    strength: Annotated[Curve, Field(description="times what the model learned")] = Constant(1.0)
    speed: Annotated[Curve, Field(description="new maps per second, with `animate`")] = Constant(1.0)
    seed: Annotated[
        Whole | None, Field(ge=0, le=MAX_SEED, description="of the animated maps; without it the recipe's")
    ] = None
    layers: Annotated[LayerRange, Field(description="the style layers meant; others keep the model's noise")] = ALL

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """A mode alone."""
        return value if isinstance(value, cls | dict) else {"mode": value}


class LayerPsi(Word):
    """Truncation of some layers."""

    psi: Annotated[Curve, Field(description="1 as trained, toward 0 calmer, beyond 1 wilder")]
    layers: Annotated[LayerRange, Field(description="the style layers meant; others are not truncated")]


def _truncation(value: Any) -> Any:
    if isinstance(value, dict) and not set(LayerPsi.words()).isdisjoint(value):
        value = [value]
    if isinstance(value, list | tuple):
        return TypeAdapter(tuple[LayerPsi, ...]).validate_python(value)
    return read_curve(value)


def _truncation_written(value: Any) -> Any:
    return [item.model_dump(mode="json") for item in value] if isinstance(value, tuple) else curve_written(value)


Truncation = Annotated[
    Curve | tuple[LayerPsi, ...],
    BeforeValidator(_truncation),
    Reads(tuple[LayerPsi, ...]),
    PlainSerializer(_truncation_written),
]
Mixes = Annotated[tuple[Mix, ...], BeforeValidator(listed_as_one)]
Blends = Annotated[tuple[Blend, ...], BeforeValidator(listed_as_one)]
Noises = Annotated[tuple[Noise, ...], BeforeValidator(listed_as_one)]
