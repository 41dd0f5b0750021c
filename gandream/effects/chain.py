"""A recipe's effects made ready for a film: their curves as numbers, and how they are applied to frames in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gandream.base.clock import Clock
from gandream.base.seeds import named_seed
from gandream.effects.memory import MOST_FRAMES, most_trails
from gandream.effects.moment import Content, Film, Past, Row
from gandream.effects.table import EFFECT
from gandream.recipe.curve import AnyCurve
from gandream.recipe.ranges import Colour, Range, ranges
from gandream.recipe.reader import Path_
from gandream.recipe.times import Time

if TYPE_CHECKING:
    from gandream.effects.run import Run
    from gandream.recipe.effects import Effect
    from gandream.recipe.recipe import Recipe

VERSION = 1
"""Raised when an effect makes other pictures of the same words."""


@dataclass(frozen=True)
class Link:
    """One effect of the chain."""

    name: str
    row: Row
    values: Mapping[str, np.ndarray]
    """Each curve, held to its range, float32 [F]."""
    choices: Mapping[str, Any]
    """What stays the same; colours as three numbers, lengths in frames."""
    seed: int
    active: np.ndarray
    """Whether it does anything at a frame, bool [F]."""
    past: Past | None = None

    def since(self, start: int, stop: int) -> int:
        """The first frame that it must see for frames [start, stop)."""
        return self.past.since(start, stop) if self.past else start


@dataclass(frozen=True)
class Chain:
    """The effects of a film, in order; those that never do anything are left out. Needs no torch."""

    links: tuple[Link, ...] = ()
    fps: float = 30.0
    warnings: tuple[str, ...] = ()
    first: int = 0
    """The first frame that there is, of a scene; nothing before it is remembered."""

    def begin(self, start: int, stop: int) -> int:
        """The first frame whose picture shapes frames [start, stop), by way of the effects' memories."""
        for link in reversed(self.links):
            start = max(self.first, link.since(start, stop))
        return start

    def key(self, start: int, stop: int) -> list[Any]:
        """For content_key: what shapes frames [start, stop) beside the pictures from :meth:`begin` on."""
        parts: list[Any] = []
        for link in reversed(self.links):
            start = max(self.first, link.since(start, stop))
            if link.active[start:stop].any():
                dated = [start, link.seed, link.past and link.past.frames] if link.row.dated else None
                values = {word: value[start:stop] for word, value in link.values.items()}
                choices = {
                    word: value.key(start, stop) if isinstance(value, Content) else value
                    for word, value in link.choices.items()
                    if word != "past"
                }
                parts.append([link.name, values, choices, dated])
        return [VERSION, self.fps, *parts] if parts else []

    def run(self) -> Run:
        """Something that is fed the pictures."""
        from gandream.effects.run import Run

        return Run(self)


def chain(
    effects: Sequence[Effect],
    recipe: Recipe,
    clock: Clock,
    values: Callable[[AnyCurve, Path_], np.ndarray],
    length_s: Callable[[Time], float],
    moment_s: Callable[[Time], float] | None = None,
    start_s: float = 0.0,
    first: int = 0,
    ends: tuple[int, int] | None = None,
) -> Chain:
    """Make the chain of a recipe's effects.

    ``values(curve, path)`` gives a curve at every frame, float64 [F]; ``length_s(time)`` gives seconds, and so does
    ``moment_s(time)`` of points in the film, which begins at ``start_s`` in its music.
    Of a scene, ``first`` is its first frame; ``ends`` are the frames [start, stop) that it has effects of its own for.
    """
    film = Film(recipe, clock, values, length_s, moment_s or length_s, start_s, ends or (0, clock.frames))
    links, warnings = [], []
    for index, effect in enumerate(effects):
        link = _link(effect, ("effects", index), film)
        if link.active.any():
            links.append(link)
        else:
            warnings.append(f"{recipe.named(('effects', index))}.{link.name}: nothing of it is seen in the film")
        if link.name == "trails" and link.values["trails"].max() > most_trails(float(clock.fps)) + 1e-6:
            most = f"{most_trails(float(clock.fps)):.3f}"
            problem = (
                f"the memory ends after {MOST_FRAMES} frames: at this frame rate more than {most} is taken as {most}"
            )
            warnings.append(f"effects[{index}].trails: {problem}")
    return Chain(tuple(links), float(clock.fps), tuple(warnings), first)


def _link(effect: Effect, path: Path_, film: Film) -> Link:
    name, bounds = effect.words()[0], ranges(type(effect))
    row = EFFECT[name]
    values, choices, seed = {}, {}, 0
    for word in effect.words():
        value, at = getattr(effect, word), (*path, word)
        if word in bounds:
            curve = _ends(effect, film) if isinstance(value, str) else film.values(value, at)
            values[word] = _held(curve, bounds[word])
        elif word == "seed":
            seed = named_seed(film.recipe.seed, f"effects.{path[1]}.seed") if value is None else int(value)
        elif row.ready is None and isinstance(value, Time):
            choices[word] = max(1, int(film.length_s(value) * float(film.clock.fps) + 0.5))
        elif row.ready is None:
            choices[word] = list(value.rgb) if isinstance(value, Colour) else value
    if row.ready is not None:
        values, choices = row.ready(effect, path, film, values)
    active = _active(values, bounds, film.clock.frames)
    past = row.past(values, choices, float(film.clock.fps)) if row.past else None
    if name == "echo" and past is not None and past.frames > MOST_FRAMES:
        problem = f"{choices['repeats']} × {choices['delay']} frames: more than the {MOST_FRAMES} that are remembered"
        raise film.recipe.error((*path, "delay"), problem, "Make the delay shorter, or repeat it less often.")
    return Link(name, row, values, {**choices, "past": past}, seed, active, past)


def _held(values: np.ndarray, bounds: Range) -> np.ndarray:
    """Values within a range, float32."""
    if bounds.period is not None:
        values = np.mod(values, bounds.period)
    values = np.clip(values, bounds.low, bounds.high)
    return (np.floor(values + 0.5) if bounds.whole else values).astype(np.float32)


def _active(values: Mapping[str, np.ndarray], bounds: Mapping[str, Range], frames: int) -> np.ndarray:
    """Where any parameter that can rest doesn't; an effect without such a parameter never rests."""
    awake = [values[word] != np.float32(bound.idle) for word, bound in bounds.items() if bound.idle is not None]
    return np.any(awake, axis=0) if awake else np.ones(frames, bool)


def _ends(effect: Any, film: Film) -> np.ndarray:
    """How much of a fade's colour: all at the ends of film or scene, less and less inward (smoothstep)."""
    first, last = film.ends
    over = max(1.0, film.length_s(effect.over) * float(film.clock.fps))
    since, left = np.arange(film.clock.frames) - first, last - 1 - np.arange(film.clock.frames)
    ends = {"in": since, "out": left, "both": np.minimum(since, left)}
    share = np.clip(ends[effect.fade] / over, 0, 1)
    return 1 - share * share * (3 - 2 * share)
