"""Several outputs of one render: the segments that each lacks, made side by side from the same pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol

from gandream.base.locks import Lock
from gandream.rendering.plan import Segment
from gandream.rendering.projector import Booth, Load, Projector
from gandream.rendering.reel import Reel

if TYPE_CHECKING:
    from torch import Tensor

Progress = Callable[[int], None]
"""Told how many more frames are made."""

LOOK_S = 0.1
"""How often it is looked whether others have finished what they render."""


class Sink(AbstractContextManager["Sink", None], Protocol):
    """Where the pictures of an output go. Leaving it waits until everything is published, or gives up."""

    def claim(self, segment: Segment) -> Lock | None:
        """The right to render a segment, or None while another process, or this one, is at it."""
        ...

    def lacking(self, segment: Segment) -> range:
        """The frames that are to be made of a segment; none if it is there."""
        ...

    def begin(self, segment: Segment, frames: range, published: Callable[[], None]) -> Future[Any]:
        """What follows are these frames; ``published`` is called once they are there to stay."""
        ...

    def write(self, images: Tensor, first: int) -> None:
        """Pictures of frames from ``first`` on."""
        ...


@dataclass(frozen=True)
class Job:
    """One output: what it lacks, and where that goes."""

    reel: Reel
    missing: Mapping[Segment, range]
    """The segments that are to be rendered, and which frames of each."""
    sink: Sink


def projectors_of(reels: Sequence[Reel], load: Load) -> list[Projector]:
    """What makes the pictures of each output; what they have in common is made once."""
    booth = Booth(load) if len(reels) > 1 else None
    return [Projector(reel, load, booth) for reel in reels]


def render_together(
    jobs: Sequence[Job],
    load: Load,
    progress: Progress,
    waiting: Callable[[], None] = lambda: None,
    projectors: Sequence[Projector] = (),
) -> list[int]:
    """Render what the outputs lack; gives how many frames of each were made here.

    What another process is rendering just now is left to it: the others come first, and then it is waited for. Those
    of one model come one after the other, so that each model is loaded once. ``waiting`` is called where nothing is
    left but what others render. Those who render again and again keep their ``projectors``, which hold the models.
    """
    projectors = projectors or projectors_of([job.reel for job in jobs], load)
    left, made, held = groups(jobs), [0] * len(jobs), dict[tuple[int, Segment], Lock]()
    results: list[Future[Any]] = []

    def let_go(mine: tuple[int, Segment]) -> None:
        """Of a lock, once, whoever comes first: what publishes, or the end; its number may be another file's then."""
        if lock := held.pop(mine, None):
            lock.release()

    try:
        with ExitStack() as sinks:
            for job in jobs:
                sinks.enter_context(job.sink)
            while left:
                elsewhere = []
                for group in left:
                    streams, later = [], []
                    for number, segment in group:
                        sink, mine = jobs[number].sink, (number, segment)
                        lock = sink.claim(segment)
                        if lock is None:
                            later.append((number, segment))
                            continue
                        held[mine] = lock
                        frames = sink.lacking(segment)
                        progress(len(jobs[number].missing[segment]) - len(frames))
                        if not frames:
                            let_go(mine)
                            continue
                        results.append(sink.begin(segment, frames, lambda mine=mine: let_go(mine)))
                        pictures = projectors[number].pictures(frames.start, segment.stop)
                        streams.append(_Stream(sink, frames, pictures))
                        made[number] += len(frames)
                    _run(streams, progress)
                    elsewhere += [later] if later else []
                if len(elsewhere) == len(left):
                    if any(result.cancelled() for result in results):
                        break  # it is our own encoder that failed; leaving tells
                    waiting()
                    time.sleep(LOOK_S)
                left = elsewhere
    finally:
        for mine in tuple(held):
            let_go(mine)
    return made


def groups(jobs: Sequence[Job]) -> list[list[tuple[int, Segment]]]:
    """The segments of the same frames, with the numbers of their outputs, in the order of models and then of frames."""
    missing = [(number, segment) for number, job in enumerate(jobs) for segment in job.missing]

    def place(one: tuple[int, Segment]) -> tuple[Any, ...]:
        return jobs[one[0]].reel.models(one[1]), one[1].start, one[1].stop

    return [list(group) for _, group in groupby(sorted(missing, key=place), key=place)]


@dataclass
class _Stream:
    """The pictures of some frames, from the one that comes next, on their way to a sink."""

    sink: Sink
    frames: range
    pictures: Iterator[Tensor]

    def step(self) -> int:
        """Write the next pictures; gives how many of them are wanted."""
        images = next(self.pictures)[: len(self.frames)]
        self.sink.write(images, self.frames.start)
        self.frames = self.frames[len(images) :]
        return len(images)


def _run(streams: list[_Stream], progress: Progress) -> None:
    """Write everything, whoever is behind comes next: what one output makes of a batch, the others find."""
    while streams:
        last = min(streams, key=lambda stream: stream.frames.start)
        progress(last.step())
        if not last.frames:
            streams.remove(last)
