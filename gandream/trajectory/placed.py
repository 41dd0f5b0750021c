"""Where in the film each scene is: by time, by bars, by the sections of its music."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pydantic import ValidationError

from gandream.audio.sections import Section
from gandream.base.clock import exact, timestamp
from gandream.base.errors import listed
from gandream.base.seeds import named_seed
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.recipe.scene import PALETTE, Labelled, Scene, Sectioned, Transition
from gandream.recipe.seeds import Seeds
from gandream.recipe.times import Time
from gandream.recipe.walk import Walk
from gandream.trajectory.length import exactly, own_length_s
from gandream.trajectory.timeline import Timeline

NEAR_S = 1e-6
"""Times that are nearer than this are the same."""


@dataclass(frozen=True)
class Part:
    """A scene's place: from ``begin_s`` to ``stop_s``, in seconds of the film, and the recipe as it is in it."""

    recipe: Recipe
    path: Path_
    begin_s: float
    stop_s: float
    begun: frozenset[str]
    """The words that begin with the scene; the others go through the whole film."""
    transition: Transition | None = None
    """How it comes in, if it says so itself."""


def scenes_length_s(recipe: Recipe, rough: Timeline) -> Fraction:
    """Seconds from the film's first frame to the end of its last scene, of scenes that are told."""
    assert isinstance(recipe.scenes, tuple), "the sections' scenes are as long as the music"
    last, at = recipe.scenes[-1], len(recipe.scenes) - 1
    for index, scene in enumerate(recipe.scenes):
        if scene.at is not None and scene.at.unit == "%":
            hint = "Say it in seconds or bars, or give `video.duration`."
            raise recipe.error(("scenes", index, "at"), "a share of a film whose scenes say how long it is", hint)
    begin = Fraction(0)
    for before, scene in zip((None, *recipe.scenes), recipe.scenes, strict=False):
        if scene.at is not None:
            begin = exactly(rough.moment_s, scene.at, recipe.video.fps)
        elif before is not None:
            begin += _after(before.for_, float(begin), rough, recipe.video.fps) if before.for_ else 0
    if last.for_ is not None:
        return begin + _after(last.for_, float(begin), rough, recipe.video.fps)
    return begin + own_length_s(recipe.in_scene(last, ("scenes", at)), rough)


def _after(time: Time, begin_s: float, rough: Timeline, fps: Fraction) -> Fraction:
    """Seconds of a length that begins at a time; beats as they are played."""
    return exactly(lambda one: rough.end_s(one, begin_s), time, fps) if time.unit != "%" else exact(0)


def parts_of(recipe: Recipe, line: Timeline, sections: tuple[Section, ...]) -> tuple[list[Part], list[str]]:
    """The scenes in their order, from the film's first frame to its last without a gap; and warnings.

    RecipeError where scenes overlap, leave a gap, or come in for longer than they last.
    """
    if isinstance(recipe.scenes, Sectioned):
        return _by_sections(recipe, recipe.scenes, line, sections), []
    assert recipe.scenes is not None, "asked before"
    end_s = float(line.clock.duration)
    begins = _begins(recipe, recipe.scenes, line)
    parts, late = [], []
    for index, scene in enumerate(recipe.scenes):
        path: Path_ = ("scenes", index)
        begin_s = begins[index]
        stop_s = begins[index + 1] if index + 1 < len(begins) else end_s
        if index + 1 == len(begins) and scene.for_ is not None:
            stop_s = begin_s + line.end_s(scene.for_, begin_s)
            if stop_s < end_s - 0.5 / float(line.clock.fps):
                problem = f"the last scene ends at {timestamp(stop_s)}, and the film at {timestamp(end_s)}"
                raise recipe.error((*path, "for"), problem, "Leave `for` out, and it lasts to the end.")
        if begin_s >= end_s - NEAR_S:
            late.append(f"scenes[{index}]: begins at {timestamp(begin_s)}, and the film ends at {timestamp(end_s)}")
            continue
        own = recipe.in_scene(scene, path)
        parts.append(Part(own, path, begin_s, stop_s, own.own_words, scene.transition))
    first, closes = recipe.scenes[0].transition, recipe.video.loop and len(parts) > 1
    if first is not None and first.crossfade is not None and not closes:
        problem = "there is no scene before the first one"
        hint = "It comes in from black with `effects: [{fade: in}]`."
        raise recipe.error(("scenes", 0, "transition"), problem, hint)
    return parts, late


