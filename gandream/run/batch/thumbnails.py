"""A small picture of each film, made while others are rendered, and kept beside the queue."""

from __future__ import annotations

import contextlib
import io
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from gandream.base import ffmpeg
from gandream.base.errors import GandreamError
from gandream.base.files import published
from gandream.base.hashing import content_key
from gandream.run.jobs.records import Job

WIDTH = 400
"""Pixels: twice what they are on the page, for screens that are as fine."""
QUALITY = 80
AT = 1 / 3
"""Of the film: by then it has begun, and nothing has faded out yet."""
_FILMS = (".mp4", ".mov", ".mkv", ".webm")


class Thumbnails:
    """Pictures of films, as JPEG, in a folder; made one at a time, beside what else is done."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._maker = ThreadPoolExecutor(1, "gandream-thumbnails")
        self._made: dict[int, Future[bytes]] = {}

    def begin(self, job: Job) -> None:
        """Make the picture of a film that is done."""
        if job.state == "done" and job.id not in self._made:
            self._made[job.id] = self._maker.submit(self._of, job)

    def of(self, job: Job) -> bytes:
        """The picture of a film; nothing where it can't be made."""
        self.begin(job)
        return self._made[job.id].result() if job.id in self._made else b""

    def close(self) -> None:
        """Make no more."""
        self._maker.shutdown(wait=False, cancel_futures=True)

    def _of(self, job: Job) -> bytes:
        film = Path(job.task.out)
        with contextlib.suppress(Exception):  # whatever is wrong with a film, the report is written
            about = film.stat()
            kept = self.folder / f"{content_key('thumbnail', str(film), about.st_size, about.st_mtime_ns)}.jpg"
            if kept.is_file():
                return kept.read_bytes()
            made = thumbnail(film, _seconds(job))
            if made:
                self.folder.mkdir(parents=True, exist_ok=True)
                with published(kept) as part:
                    part.write_bytes(made)
            return made
        return b""


def thumbnail(film: Path, at_s: float = 0.0) -> bytes:
    """A small JPEG of a film, an animation or a folder of pictures; nothing where it can't be read."""
    if film.suffix.lower() in _FILMS:
        try:
            return _decoded(film, at_s) or _decoded(film, 0.0)
        except GandreamError:
            return b""
    return _picture(film)


def _decoded(film: Path, at_s: float) -> bytes:
    size = f"scale='min({WIDTH},iw)':-2:out_color_matrix=bt601:out_range=pc,format=yuvj420p"
    wanted = ("-frames:v", "1", "-vf", size, "-c:v", "mjpeg", "-q:v", "5", "-f", "image2pipe", "pipe:1")
    return ffmpeg.run(*ffmpeg.QUIET, "-ss", f"{at_s:.3f}", *ffmpeg.media(film), "-an", *wanted)


def _picture(file: Path) -> bytes:
    from PIL import Image

    if file.is_dir():
        there = sorted(path for path in file.iterdir() if path.suffix.lower() in (".png", ".jpg", ".webp"))
        if not there:
            return b""
        file = there[int(len(there) * AT)]
    try:
        with Image.open(file) as image:
            if (frames := getattr(image, "n_frames", 1)) > 1:
                image.seek(int(frames * AT))
            small = image.convert("RGB")
            small.thumbnail((WIDTH, WIDTH))
            made = io.BytesIO()
            small.save(made, "JPEG", quality=QUALITY)
            return made.getvalue()
    except (OSError, ValueError, SyntaxError, EOFError):
        return b""


def _seconds(job: Job) -> float:
    """A third into the film."""
    return AT * float(job.figures.get("film_seconds", 0.0))
