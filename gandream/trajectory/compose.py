"""From recipe, music and model to a trajectory. What depends on the three together is checked here, before frame 0."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from gandream.audio.analyse import Analysis
from gandream.base.seeds import named_seed
from gandream.effects.chain import Chain, chain
from gandream.models.spec import Spec
from gandream.recipe.latent import Latent
from gandream.recipe.layering import Blend, Mix, Noise
from gandream.recipe.motion import Push, Walk
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.trajectory import layers
from gandream.trajectory.classes import Morph, class_number
from gandream.trajectory.evaluate import LARGEST, Curves
from gandream.trajectory.layering import Blended, Mixed, Noised, gate, shares
from gandream.trajectory.listen import MAX_FRAMES, lay_out, listen, sampled
from gandream.trajectory.places import Place, place
from gandream.trajectory.pushes import Shove, accumulated
from gandream.trajectory.trajectory import Trajectory
from gandream.trajectory.walks import DEFAULT_STEP, Track, closed, steady_places, travel

__all__ = ["MAX_FRAMES", "Score", "compose"]


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
    heard = listen(recipe, cache, beats=beats)
    music = heard.get(recipe.audio.path) if recipe.audio else None
    timeline = lay_out(recipe, music, beats=beats)
    signals = sampled(recipe, heard, timeline)
    curves = Curves(recipe, timeline, signals)
    composer = _Composer(recipe, spec, curves)
    track = composer.track(recipe.walk, ("walk",))
    trajectory = Trajectory(
        spec=spec,
        timeline=timeline,
        track=track,
        psi=composer.psi(),
        shoves=tuple(composer.shove(push, ("push", index), track) for index, push in enumerate(recipe.push)),
        blends=tuple(composer.blend(blend, ("blend", index)) for index, blend in enumerate(recipe.blend)),
        mixes=tuple(composer.mix(mix, ("mix", index)) for index, mix in enumerate(recipe.mix)),
        noises=tuple(composer.noise(noise, ("noise", index)) for index, noise in enumerate(recipe.noise)),
        signals=signals,
    )
    effects = chain(recipe.effects, recipe, timeline.clock, curves.values, timeline.length_s)
    heard_on_the_way = [warning for analysis in heard.values() for warning in analysis.warnings]
    warnings = (*heard_on_the_way, *_warnings(recipe, spec, trajectory), *effects.warnings)
    return Score(trajectory, curves, effects, music, warnings)


def _warnings(recipe: Recipe, spec: Spec, trajectory: Trajectory) -> list[str]:
    warnings = []
    if recipe.video.loop and not recipe.walk.loop and len(recipe.walk.through) > 1:
        warnings.append("video.loop: the walk stays at its last latent (walk.loop is false), so the film won't close")
    words = recipe.classes
    if words is not None and recipe.video.loop and not words.loop and len(words.through) > 1:
        warnings.append("video.loop: the last class stays (classes.loop is false), so the film won't close")
    if words is not None and len(words.through) > 1 and not any(at.moves for at in trajectory.places()):
        warnings.append("classes: no latent is without a class of its own, so this changes nothing")
    if recipe.noise and not spec.noise:
        warnings.append(f"noise: {spec.name} has no noise maps, so this changes nothing")
    if spec.channels in (2, 4):
        warnings.append(f"model: {spec.name} has transparency, which this film can't hold: it lies over black")
    return warnings


@dataclass(frozen=True)
class _Composer:
    """Lays the words out in time."""

    recipe: Recipe
    spec: Spec
    curves: Curves

    def track(self, walk: Walk, path: Path_) -> Track:
        line, recipe = self.curves.timeline, self.recipe
        stops = tuple(self.place(latent, (*path, "through", index)) for index, latent in enumerate(walk.through))
        only_w = next((index for index, stop in enumerate(stops) if stop.in_w), None)
        if walk.space == "z" and only_w is not None:
            raise recipe.error((*path, "through", only_w), "this latent is only there in w", "Leave `space: z` out.")
        in_w = walk.space == "w" or only_w is not None
        steady, spans = steady_places(walk, line, recipe, path)
        places = travel(steady, self.curves.values(walk.speed, (*path, "speed")))
        if np.abs(places).max() > LARGEST:
            raise recipe.error(path, f"the walk is too fast: it passes more than {LARGEST:.0e} latents")
        places = self.closed(places, len(stops)) if walk.loop else places
        waypoints = np.zeros((len(stops), 0)) if in_w else np.stack([stop.z for stop in stops if stop.z is not None])
        kind = walk.path or ("lerp" if in_w else "slerp")
        return Track(waypoints, places, kind, walk.ease, walk.loop, stops, in_w, spans)

    def closed(self, places: np.ndarray, lap: int) -> np.ndarray:
        """Places that end whole laps after their beginning, if the film is to close."""
        if not self.recipe.video.loop or len(places) < 2:
            return places
        end = places[-1] + (places[-1] - places[-2])  # where the frame after the last would be
        return closed(places, float(end), lap)

    def place(self, latent: Latent, path: Path_) -> Place:
        return place(latent, self.recipe, self.spec, path, self.classes)

    @cached_property
    def classes(self) -> int | Morph | None:
        """What the word `classes` says: a class that stays, one that moves, or nothing."""
        line, recipe, spec, words = self.curves.timeline, self.recipe, self.spec, self.recipe.classes
        if words is None:
            return None
        if not spec.classes:
            raise recipe.error(("classes",), f"{spec.name} has no classes", "Leave `classes` out.")
        numbers = [
            class_number(word, recipe, spec, ("classes", "through", index)) for index, word in enumerate(words.through)
        ]
        if len(numbers) == 1:
            return numbers[0]
        places, spans = steady_places(words, line, recipe, ("classes",))
        places = self.closed(places, len(numbers)) if words.loop else places
        if words.hold.unit == "%":
            holds = np.full(len(numbers), float(words.hold.amount / 100))
        else:
            steps = np.full(len(numbers), line.length_s(words.every or DEFAULT_STEP)) if spans is None else spans
            holds = line.length_s(words.hold) / steps
            if holds.max() > 1 + 1e-9:
                problem = f"a class is held for {words.hold}, but a step takes only {steps.min():.3g} s"
                raise recipe.error(("classes", "hold"), problem, "A share of each step always fits: `hold: 50%`.")
        return Morph(len(spec.classes), np.array(numbers), places, np.minimum(holds, 1), words.ease, words.loop)

    def psi(self) -> np.ndarray:
        truncation = self.recipe.truncation
        if not isinstance(truncation, tuple):
            return self.curves.values(truncation, ("truncation",))
        psi = np.ones((self.curves.timeline.clock.frames, len(self.spec.layers)))
        for index, part in enumerate(truncation):
            path: Path_ = ("truncation", index)
            chosen = layers.mask(part.layers, self.spec, self.recipe, (*path, "layers"))
            psi[:, chosen] = self.curves.values(part.psi, (*path, "psi"))[:, None]
        return psi

    def shove(self, push: Push, path: Path_, walk: Track) -> Shove:
        recipe, in_w = self.recipe, push.in_w or walk.in_w
        if push.space == "z" and walk.in_w:
            raise recipe.error((*path, "space"), "the walk is in w, so there is no z to push", "Leave `space: z` out.")
        amounts = self.curves.values(push.by, (*path, "by"))
        if push.mode == "drift":
            amounts = accumulated(amounts, self.curves.timeline.clock)
        if push.toward is not None:
            target = self.place(push.toward, (*path, "toward"))
            if push.space == "z" and target.in_w:
                raise recipe.error((*path, "toward"), "this latent is only there in w", "Leave `space: z` out.")
            # In z it would keep the walk's class, and not arrive.
            other_class = push.space is None and any(stop.class_ != target.class_ for stop in walk.stops)
            in_w = in_w or target.in_w or other_class
        else:
            seed = named_seed(recipe.seed, f"push.{path[1]}.random") if push.random is True else int(push.random or 0)
            target = Place(self.spec.latents([seed])[0], 0 if self.spec.classes else None)
        chosen = None if push.layers is None else layers.mask(push.layers, self.spec, recipe, (*path, "layers"))
        return Shove(push.toward is not None, target, amounts, push.box, in_w, chosen)

    def mix(self, mix: Mix, path: Path_) -> Mixed:
        line = self.curves.timeline
        if mix.at is not None and mix.until is not None and line.moment_s(mix.until) <= line.moment_s(mix.at):
            raise self.recipe.error((*path, "until"), f"a mix ends after it begins, and this is not after {mix.at}")
        if isinstance(mix.source, Walk):
            track = self.track(mix.source, (*path, "from"))
        else:
            track = Track.standing(self.place(mix.source, (*path, "from")), line.clock.frames)
        amounts = self.curves.values(mix.amount, (*path, "amount")) * gate(mix, line)
        return Mixed(track, amounts, layers.mask(mix.layers, self.spec, self.recipe, (*path, "layers")))

    def blend(self, blend: Blend, path: Path_) -> Blended:
        weights, clear = shares(self.curves.signals[blend.by])
        amounts = self.curves.values(blend.amount, (*path, "amount")) * clear
        stops = tuple(self.place(latent, (*path, "latents", index)) for index, latent in enumerate(blend.latents))
        return Blended(stops, weights, amounts, layers.mask(blend.layers, self.spec, self.recipe, (*path, "layers")))

    def noise(self, noise: Noise, path: Path_) -> Noised:
        line, recipe = self.curves.timeline, self.recipe
        phases = accumulated(self.curves.values(noise.speed, (*path, "speed")), line.clock)
        period = None
        if recipe.video.loop and noise.mode == "animate" and len(phases) > 1:
            end = float(phases[-1] + (phases[-1] - phases[-2]))
            period = max(2, round(abs(end)))
            phases = closed(phases, end, period)
        strengths = self.curves.values(noise.strength, (*path, "strength"))
        seed = named_seed(recipe.seed, f"noise.{path[1]}.seed") if noise.seed is None else noise.seed
        chosen = layers.mask(noise.layers, self.spec, recipe, (*path, "layers"))
        return Noised(noise.mode, strengths, phases, chosen, seed, period)
