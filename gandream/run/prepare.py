"""What a film, a still and a plan have in common: the model's facts, the score, the format of the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gandream.base.errors import CheckpointError, RecipeError, did_you_mean, listed
from gandream.models.registry import describe, extending, load_generator, sha256_of
from gandream.models.spec import Spec
from gandream.recipe.recipe import Recipe
from gandream.rendering.plan import make_plan
from gandream.rendering.reel import Reel, Shot, make_reel
from gandream.run.pace import paced
from gandream.trajectory.compose import Score, compose
from gandream.trajectory.grid import Layout
from gandream.trajectory.scenes import Cut, compose_scenes
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
    layer: int | None
    """The layer that is shown instead of the picture, in ``spec.shown``."""
    warnings: tuple[str, ...]
    cuts: tuple[Cut, ...] = ()
    """The scenes of a film that has them."""

    def reel(self, device: Literal["cpu", "cuda"], frames: tuple[int, int] | None = None) -> Reel:
        """What is to be rendered of frames [start, stop), or of all."""
        fit, score = self.recipe.video.fit, self.score
        if not self.cuts:
            plan = make_plan(score.trajectory, self.fmt, device, (0, 0), score.effects, fit, self.layer)
            return make_reel([Shot(plan, 0, score.trajectory.frames)], frames)
        models = [_model_of(cut.recipe) for cut in self.cuts]
        shots = [
            Shot(
                make_plan(cut.trajectory, self.fmt, device, (0, 0), cut.effects, fit, shown_layer(cut.recipe, spec)),
                *(cut.start, cut.stop, cut.shares),
                models.index(model),
            )
            for cut, model in zip(self.cuts, models, strict=True)
            for spec in (cut.trajectory.spec,)
        ]
        return make_reel(shots, frames)

    def load(self, device: str) -> Callable[[int], Generator]:
        """Loads the models of the reel by their numbers."""
        recipes = [cut.recipe for cut in self.cuts] or [self.recipe]
        return lambda number: load_model(recipes[number], device)


def _model_of(recipe: Recipe) -> tuple[object, ...]:
    """What tells the scenes' models apart."""
    return recipe.model.written, recipe.model.folder, recipe.model.precision


def prepare(recipe: Recipe, cache: Path, *, beats: bool = False) -> Prepared:
    """Check everything that can be wrong before frame 0; what was heard in the music is kept in ``cache``."""
    if recipe.scenes is not None:
        return _prepare_scenes(recipe, cache, beats)
    spec = describe_model(recipe)
    fmt, odd = picture_format(recipe, spec)
    layer = shown_layer(recipe, spec)
    score = paced(recipe, compose(recipe, spec, cache / "audio", beats=beats), cache / "pace")
    return Prepared(recipe, spec, score, fmt, layer, (*odd, *spec.warnings, *score.warnings))


def _prepare_scenes(recipe: Recipe, cache: Path, beats: bool) -> Prepared:
    """As :func:`prepare`, of a film of scenes; without a size it has that of its first model."""
    known: dict[tuple[object, ...], Spec] = {}

    def described(scene: Recipe) -> Spec:
        if scene.walk.pace != "as written":
            problem = "an even pace is measured over a whole film, and this one has scenes"
            raise scene.error(("walk", "pace"), problem, "Leave `pace` out.")
        named = _model_of(scene)
        if named not in known:
            known[named] = describe_model(scene)
            picture_format(scene, known[named])
            shown_layer(scene, known[named])
        return known[named]

    score, cuts = compose_scenes(recipe, described, cache / "audio", beats=beats)
    spec = score.trajectory.spec
    fmt, odd = picture_format(cuts[0].recipe, spec)
    warnings = [*odd, *(one for spec in known.values() for one in spec.warnings), *score.warnings]
    return Prepared(recipe, spec, score, fmt, shown_layer(cuts[0].recipe, spec), tuple(warnings), cuts)


def describe_model(recipe: Recipe) -> Spec:
    """Facts about the recipe's model; mistakes point at the word ``model``."""
    model = recipe.model
    try:
        spec = describe(model.written, model.folder)
        found = sha256_of(model.written, model.folder) if model.sha256 is not None else None
        if model.sha256 is not None and found is None:
            raise recipe.error(("model", "sha256"), f"{spec.name} is no file", "Leave the sum out.")
        if found != model.sha256:
            problem = f"the model's file has the SHA-256 {found}, and the recipe wants {model.sha256}"
            hint = "Take the file that was meant, or the new sum if you trust this one."
            raise RecipeError(recipe.where(("model", "sha256")), problem, hint)
        return spec
    except CheckpointError as error:
        raise CheckpointError(recipe.where(("model",)), error.problem, error.hint) from error


def load_model(recipe: Recipe, device: str) -> Generator:
    """Load the recipe's model on a device, in float32 where the recipe wants it exact, else as its family likes."""
    import torch

    dtype = torch.float32 if recipe.model.precision == "exact" else None
    try:
        return load_generator(recipe.model.written, device, dtype, base=recipe.model.folder)
    except CheckpointError as error:
        raise CheckpointError(recipe.where(("model",)), error.problem, error.hint) from error


def shown_layer(recipe: Recipe, spec: Spec) -> int | None:
    """The layer that the recipe shows, by its number; mistakes list the layers that there are."""
    word, names = recipe.layer, [layer.name for layer in spec.shown]
    if word is None:
        return None
    if not names:
        raise recipe.error(("layer",), f"{spec.name} can't show its layers ({spec.family})", "Leave the word out.")
    if word in names:
        return names.index(str(word))
    if isinstance(word, int) and word < len(names):
        return word
    hint = did_you_mean(word, names) if isinstance(word, str) else ""
    there = f"Its layers: {listed((f'{number} {name}' for number, name in enumerate(names)), 64)}."
    raise recipe.error(("layer",), f"{spec.name} has no such layer", f"{hint} {there}".strip())


def picture_format(recipe: Recipe, spec: Spec) -> tuple[VideoFormat, tuple[str, ...]]:
    """The encoder's format; sizes that it can't take become even, with a warning."""
    video = recipe.video
    if video.fit == "extend" and not spec.extends:
        problem = f"{spec.name} makes pictures of its own size only ({spec.family})"
        hint = f"These go on beyond their edges: {listed(extending())}. Or take `fit: cover`."
        raise recipe.error(("video", "fit"), problem, hint)
    own = spec.size or (DEFAULT_SIZE[1], DEFAULT_SIZE[0])
    own = Layout.of(recipe.grid).whole(own) if recipe.grid else own
    width, height = asked = video.size or own[::-1]
    warnings: tuple[str, ...] = ()
    if video.subsampling == "420" and (width % 2 or height % 2):
        width, height = width + width % 2, height + height % 2
        warnings = (f"video.size {asked[0]}x{asked[1]} is odd, which 4:2:0 can't hold: it becomes {width}x{height}",)
    subsampling = "444" if video.subsampling == "444" else "420"
    return VideoFormat(width, height, video.fps, video.codec, video.crf, video.preset, subsampling), warnings
