"""The word ``classes``: how the class of a conditional model moves."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from gandream.recipe.curve import EASES
from gandream.recipe.fields import Choice, Length, Moment, Switch, TimeCheck, Word, listed_as_one
from gandream.recipe.latent import ClassWord
from gandream.recipe.motion import check_pace
from gandream.recipe.times import Time


def _hold(time: Time) -> str:
    if time.amount < 0:
        return "a time can't be negative here"
    return "a class can be held for 100% of its step at most" if time.unit == "%" and time.amount > 100 else ""


Hold = Annotated[Time, TimeCheck(_hold)]


class Classes(Word):
    """Class morphs: latents that name no class of their own have the one of the moment. The walk goes on by itself."""

    through: Annotated[
        tuple[ClassWord, ...],
        BeforeValidator(listed_as_one),
        Field(min_length=1, max_length=10000, description="the classes in order, by number or name; one stays"),
    ]
    every: Annotated[
        Length | None,
        Field(description="time from one class to the next, `hold` included (4s where `at` says nothing)"),
    ] = None
    at: Annotated[tuple[Moment, ...] | None, Field(description="instead of `every`: the time of each class")] = None
    hold: Annotated[
        Hold, Field(description="how long a class stays pure before the next one comes: a time, or a % of the step")
    ] = Time.seconds(0)
    ease: Annotated[str, Choice(EASES, "ease"), Field(description="the pace between two classes")] = "smooth"
    loop: Annotated[
        Switch, Field(description="after the last class: back to the first (true), or stay there (false)")
    ] = True

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """The classes alone."""
        return value if isinstance(value, cls | dict) else {"through": value}

    @model_validator(mode="after")
    def _timing(self) -> Classes:
        check_pace(self.every, self.at, len(self.through), "class", "classes")
        return self
