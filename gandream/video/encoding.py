"""One ffmpeg that writes one part, is checked, and becomes a segment."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from gandream.base import ffmpeg
from gandream.base.errors import RenderError
from gandream.base.files import disk_errors, disk_full, flush_to_disk, temporary_beside
from gandream.video.format import VideoFormat
from gandream.video.quality.beside import attach
from gandream.video.tracks import check, check_decodes

if TYPE_CHECKING:
    import numpy as np

Publish = Callable[[Path], Path]
"""Gets a whole, checked, flushed file of a temporary name; gives it its own name, and returns that."""

WORDS_KEPT = 16_384
"""Bytes of what ffmpeg said last."""


class Encoding:
    """A segment that is being written; ``missing`` frames are still to be fed."""

    def __init__(self, fmt: VideoFormat, folder: Path, frames: int, publish: Publish, result: Future[Path]):
        self.fmt, self.folder, self.frames, self.result = fmt, folder, frames, result
        self.missing = frames
        self._publish = publish
        self._said = b""
        self._part = temporary_beside(folder / f"segment{fmt.segment}")
        with disk_errors(folder):
            # A folder that can't be written is the user's business, and no failure of ffmpeg.
            self._part.touch(exist_ok=False)
        try:
            self._process = ffmpeg.spawn(fmt.arguments(ffmpeg.file_url(self._part)), stdin=subprocess.PIPE)
        except BaseException:
            self._part.unlink()
            raise
        # Somebody must read what it says: it would stop with a pipe full of warnings.
        self._listener = threading.Thread(target=self._listen, name="gandream-listen", daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        for line in self._process.stderr or ():
            self._said = (self._said + line)[-WORDS_KEPT:]

    def feed(self, frames: np.ndarray) -> None:
        """Write uint8 [N, frame_bytes]; waits while ffmpeg is busy."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(frames.data)
        except OSError:  # a broken pipe: ffmpeg is gone, and its own words are the reason
            raise self._failure() from None
        self.missing -= len(frames)

    def finish(self) -> Path:
        """Let ffmpeg end its file, check it, publish it."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # then its status tells
            self._process.stdin.close()
        if self._end() != 0 or ffmpeg.out_of_room(self._said):
            raise self._failure()
        check(self._part, self.fmt, self.frames)
        looks = check_decodes(self._part, self.frames)
        with disk_errors(self.folder):
            attach(self._part, looks)
            flush_to_disk(self._part)
            return self._publish(self._part)

    def kill(self) -> None:
        """End ffmpeg at once; whoever feeds it finds out."""
        self._process.kill()

    def discard(self) -> None:
        """End ffmpeg if it still runs, and remove the part if it is still there."""
        self._process.kill()
        self._end()
        self._part.unlink(missing_ok=True)

    def _end(self) -> int:
        status = self._process.wait()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was still in its buffer, and nobody wants
                    pipe.close()
        return status

    def _failure(self) -> RenderError:
        status = self._end()
        return (
            disk_full(self.folder) if ffmpeg.out_of_room(self._said) else ffmpeg.failure("encoder", status, self._said)
        )
