"""The finished pictures of a film, segment by segment; each model is loaded when it is wanted, and then let go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import numpy as np

from gandream.rendering.graphs import CudaRecorder, replayed
from gandream.rendering.plan import batches
from gandream.rendering.reel import Reel
from gandream.rendering.threads import use

if TYPE_CHECKING:
    from torch import Tensor

    from gandream.effects.run import Run
    from gandream.models.spec import Generator
    from gandream.rendering.grid import GridPainter
    from gandream.rendering.paint import Exposures, Painter

Load = Callable[[int], "Generator"]
"""Loads a model of the reel by its number."""


class Booth:
    """What the projectors of several outputs share: models, and what these made of the batch that is shown now."""

    def __init__(self, load: Load):
        self._load, self._recorder = load, CudaRecorder()
        self._models: WeakValueDictionary[int, Generator] = WeakValueDictionary()
        self._exposures: dict[int, Exposures] = {}

    def load(self, number: int) -> Generator:
        """A model, loaded anew only where no projector holds it."""
        model = self._models.get(number)
        if model is None:
            model = self._models[number] = replayed(self._load(number), self._recorder)
        return model

    def exposures(self, shot: int) -> Exposures:
        """What was made of a shot."""
        from gandream.rendering.paint import Exposures

        return self._exposures.setdefault(shot, Exposures())


class Projector:
    """Makes the pictures of a reel. It holds the models of the shots that it shows, and no others.

    Of a render with several outputs each has its own, and they stand in one ``booth``.
    """

    def __init__(self, reel: Reel, load: Load, booth: Booth | None = None):
        self.reel, self.load, self.booth = reel, booth.load if booth else load, booth
        self._recorder = CudaRecorder()
        self._models: dict[int, Generator] = {}
        self._shots: dict[int, tuple[Painter | GridPainter, Run]] = {}

    def pictures(self, start: int, stop: int, batch: int | None = None) -> Iterator[Tensor]:
        """Pictures of frames [start, stop), some at a time, float [N, 3, H, W] in about [-1, 1].

        Frames between two edges of the reel. They are painted in batches of the plan, or as few as ``batch`` says.
        """
        numbers = self.reel.numbers(start, stop)
        self._hold(numbers)
        streams = [self._stream(number, start, stop, batch) for number in numbers]
        if len(streams) == 1:
            yield from streams[0]
            return
        over = self.reel.shots[numbers[1]]
        yield from crossfaded(streams[0], streams[1], over.shares[start - over.start : stop - over.start])

    def _stream(self, number: int, start: int, stop: int, batch: int | None) -> Iterator[Tensor]:
        """Pictures of one shot, with its effects."""
        shot, (painter, run) = self.reel.shots[number], self._shots[number]
        plan, start, stop = shot.plan, start + shot.later, stop + shot.later
        begin = run.seek(start, stop)
        for at, end in batches(begin, stop, batch or plan.batch, plan.fmt.fps, self.reel.edges):
            for piece in painter.pieces(at, end):
                # A range of frames may begin within a batch: what lies before it is painted too, and left out.
                first, at = max(at, begin), at + len(piece)
                if at > begin and len(images := run.apply(piece[len(piece) - (at - first) :], first)):
                    yield images

    def _hold(self, numbers: list[int]) -> None:
        """Let go of what these shots don't want, then load what they lack."""
        from gandream.rendering.grid import painter

        shots = {number: self.reel.shots[number] for number in numbers}
        wanted = {shot.model for shot in shots.values()}
        self._shots = {number: kept for number, kept in self._shots.items() if number in shots}
        self._models = {model: kept for model, kept in self._models.items() if model in wanted}
        for number, shot in shots.items():
            use(shot.plan.threads)
            if shot.model not in self._models:
                self._models[shot.model] = replayed(self.load(shot.model), self._recorder)
            if number not in self._shots:
                exposures = self.booth.exposures(number) if self.booth else None
                made = painter(shot.plan, self._models[shot.model], exposures)
                self._shots[number] = made, shot.plan.effects.run()


def crossfaded(under: Iterator[Tensor], over: Iterator[Tensor], shares: np.ndarray) -> Iterator[Tensor]:
    """Pictures of one shot under those of another, blended as they are displayed: under + (over - under) × share."""
    import torch

    below, above, at = next(under), next(over), 0
    while True:
        count = min(len(below), len(above))
        share = torch.from_numpy(shares[at : at + count].astype(np.float32))
        share = share.to(below.device, non_blocking=below.device.type == "cuda")[:, None, None, None]
        yield torch.lerp(below[:count].float().clamp(-1, 1), above[:count].float().clamp(-1, 1), share)
        at += count
        if at >= len(shares):
            return
        below = below[count:] if len(below) > count else next(under)
        above = above[count:] if len(above) > count else next(over)
