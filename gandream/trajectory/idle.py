"""Words of a recipe that change nothing in its film: no word is silently without effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gandream.base.clock import timestamp
from gandream.models.spec import Spec
from gandream.recipe.bend import Operation
from gandream.recipe.curve import Constant
from gandream.recipe.layering import Mixing, Truncated
from gandream.recipe.layers import Layers
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe, values_in
from gandream.recipe.scene import Looks
from gandream.recipe.times import Time
from gandream.trajectory.bends import channels_of
from gandream.trajectory.layering import Mixed
from gandream.trajectory.noise import Region
from gandream.trajectory.swings import Swing
from gandream.trajectory.trajectory import Trajectory


def idle_words(parts: Sequence[tuple[Recipe, Trajectory]], spec: Spec) -> list[str]:
    """What changes nothing in any of a film's parts (its cells, or itself), in sentences."""
    found = [dict.fromkeys(_idle(recipe, trajectory, spec)) for recipe, trajectory in parts]
    return [one for one in found[0] if all(one in others for others in found[1:])]


def _idle(recipe: Recipe, trajectory: Trajectory, spec: Spec) -> Iterator[str]:
    yield from _never(recipe, trajectory)
    yield from _short(recipe, trajectory)
    yield from _noise(recipe, spec)
    yield from _outside(recipe, trajectory, spec)
    yield from _one_layer(recipe, spec)
    yield from _lacking(recipe, trajectory, spec)
    said = recipe.truncation
    if isinstance(said, Truncated) and said.cutoff == 0:
        yield f"{recipe.named(('truncation', 'cutoff'))}: 0 is the first layer, so none is truncated"
    if trajectory.centre is not None and (trajectory.psi == 1).all():
        yield f"{recipe.named(('truncation', 'toward'))}: psi is 1 in every frame, so nothing goes there"
    for number, output in enumerate(recipe.outputs if spec.size is None else ()):
        if output.fit != "cover":
            fitted = recipe.named(("video", number, "fit"))
            yield f"{fitted}: {spec.name} makes pictures of any size, so there is nothing to fit"
    heard = recipe.audio is not None or recipe.tempo.told or any(one.automated for one in recipe.signals.values())
    if recipe.video.start is not None and not heard:
        yield "video.start: there is no music to begin in, so this changes nothing"


def _never(recipe: Recipe, trajectory: Trajectory) -> Iterator[str]:
    """Pushes, mixes and the like that are at 0 throughout."""
    for index, shove in enumerate(trajectory.shoves):
        if not (shove.strides if isinstance(shove, Swing) else shove.amounts).any():
            yield f"{recipe.named(('push', index, 'by'))}: it is 0 in every frame, so the push changes nothing"
    for index, blended in enumerate(trajectory.blends):
        if not blended.amounts.any():
            yield f"{recipe.named(('blend', index))}: its amount or its signal is 0 in every frame: it changes nothing"
    for path, words, mixed in _mixings(recipe, trajectory):
        if mixed.amounts.any():
            continue
        still = isinstance(words.amount, Constant) and words.amount.value != 0
        line = trajectory.timeline
        late = words.at is not None and line.moment_s(words.at) >= line.clock.duration
        why = f"the film ends at {timestamp(float(line.clock.duration))}" if late else "no frame is in its time"
        never = f"it is never there: {why}"
        yield f"{recipe.named(path)}: {never if still else 'its amount is 0 in every frame: it changes nothing'}"
    for index, bend in enumerate(trajectory.bends):
        if not bend.active.any():
            yield f"{recipe.named(('bend', index, bend.name))}: it leaves every frame as it is"
        if recipe.bend[index].seed is not None and bend.channels.share is None and bend.name != "noise":
            yield f"{recipe.named(('bend', index, 'seed'))}: it draws a random share of the channels, and here is none"
    if recipe.camera is not None and trajectory.camera is None and recipe.camera.anchor == "own":
        yield f"{recipe.named(('camera',))}: it leaves every frame as it is"


def _mixings(recipe: Recipe, trajectory: Trajectory) -> Iterator[tuple[Path_, Mixing, Mixed]]:
    for index, (words, mixed) in enumerate(zip(recipe.mix, trajectory.mixes, strict=False)):
        yield ("mix", index), words, mixed
    for index, (region, regional) in enumerate(zip(recipe.regions, trajectory.regions, strict=False)):
        yield ("regions", index), region, regional.mixed


