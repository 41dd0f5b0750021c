"""Style mixing and blends, laid out in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gandream.recipe.latent import Latent
from gandream.recipe.layering import Mixing
from gandream.recipe.reader import Path_
from gandream.trajectory import layers
from gandream.trajectory.ease import EASE
from gandream.trajectory.laying import Ground, lay
from gandream.trajectory.places import Place
from gandream.trajectory.roam import Roam
from gandream.trajectory.timeline import Timeline
from gandream.trajectory.walks import Track, after_last, closed
from gandream.trajectory.window import ByFrame

FAINT = 0.25
"""Sum of a signal's bands below which a blend fades to what is there: no pitch is clear then."""


@dataclass(frozen=True)
class Mixed:
    """Some layers go toward a second walk: ``amounts`` float64 [F], ``layers`` bool [L]."""

    track: Track | Roam
    amounts: ByFrame
    layers: np.ndarray

    def key(self, start: int, stop: int, classes: int) -> list[Any]:
        """What shapes frames [start, stop), for a content key."""
        return [self.track.key(start, stop, classes), self.amounts[start:stop].astype(np.float32), self.layers]


@dataclass(frozen=True)
class Blended:
    """Some layers become a weighted sum of latents: ``weights`` float64 [F, B], whose rows sum to 1."""

    stops: tuple[Place, ...]
    weights: ByFrame
    amounts: ByFrame
    layers: np.ndarray

    def key(self, start: int, stop: int) -> list[Any]:
        """What shapes frames [start, stop), for a content key."""
        weights = [self.weights[start:stop].astype(np.float32), self.amounts[start:stop].astype(np.float32)]
        return [[at.key(start, stop) for at in self.stops], weights, self.layers]


def lay_mix(mix: Mixing, path: Path_, ground: Ground) -> Mixed:
    """Lay out one entry of `mix`."""
    recipe, line = ground.recipe, ground.curves.timeline
    if mix.at is not None and mix.until is not None and line.moment_s(mix.until) <= line.moment_s(mix.at):
        raise recipe.error((*path, "until"), f"a mix ends after it begins, and this is not after {mix.at}")
    times = None if mix.every is None else Repeats.of(mix, line, recipe.video.loop)
    if times is not None and times.lasting > 1 + 1e-9:
        hint = "A list of latents without `for` stays until the next one." if isinstance(mix.source, tuple) else ""
        problem = f"it comes every {mix.every}, so it can't be there for {mix.for_} each time"
        raise recipe.error((*path, "for"), problem, hint)
    amounts = ground.curves.values(mix.amount, (*path, "amount")) * gate(mix, line, times)
    if isinstance(mix.source, tuple):
        assert times is not None, "a list goes with `every`"
        stops = tuple(ground.place(latent, (*path, "from", index)) for index, latent in enumerate(mix.source))
        track = _swaps(stops, times)
    elif isinstance(mix.source, Latent):
        track = Track.standing(ground.place(mix.source, (*path, "from")), line.clock.frames)
    else:
        track = lay(mix.source, (*path, "from"), ground)
    return Mixed(track, amounts, layers.mask(mix.layers, ground.spec, recipe, (*path, "layers")))


@dataclass(frozen=True)
class Repeats:
    """The times at which something comes again, as shares of the time between two of them.

    ``numbers`` [F] is how often it has come again, below 0 before the first time; ``shares`` [F] is how long ago.
    ``lasting`` is how long it is there, ``fade`` how long it takes to come, both with ``ease``.
    """

    numbers: np.ndarray
    shares: np.ndarray
    lasting: float
    fade: float
    ease: str = "linear"
    rounding: float = 0.0

    @classmethod
    def of(cls, mix: Mixing, line: Timeline, loop: bool) -> Repeats:
        """Of a mix that has `every`; where the film loops, it comes a whole number of times."""
        assert mix.every is not None, "asked before"
        passed, every_s = line.steps(mix.every), line.length_s(mix.every)
        first = 0.0 if mix.at is None else float(line.steps_at(mix.every, line.moment_s(mix.at)))
        lap = len(mix.source) if isinstance(mix.source, tuple) else 1
        if loop and len(passed) > 1 and (end := after_last(passed)) > 0:
            stretch = closed(np.array([0.0, end]), end, lap)[1] / end
            passed, first, every_s = passed * stretch, first * stretch, every_s / stretch
        # To a millionth of a frame: the frame at which it comes is in, whatever the rounding.
        rounding = 1e-6 / float(line.clock.fps) / every_s
        numbers = np.floor(passed - first + rounding)
        lasting = 1.0 if mix.for_ is None else line.length_s(mix.for_) / line.length_s(mix.every)
        fade = 0.0 if mix.fade is None else line.length_s(mix.fade) / every_s
        shares = np.maximum(passed - first - numbers, 0)
        return cls(numbers.astype(np.int64), shares, lasting, fade, mix.ease, rounding)

    @property
    def gapless(self) -> bool:
        """Whether it is there until it comes again."""
        return self.lasting >= 1 - 1e-9

    def there(self) -> np.ndarray:
        """How much of it is there at each frame, float64 [F], 0 to 1 but for eases that go beyond."""
        inside = (self.numbers >= 0) & (self.gapless | (self.shares < self.lasting - self.rounding))
        if not self.fade:
            return inside.astype(np.float64)
        since = self.numbers + self.shares if self.gapless else self.shares
        amounts = inside * EASE[self.ease](np.clip(since / self.fade, 0, 1))
        return (
            amounts
            if self.gapless
            else amounts * EASE[self.ease](np.clip((self.lasting - self.shares) / self.fade, 0, 1))
        )


def _swaps(stops: tuple[Place, ...], times: Repeats) -> Track:
    """The next latent each time; where there are no gaps, it fades into it from the one before."""
    places = np.maximum(times.numbers, 0).astype(np.float64)
    if not (times.gapless and times.fade):
        return Track(np.zeros((len(stops), 0)), places, "step", stops=stops, in_w=True)
    into = EASE[times.ease](np.clip(times.shares / times.fade, 0, 1))
    places = np.where(times.numbers > 0, places - 1 + into, 0)
    return Track(np.zeros((len(stops), 0)), places, "lerp", stops=stops, in_w=True)


def gate(mix: Mixing, line: Timeline, times: Repeats | None = None) -> np.ndarray:
    """How much a mix is there at each frame by its times: float64 [F], 0 to 1 but for eases that go beyond."""
    seconds = line.clock.times
    there = np.ones(line.clock.frames) if times is None else times.there()
    fade = line.length_s(mix.fade) if mix.fade else 0.0
    for moment, sign in ((None if times else mix.at, 1), (mix.until, -1)):
        if moment is None:
            continue
        since = sign * (seconds - line.moment_s(moment))
        if fade:
            there = there * EASE[mix.ease](np.clip(since / fade, 0, 1))
        else:
            # To a millionth of a frame: the frame at `at` is in, the one at `until` isn't, whatever the rounding.
            rounding = 1e-6 / float(line.clock.fps)
            there = there * (since > (-rounding if sign > 0 else rounding))
    return there


def shares(bands: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights that sum to 1, float64 [F, B], and how clear they are, [F] from 0 to 1, of a signal's bands [F, B]."""
    bands = np.maximum(bands.astype(np.float64), 0)
    total = bands.sum(axis=1, keepdims=True)
    even = np.full_like(bands, 1 / bands.shape[1])
    weights = np.divide(bands, total, out=even, where=total > 1e-9)
    clear = np.clip(total[:, 0] / FAINT, 0, 1)
    return weights, clear * clear * (3 - 2 * clear)
