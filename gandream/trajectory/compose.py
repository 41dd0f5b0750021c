"""From recipe, music and model to a trajectory. What depends on the three together is checked here, before frame 0."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from gandream.audio.analyse import Analysis
from gandream.base.errors import RecipeError
from gandream.base.seeds import named_seed
from gandream.effects.chain import Chain, chain
from gandream.models.spec import Spec
from gandream.recipe.cells import cells_of
from gandream.recipe.latent import Latent
from gandream.recipe.layering import Blend
from gandream.recipe.motion import Push
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe, needs_beats
from gandream.recipe.walk import Walk
from gandream.trajectory import layers
from gandream.trajectory.bends import lay_bend
from gandream.trajectory.camera import camera_warnings, lay_camera
from gandream.trajectory.class_words import lay_classes
from gandream.trajectory.classes import Morph
from gandream.trajectory.directions import direction
from gandream.trajectory.evaluate import Curves
from gandream.trajectory.grid import gridded
from gandream.trajectory.idle import idle_words
from gandream.trajectory.inherited import Inherited
from gandream.trajectory.layering import Blended, lay_mix, shares
from gandream.trajectory.laying import Ground, lay, walk_warning
from gandream.trajectory.listen import MAX_FRAMES, lay_out, listen, sampled
from gandream.trajectory.noise import lay_noise
from gandream.trajectory.places import Place, place
from gandream.trajectory.pushes import Shove, accumulated
from gandream.trajectory.regions import lay_region
from gandream.trajectory.roam import Roam
from gandream.trajectory.seams import open_seams
from gandream.trajectory.smoothing import gaussian, lay_smoothing
from gandream.trajectory.swings import Swing, followed, lay_swing
from gandream.trajectory.trajectory import Trajectory
from gandream.trajectory.truncation import lay_truncation
from gandream.trajectory.walks import Track

__all__ = ["MAX_FRAMES", "Score", "compose"]

T = TypeVar("T")


@dataclass(frozen=True)
class Score:
    """A compiled recipe with what was heard on the way."""

    trajectory: Trajectory
    curves: Curves
    effects: Chain
    music: Analysis | None = None
    warnings: tuple[str, ...] = ()


def compose(recipe: Recipe, spec: Spec, cache: Path | None = None, *, beats: bool = False) -> Score:
    """Compile a recipe for a model. ``cache`` is a folder where what was heard is kept; torch is not loaded.

    With ``beats``, the music's beats are tracked even if nothing in the recipe is told in them.
    """
    cells = cells_of(recipe)
    beats = beats or any(needs_beats(cell.recipe) for cell in cells)
    heard = listen(recipe, cache, beats=beats)
    music = heard.get(recipe.audio.path) if recipe.audio else None
    timed = [cell.recipe for cell in cells] or [recipe]
    lines = [lay_out(one, music, beats=beats, spec=spec) for one in timed]
    timeline = max(lines, key=lambda line: line.clock.frames)
    signals = sampled(recipe, heard, timeline)
    curves = Curves(recipe, timeline, signals)
    alike: list[str] = []
    try:
        trajectory = lay_trajectory(recipe, spec, curves)
    except RecipeError:
        if not cells:
            raise
        # What is wrong may be what the cells say, such as each its class; what they share is told for the first.
        trajectory = lay_trajectory(cells[0].recipe, spec, Curves(cells[0].recipe, timeline, signals))
    if cells:
        lay_cell = lambda cell: lay_trajectory(cell, spec, Curves(cell, timeline, signals))  # noqa: E731
        trajectory, alike = gridded(recipe, cells, trajectory, lay_cell)
        alike += idle_words([(cell.recipe, laid) for cell, laid in zip(cells, trajectory.cells, strict=True)], spec)
    lengths, start_s = (timeline.length_s, timeline.moment_s), float(timeline.start_s)
    effects = chain(recipe.effects, recipe, timeline.clock, curves.values, *lengths, start_s)
    heard_on_the_way = [warning for analysis in heard.values() for warning in analysis.warnings]
    warnings = (*heard_on_the_way, *alike, *warnings_of(recipe, spec, trajectory), *effects.warnings)
    return Score(trajectory, curves, effects, music, warnings)


def lay_trajectory(
    recipe: Recipe,
    spec: Spec,
    curves: Curves,
    own: Curves | None = None,
    begun: Collection[str] = (),
    inherited: Inherited | None = None,
) -> Trajectory:
    """What a recipe's words make of the generator's inputs over time.

    ``own`` are the curves on the time line of a scene, for the words in ``begun``, which begin with it, and needn't
    close with the film; the others are in ``inherited`` if an earlier scene had them.
    """
    opened = recipe if own is None else opening(recipe)

    def lay(word: str, make: Callable[[_Composer], T], classes: int | Morph | None, *on: Any) -> T:
        if own is not None and word in begun:
            return make(_Composer(opened, spec, own, classes))
        made = lambda: make(_Composer(recipe, spec, curves, classes))  # noqa: E731
        return made() if inherited is None else inherited.laid(recipe, word, made, spec, classes, *on)

    classes = lay("classes", lambda one: lay_classes(one.recipe, spec, one.curves), None)
    track = lay("walk", lambda one: one.track(one.recipe.walk, ("walk",)), classes)
    psi, centre = lay("truncation", lambda one: lay_truncation(one.ground), classes)
    return Trajectory(
        spec=spec,
        timeline=curves.timeline,
        track=track,
        psi=psi,
        centre=centre,
        shoves=lay("push", lambda one: one.shoves(track), classes, track),
        blends=lay("blend", lambda one: one.each("blend", lambda *words: one.blend(*words[:2])), classes),
        mixes=lay("mix", lambda one: one.each("mix", lay_mix), classes),
        smoothing=lay("smooth", lambda one: lay_smoothing(one.recipe.smooth, one.ground), classes),
        noises=lay("noise", lambda one: one.each("noise", lay_noise), classes),
        regions=lay("regions", lambda one: one.each("regions", lay_region), classes),
        bends=lay("bend", lambda one: one.each("bend", lay_bend), classes),
        camera=lay("camera", lambda one: lay_camera(one.recipe.camera, ("camera",), one.ground), classes),
        signals=dict(curves.signals),
    )


def opening(recipe: Recipe) -> Recipe:
    """The recipe, whose film needn't close."""
    outputs = tuple(output.model_copy(update={"loop": False}) for output in recipe.outputs)
    return recipe.model_copy(update={"outputs": outputs}) if recipe.video.loop else recipe


