"""The word ``smooth``: gaussian smoothing of all that the generator is fed, over time."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from gandream.recipe.fields import Length, Number, Word


class Smooth(Word):
    """Rounds off how the latents move, jumps too, after walk, blends and mixes: `smooth: 70ms`."""

    sigma: Annotated[Length, Field(description="of the gaussian, which reaches four of them to both sides")]
    causal: Annotated[
        Number,
        Field(ge=0, le=1, description="the weight of what is still to come; 1 is centred, 0 never looks ahead"),
    ] = 1.0

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """The sigma alone."""
        return value if isinstance(value, cls | dict) else {"sigma": value}
