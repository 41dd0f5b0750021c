"""The word ``regions``: latents that differ across the picture (split frame)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from gandream.recipe.fields import Reads, helps, listed_as_one
from gandream.recipe.layering import Mixing
from gandream.recipe.noise import PARTS_OF_THE_PICTURE, Spot, Where


class RegionOfLatent(Mixing):
    """A part of the picture that shows a latent or a walk of its own."""

    where: Annotated[
        Where,
        Reads(Spot),
        Field(
            description="the part of the picture: "
            + helps(PARTS_OF_THE_PICTURE)
            + "; an image file, white is where; or a spot {x: 0.5, y: 0.5, radius: 0.3}"
        ),
    ]


RegionList = Annotated[tuple[RegionOfLatent, ...], BeforeValidator(listed_as_one), Field(max_length=16)]
