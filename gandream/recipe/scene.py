"""The words of a scene, and ``scenes``: which of them is seen when, and how one comes after the other."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    model_serializer,
    model_validator,
)

from gandream.base.errors import did_you_mean, listed
from gandream.recipe.bend import BendList
from gandream.recipe.camera import Camera
from gandream.recipe.classes import Classes
from gandream.recipe.curve import EASES, Constant
from gandream.recipe.effects import Effects
from gandream.recipe.fields import Choice, Length, Moment, Reads, Whole, Word, listed_as_one, wrong
from gandream.recipe.latent import MAX_SEED
from gandream.recipe.layering import Blends, Mixes, Noises, Truncation
from gandream.recipe.layers import LayerWord
from gandream.recipe.model import Model
from gandream.recipe.motion import Push, Walk
from gandream.recipe.regions import RegionList
from gandream.recipe.seeds import Seeds, Stops
from gandream.recipe.smooth import Smooth
from gandream.recipe.use import Use

MOST_SCENES = 200
PALETTE = 4
"""Seeds of each label, if nothing is said."""


class Looks(Word):
    """What a scene is made of; at the recipe's top, what scenes have that don't say otherwise."""

    walk: Annotated[Walk, Field(description="the base path through latent space")] = Walk()
    classes: Annotated[
        Classes | None,
        Field(description="class morphs of conditional models, for latents without a class of their own"),
    ] = None
    push: Annotated[
        tuple[Push, ...],
        BeforeValidator(listed_as_one),
        Field(description="moves the latent off the walk; one or a list"),
    ] = ()
    mix: Annotated[Mixes, Field(description="style mixing: some layers from elsewhere; one or a list, in order")] = ()
    blend: Annotated[Blends, Field(description="latents weighted by the bands of a signal; one or a list")] = ()
    smooth: Annotated[
        Smooth | None, Field(description="gaussian smoothing of w over time, after walk, blends and mixes")
    ] = None
    truncation: Annotated[
        Truncation,
        Field(description="truncation psi: 1 as trained, toward 0 calmer, beyond 1 wilder; or a list of {layers, psi}"),
    ] = Constant(1.0)
    noise: Annotated[
        Noises, Field(description="the noise maps of style-based generators; one, or a list by layers")
    ] = ()
    regions: Annotated[
        RegionList, Field(description="parts of the picture that show a latent or a walk of their own; one or a list")
    ] = ()
    bend: Annotated[
        BendList, Field(description="operations on what layers of the generator give; one or a list, in this order")
    ] = ()
    camera: Annotated[
        Camera | None, Field(description="makes the picture larger, turns and moves it, inside the model where it can")
    ] = None
    layer: Annotated[
        LayerWord | None,
        Field(description="shows what this layer makes instead of the picture: its number, from 0, or its name"),
    ] = None
    effects: Annotated[Effects, Field(description="what is done to the finished pictures, in this order")] = ()


_CUT, _CROSSFADE = "cut", "crossfade"
TRANSITIONS: dict[str, str] = {
    _CUT: "from one frame to the next",
    _CROSSFADE: "the one before goes on, and the scene comes in over it",
}


class Transition(Word):
    """How a scene comes in: `cut`, `crossfade 1s`, or `{crossfade: 1 bar, ease: smooth}`."""

    crossfade: Annotated[
        Length | None,
        Field(description="how long the pictures are blended, from where the scene begins; without it a cut"),
    ] = None
    ease: Annotated[str, Choice(EASES, "ease"), Field(description="the pace of it")] = "linear"

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """``cut``, ``crossfade`` (1s), ``crossfade 2 bars``."""
        if not isinstance(value, str):
            return value
        word, _, time = value.strip().partition(" ")
        if word not in TRANSITIONS or (word == _CUT and time):
            hint = did_you_mean(word, TRANSITIONS) or "For instance `transition: crossfade 1s`."
            raise wrong(f"wanted a transition: {listed(TRANSITIONS)} and its length", hint)
        return {} if word == _CUT else {"crossfade": time or "1s"}

    @model_validator(mode="after")
    def _sensible(self) -> Transition:
        if self.ease != "linear" and self.crossfade is None:
            raise wrong("`ease` goes with `crossfade`", "For instance {crossfade: 1s, ease: smooth}.", key="ease")
        return self


class Own(Looks):
    """The words of a scene, of which only those count that are said."""

    use: Annotated[
        Use, Field(description="a preset, as `use` at the top: it stands for words of this scene; those it says win")
    ] = None

    @model_serializer(mode="wrap")
    def _said(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        names = {str(name) for word in self.model_fields_set for name in (word, type(self).model_fields[word].alias)}
        return {name: value for name, value in written(self).items() if name in names}


class Scene(Own):
    """A part of the film. Its own words begin with it; what it doesn't say is as at the recipe's top."""

    at: Annotated[
        Moment | None,
        Field(description="when it begins: `10s`, `16 bars`, `section 3`; without it when the one before ends"),
    ] = None
    for_: Annotated[
        Length | None,
        Field(alias="for", description="how long it lasts; without it until the next one, or the film's end"),
    ] = None
    transition: Annotated[Transition | None, Field(description="how it comes in, as `transition` at the top")] = None
    model: Annotated[Model | None, Field(description="the generator of this scene")] = None
    seed: Annotated[
        Whole | None,
        Field(ge=0, le=MAX_SEED, description="feeds what has no seed of its own; without it the recipe's does"),
    ] = None


class Labelled(Own):
    """What sections of one label have of their own. Their words begin with each of them."""

    transition: Annotated[Transition | None, Field(description="how they come in, as `transition` at the top")] = None
    model: Annotated[Model | None, Field(description="the generator of these sections")] = None


def _labelled(value: Any) -> Any:
    """Refuse names that no section has."""
    for key in value if isinstance(value, dict) else ():
        if not isinstance(key, str) or not re.fullmatch(r"[A-L]", key):
            raise wrong("sections are labelled A, B, C ... as they appear in the music", key=key)
    return value


Latents = Annotated[Stops, BeforeValidator(listed_as_one)]
_PALETTES: TypeAdapter[dict[str, Stops]] = TypeAdapter(dict[str, Latents])


def _palette(value: Any) -> Any:
    if isinstance(value, Seeds):
        return value
    if isinstance(value, int | str) and not isinstance(value, bool):
        value = {"seeds": value}
    if not isinstance(value, dict):
        raise wrong("wanted how many seeds each label has, such as 4, or {A: [1, 2], B: [7, 8, 9]}")
    if "seeds" not in value:
        empty = next((label for label, latents in value.items() if latents in ([], ())), None)
        if empty is not None:
            raise wrong("a palette has at least one latent", key=empty)
        return _PALETTES.validate_python(_labelled(value))
    seeds = Seeds.model_validate(value)
    if isinstance(seeds.seeds, tuple):
        raise wrong("each label has seeds of its own", "Say how many, such as 4, or {A: [1, 2], B: [7, 8, 9]}.")
    return seeds


class Sectioned(Word):
    """A scene for each section of the music; sections that are alike return to the same latents."""

    from_: Annotated[str, Choice(("sections",), "source of scenes"), Field(alias="from", description="`sections`")] = (
        "sections"
    )
    palette: Annotated[
        Seeds | dict[str, Stops],
        BeforeValidator(_palette),
        Reads(Seeds),
        Field(
            description="what the walk goes through: `4` seeds drawn for each label, {seeds: 4, seed: 7}, or "
            "{A: [1, 2, 3], B: [7, 8]}; a label that isn't named draws 4"
        ),
    ] = Seeds(seeds=PALETTE)
    labels: Annotated[
        dict[str, Labelled],
        BeforeValidator(_labelled),
        Field(description="words of a scene for all sections of a label: {B: {effects: ...}}"),
    ] = Field(default_factory=dict)


_SCENES: TypeAdapter[tuple[Scene, ...]] = TypeAdapter(tuple[Scene, ...])


def _scenes(value: Any) -> Any:
    if value is None or isinstance(value, Sectioned):
        return value
    if isinstance(value, str):
        value = {"from": value}
    if isinstance(value, dict):
        return Sectioned.model_validate(value)
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MOST_SCENES:
        raise wrong(f"wanted a list of 1 to {MOST_SCENES} scenes, or `sections`")
    return _SCENES.validate_python(value)


Scenes = Annotated[tuple[Scene, ...] | Sectioned | None, BeforeValidator(_scenes)]
