"""Frames into a folder of numbered pictures: encoded by a few threads, each published as soon as it is whole."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from gandream.base.hashing import content_key
from gandream.base.locks import Lock
from gandream.rendering.plan import Segment
from gandream.rendering.reel import Reel
from gandream.rendering.store import Store
from gandream.rendering.together import Sink
from gandream.video.handover import host_copy
from gandream.video.pictures import PictureFolder

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

MOST_THREADS = 8
WAITING, QUEUED_BYTES = 2, 256 << 20
"""Pictures that may wait for each thread, and what all that are not written yet may take."""


def picture_keys(reel: Reel, folder: PictureFolder, frames: range) -> dict[int, str]:
    """The content keys of pictures: of the segment, where it is in it, and how it is written."""
    coding = folder.fmt.key()
    return {
        frame: content_key("picture", segment.key, frame - segment.start, coding)
        for segment in reel.segments
        for frame in range(max(segment.start, frames.start), min(segment.stop, frames.stop))
    }


def lacking_in(segment: Segment, lacking: list[int]) -> range:
    """Of frames that are lacking those of a segment, from the first to the last."""
    here = [frame for frame in lacking if segment.start <= frame < segment.stop]
    return range(min(here), max(here) + 1) if here else range(segment.start, segment.start)


class PictureSink(Sink):
    """Writes the pictures that a folder lacks."""

    def __init__(self, folder: PictureFolder, keys: Mapping[int, str], store: Store, picture_bytes: int):
        self.folder, self.keys, self.store = folder, keys, store
        self._threads = max(1, min(MOST_THREADS, os.cpu_count() or 1))
        room = min(self._threads * (1 + WAITING), QUEUED_BYTES // max(1, picture_bytes))
        self._room = threading.BoundedSemaphore(max(2, room))
        self._lacking: set[int] = set()
        self._left, self._published = 0, lambda: None
        self._failure: BaseException | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._results: list[Future[None]] = []

    def claim(self, segment: Segment) -> Lock | None:
        """The right to render a segment's pictures for this folder."""
        return self.store.claim(content_key("pictures", str(self.folder.folder.absolute()), segment.key, segment.start))

    def lacking(self, segment: Segment) -> range:
        """From the first picture that isn't there, or not as it was written, to the last."""
        keys = {frame: self.keys[frame] for frame in range(segment.start, segment.stop) if frame in self.keys}
        lacking = self.folder.lacking(keys)
        self._lacking = set(lacking)
        return lacking_in(segment, lacking)

    def begin(self, segment: Segment, frames: range, published: Callable[[], None]) -> Future[None]:
        """Start with these frames, of which those that are there are left alone."""
        whole: Future[None] = Future()
        left, lock = len(self._lacking), threading.Lock()

        def one_is_there() -> None:
            nonlocal left
            with lock:
                left -= 1
                last = left == 0
            if last:
                published()
                if whole.set_running_or_notify_cancel():
                    whole.set_result(None)

        self._published = one_is_there
        self._results.append(whole)
        return whole

    def write(self, images: Tensor, first: int) -> None:
        """Pictures of frames from ``first`` on; waits while all threads have enough to do."""
        wanted = [index for index in range(len(images)) if first + index in self._lacking]
        if not wanted:
            return
        copy = host_copy(self.folder.fmt.codes(images))
        published = self._published
        for index in wanted:
            self._room.acquire()
            if self._failure is not None:
                raise self._failure
            assert self._pool is not None, "it was entered"
            self._pool.submit(self._one, first + index, copy, index, published)

    def _one(self, frame: int, copy: Callable[[], np.ndarray], index: int, published: Callable[[], None]) -> None:
        try:
            if self._failure is None:
                fmt, pixels = self.folder.fmt, copy()[index]
                self.folder.publish(frame, self.keys[frame], fmt.encoded(pixels), fmt.look(pixels))
                published()
        except BaseException as error:
            self._failure = self._failure or error
            for result in tuple(self._results):
                result.cancel()  # does nothing to one that is done
        finally:
            self._room.release()

    def __enter__(self) -> PictureSink:
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="gandream-pictures")
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        assert self._pool is not None, "it was entered"
        self._pool.shutdown(cancel_futures=error is not None)
        for result in self._results:
            result.cancel()  # does nothing to one that is done
        if error is None and self._failure is not None:
            raise self._failure