def warnings_of(recipe: Recipe, spec: Spec, trajectory: Trajectory, begun: Collection[str] = ()) -> list[str]:
    """What in a recipe does nothing, or not what one may think, in sentences.

    Of a scene, the words in ``begun`` needn't close with the film.
    """
    warnings, opened = [], opening(recipe)
    tracks = [trajectory.track, *(mix.track for mix in trajectory.mixes)]
    tracks += [region.mixed.track for region in trajectory.regions]
    said: list[tuple[str, object]] = [("walk", recipe.walk)]
    said += [(f"mix[{at}].from", mix.source) for at, mix in enumerate(recipe.mix)]
    said += [(f"regions[{at}].from", region.source) for at, region in enumerate(recipe.regions)]
    for track, (name, walk) in zip(tracks, said, strict=True):
        film = opened if name.partition("[")[0] in begun else recipe
        if isinstance(walk, Walk) and (problem := walk_warning(film, track, walk, name)):
            warnings.append(problem)
    if recipe.video.loop and "push" not in begun and any(push.bounce is not None for push in recipe.push):
        warnings.append("video.loop: a push with `bounce` doesn't end where it begins, so the film won't close")
    words = recipe.classes
    if words is not None and recipe.video.loop and "classes" not in begun and not words.loop and words.paced:
        warnings.append("video.loop: the last class stays (classes.loop is false), so the film won't close")
    if words is not None and spec.classes and words.moves and not any(at.moves for at in trajectory.places()):
        warnings.append("classes: no latent is without a class of its own, so this changes nothing")
    if not spec.noise and not all(noise.optional for noise in recipe.noise):
        warnings.append(f"noise: {spec.name} has no noise maps, so this changes nothing")
    warnings.extend(camera_warnings(recipe.camera, spec))
    warnings.extend(open_seams(recipe, trajectory, begun))
    warnings.extend(idle_words([(recipe, trajectory)], spec) if recipe.grid is None else ())
    if spec.channels in (2, 4) and not any(output.alpha for output in recipe.outputs):
        warnings.append(f"model: {spec.name} has transparency, which lies over black without `video.alpha`")
    return warnings


