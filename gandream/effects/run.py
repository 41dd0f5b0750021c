"""Applying a chain of effects to the pictures of frames that follow one another."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from gandream.effects.chain import Chain, Link
from gandream.effects.moment import Moment

if TYPE_CHECKING:
    from torch import Tensor


class Run:
    """A chain at work.

    ::

        run = chain.run()
        for segment in segments:
            begin = run.seek(segment.start, segment.stop)
            for first, last in batches(begin, segment.stop):
                images = run.apply(pictures(first, last), first)  # of frames from segment.start on; perhaps none

    Where a segment continues what the run has just seen, `seek` gives its start and nothing is made twice; the result
    is the same. The pictures that are given and given back must not be written into.
    """

    def __init__(self, chain: Chain):
        self.chain = chain
        self._memories: list[dict[Any, Any]] = [{} for _ in chain.links]
        self._begin = self._next = self._start = 0

    def seek(self, start: int, stop: int) -> int:
        """Be ready for frames [start, stop): the frame from which on pictures must be fed."""
        begin = self.chain.begin(start, stop)
        self._start = start
        if self._next != start or begin < self._begin:
            self._begin = self._next = begin
            for link, memory in zip(self.chain.links, self._memories, strict=True):
                if link.past:
                    memory.clear()
        return self._next

    def apply(self, images: Tensor, first: int) -> Tensor:
        """Pictures [N, C, H, W] of frames from `first` on -> with effects, those of them that were sought.

        They follow those before; frames that came earlier than needed are passed over.
        """
        if first > self._next:
            raise ValueError(f"frame {first} follows frame {self._next - 1}: some are missing")
        images = images[max(0, self._next - first) :]
        first, self._next = self._next, self._next + len(images)
        wanted = max(0, self._start - first)
        if not any(link.past or link.active[first : self._next].any() for link in self.chain.links):
            return images[wanted:]
        made = self._made(images, first)
        return made[0] if wanted == 0 and len(made) == 1 else _joined(made, images)[wanted:]

    def _made(self, images: Tensor, first: int) -> list[Tensor]:
        """The batch with effects, in pieces."""
        step = frames_at_once(images)
        made = []
        for at in range(0, len(images), step):
            frames = range(first + at, first + min(at + step, len(images)))
            busy = np.any([link.active[frames.start : frames.stop] for link in self.chain.links], axis=0)
            piece = images[at : at + step]
            parts = [
                part.float().clamp(-1, 1) if touched else part for part, touched in _split(piece, frames.start, busy)
            ]
            piece = _joined(parts, piece)
            for link, memory in zip(self.chain.links, self._memories, strict=True):
                piece = self._linked(link, memory, piece, frames.start)
            made.append(piece)
        return made

    def _linked(self, link: Link, memory: dict[Any, Any], images: Tensor, first: int) -> Tensor:
        """One effect on frames from `first` on, only where it does something; one with a memory sees them all."""
        active = link.active[first : first + len(images)]
        made, at = [], 0
        for part, touched in _split(images, first, active | (link.past is not None)):
            frames = np.arange(first + at, first + at + len(part))
            at += len(part)
            if touched:
                values = {word: value[frames[0] : frames[-1] + 1] for word, value in link.values.items()}
                part = _applied(link, part, Moment(frames, values, link.choices, link.seed, self.chain.fps, memory))
            made.append(part)
        return _joined(made, images)


def frames_at_once(images: Tensor) -> int:
    """On a CPU each frame goes through all effects alone, so that it stays in the cache; a GPU wants large kernels."""
    return 1 if images.device.type == "cpu" else max(1, len(images))


def _split(images: Tensor, first: int, flags: np.ndarray) -> list[tuple[Tensor, bool]]:
    """The pictures in pieces of frames that follow one another with the same flag."""
    pieces, at = [], 0
    for flag, group in groupby(flags.tolist()):
        count = len(list(group))
        pieces.append((images[at : at + count], flag))
        at += count
    return pieces


def _joined(pieces: list[Tensor], images: Tensor) -> Tensor:
    import torch

    return pieces[0] if len(pieces) == 1 else torch.cat(pieces) if pieces else images


def _applied(link: Link, images: Tensor, moment: Moment) -> Tensor:
    import torch

    if link.row.alpha or images.shape[1] == 3:
        return link.row.apply(images, moment)
    return torch.cat([link.row.apply(images[:, :3], moment), images[:, 3:]], dim=1)
