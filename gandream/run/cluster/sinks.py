"""Where a worker's pictures go: segments and encoded pictures that are handed to the driver once they are whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gandream.base.locks import Lock
from gandream.rendering.numbered import MOST_THREADS
from gandream.rendering.plan import Segment
from gandream.rendering.segments import SegmentSink
from gandream.rendering.store import Store
from gandream.rendering.together import Sink
from gandream.video.format import VideoFormat
from gandream.video.handover import host_copy
from gandream.video.pictures import PictureFormat

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


@dataclass(frozen=True)
class Part:
    """Frames of one output that are to be made."""

    output: int
    segment: Segment
    frames: range


@dataclass(frozen=True)
class Made:
    """What was made of a part: a segment, or pictures."""

    name: str = ""
    """Of the segment's file."""
    data: bytes | None = None
    """Its content, where the driver can't see the file."""
    pictures: tuple[tuple[int, bytes, str], ...] = ()
    """Frame, content and looks of each."""


class _Granted(Lock):
    """The right to render, which the driver holds."""

    def __init__(self) -> None:
        pass

    def release(self) -> None:
        """Nothing: the driver does."""


class Keeper(Sink):
    """A sink for one part, left open so that the next is rendered while this one's encoder ends."""

    def __init__(self, part: Part):
        self.part = part

    def claim(self, segment: Segment) -> Lock | None:
        """The driver has claimed it."""
        return _Granted()

    def lacking(self, segment: Segment) -> range:
        """What the driver wants."""
        return self.part.frames

    def finish(self) -> Made:
        """Wait until everything is whole."""
        raise NotImplementedError

    def abort(self) -> None:
        """Give up."""
        raise NotImplementedError

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            self.abort()


class SegmentKeeper(Keeper):
    """Encodes a segment into a store: the driver's, or one on this machine of which the content is handed on."""

    def __init__(self, part: Part, fmt: VideoFormat, store: Store, hand_on: Callable[[Path], bytes | None]):
        super().__init__(part)
        self._sink, self._hand_on = SegmentSink(fmt, store), hand_on
        self._result: Future[Path] | None = None

    def begin(self, segment: Segment, frames: range, published: Callable[[], None]) -> Future[Path]:
        """Start it."""
        self._result = self._sink.begin(segment, frames, published)
        return self._result

    def write(self, images: Tensor, first: int) -> None:
        """Its pictures."""
        self._sink.write(images, first)

    def finish(self) -> Made:
        """The segment's file, and its content where that is wanted."""
        self._sink.__exit__(None, None, None)
        assert self._result is not None, "it was begun"
        path = self._result.result()
        return Made(path.name, self._hand_on(path))

    def abort(self) -> None:
        """End the encoder."""
        self._sink.__exit__(RuntimeError, RuntimeError("given up"), None)

    def __enter__(self) -> SegmentKeeper:
        self._sink.__enter__()
        return self


class PictureKeeper(Keeper):
    """Encodes pictures in a few threads; the driver writes them into their folder."""

    def __init__(self, part: Part, fmt: PictureFormat):
        super().__init__(part)
        self._fmt = fmt
        self._pool = ThreadPoolExecutor(max(1, min(MOST_THREADS, os.cpu_count() or 1)))
        self._pictures: list[Future[tuple[int, bytes, str]]] = []

    def begin(self, segment: Segment, frames: range, published: Callable[[], None]) -> Future[Any]:
        """Start; nothing is published here."""
        return Future()

    def write(self, images: Tensor, first: int) -> None:
        """Some pictures. All of a part wait at most, which the driver takes whole anyway."""
        copy = host_copy(self._fmt.codes(images))
        self._pictures += [self._pool.submit(self._one, first + at, copy, at) for at in range(len(images))]

    def _one(self, frame: int, copy: Callable[[], np.ndarray], index: int) -> tuple[int, bytes, str]:
        pixels = copy()[index]
        return frame, self._fmt.encoded(pixels), self._fmt.look(pixels)

    def finish(self) -> Made:
        """All of them."""
        with self._pool:
            return Made(pictures=tuple(one.result() for one in self._pictures))

    def abort(self) -> None:
        """Leave what isn't encoded yet."""
        self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> PictureKeeper:
        return self
