"""Style mixing, blends and noise, laid out in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gandream.recipe.layering import Mix
from gandream.trajectory.places import Place
from gandream.trajectory.timeline import Timeline
from gandream.trajectory.walks import Track

FAINT = 0.25
"""Sum of a signal's bands below which a blend fades to what is there: no pitch is clear then."""


@dataclass(frozen=True)
class Mixed:
    """Some layers go toward a second walk: ``amounts`` float64 [F], ``layers`` bool [L]."""

    track: Track
    amounts: np.ndarray
    layers: np.ndarray

    def key(self, start: int, stop: int, classes: int) -> list[Any]:
        """What shapes frames [start, stop), for a content key."""
        return [self.track.key(start, stop, classes), self.amounts[start:stop].astype(np.float32), self.layers]


@dataclass(frozen=True)
class Blended:
    """Some layers become a weighted sum of latents: ``weights`` float64 [F, B], whose rows sum to 1."""

    stops: tuple[Place, ...]
    weights: np.ndarray
    amounts: np.ndarray
    layers: np.ndarray

    def key(self, start: int, stop: int) -> list[Any]:
        """What shapes frames [start, stop), for a content key."""
        weights = [self.weights[start:stop].astype(np.float32), self.amounts[start:stop].astype(np.float32)]
        return [[at.key(start, stop) for at in self.stops], weights, self.layers]


@dataclass(frozen=True)
class Noised:
    """Noise maps of some layers: ``strengths`` and ``phases`` (maps passed) are float64 [F].

    ``period`` is after how many maps the first comes again, None for never.
    """

    mode: str
    strengths: np.ndarray
    phases: np.ndarray
    layers: np.ndarray
    seed: int = 0
    period: int | None = None

    def key(self, start: int, stop: int) -> list[Any]:
        """What shapes frames [start, stop), for a content key."""
        moving = [self.phases[start:stop], self.seed, self.period] if self.mode == "animate" else []
        return [self.mode, self.strengths[start:stop].astype(np.float32), self.layers, moving]


def gate(mix: Mix, line: Timeline) -> np.ndarray:
    """How much a mix is there at each frame by ``at``, ``until`` and ``fade``: float64 [F], 0 to 1."""
    times, there = line.clock.times, np.ones(line.clock.frames)
    fade = line.length_s(mix.fade) if mix.fade else 0.0
    for moment, sign in ((mix.at, 1), (mix.until, -1)):
        if moment is None:
            continue
        since = sign * (times - line.moment_s(moment))
        if fade:
            there *= np.clip(since / fade, 0, 1)
        else:
            # To a millionth of a frame: the frame at `at` is in, the one at `until` isn't, whatever the rounding.
            rounding = 1e-6 / float(line.clock.fps)
            there *= since > (-rounding if sign > 0 else rounding)
    return there


def shares(bands: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights that sum to 1, float64 [F, B], and how clear they are, [F] from 0 to 1, of a signal's bands [F, B]."""
    bands = np.maximum(bands.astype(np.float64), 0)
    total = bands.sum(axis=1, keepdims=True)
    even = np.full_like(bands, 1 / bands.shape[1])
    weights = np.divide(bands, total, out=even, where=total > 1e-9)
    clear = np.clip(total[:, 0] / FAINT, 0, 1)
    return weights, clear * clear * (3 - 2 * clear)
