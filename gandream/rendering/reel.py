"""A film of scenes as it is planned: shots that follow one another, each with its model, and the film's segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from gandream.base.hashing import content_key
from gandream.rendering.device import Kind
from gandream.rendering.plan import Plan, Segment, grid
from gandream.video.format import VideoFormat


@dataclass(frozen=True)
class Shot:
    """One scene: it is seen in frames [start, stop) of the film, at first perhaps through the one before.

    ``plan`` has no segments of its own, ``shares`` is how much of it is seen in its first frames (float64, 0 to 1), and
    ``model`` is the number of its generator. In these frames are seen those that are ``later`` by so many: of the last
    scene of a film that closes, which goes on under the first.
    """

    plan: Plan
    start: int
    stop: int
    shares: np.ndarray = field(default_factory=lambda: np.zeros(0))
    model: int = 0
    later: int = 0

    def key_of(self, first: int, last: int, edges: Sequence[int]) -> list[Any]:
        """For content_key: all that shapes frames [first, last) of the film, as far as this is seen in them."""
        first, last = first + self.later, last + self.later
        return [*self.plan.key_of(first, last, edges), *(["later", first] if self.later else [])]


@dataclass(frozen=True)
class Reel:
    """All that is to be rendered of a film.

    Where a shot begins or ends a segment does too, so that each holds one shot, or two of which the second comes in.
    """

    shots: tuple[Shot, ...]
    segments: tuple[Segment, ...]

    @property
    def fmt(self) -> VideoFormat:
        """The format of the pictures."""
        return self.shots[0].plan.fmt

    @property
    def device(self) -> Kind:
        """What renders."""
        return self.shots[0].plan.device

    @property
    def batch(self) -> int:
        """Pictures of the largest batch."""
        return max(shot.plan.batch for shot in self.shots)

    @property
    def threads(self) -> int:
        """Threads of torch on a CPU, 0 on other devices."""
        return self.shots[0].plan.threads

    @property
    def start(self) -> int:
        """First frame of the range that is rendered."""
        return self.segments[0].start

    @property
    def frames(self) -> int:
        """Frames that are rendered."""
        return self.segments[-1].stop - self.segments[0].start

    @cached_property
    def edges(self) -> tuple[int, ...]:
        """The frames at which shots begin and end."""
        return edges_of(self.shots)

    def numbers(self, start: int, stop: int) -> list[int]:
        """Which shots are seen in frames [start, stop), the one that comes in last."""
        return [at for at, shot in enumerate(self.shots) if shot.start < stop and start < shot.stop]

    def models(self, segment: Segment) -> tuple[int, ...]:
        """The numbers of the generators that a segment wants."""
        return tuple(sorted({self.shots[at].model for at in self.numbers(segment.start, segment.stop)}))


def make_reel(shots: Sequence[Shot], frames: tuple[int, int] | None = None) -> Reel:
    """Plan frames [start, stop) of a film (None: all) of shots that follow one another without a gap."""
    start, stop = frames or (0, shots[-1].stop)  # the last begins last
    fps, edges = shots[0].plan.fmt.fps, edges_of(shots)
    segments = []
    for first, last in grid(start, stop, fps, edges):
        seen = [shot for shot in shots if shot.start < last and first < shot.stop]
        key = seen[0].key_of(first, last, edges)
        if len(seen) > 1:
            over = seen[1]
            shares = over.shares[first - over.start : last - over.start].astype(np.float32)
            key += ["over it", over.key_of(first, last, edges), shares]
        segments.append(Segment(first, last, content_key("segment", *key)))
    return Reel(tuple(shots), tuple(segments))


def edges_of(shots: Sequence[Shot]) -> tuple[int, ...]:
    """The frames at which shots begin and end, but for the film's ends."""
    return tuple(sorted({edge for shot in shots for edge in (shot.start, shot.stop)} - {0, shots[-1].stop}))
