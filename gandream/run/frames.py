"""The part of a film that is asked for by its frames."""

from __future__ import annotations

from gandream.base.errors import OutputError
from gandream.recipe.draft import EVERY, in_draft
from gandream.recipe.recipe import Recipe
from gandream.run.prepare import Prepared


def frame_range(
    recipe: Recipe, frames: tuple[int | None, int | None] | None, prepared: Prepared
) -> tuple[int, int] | None:
    """The asked range held against the film's length; of a draft, in frames of the draft."""
    if frames is None:
        return None
    own = prepared.score.trajectory.frames
    total = own * EVERY if recipe.drafted else own
    start, stop = frames[0] or 0, total if frames[1] is None else frames[1]
    rest = 1 if recipe.drafted else 0  # a frame at the end may be too little for one of the draft
    if not 0 <= start < stop <= total + rest:
        raise OutputError(
            f"--frames {start}:{stop}",
            f"the film has frames 0:{total}",
            f"For instance --frames 0:{min(60, total)}.",
        )
    if recipe.drafted:
        start, stop = in_draft((start, stop))
        return min(start, own - 1), min(stop, own)
    return start, stop
