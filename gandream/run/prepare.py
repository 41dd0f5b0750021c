"""What a film, a still and a plan have in common: the model's facts, the score, the format of the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gandream.base.errors import CheckpointError, RecipeError, did_you_mean, listed
from gandream.models.precision import Precision, chosen, dtype_of
from gandream.models.registry import describe, facts, load_generator, sha256_of
from gandream.models.spec import Spec
from gandream.recipe.draft import drafted
from gandream.recipe.recipe import Recipe
from gandream.rendering.batches import fitting
from gandream.rendering.device import DeviceWord, Kind
from gandream.rendering.plan import make_plan
from gandream.rendering.reel import Reel, Shot, make_reel
from gandream.rendering.room import total
from gandream.run.pace import paced, paced_scenes
from gandream.run.picture import picture_format, picture_size
from gandream.trajectory.compose import Score, compose
from gandream.trajectory.scenes import Cut, compose_scenes
from gandream.video.format import VideoFormat

if TYPE_CHECKING:
    from gandream.models.spec import Generator

LoadModel = Callable[[Recipe, str], "Generator"]
"""Gives a recipe's model on a device."""


@dataclass(frozen=True)
class Prepared:
    """A recipe that is checked against its music and model; torch isn't loaded yet."""

    recipe: Recipe
    spec: Spec
    score: Score
    formats: tuple[VideoFormat, ...]
    """Of each output."""
    layer: int | None
    """The layer that is shown instead of the picture, in ``spec.shown``."""
    warnings: tuple[str, ...]
    cuts: tuple[Cut, ...] = ()
    """The scenes of a film that has them."""
    batches: Path | None = None
    """The folder where it is remembered how many pictures fit into memory at a time."""

    @property
    def fmt(self) -> VideoFormat:
        """The format of the only output, or of the first."""
        return self.formats[0]

    def reel(self, device: Kind, frames: tuple[int, int] | None = None, output: int = 0) -> Reel:
        """What is to be rendered of frames [start, stop), or of all, for one of the outputs."""
        fit, fmt, score = self.recipe.outputs[output].fit, self.formats[output], self.score
        draft = self.recipe.drafted is not None
        if not self.cuts:
            precision = precision_of(self.recipe, self.spec, device)
            what = score.trajectory, fmt, device, (0, 0), score.effects, fit, self.layer, precision, draft
            plan = make_plan(*what)
            return make_reel(self._fitting([Shot(plan, 0, score.trajectory.frames)], device), frames)
        models = [_model_of(cut.recipe) for cut in self.cuts]
        shots = [
            Shot(
                make_plan(
                    *(cut.trajectory, fmt, device, (0, 0), cut.effects, fit, shown_layer(cut.recipe, spec)),
                    *(precision_of(cut.recipe, spec, device), draft),
                ),
                *(cut.start, cut.stop, cut.shares),
                models.index(model),
            )
            for cut, model in zip(self.cuts, models, strict=True)
            for spec in (cut.trajectory.spec,)
        ]
        if last := self.cuts[-1].beyond:
            shots = [replace(shots[-1], start=0, stop=last, shares=np.zeros(0), later=shots[-1].stop), *shots]
        return make_reel(self._fitting(shots, device), frames)

    def _fitting(self, shots: list[Shot], device: Kind) -> list[Shot]:
        """With batches that fit this machine."""
        return shots if self.batches is None else fitting(shots, self.batches, total(device), self.parameters)

    @cached_property
    def parameters(self) -> dict[str, int]:
        """Bytes of each model's numbers as float32, by its fingerprint; none for what is drawn from a seed."""
        named = [(cut.trajectory.spec, cut.recipe.model) for cut in self.cuts] or [(self.spec, self.recipe.model)]
        found = {spec.fingerprint: facts(model.written, model.folder) for spec, model in named}
        return {fingerprint: 4 * one.parameters for fingerprint, one in found.items() if one is not None}

    def load(self, device: str, models: LoadModel | None = None) -> Callable[[int], Generator]:
        """Loads the models of the reel by their numbers; ``models`` does that for a recipe, or has it already."""
        recipes, load = [cut.recipe for cut in self.cuts] or [self.recipe], models or load_model
        return lambda number: load(recipes[number], device)


def _model_of(recipe: Recipe) -> tuple[object, ...]:
    """What tells the scenes' models apart."""
    return recipe.model.written, recipe.model.folder, recipe.model.precision


def prepare(recipe: Recipe, cache: Path, *, beats: bool = False, device: DeviceWord = "auto") -> Prepared:
    """Check everything that can be wrong before frame 0; what was heard in the music is kept in ``cache``.

    The ``device`` is what a walk's pace is measured on, where the recipe wants that.
    """
    if recipe.scenes is not None:
        return _prepare_scenes(recipe, cache, beats, device)
    spec = describe_model(recipe)
    formats, odd = _formats(recipe, spec)
    layer = shown_layer(recipe, spec)
    score = paced(recipe, compose(recipe, spec, cache / "audio", beats=beats), cache / "pace", device)
    warnings = (*odd, *spec.warnings, *score.warnings)
    return Prepared(recipe, spec, score, formats, layer, warnings, batches=cache / "batches")


def draft_of(recipe: Recipe) -> Recipe:
    """The recipe of a quick draft: half the size, a third of the frames."""
    return drafted(recipe, picture_size(recipe, describe_model(recipe)))


def _formats(recipe: Recipe, spec: Spec) -> tuple[tuple[VideoFormat, ...], list[str]]:
    """The formats of all outputs, and warnings, each once."""
    made = [picture_format(recipe.as_output(number), spec) for number in range(len(recipe.outputs))]
    return tuple(fmt for fmt, _ in made), list(dict.fromkeys(one for _, warnings in made for one in warnings))


def _prepare_scenes(recipe: Recipe, cache: Path, beats: bool, device: DeviceWord) -> Prepared:
    """As :func:`prepare`, of a film of scenes; without a size it has that of its first model."""
    known: dict[tuple[object, ...], Spec] = {}

    def described(scene: Recipe) -> Spec:
        named = _model_of(scene)
        if named not in known:
            known[named] = describe_model(scene)
            _formats(scene, known[named])
            shown_layer(scene, known[named])
        return known[named]

    score, cuts = compose_scenes(recipe, described, cache / "audio", beats=beats)
    cuts, told = paced_scenes(cuts, cache / "pace", device)
    spec = score.trajectory.spec
    formats, odd = _formats(cuts[0].recipe, spec)
    warnings = [*odd, *(one for spec in known.values() for one in spec.warnings), *score.warnings, *told]
    shown, batches = shown_layer(cuts[0].recipe, spec), cache / "batches"
    return Prepared(recipe, spec, score, formats, shown, tuple(warnings), cuts, batches)


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


def precision_of(recipe: Recipe, spec: Spec, device: str) -> Precision:
    """What the recipe's model computes in on a device of this class, on this machine."""
    return chosen(recipe.model.precision, device, reducible=spec.reducible)


def load_model(recipe: Recipe, device: str) -> Generator:
    """Load the recipe's model on a device, in the precision that :func:`precision_of` says."""
    model = recipe.model
    try:
        dtype = dtype_of(precision_of(recipe, describe(model.written, model.folder), device))
        return load_generator(model.written, device, dtype, base=model.folder)
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
