from __future__ import annotations

import subprocess
from fractions import Fraction

import numpy as np
import pytest

from gandream.base import ffmpeg
from gandream.video.encode import SegmentWriter
from gandream.video.format import VideoFormat
from gandream.video.segments import publish_with_digest


def moving_planes(fmt: VideoFormat, frames: int, seed: int = 0) -> np.ndarray:
    """Planes of a moving pattern with some noise: every frame differs from every other. uint8 [N, frame_bytes]."""
    rng = np.random.default_rng(seed)
    phase = np.arange(frames)[:, None] * 11 + np.arange(fmt.frame_bytes)[None] // 7
    return (64 + phase % 120 + rng.integers(0, 8, (frames, fmt.frame_bytes))).astype(np.uint8)


@pytest.fixture
def make_segments(tmp_path):
    """Encode segments of so many frames each; gives their paths."""

    def make(fmt: VideoFormat, counts, planes=None, folder=tmp_path):
        planes = moving_planes(fmt, sum(counts)) if planes is None else planes
        published, at = [], 0
        with SegmentWriter(fmt) as writer:
            for index, count in enumerate(counts):

                def publish(part, key=f"{index:04x}"):
                    return publish_with_digest(part, folder, key)

                published.append(writer.begin(folder, count, publish))
                for first in range(at, at + count, 3):
                    writer.write(planes[first : min(first + 3, at + count)])
                at += count
        return [future.result() for future in published]

    return make


@pytest.fixture
def small():
    """A format of 64 × 48 at 25 fps; changes by keyword."""

    def make(**changes):
        return VideoFormat(**{"width": 64, "height": 48, "fps": Fraction(25), **changes})

    return make


@pytest.fixture
def decode():
    """Decode the pictures of a file: uint8 [F, bytes], every coded frame once."""

    def run(path, fmt, *options, frame_bytes=None):
        raw = ffmpeg.run(*ffmpeg.QUIET, "-i", ffmpeg.file_url(path), "-map", "0:v:0", "-fps_mode", "passthrough",
                         *options, "-f", "rawvideo", "-")  # fmt: skip
        return np.frombuffer(raw, np.uint8).reshape(-1, frame_bytes or fmt.frame_bytes)

    return run


@pytest.fixture
def hear():
    """Decode the sound of a film as a player plays it: float32 [S, channels], the first sample at second 0."""

    def run(path, channels):
        # aresample with async fills what an edit list leaves empty, and cuts what lies before 0.
        raw = ffmpeg.run(*ffmpeg.QUIET, "-i", ffmpeg.file_url(path), "-map", "0:a:0", "-f", "f32le", "-")
        return np.frombuffer(raw, np.float32).reshape(-1, channels)

    return run


@pytest.fixture
def no_leftovers(tmp_path):
    """Nothing of the writer is left: no thread, no ffmpeg of ours, no part."""
    import threading

    before = set(threading.enumerate())
    children = set(_children())

    def check(folder=tmp_path):
        assert [t.name for t in set(threading.enumerate()) - before] == []
        assert set(_children()) - children == set()
        assert [path.name for path in folder.iterdir() if ".part" in path.name] == []

    return check


def _children() -> list[str]:
    import os

    listing = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(os.getpid())], capture_output=True, text=True)
    return [line for line in listing.stdout.splitlines() if "ffmpeg" in line]