def _begins(recipe: Recipe, scenes: tuple[Scene, ...], line: Timeline) -> list[float]:
    """Seconds of the film at which each scene begins."""
    begins: list[float] = []
    for index, scene in enumerate(scenes):
        before = scenes[index - 1] if index else None
        ends_s = 0.0 if before is None else None
        if before is not None and before.for_ is not None:
            ends_s = begins[-1] + line.end_s(before.for_, begins[-1])
        path: Path_ = ("scenes", index, "at")
        if scene.at is None:
            if ends_s is None:
                problem = "nobody says when this scene begins"
                raise recipe.error(path[:2], problem, f"Give it `at`, or scenes[{index - 1}] `for`.")
            begins.append(ends_s)
            continue
        begin_s = line.moment_s(scene.at)
        if begins and begin_s <= begins[-1] + NEAR_S:
            problem = f"scenes come one after the other, and the one before begins at {timestamp(begins[-1])}"
            raise recipe.error(path, problem)
        if ends_s is not None and begin_s < ends_s - NEAR_S and before is not None:
            problem = f"scenes overlap: the one before ends at {timestamp(ends_s)}, this one begins at "
            hint = "Leave one of the two out: `for` before, or `at` here. For soft changes there is `transition`."
            raise recipe.error(path, problem + timestamp(begin_s), hint)
        if ends_s is not None and begin_s > ends_s + NEAR_S:
            what = "the one before ends" if before else "the film begins"
            problem = f"there is a gap: {what} at {timestamp(ends_s)}, this scene begins at {timestamp(begin_s)}"
            hint = "Leave one of the two out: `for` before, or `at` here." if before else "The first needs no `at`."
            raise recipe.error(path, problem, hint)
        begins.append(begin_s)
    return begins


def _by_sections(recipe: Recipe, words: Sectioned, line: Timeline, sections: tuple[Section, ...]) -> list[Part]:
    start_s, end_s = float(line.start_s), float(line.clock.duration)
    there = sorted({section.label for section in sections})
    for group, named in (("labels", words.labels), ("palette", words.palette)):
        for label in named if isinstance(named, dict) else ():
            if label not in there:
                problem = f"no section of this music is labelled {label}; there is: {listed(there)}"
                hint = "`gandream listen` shows them; `sections: {count: 4}` says how many different ones there are."
                raise recipe.error(("scenes", group, label), problem, hint)
    looks = {label: _labelled(recipe, words, label) for label in there}
    parts = []
    for index, section in enumerate(sections):
        begin_s, stop_s = section.start_s - start_s, section.end_s - start_s
        if stop_s > NEAR_S and begin_s < end_s - NEAR_S:
            last = index + 1 == len(sections)  # what is beyond the music's end is its last section's
            own, begun = looks[section.label]
            transition = words.labels.get(section.label, Labelled()).transition
            root: Path_ = ("scenes", "labels", section.label)
            parts.append(Part(own, root, begin_s, max(stop_s, end_s) if last else stop_s, begun, transition))
    return parts


def _labelled(recipe: Recipe, words: Sectioned, label: str) -> tuple[Recipe, frozenset[str]]:
    """The recipe as it is in the sections of a label, and the words that begin with each of them."""
    said = words.labels.get(label, Labelled())
    # What has no seed of its own is drawn for the label, so that sections that are alike look alike.
    seed = named_seed(recipe.seed, f"scenes.{label}")
    own = recipe.in_scene(said, ("scenes", "labels", label), seed=seed)
    if own.walk.kind != "through" or ("walk" in own.own_words and "through" in own.walk.model_fields_set):
        return own, own.own_words | {"walk"}
    walk = _recoloured(own, recipe, words, label)
    return recipe.in_scene(said, ("scenes", "labels", label), seed=seed, walk=walk), own.own_words | {"walk"}


def _recoloured(own: Recipe, recipe: Recipe, words: Sectioned, label: str) -> Walk:
    """The walk through the latents of a label's palette."""
    palette: Any = words.palette
    if isinstance(palette, dict):
        stops = palette.get(label) or (Seeds(seeds=PALETTE, seed=named_seed(recipe.seed, f"palette.{label}")),)
    else:
        base = recipe.seed if palette.seed is None else palette.seed
        stops = (palette.model_copy(update={"seed": named_seed(base, f"palette.{label}")}),)
    if own.walk.at is not None:
        problem = "the walk of a palette begins with each section, so its times can't be told"
        raise own.error(("walk", "at"), problem, "Say how long a step takes: `every: 2 bars`.")
    kept = {name: getattr(own.walk, name) for name in own.walk.model_fields_set if name != "through"}
    try:
        return Walk.model_validate({**kept, "through": stops})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise own.error(("walk",), first.get("ctx", {}).get("problem") or first["msg"]) from None