@dataclass(frozen=True)
class _Composer:
    """Lays the words out in time."""

    recipe: Recipe
    spec: Spec
    curves: Curves
    classes: int | Morph | None
    """What the word `classes` says: a class that stays, one that moves, or nothing."""

    def each(self, word: str, lay: Callable[[Any, Path_, Ground], T]) -> tuple[T, ...]:
        """All entries of a word that is a list."""
        return tuple(lay(words, (word, index), self.ground) for index, words in enumerate(getattr(self.recipe, word)))

    def track(self, walk: Walk, path: Path_) -> Track | Roam:
        return lay(walk, path, self.ground)

    @cached_property
    def ground(self) -> Ground:
        """What all words are laid out on."""
        return Ground(self.recipe, self.spec, self.curves, self.classes)

    def place(self, latent: Latent, path: Path_) -> Place:
        return place(latent, self.recipe, self.spec, path, self.classes)

    def shoves(self, walk: Track | Roam) -> tuple[Shove | Swing, ...]:
        """All pushes, in order; those that turn round in a box see what those before them did."""
        laid: list[Shove | Swing] = []
        for index, push in enumerate(self.recipe.push):
            path: Path_ = ("push", index)
            if (push.bounce is not None or isinstance(push.along, str)) and walk.in_w:
                word = "bounce" if push.bounce is not None else "along"
                raise self.recipe.error((*path, word), "the walk is in w, so there is no z to push")
            if push.bounce is not None:
                laid.append(lay_swing(push, push.bounce, path, self.ground, walk, laid))
            else:
                laid.append(self.shove(push, path, walk))
        return tuple(laid)

    def shove(self, push: Push, path: Path_, walk: Track | Roam) -> Shove:
        recipe, in_w = self.recipe, push.in_w or walk.in_w
        if push.space == "z" and walk.in_w:
            raise recipe.error((*path, "space"), "the walk is in w, so there is no z to push", "Leave `space: z` out.")
        line = self.curves.timeline
        amounts = followed(self.curves.values(push.by, (*path, "by")), line.clock, line.length_s(push.inertia))
        if push.mode == "drift":
            amounts = line.anchored(accumulated(amounts, line.clock))
        if push.toward is not None:
            target = self.place(push.toward, (*path, "toward"))
            if push.space == "z" and target.in_w:
                raise recipe.error((*path, "toward"), "this latent is only there in w", "Leave `space: z` out.")
            # In z it would keep the walk's class, and not arrive.
            other_class = push.space is None and any(stop.class_ != target.class_ for stop in walk.stops)
            in_w = in_w or target.in_w or other_class
        elif isinstance(push.along, Latent):
            target = direction(push.along, push, recipe, self.spec, path)
            if walk.in_w and not target.in_w:
                raise recipe.error((*path, "along"), "the walk is in w, and this is a direction of z")
            in_w = target.in_w
        elif push.along is not None:
            target = Place(np.ones(self.spec.latent_size))
        else:
            seed = named_seed(recipe.seed, f"push.{path[1]}.random") if push.random is True else int(push.random or 0)
            target = Place(self.spec.latents([seed])[0], 0 if self.spec.classes else None)
        chosen = None if push.layers is None else layers.mask(push.layers, self.spec, recipe, (*path, "layers"))
        bare = isinstance(push.along, Latent)
        return Shove(push.toward is not None, target, amounts, push.box, in_w, chosen, bare)

    def blend(self, blend: Blend, path: Path_) -> Blended:
        bands, line = self.curves.signals[blend.by], self.curves.timeline
        if blend.order == "median":
            bands = bands[:, np.argsort(np.median(bands, axis=0), kind="stable")[: len(blend.latents)]]
        _, clear = shares(self.curves.signals[blend.by])
        weights, _ = shares(bands)
        weights = gaussian(weights, line.length_s(blend.smooth) * float(line.clock.fps))
        amounts = self.curves.values(blend.amount, (*path, "amount")) * clear
        stops = tuple(self.place(latent, (*path, "latents", index)) for index, latent in enumerate(blend.latents))
        return Blended(stops, weights, amounts, layers.mask(blend.layers, self.spec, self.recipe, (*path, "layers")))
