"""Frames into segment files: one thread feeds ffmpeg, another ends the segment before; nobody waits long."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from gandream.video.encoding import Encoding, Publish
from gandream.video.format import VideoFormat
from gandream.video.handover import host_copy

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

QUEUED_BYTES = 64 << 20
"""Frames that may wait for the encoder; one batch may always."""

Begin: TypeAlias = tuple[Path, int, Publish, "Future[Path]"]
Item: TypeAlias = "Begin | Callable[[], np.ndarray] | None"
"""What waits in the queue: a segment that begins, frames, or the end of everything."""


class Aborted(Exception):  # noqa: N818 - not an error: the producer gave up
    """What a thread finds when the writer was aborted."""


class SegmentWriter:
    """Encodes one segment after another.

    ::

        with SegmentWriter(fmt) as writer:
            for segment in segments:
                path = writer.begin(folder, segment.frames, publish)  # a Future
                for images in segment:
                    writer.write(planar_yuv(images))

    Leaving the block normally waits until everything is published, or raises the first failure; leaving it by
    an exception kills ffmpeg and removes what isn't finished. Either way no thread, process or partial file
    stays. At most two ffmpeg run at once: one that is fed, and the one of the segment before, which ends.
    """

    def __init__(self, fmt: VideoFormat, *, queued_bytes: int = QUEUED_BYTES):
        self.fmt = fmt
        self._limit = queued_bytes
        self._changed = threading.Condition()
        self._queue: deque[tuple[Item, int]] = deque()
        self._queued_bytes = 0
        self._failure: BaseException | None = None
        self._running: set[Encoding] = set()
        self._expected = 0
        self._finisher = ThreadPoolExecutor(1, thread_name_prefix="gandream-finish")
        self._thread = threading.Thread(target=self._work, name="gandream-encode", daemon=True)
        self._thread.start()

    def begin(self, folder: Path, frames: int, publish: Publish) -> Future[Path]:
        """Start a segment of that many frames.

        Its part is written in ``folder``; whole, checked and flushed, it is handed to ``publish``, which
        gives it its name. The result is that name; it is cancelled if the segment never gets there.
        """
        if self._expected:
            raise ValueError(f"{self._expected} frames of the segment before are still to come")
        if frames < 1:
            raise ValueError(f"{frames = }: a segment has at least one")
        result: Future[Path] = Future()
        self._put((folder, frames, publish, result), 0)
        self._expected = frames
        return result

    def write(self, frames: Tensor | np.ndarray) -> None:
        """Append uint8 [N, frame_bytes] from any device.

        Waits while the queue is full; raises what went wrong in the encoder. The array must not be changed
        afterwards.
        """
        n, size = frames.shape
        if size != self.fmt.frame_bytes:
            raise ValueError(f"frames of {size} bytes, where {self.fmt.frame_bytes} make a frame")
        if n > self._expected:
            raise ValueError(f"{n} frames, where {self._expected} are still to come")
        if n:
            self._put(host_copy(frames), n * size)
            self._expected -= n

    def close(self) -> None:
        """Wait until every segment is published; raises the first failure."""
        if self._expected and self._failure is None:
            self.abort()
            raise ValueError(f"{self._expected} frames of the last segment never came")
        try:
            with self._changed:
                self._queue.append((None, 0))
                self._changed.notify_all()
            self._thread.join()
            self._finisher.shutdown()
        except BaseException:  # Ctrl-C while waiting
            self.abort()
            raise
        if self._failure is not None:
            raise self._failure

    def abort(self) -> None:
        """Kill ffmpeg, remove the parts, end the threads; what is published stays."""
        self._fail(Aborted())
        with self._changed:
            running = tuple(self._running)
        for encoding in running:
            encoding.kill()
        self._thread.join()
        self._finisher.shutdown()

    def __enter__(self) -> SegmentWriter:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            self.close()
        else:
            self.abort()

    def _put(self, item: Item, size: int) -> None:
        with self._changed:
            while self._failure is None and self._queued_bytes and self._queued_bytes + size > self._limit:
                self._changed.wait()
            if self._failure is not None:
                raise self._failure
            self._queue.append((item, size))
            self._queued_bytes += size
            self._changed.notify_all()

    def _take(self) -> Item:
        with self._changed:
            while not self._queue and self._failure is None:
                self._changed.wait()
            if self._failure is not None:
                raise self._failure
            item, size = self._queue.popleft()
            self._queued_bytes -= size
            self._changed.notify_all()
            return item

    def _fail(self, error: BaseException) -> None:
        """Keep the first failure and empty the queue, so that nobody waits for a thread that won't come."""
        with self._changed:
            self._failure = self._failure or error
            for item, _ in self._queue:
                if isinstance(item, tuple):
                    item[3].cancel()
            self._queue.clear()
            self._queued_bytes = 0
            self._changed.notify_all()

    def _work(self) -> None:
        """Feed ffmpeg until the end or the first failure (the encoder's thread)."""
        encoding: Encoding | None = None
        ending: Future[None] | None = None
        try:
            while (item := self._take()) is not None:
                if isinstance(item, tuple):
                    encoding = self._start(item)
                    continue
                if encoding is None:
                    raise AssertionError("frames before their segment")
                encoding.feed(item())
                if encoding.missing == 0:
                    if ending is not None:
                        ending.result()
                    ending = self._finisher.submit(self._finish, encoding)
                    encoding = None
        except BaseException as error:
            self._fail(error)
            if encoding is not None:
                self._discard(encoding)

    def _start(self, begin: Begin) -> Encoding:
        folder, frames, publish, result = begin
        with self._changed:  # so that abort sees every ffmpeg that was started, and none starts after it
            try:
                if self._failure is not None:
                    raise self._failure
                encoding = Encoding(self.fmt, folder, frames, publish, result)
            except BaseException:
                result.cancel()
                raise
            self._running.add(encoding)
            return encoding

    def _finish(self, encoding: Encoding) -> None:
        """Publish one segment while the next is encoded (the finisher's thread)."""
        try:
            path = encoding.finish()
        except BaseException as error:
            self._fail(error)
        else:
            encoding.result.set_result(path)
        finally:
            self._discard(encoding)

    def _discard(self, encoding: Encoding) -> None:
        try:
            encoding.discard()
        finally:
            encoding.result.cancel()  # does nothing to one that has its result
            with self._changed:
                self._running.discard(encoding)
