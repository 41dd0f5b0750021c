"""What a film, a still and a plan have in common: the model's facts, the score, the format of the picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gandream.base.errors import CheckpointError, RecipeError
from gandream.base.hashing import file_fingerprint
from gandream.models.registry import describe, load_generator
from gandream.models.spec import Spec
from gandream.recipe.recipe import Recipe
from gandream.trajectory.compose import Score, compose
from gandream.video.format import VideoFormat

if TYPE_CHECKING:
    from gandream.models.spec import Generator


DEFAULT_SIZE = (512, 512)
"""Width and height of a film whose recipe names none, of a model that has any size."""


@dataclass(frozen=True)
class Prepared:
    """A recipe that is checked against its music and model; torch isn't loaded yet."""

    recipe: Recipe
    spec: Spec
    score: Score
    fmt: VideoFormat
    warnings: tuple[str, ...]


def prepare(recipe: Recipe, cache: Path, *, beats: bool = False) -> Prepared:
    """Check everything that can be wrong before frame 0; what was heard in the music is kept in ``cache``."""
    spec = describe_model(recipe)
    fmt, odd = picture_format(recipe, spec)
    score = compose(recipe, spec, cache / "audio", beats=beats)
    return Prepared(recipe, spec, score, fmt, (*odd, *score.warnings))


def describe_model(recipe: Recipe) -> Spec:
    """Facts about the recipe's model; mistakes point at the word ``model``."""
    model = recipe.model
    try:
        spec = describe(model.written, model.folder)
        file = model.folder / model.written
        if model.sha256 is not None and not file.is_file():
            raise recipe.error(("model", "sha256"), f"{spec.name} is no file", "Leave the sum out.")
        if model.sha256 is not None and (found := file_fingerprint(file)) != model.sha256:
            hint = "Take the file that was meant, or the new sum if you trust this one."
            raise RecipeError(recipe.where(("model", "sha256")), f"the model file has another SHA-256: {found}", hint)
        return spec
    except CheckpointError as error:
        raise CheckpointError(recipe.where(("model",)), error.problem, error.hint) from error


def load_model(recipe: Recipe, device: str) -> Generator:
    """Load the recipe's model on a device."""
    try:
        return load_generator(recipe.model.written, device, base=recipe.model.folder)
    except CheckpointError as error:
        raise CheckpointError(recipe.where(("model",)), error.problem, error.hint) from error


def picture_format(recipe: Recipe, spec: Spec) -> tuple[VideoFormat, tuple[str, ...]]:
    """The encoder's format; sizes that it can't take become even, with a warning."""
    video = recipe.video
    width, height = asked = video.size or (spec.size[::-1] if spec.size else DEFAULT_SIZE)
    warnings: tuple[str, ...] = ()
    if video.subsampling == "420" and (width % 2 or height % 2):
        width, height = width + width % 2, height + height % 2
        warnings = (f"video.size {asked[0]}x{asked[1]} is odd, which 4:2:0 can't hold: it becomes {width}x{height}",)
    subsampling = "444" if video.subsampling == "444" else "420"
    return VideoFormat(width, height, video.fps, video.codec, video.crf, video.preset, subsampling), warnings
