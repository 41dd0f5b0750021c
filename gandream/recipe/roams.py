"""The kinds of walk that need no list of latents: ``wander``, ``circle``, ``simplex``, ``bounce`` and others."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from gandream.recipe.curve import EASES, Constant, Curve, read_curve
from gandream.recipe.fields import (
    Choice,
    Duration,
    FileRef,
    FrameRate,
    Length,
    Number,
    Whole,
    Word,
    existing_file,
    helps,
    wrong,
)
from gandream.recipe.latent import MAX_SEED, SAVED, Latent
from gandream.recipe.times import Time

NOISES: dict[str, str] = {
    "simplex": "on triangles, the same in all directions",
    "perlin": "on squares",
}
Seed = Annotated[Whole, Field(ge=0, le=MAX_SEED)]
_SEED = "of the path, 0 to 4294967295; without it one from the recipe's"
_AROUND = "a latent to stay near; without it the whole space"
_AMOUNT = "how far it goes, in standard deviations; 1, or 0.6 around a latent"
_EVERY = "how long one lap takes"


class Wander(Word):
    """A random path: white noise in time, smoothed by a gaussian, with a variance of 1."""

    sigma: Annotated[Length, Field(description="of the gaussian: larger is calmer")] = Time.seconds(2)
    seed: Annotated[Seed | None, Field(description=_SEED)] = None
    around: Annotated[Latent | None, Field(description=_AROUND)] = None
    amount: Annotated[Curve | None, Field(description=_AMOUNT)] = None
    every: Annotated[
        Length | None, Field(description="after this time it is where it began; without it never, or with the film")
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """Sigma alone."""
        return value if isinstance(value, cls | dict) else {"sigma": value}


class Circle(Word):
    """A circle in a plane of latent space."""

    every: Annotated[Length, Field(description=_EVERY)] = Time.seconds(16)
    radius: Annotated[
        Curve | None,
        Field(description="in standard deviations: 1, 0.6 around a latent, or what begins at the first of `plane`"),
    ] = None
    around: Annotated[Latent | None, Field(description="the centre; without it the middle of the space")] = None
    plane: Annotated[
        tuple[Latent, Latent] | None,
        Field(description="two latents that lie in the circle's plane; without it a random plane"),
    ] = None
    seed: Annotated[Seed | None, Field(description="of the random plane; without it one from the recipe's")] = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """The time of a lap alone."""
        return value if isinstance(value, cls | dict) else {"every": value}

    @model_validator(mode="after")
    def _sensible(self) -> Circle:
        if self.plane is not None and self.seed is not None:
            raise wrong("`seed` draws a plane, and `plane` says which", "Keep one of the two.", key="seed")
        if self.plane is not None and self.plane[0] == self.plane[1]:
            raise wrong("a plane wants two different latents", key="plane")
        return self


class Simplex(Word):
    """A closed loop: every dimension reads its own noise along a circle."""

    every: Annotated[Length, Field(description=_EVERY)] = Time.seconds(30)
    diameter: Annotated[
        Number, Field(ge=1e-3, le=1e4, description="of the circle, in cells of the noise: larger is busier")
    ] = 0.75
    kind: Annotated[str, Choice(NOISES, "noise"), Field(description="the noise, `simplex` or `perlin`")] = "simplex"
    seed: Annotated[Seed | None, Field(description=_SEED)] = None
    around: Annotated[Latent | None, Field(description=_AROUND)] = None
    amount: Annotated[Curve | None, Field(description=_AMOUNT)] = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """The time of a lap alone."""
        return value if isinstance(value, cls | dict) else {"every": value}


class Bounce(Word):
    """Every dimension goes straight on, some slower than others, and turns round at the walls of a box."""

    speed: Annotated[
        Number, Field(ge=0, le=1e4, description="of every dimension, in standard deviations per second")
    ] = 0.4
    box: Annotated[
        Number | None,
        Field(ge=1e-3, le=1e4, description="where the walls are, in standard deviations: 2, or 1 around a latent"),
    ] = None
    randomness: Annotated[
        Number, Field(ge=0, le=1, description="how much slower half of the dimensions are at a time")
    ] = 0.5
    redraw: Annotated[Length, Field(description="how often it is drawn again which these are")] = Time.seconds(4)
    seed: Annotated[Seed | None, Field(description=_SEED)] = None
    around: Annotated[Latent | None, Field(description="the middle of the box, where it begins")] = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """The speed alone."""
        return value if isinstance(value, cls | dict) else {"speed": value}


def _recording(value: Any) -> FileRef:
    file = existing_file(value, f"a saved trajectory ({', '.join(SAVED)})")
    if file.path.suffix.lower() not in SAVED:
        raise wrong(f"saved trajectories are {', '.join(SAVED)} files")
    return file


class Recorded(Word):
    """A saved trajectory: z [F, D], or w [F, L, D], at its own frame rate or spread over a time."""

    file: Annotated[
        FileRef,
        BeforeValidator(_recording),
        PlainSerializer(str),
        WithJsonSchema({"type": "string"}),
        Field(description="the file, as `gandream trajectory` writes it: z [F, D] or w [F, L, D]"),
    ]
    name: Annotated[str | None, Field(description="which array in it, where there are several")] = None
    fps: Annotated[
        FrameRate | None, Field(description="its rows per second; without it what the file says, else the whole film")
    ] = None
    duration: Annotated[Length | None, Field(description="instead of `fps`: how long it takes")] = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """The file alone."""
        return value if isinstance(value, cls | dict) else {"file": value}

    @model_validator(mode="after")
    def _sensible(self) -> Recorded:
        if self.fps is not None and self.duration is not None:
            raise wrong("`fps` and `duration` can't both be given", "Keep one of the two.", key="duration")
        return self


def _clip(value: Any) -> FileRef:
    return existing_file(value, "a video file")


class Footage(Word):
    """A video's pictures lead the way: alike ones to alike latents, and where they move, it moves."""

    file: Annotated[
        FileRef,
        BeforeValidator(_clip),
        PlainSerializer(str),
        WithJsonSchema({"type": "string"}),
        Field(description="the video; an hour at most"),
    ]
    smooth: Annotated[
        Duration, Field(description="gaussian smoothing of its pictures over time: the sigma; a cut becomes a glide")
    ] = Time.seconds(Fraction(1, 5))
    seed: Annotated[Seed | None, Field(description="of the latents that pictures lead to")] = None
    around: Annotated[Latent | None, Field(description=_AROUND)] = None
    amount: Annotated[Curve | None, Field(description=_AMOUNT)] = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """The file alone."""
        return value if isinstance(value, cls | dict) else {"file": value}


PLANE_WAYS: dict[str, str] = {
    "level": "between seeds it is as far from the middle as at them",
    "straight": "straight from seed to seed, so nearer to the middle between them",
}


class Plane(Word):
    """A plane of seeds: one at every whole x and y, and their mixture between."""

    x: Annotated[Curve, Field(description="how many seeds to the right")] = read_curve("t / 4")
    y: Annotated[Curve, Field(description="how many rows down")] = Constant(0.0)
    seed: Annotated[Seed, Field(description="the seed at x 0 and y 0")] = 0
    stride: Annotated[Whole, Field(ge=1, le=MAX_SEED, description="seeds from one row to the next")] = 100
    ease: Annotated[str, Choice(EASES, "ease"), Field(description="the pace between two seeds")] = "linear"
    way: Annotated[str, Choice(PLANE_WAYS, "way"), Field(description=helps(PLANE_WAYS))] = "level"
    amount: Annotated[Curve, Field(description="times z: how far from the middle")] = Constant(1.0)


__all__ = ["NOISES", "PLANE_WAYS", "Bounce", "Circle", "Footage", "Plane", "Recorded", "Seed", "Simplex", "Wander"]
