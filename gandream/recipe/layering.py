"""The words that tell layers apart: ``mix``, ``blend``, and ``truncation`` by layer."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, TypeAdapter, model_validator

from gandream.base.errors import did_you_mean
from gandream.recipe.curve import EASES, Constant, Curve, curve_written, read_curve
from gandream.recipe.fields import (
    Choice,
    Duration,
    Length,
    Moment,
    Number,
    Reads,
    Whole,
    Word,
    Words,
    helps,
    listed_as_one,
    wrong,
)
from gandream.recipe.latent import Latent
from gandream.recipe.layers import LayerRange
from gandream.recipe.motion import Walk
from gandream.recipe.noise import ALL, NOISES, Noise, Noises
from gandream.recipe.times import Time

Several = Annotated[tuple[Latent, ...], Field(min_length=1, max_length=10000)]


def _source(value: Any) -> Any:
    """A latent, a list of them, or a whole second walk: words of a walk."""
    if isinstance(value, Walk | Latent):
        return value
    if isinstance(value, list | tuple):
        return TypeAdapter(Several).validate_python(value)
    # `file` alone is a saved latent; a walk along a file says more, or what it says of it.
    if isinstance(value, dict) and (
        not (set(Walk.words()) - {"file"}).isdisjoint(value) or isinstance(value.get("file"), dict)
    ):
        return Walk.model_validate(value)
    return Latent.model_validate(value)


__all__ = [
    "ALL",
    "BAND_ORDERS",
    "NOISES",
    "Blend",
    "Blends",
    "LayerPsi",
    "Mix",
    "Mixes",
    "Nearest",
    "Noise",
    "Noises",
    "Truncated",
    "Truncation",
]


class Mixing(Word):
    """A latent or a walk that comes in beside what is there, and when."""

    source: Annotated[
        Annotated[Latent | Several | Walk, BeforeValidator(_source)],
        Field(
            alias="from",
            description="a latent, or a second walk such as {through: [4, 5], every: 2s}; or with `every` a list of "
            "latents, the next one each time",
        ),
    ]
    layers: Annotated[LayerRange, Field(description="the style layers that are mixed")] = ALL
    amount: Annotated[Curve, Field(description="0: nothing, 1: all of it; beyond is allowed")] = Constant(1.0)
    at: Annotated[Moment | None, Field(description="from this time on")] = None
    until: Annotated[Moment | None, Field(description="up to this time")] = None
    every: Annotated[
        Length | None, Field(description="comes again and again, the first time at `at` or with the film, for `for`")
    ] = None
    for_: Annotated[
        Length | None,
        Field(alias="for", description="how long it is there each time; a list of latents stays until the next one"),
    ] = None
    fade: Annotated[
        Duration | None,
        Field(description="how long it takes to come in at `at` and to go before `until`, and so each time of `every`"),
    ] = None
    ease: Annotated[str, Choice(EASES, "ease"), Field(description="the pace of the fade")] = "linear"

    @model_validator(mode="after")
    def _sensible(self) -> Mixing:
        if self.fade is not None and self.at is None and self.until is None and self.every is None:
            hint = "Without them the mix is there all the time."
            raise wrong("`fade` goes with `at`, `until` or `every`", hint, key="fade")
        if self.ease != "linear" and self.fade is None:
            raise wrong("`ease` goes with `fade`", "For instance `fade: 0.5s`.", key="ease")
        if isinstance(self.source, tuple) and self.every is None:
            hint = "For instance `every: 4 beats`; a walk through them is {through: [4, 5]}."
            raise wrong("a list of latents goes with `every`", hint, key="from")
        if self.for_ is not None and self.every is None:
            raise wrong("`for` goes with `every`", "Once, a mix is there from `at` up to `until`.", key="for")
        if self.every is not None and self.for_ is None and not isinstance(self.source, tuple):
            raise wrong("`every` wants `for`", "For instance `every: 4 beats, for: 1 beat`.", key="every")
        return self


class Mix(Mixing):
    """Style mixing: some layers go from what is there to a latent, or to a whole second walk."""


BAND_ORDERS: dict[str, str] = {
    "as written": "the first latent to the first band",
    "median": "the first latent to the band whose median over the film is lowest; of fewer latents, to the lowest",
}


class Blend(Word):
    """Many latents at once, weighted by the bands of a signal: each pitch class has its picture."""

    by: Annotated[Words, Field(description="the name of a signal with bands, such as a chroma")]
    latents: Annotated[
        tuple[Latent, ...], Field(min_length=1, max_length=256, description="one for each band, in order")
    ]
    order: Annotated[str, Choice(BAND_ORDERS, "order"), Field(description=helps(BAND_ORDERS))] = "as written"
    smooth: Annotated[
        Duration, Field(description="gaussian smoothing of the weights, which go on to sum to 1: the sigma")
    ] = Time.seconds(0)
    layers: Annotated[LayerRange, Field(description="the style layers that are blended")] = ALL
    amount: Annotated[Curve, Field(description="0: nothing, 1: all of it")] = Constant(1.0)


class LayerPsi(Word):
    """Truncation of some layers."""

    psi: Annotated[Curve, Field(description="1 as trained, toward 0 calmer, beyond 1 wilder")]
    layers: Annotated[LayerRange, Field(description="the style layers meant; others are not truncated")]


Psis = tuple[LayerPsi, ...]


def _psi(value: Any) -> Any:
    """A curve, or a list by layers."""
    return TypeAdapter(Psis).validate_python(value) if isinstance(value, list | tuple) else read_curve(value)


def _psi_written(value: Any) -> Any:
    return [item.model_dump(mode="json") for item in value] if isinstance(value, tuple) else curve_written(value)


class Nearest(Word):
    """Several centres, of which the nearest counts (after the multi-modal truncation of Mokady et al. 2022)."""

    nearest: Annotated[
        Several, BeforeValidator(listed_as_one), Field(max_length=64, description="the centres: latents")
    ]
    softness: Annotated[
        Number,
        Field(ge=1e-3, le=1e3, description="how softly one gives way to another; small is sharp, large is their mean"),
    ] = 0.1


def _toward(value: Any) -> Any:
    if isinstance(value, Nearest | Latent):
        return value
    if isinstance(value, str) and value == "class":
        return "class"
    if isinstance(value, str) and value != "mean" and not value.isdecimal() and "." not in value:
        problem = "wanted a centre: a latent such as 7 or faces.npz#smile, mean, class, or {nearest: [3, 5, 8]}"
        raise wrong(problem, did_you_mean(value, ("mean", "class")))
    if isinstance(value, dict) and not {"nearest", "softness"}.isdisjoint(value):
        return Nearest.model_validate(value)
    return Latent.model_validate(value)


def _toward_written(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else value.model_dump(mode="json")


class Truncated(Word):
    """Truncation with more to say about it than how much."""

    psi: Annotated[
        Annotated[Curve | Psis, BeforeValidator(_psi), PlainSerializer(_psi_written)],
        Field(description="1 as trained, toward 0 calmer, beyond 1 wilder; or a list of {layers, psi}"),
    ]
    layers: Annotated[LayerRange | None, Field(description="only these style layers")] = None
    cutoff: Annotated[
        Whole | None, Field(ge=0, le=9999, description="the layer from which on nothing is truncated")
    ] = None
    toward: Annotated[
        Annotated[Latent | Nearest | str, BeforeValidator(_toward), PlainSerializer(_toward_written)] | None,
        Field(
            description="another centre: a latent; `class`, the mean of the class; or the nearest of several, "
            "{nearest: [3, 5, 8]}. Without it the mean"
        ),
    ] = None

    @model_validator(mode="after")
    def _sensible(self) -> Truncated:
        said = ["psi"] if isinstance(self.psi, tuple) else []
        said += [word for word in ("layers", "cutoff") if getattr(self, word) is not None]
        if len(said) > 1:
            raise wrong("`layers`, `cutoff` and a list by layers say the same", "Keep one of them.", key=said[0])
        return self


def _truncation(value: Any) -> Any:
    if isinstance(value, Truncated):
        return value
    if isinstance(value, dict) and not set(Truncated.words()).isdisjoint(value):
        if value.keys() != {"psi", "layers"}:
            return Truncated.model_validate(value)
        value = [value]
    return _psi(value)


def _truncation_written(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, Truncated) else _psi_written(value)


Truncation = Annotated[
    Curve | Psis | Truncated,
    BeforeValidator(_truncation),
    Reads(Truncated),
    Reads(Psis),
    PlainSerializer(_truncation_written),
]
Mixes = Annotated[tuple[Mix, ...], BeforeValidator(listed_as_one)]
Blends = Annotated[tuple[Blend, ...], BeforeValidator(listed_as_one)]
