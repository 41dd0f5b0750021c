"""Films side by side in one: each decoded, put in its place over a still picture, and all encoded once."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gandream.base import ffmpeg
from gandream.base.errors import RenderError
from gandream.run.compare_page import Place
from gandream.video.encode import SegmentWriter
from gandream.video.format import VideoFormat
from gandream.video.tracks import AGAIN

REVISION = 1
"""Raised when the same films become another one."""
AT_ONCE = 8
"""Frames that go from one ffmpeg to the other together."""


@dataclass(frozen=True)
class Film:
    """A finished film of a variant, and where it is seen; ``place`` has even numbers."""

    path: Path
    place: Place


def side_by_side(
    films: Sequence[Film],
    background: np.ndarray,
    frames: int,
    fmt: VideoFormat,
    folder: Path,
    progress: Callable[[int], None] = lambda done: None,
) -> Path:
    """Encode ``frames`` frames of the films over a ``background``, planes uint8 [bytes], into one file in a folder.

    A film that is shorter stays on its last frame; one of another rate shows the frame that is on screen.
    """
    still = folder / "background.yuv"
    still.write_bytes(background.tobytes())
    target = folder / "all.mp4"

    def publish(part: Path) -> Path:
        os.replace(part, target)
        return target

    with closing(_stacked(films, still, frames, fmt)) as stacked, SegmentWriter(fmt) as writer:
        writer.begin(folder, frames, publish)
        done = 0
        for some in stacked:
            writer.write(some)
            done += len(some)
            progress(done)
    return target


def _stacked(films: Sequence[Film], still: Path, frames: int, fmt: VideoFormat) -> Generator[np.ndarray, None, None]:
    """The frames of all films together, uint8 [n, bytes], a few at a time."""
    size, rate = f"{fmt.width}x{fmt.height}", str(fmt.fps)
    given = ["-f", "rawvideo", "-pix_fmt", fmt.pix_fmt, "-video_size", size, "-framerate", rate, *fmt.tags()]
    given += ["-i", ffmpeg.file_url(still)]
    for film in films:
        given += ["-threads", "1", *ffmpeg.media(film.path)]
    output = [
        "-filter_complex",
        graph(films, fmt),
        "-map",
        "[out]",
        "-frames:v",
        str(frames),
        "-fps_mode",
        "passthrough",
    ]
    output += ["-f", "rawvideo", "-pix_fmt", fmt.pix_fmt, "pipe:1"]
    with ffmpeg.reading([*ffmpeg.QUIET, *given, *output]) as running:
        left = frames
        while left:
            data = running.out.read(min(left, AT_ONCE) * fmt.frame_bytes)
            some = len(data) // fmt.frame_bytes
            if not some:
                running.ended()
                raise RenderError("comparing", f"{left} frames are missing: {ffmpeg.last_words(running.said)}", AGAIN)
            left -= some
            yield np.frombuffer(data, np.uint8)[: some * fmt.frame_bytes].reshape(some, -1)


def graph(films: Sequence[Film], fmt: VideoFormat) -> str:
    """The filters: the background for ever, and over it each film, as large as its place, at each time the frame that
    is on screen then. Planes are never converted, so that colours stay what they are.
    """
    parts = [f"[0:v]loop=loop=-1:size=1,setpts=N/({fmt.fps}*TB)[over0]"]
    for number, film in enumerate(films, 1):
        place = film.place
        size = f"scale={place.w}:{place.h}:flags=bicubic+accurate_rnd"
        parts.append(f"[{number}:v]setpts=PTS-STARTPTS,{size},format={fmt.pix_fmt}[film{number}]")
        last = "[out]" if number == len(films) else f"[over{number}]"
        where = f"x={place.x}:y={place.y}:format=yuv420:eof_action=repeat:repeatlast=1"
        parts.append(f"[over{number - 1}][film{number}]overlay={where}{last}")
    return ";".join(parts)
