"""Bends laid out in time: which layers of the model, and the values of each operation at every frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gandream.base.errors import did_you_mean, listed
from gandream.base.seeds import named_seed
from gandream.models.spec import CONSTANT, Spec
from gandream.recipe.bend import CONST, BendNoise, Bent, Channels, Flip, Operation, Translate
from gandream.recipe.layers import GROUPS
from gandream.recipe.ranges import Range, ranges
from gandream.recipe.reader import Path_
from gandream.recipe.recipe import Recipe
from gandream.trajectory.layers import group
from gandream.trajectory.laying import Ground
from gandream.trajectory.pushes import accumulated
from gandream.trajectory.walks import after_last, closed
from gandream.trajectory.window import ByFrame

VERSION = 1
"""Raised when an operation makes other pictures of the same words."""


@dataclass(frozen=True, eq=False)
class Bending:
    """One operation: ``values`` by word and ``amounts`` float64 [F], and whether it does anything, bool [F]."""

    name: str
    layers: frozenset[int]
    channels: Channels
    values: Mapping[str, ByFrame]
    amounts: ByFrame
    active: ByFrame
    seed: int
    choices: Mapping[str, Any] = field(default_factory=dict)

    def key(self, start: int, stop: int) -> list[Any]:
        """What shapes frames [start, stop), for a content key."""
        values = {word: value[start:stop] for word, value in self.values.items()}
        seed = self.seed if self.channels.share is not None or self.name == "noise" else None
        channels = [self.channels.share, [list(span) for span in self.channels.spans], seed]
        shape = [values, self.amounts[start:stop], dict(self.choices), self.active[start:stop]]
        return [VERSION, self.name, sorted(self.layers), channels, *shape]


def held(values: np.ndarray, bounds: Range) -> np.ndarray:
    """Values within a range, float64."""
    return np.mod(values, bounds.period) if bounds.period else np.clip(values, bounds.low, bounds.high)


def lay_bend(words: Operation, path: Path_, ground: Ground) -> Bending:
    """Lay out one entry of `bend`."""
    curves, name, bounds = ground.curves, words.name, ranges(type(words))
    values: dict[str, np.ndarray] = {}
    choices: dict[str, Any] = {}
    active = np.ones(curves.timeline.clock.frames, bool)
    for word in words.words():
        if word in bounds and word != "amount":
            values[word] = held(curves.values(getattr(words, word), (*path, word)), bounds[word])
            if bounds[word].idle is not None:
                active = values[word] != bounds[word].idle
    if isinstance(words, Translate):
        x, y = (curves.values(curve, (*path, name, at)) for at, curve in enumerate(words.translate))
        values, active = {"x": x, "y": y}, (x != 0) | (y != 0)
    elif isinstance(words, Flip):
        choices["flip"] = words.flip
    elif isinstance(words, BendNoise):
        values["phase"], choices["period"] = _phases(words, path, ground)
        choices["size"] = words.size
    amounts = held(curves.values(words.amount, (*path, "amount")), bounds["amount"])
    seed = named_seed(ground.recipe.seed, f"bend.{path[1]}.seed") if words.seed is None else words.seed
    numbers = bent_layers(words.layer, ground.spec, ground.recipe, (*path, "layer"))
    check_channels(words.channels, numbers, ground.spec, ground.recipe, (*path, "channels"))
    return Bending(name, numbers, words.channels, values, amounts, active & (amounts != 0), seed, choices)


def check_channels(written: Channels, layers: frozenset[int], spec: Spec, recipe: Recipe, path: Path_) -> None:
    """Refuse channels that none of the layers has; those that some lack are passed over there."""
    counts = [channels_of(number, spec) for number in sorted(layers)]
    if written.spans and all(counts) and min(first for first, _ in written.spans) >= max(counts):
        there = [
            f"{spec.shown[number].name} 0 to {count - 1}" for number, count in zip(sorted(layers), counts, strict=True)
        ]
        raise recipe.error(path, f"{spec.name} has no such channels", f"Its channels: {listed(there)}.")


def channels_of(layer: int, spec: Spec) -> int:
    """How many channels a layer that can be bent has; 0 where that isn't known."""
    return spec.shown[layer].channels if 0 <= layer < len(spec.shown) else 0


def _phases(words: BendNoise, path: Path_, ground: Ground) -> tuple[np.ndarray, int | None]:
    """Noise maps passed at each frame, and after how many the first comes again."""
    speed = ground.curves.values(words.speed, (*path, "speed"))
    phases = accumulated(speed, ground.curves.timeline.clock)
    if not ground.closes or not speed.any():
        return phases, None
    end = after_last(phases)
    period = max(2, round(abs(end)))
    return closed(phases, end, period), period


def bent_layers(written: Bent, spec: Spec, recipe: Recipe, path: Path_) -> frozenset[int]:
    """Numbers of the layers that are meant, of those that the model shows; RecipeError where it has no such layer."""
    names, found = [layer.name for layer in spec.shown], set[int]()
    if not names:
        raise recipe.error(path, f"{spec.name} can't be bent ({spec.family})", "Leave `bend` out.")
    last = len(names) - 1
    all_of_them = ([CONST] if spec.constant else []) + [f"{number} {name}" for number, name in enumerate(names)]
    there = f"Its layers: {listed(all_of_them, 64)}."
    for part in written.parts:
        if isinstance(part, tuple):
            first, end = part[0], last if part[1] is None else part[1]
            if max(first, end) > last:
                raise recipe.error(path, f"{spec.name} has layers 0 to {last}; {max(first, end)} is beyond them", there)
            found.update(range(first, end + 1))
        elif part in names:
            found.add(names.index(part))
        elif part == CONST:
            if not spec.constant:
                raise recipe.error(path, f"{spec.name} doesn't begin with a constant ({spec.family})", there)
            found.add(CONSTANT)
        elif part in GROUPS:
            numbers = group(part, spec, len(names))
            if not numbers:
                raise recipe.error(path, f"{spec.name} has no {part} layers", there)
            found.update(numbers)
        else:
            hint = did_you_mean(part, [*names, CONST, *GROUPS])
            raise recipe.error(path, f"{spec.name} has no such layer", f"{hint} {there}".strip())
    return frozenset(found)
