"""The word ``classes``, laid out in time."""

from __future__ import annotations

import numpy as np

from gandream.base.seeds import named_seed
from gandream.models.spec import Spec
from gandream.recipe.classes import Classes, Shuffle
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.trajectory.classes import Chord, Morph, Passage, class_number
from gandream.trajectory.evaluate import Curves
from gandream.trajectory.heard_classes import RATE, Hearing, follow, sampled_at, smoothed, steps_of, turned
from gandream.trajectory.timeline import Timeline
from gandream.trajectory.walks import DEFAULT_STEP, closing, steady_places

_PATH: Path_ = ("classes",)
QUIET = 0.01
"""Sum of the weights of several classes below which they give way to the first, where they are made to sum to 1."""


def lay_classes(recipe: Recipe, spec: Spec, curves: Curves) -> int | Morph | None:
    """What the word `classes` says: a class that stays, one that moves, or nothing."""
    words = recipe.classes
    if words is None:
        return None
    if not spec.classes and words.optional:
        return None
    if not spec.classes:
        raise recipe.error(_PATH, f"{spec.name} has no classes", "Leave `classes` out.")
    if words.weights is not None:
        return _weighted(words, recipe, spec, curves)
    numbers = np.array(
        [class_number(word, recipe, spec, (*_PATH, "through", index)) for index, word in enumerate(words.through)],
        np.int64,
    )
    if words.from_ is not None:
        return _heard(words, numbers, recipe, spec, curves)
    if len(numbers) == 1:
        return int(numbers[0])
    return _passage(words, numbers, recipe, spec, curves.timeline)


def _passage(words: Classes, numbers: np.ndarray, recipe: Recipe, spec: Spec, line: Timeline) -> Passage:
    if words.shuffle is not None or words.order == "shuffle":
        seed = words.shuffle if isinstance(words.shuffle, int) else named_seed(recipe.seed, "classes.shuffle")
        numbers = np.random.RandomState(seed).permutation(numbers)
    numbers = np.array(words.sequence(numbers))
    places, spans = steady_places(words, line, recipe, _PATH)
    places = closing(places, len(numbers), recipe) if words.loop else places
    if words.hold.unit == "%":
        holds = np.full(len(numbers), float(words.hold.amount / 100))
    else:
        steps = np.full(len(numbers), line.length_s(words.every or DEFAULT_STEP)) if spans is None else spans
        holds = line.length_s(words.hold) / steps
        if holds.max() > 1 + 1e-9:
            problem = f"a class is held for {words.hold}, but a step takes only {steps.min():.3g} s"
            raise recipe.error((*_PATH, "hold"), problem, "A share of each step always fits: `hold: 50%`.")
    holds = np.minimum(holds, 1)
    return Passage(len(spec.classes), numbers, places, holds, words.ease, words.loop, words.path, spans)


def _weighted(words: Classes, recipe: Recipe, spec: Spec, curves: Curves) -> Chord:
    numbers, values = [], []
    for name, curve in (words.weights or {}).items():
        path: Path_ = (*_PATH, "weights", name)
        numbers.append(class_number(name, recipe, spec, path))
        values.append(curves.values(curve, path))
    weights = np.stack(values, axis=1)
    return Chord(len(spec.classes), np.array(numbers), normalised(weights) if words.normalise else weights)


def _heard(words: Classes, numbers: np.ndarray, recipe: Recipe, spec: Spec, curves: Curves) -> Chord:
    assert words.from_ is not None, "asked before"
    line, heard = curves.timeline, curves.signals[words.from_].astype(np.float64)
    B, fps = heard.shape[1], float(line.clock.fps)
    if not len(numbers):
        random = np.random.RandomState(named_seed(recipe.seed, "classes.through"))
        numbers = random.permutation(len(spec.classes))[:B]
    numbers = numbers[np.arange(B) % len(numbers)]
    order = np.argsort(-heard.mean(axis=0), kind="stable") if words.order == "strength" else np.arange(B)
    times = steps_of(line.clock)
    bands = sampled_at(heard[:, order], fps, times)
    if isinstance(words.shuffle, Shuffle):
        fed = turned(B, _changes(words.shuffle, line, times), words.shuffle.strength, words.shuffle.seed)
        fed_by = np.argsort(fed, axis=1)  # which band feeds each class
        bands = np.take_along_axis(bands, fed_by, axis=1)
    react = None if words.react is None else curves.values(words.react, (*_PATH, "react"))
    complexity = curves.values(words.complexity, (*_PATH, "complexity"))
    hearing = Hearing(
        leak_s=None if words.leak is None else line.length_s(words.leak),
        react=None if react is None else sampled_at(react, fps, times),
        levels=words.levels,
        complexity=sampled_at(complexity, fps, times),
        floor=words.floor,
    )
    classes = smoothed(follow(bands, hearing), line.length_s(words.smooth))
    values = sampled_at(classes, float(RATE), line.clock.times)
    return Chord(len(spec.classes), numbers, normalised(values) if words.normalise else values)


def _changes(words: Shuffle, line: Timeline, times: np.ndarray) -> np.ndarray:
    """How often the classes have changed their bands at each time, int [S]."""
    if words.at is not None:
        moments = np.sort([line.moment_s(moment) for moment in words.at])
        return np.searchsorted(moments, times + 1e-9, side="right")
    assert words.every is not None, "the recipe is checked to say one of the two"
    return np.floor(sampled_at(line.steps(words.every), float(line.clock.fps), times) + 1e-9).astype(np.int64)


def normalised(values: np.ndarray) -> np.ndarray:
    """Weights from 0 up that sum to 1 [F, K]; where there is next to nothing, they give way to the first."""
    values = np.maximum(values, 0)
    total = values.sum(axis=1, keepdims=True)
    clear = np.clip(total / QUIET, 0, 1)
    clear = clear * clear * (3 - 2 * clear)
    weights = clear * np.divide(values, total, out=np.zeros_like(values), where=total > 0)
    weights[:, :1] += 1 - clear
    return weights
