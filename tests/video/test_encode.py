from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from gandream.base.hashing import content_key
from gandream.video.boxes import picture_track
from gandream.video.encode import SegmentWriter
from gandream.video.format import VideoFormat
from gandream.video.segments import publish_with_digest


def keep(part: Path) -> Path:
    return publish_with_digest(part, part.parent, "key")


def noise(fmt: VideoFormat, frames: int) -> np.ndarray:
    """What costs the encoder most, so that it is still busy when something happens."""
    return np.random.default_rng(0).integers(0, 256, (frames, fmt.frame_bytes), dtype=np.uint8)


def ffmpeg_pids() -> list[int]:
    listing = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(os.getpid())], capture_output=True, text=True)
    return [int(line.split()[0]) for line in listing.stdout.splitlines() if "ffmpeg" in line]


def test_lossless_segments_hold_their_frames(make_segments, small, decode, no_leftovers):
    fmt = small(crf=0, subsampling="444")
    planes = noise(fmt, 12)
    paths = make_segments(fmt, [5, 1, 6], planes)
    assert [len(decode(path, fmt)) for path in paths] == [5, 1, 6]
    assert np.array_equal(np.concatenate([decode(path, fmt) for path in paths]), planes)
    no_leftovers()


def test_segments_are_the_same_bytes_however_they_are_fed(make_segments, small, tmp_path):
    fmt = small()
    planes = noise(fmt, 20)
    first = make_segments(fmt, [20], planes)[0].read_bytes()
    with SegmentWriter(fmt, queued_bytes=1) as writer:
        result = writer.begin(tmp_path, 20, keep)
        writer.write(torch.from_numpy(planes[:13]))
        writer.write(torch.from_numpy(planes[13:]))
    assert result.result().read_bytes() == first


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_one_core_or_all_make_the_same_bytes(make_segments, small, tmp_path):
    fmt = small(width=320, height=240)
    planes = noise(fmt, 30)
    (tmp_path / "b").mkdir()
    (many,) = make_segments(fmt, [30], planes)
    cores = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(cores)})
        (one,) = make_segments(fmt, [30], planes, folder=tmp_path / "b")
    finally:
        os.sched_setaffinity(0, cores)
    assert one.name == many.name


def test_every_segment_starts_with_a_key_frame_and_none_looks_back(make_segments, small, decode):
    """A segment decoded alone equals the same segment decoded in its place: no frame refers to another segment."""
    fmt = small(gop=4)
    for path, count in zip(make_segments(fmt, [9, 2]), [9, 2], strict=True):
        track = picture_track(path)
        assert (track.samples, track.starts_with_key) == (count, True)
        assert len(decode(path, fmt)) == count


def test_key_holds_everything_that_shapes_the_bytes(small):
    fmt = small()
    changed = [small(crf=20), small(preset="medium"), small(threads=2), small(gop=7), small(fps=Fraction(24000, 1001)),
               small(subsampling="444"), small(width=66), small(height=50)]  # fmt: skip
    keys = {content_key(each.key()) for each in [fmt, *changed]}
    assert len(keys) == 9
    assert content_key(small(crf=17).key()) == content_key(small(crf=17.0).key())
    assert "ffmpeg" in fmt.key()["ffmpeg"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"codec": "h266"}, "h266"), ({"width": 65}, "even"), ({"fps": Fraction(0)}, "0 fps"), ({"threads": 0}, "threads"),
     ({"fps": Fraction(1_000_001, 40_000)}, "numerator")],
)  # fmt: skip
def test_a_format_that_cannot_be(small, changes, words):
    with pytest.raises(ValueError, match=words):
        small(**changes)


def test_the_producers_own_mistakes(small, tmp_path, no_leftovers):
    fmt = small()
    with SegmentWriter(fmt) as writer:
        with pytest.raises(ValueError, match="0 are still to come"):
            writer.write(noise(fmt, 1))
        with pytest.raises(ValueError, match="at least one"):
            writer.begin(tmp_path, 0, keep)
        result = writer.begin(tmp_path, 2, keep)
        with pytest.raises(ValueError, match="still to come"):
            writer.begin(tmp_path, 2, keep)
        with pytest.raises(ValueError, match="make a frame"):
            writer.write(noise(fmt, 1)[:, :-1])
        writer.write(noise(fmt, 2))
    assert result.result().exists()
    never = pytest.raises(ValueError, match="1 frames of the last segment never came")
    with never, SegmentWriter(fmt) as writer:
        result = writer.begin(tmp_path, 3, keep)
        writer.write(noise(fmt, 2))
    assert result.cancelled()
    no_leftovers()


def test_frames_wait_in_bounded_memory(small, tmp_path):
    fmt = small(width=640, height=480, preset="slow")
    planes = noise(fmt, 1)
    most = 0
    with SegmentWriter(fmt, queued_bytes=4 * fmt.frame_bytes) as writer:
        writer.begin(tmp_path, 40, keep)
        for _ in range(40):
            writer.write(planes)
            most = max(most, writer._queued_bytes)
    assert most <= 4 * fmt.frame_bytes


def test_the_next_segment_is_encoded_while_one_is_finished(small, tmp_path, no_leftovers):
    fmt = small()
    go_on = threading.Event()
    seen = []

    def slow(part: Path) -> Path:
        assert go_on.wait(20)
        return keep(part)

    with SegmentWriter(fmt) as writer:
        first = writer.begin(tmp_path, 2, slow)
        writer.write(noise(fmt, 2))
        second = writer.begin(tmp_path, 50, keep)
        for _ in range(49):
            writer.write(noise(fmt, 1))
        deadline = time.monotonic() + 20
        while not seen and time.monotonic() < deadline:  # an ffmpeg is fed although the first isn't published
            seen = ffmpeg_pids() if not writer._queue else []
        assert not first.done()
        go_on.set()
        writer.write(noise(fmt, 1))
    assert seen
    assert first.done()
    assert second.done()
    no_leftovers()


def test_no_torch_at_import():
    modules = [
        "colour",
        "encode",
        "encoding",
        "facts",
        "format",
        "handover",
        "join",
        "metadata",
        "segments",
        "sound",
        "boxes",
    ]
    lines = [f"import gandream.video.{name}" for name in modules]
    code = ";".join([*lines, "import sys", "assert 'torch' not in sys.modules", "assert 'librosa' not in sys.modules"])
    subprocess.run([sys.executable, "-c", code], check=True)