def _short(recipe: Recipe, trajectory: Trajectory) -> Iterator[str]:
    """Times that are shorter than a frame, where frames miss what happens."""
    line = trajectory.timeline
    frame_s = 1 / float(line.clock.fps)
    told: list[tuple[Path_, object]] = [(("walk", "every"), recipe.walk.every)]
    told += [((*path, "every"), words.every) for path, words, _ in _mixings(recipe, trajectory)]
    told += [(("classes", "every"), recipe.classes.every)] if recipe.classes is not None else []
    for path, every in told:
        if isinstance(every, Time) and line.length_s(every) < frame_s - 1e-9:
            yield f"{recipe.named(path)}: {every} is shorter than a frame ({1000 * frame_s:.3g} ms): some go unseen"
    if recipe.smooth is not None and trajectory.smoothing is None:
        problem = f"{recipe.smooth.sigma} is too short for frames of {1000 * frame_s:.3g} ms"
        yield f"{recipe.named(('smooth',))}: {problem}: it changes nothing"


def _noise(recipe: Recipe, spec: Spec) -> Iterator[str]:
    """Words of noise that another mode has."""
    for index, words in enumerate(recipe.noise if spec.noise else ()):
        for word in ("strength", "by", "where") if words.mode == "off" else ():
            if getattr(words, word) != type(words).model_fields[word].default:
                yield f"{recipe.named(('noise', index, word))}: with `mode: off` there is no noise: it changes nothing"
        for word in ("speed", "seed") if words.mode != "animate" else ():
            if getattr(words, word) != type(words).model_fields[word].default:
                yield f"{recipe.named(('noise', index, word))}: it goes with `mode: animate`: it changes nothing"


def _outside(recipe: Recipe, trajectory: Trajectory, spec: Spec) -> Iterator[str]:
    """Parts of the picture that nothing of is in it."""
    wide, high = spec.size[::-1] if spec.size else recipe.video.size or (1, 1)
    places: list[tuple[Path_, Region | None, np.ndarray]] = [
        (("regions", index), one.where, one.mixed.amounts != 0) for index, one in enumerate(trajectory.regions)
    ]
    every = np.ones(trajectory.frames, bool)
    places += [
        (("noise", index), one.where, every) for index, one in enumerate(trajectory.noises if spec.noise else ())
    ]
    for path, where, there in places:
        named = recipe.named((*path, "where"))
        if where is not None and where.image is not None and not where.image.any():
            yield f"{named}: this image is black, so nothing is there"
        if where is not None and where.spots is not None and there.any():
            x, y, radius = where.spots[there].T
            beyond = np.hypot(np.maximum(-x, x - 1).clip(0) * wide / high, np.maximum(-y, y - 1).clip(0))
            if ((beyond >= radius) | (radius <= 0)).all():
                yield f"{named}: the spot lies wholly outside the picture, so nothing is there"


def _one_layer(recipe: Recipe, spec: Spec) -> Iterator[str]:
    """Groups of layers where a model has one layer alone."""
    if len(spec.layers) > 1:
        return
    named = [
        recipe.named(path)
        for word in Looks.model_fields
        if word != "noise" or spec.noise
        for path, value in values_in(getattr(recipe, word), (word,))
        if isinstance(value, Layers) and {"coarse", "middle", "fine"} & set(value.parts)
    ]
    if named:
        yield f"{', '.join(named)}: {spec.name} has one layer, which coarse, middle and fine all mean"


def _lacking(recipe: Recipe, trajectory: Trajectory, spec: Spec) -> Iterator[str]:
    """Channels that some of the layers that are bent don't have."""
    for index, (words, bend) in enumerate(zip(recipe.bend, trajectory.bends, strict=False)):
        lacking = [
            f"{spec.shown[number].name} (0-{count - 1})"
            for number in sorted(bend.layers)
            if (count := channels_of(number, spec)) and _most(words) >= count
        ]
        if lacking:
            yield f"{recipe.named(('bend', index, 'channels'))}: not all of them are in {', '.join(lacking)}"


def _most(words: Operation) -> int:
    """The highest number of a channel that is written."""
    return max((first if last is None else last for first, last in words.channels.spans), default=0)
