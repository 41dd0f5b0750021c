"""What goes wrong, and what may be left of it: nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gandream.base.errors import OutputError, RenderError
from gandream.video.boxes import picture_track
from gandream.video.encode import SegmentWriter
from gandream.video.format import VideoFormat
from gandream.video.segments import publish_with_digest
from gandream.video.tracks import check, check_decodes


def keep(part: Path) -> Path:
    return publish_with_digest(part, part.parent, "key")


def noise(fmt: VideoFormat, frames: int) -> np.ndarray:
    """What costs the encoder most, so that it is still busy when something happens."""
    return np.random.default_rng(0).integers(0, 256, (frames, fmt.frame_bytes), dtype=np.uint8)


def ffmpeg_pids() -> list[int]:
    listing = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(os.getpid())], capture_output=True, text=True)
    return [int(line.split()[0]) for line in listing.stdout.splitlines() if "ffmpeg" in line]


def send_to_ffmpeg(number: int) -> None:
    """To all that run; one of them may be ending by itself just now, such as the encoder of the segment before."""
    for pid in ffmpeg_pids():
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def test_ffmpeg_killed_midway(small, tmp_path, no_leftovers):
    fmt = small(width=320, height=240)
    with pytest.raises(RenderError, match="SIGKILL") as caught, SegmentWriter(fmt) as writer:  # noqa: PT012
        done = writer.begin(tmp_path, 2, keep)
        writer.write(noise(fmt, 2))
        path = done.result(20)
        result = writer.begin(tmp_path, 10_000, keep)
        for index in range(10_000):
            writer.write(noise(fmt, 1))
            time.sleep(0.01)
            if index >= 5:
                send_to_ffmpeg(signal.SIGKILL)
    assert caught.value.exit_code == 1
    assert "ended from outside" in caught.value.problem
    assert list(tmp_path.iterdir()) == [path]  # what was finished before is kept
    with pytest.raises(CancelledError):
        result.result(0)
    no_leftovers()


def test_a_killed_encoder_that_ends_well_is_found_out(small, tmp_path, no_leftovers):
    """SIGTERM lets ffmpeg write a valid, shorter file; its status or its frame count must give it away."""
    fmt = small()
    with pytest.raises(RenderError), SegmentWriter(fmt) as writer:  # noqa: PT012
        writer.begin(tmp_path, 3000, keep)
        for index in range(3000):
            writer.write(noise(fmt, 1))
            time.sleep(0.001)
            if index > 100:
                send_to_ffmpeg(signal.SIGTERM)
    assert list(tmp_path.iterdir()) == []
    no_leftovers()


def test_a_shorter_file_is_refused(make_segments, small):
    fmt = small()
    (path,) = make_segments(fmt, [7])
    check(path, fmt, 7)
    for frames, other in ((8, fmt), (7, small(fps=Fraction(30))), (7, small(width=32))):
        with pytest.raises(RenderError, match="instead of"):
            check(path, other, frames)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RenderError, match="isn't whole"):
        check(path, fmt, 7)


def test_pictures_that_no_decoder_takes_are_refused(make_segments, small):
    fmt = small()
    (path,) = make_segments(fmt, [12])
    check_decodes(path, 12)
    with pytest.raises(RenderError, match="of the 13 frames that ffmpeg wrote, 12 can be decoded"):
        check_decodes(path, 13)
    data = bytearray(path.read_bytes())
    middle = data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 3
    data[middle : middle + 400] = bytes(byte ^ 0xA5 for byte in data[middle : middle + 400])
    path.write_bytes(data)
    check(path, fmt, 12)  # its boxes are as they should be
    with pytest.raises(RenderError, match=r"can't be decoded|can be decoded"):
        check_decodes(path, 12)


def test_a_bad_option_is_told_in_ffmpegs_words(small, tmp_path, no_leftovers):
    fmt = small(preset="swift")
    with pytest.raises(RenderError, match="swift") as caught, SegmentWriter(fmt) as writer:  # noqa: PT012
        writer.begin(tmp_path, 500, keep)
        for _ in range(500):
            writer.write(noise(fmt, 1))
    assert "0x" not in caught.value.problem
    assert list(tmp_path.iterdir()) == []
    no_leftovers()


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), KeyboardInterrupt()])
def test_the_producer_fails(small, tmp_path, no_leftovers, error):
    fmt = small(width=320, height=240)
    with pytest.raises(type(error)), SegmentWriter(fmt, queued_bytes=fmt.frame_bytes) as writer:  # noqa: PT012
        result = writer.begin(tmp_path, 10_000, keep)
        for index in range(10_000):
            writer.write(noise(fmt, 1))
            if index == 20:
                raise error
    assert result.cancelled()
    assert list(tmp_path.iterdir()) == []
    no_leftovers()


def test_publishing_fails(small, tmp_path, no_leftovers):
    fmt = small()

    def refuse(part: Path) -> Path:
        assert picture_track(part).samples == 3
        raise OutputError(str(part), "the store is closed")

    with pytest.raises(OutputError, match="store is closed"), SegmentWriter(fmt) as writer:  # noqa: PT012
        writer.begin(tmp_path, 3, refuse)
        writer.write(noise(fmt, 3))
    assert list(tmp_path.iterdir()) == []
    no_leftovers()


def test_a_folder_that_is_not_there(small, tmp_path, no_leftovers):
    fmt = small()
    with pytest.raises(OutputError, match="can't write here"), SegmentWriter(fmt) as writer:  # noqa: PT012
        writer.begin(tmp_path / "nowhere", 3, keep)
        writer.write(noise(fmt, 3))
    no_leftovers()


def test_a_failure_reaches_a_producer_that_waits(small, tmp_path, no_leftovers):
    """The queue is full and its reader dies: the writer must wake up."""
    fmt = small(width=320, height=240)
    writer = SegmentWriter(fmt, queued_bytes=fmt.frame_bytes)
    writer.begin(tmp_path, 10_000, keep)
    caught: list[BaseException] = []

    def produce() -> None:
        try:
            while True:
                writer.write(noise(fmt, 1))
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=produce)
    thread.start()
    while not ffmpeg_pids():
        time.sleep(0.01)
    send_to_ffmpeg(signal.SIGSTOP)  # it stops reading: pipe and queue fill up
    time.sleep(0.3)
    send_to_ffmpeg(signal.SIGKILL)
    thread.join(20)
    assert isinstance(caught[0], RenderError)
    writer.abort()
    no_leftovers()


DISK = """
import sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from gandream.base.errors import RenderError
from gandream.video.encode import SegmentWriter
from gandream.video.format import VideoFormat
from gandream.video.segments import publish_with_digest
fmt, folder = VideoFormat(320, 240, Fraction(25), crf=1), Path(sys.argv[1])
frames = np.random.default_rng(0).integers(0, 256, (10, fmt.frame_bytes), dtype=np.uint8)
try:
    with SegmentWriter(fmt) as writer:
        for index in range(40):
            writer.begin(folder, 10, lambda part, index=index: publish_with_digest(part, folder, f"{index:04x}"))
            writer.write(frames)
except RenderError as error:
    print(error)
    sys.exit(error.exit_code)
"""


@pytest.fixture
def tiny_disk(tmp_path):
    """A disk of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    try:
        if subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("may not mount a small disk here")
    except FileNotFoundError:
        pytest.skip("no mount here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_disk_full(tiny_disk):
    done = subprocess.run([sys.executable, "-c", DISK, str(tiny_disk)], capture_output=True, text=True, timeout=60)
    assert "the disk is full" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1
    assert done.stderr == ""
    left = sorted(tiny_disk.iterdir())
    assert left
    assert not [path.name for path in left if ".part" in path.name]
    for path in left:
        assert picture_track(path).samples == 10


FOREVER = """
import sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from gandream.video.encode import SegmentWriter
from gandream.video.format import VideoFormat
fmt = VideoFormat(320, 240, Fraction(25), preset="slow")
frames = np.random.default_rng(0).integers(0, 256, (10, fmt.frame_bytes), dtype=np.uint8)
try:
    with SegmentWriter(fmt, queued_bytes=1) as writer:
        writer.begin(Path(sys.argv[1]), 10**9, Path)
        while True:
            writer.write(frames)
            print("fed", flush=True)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c(tmp_path):
    """The terminal sends it to the whole group; ffmpeg must not end by itself and leave a valid, shorter file."""
    command = [sys.executable, "-c", FOREVER, str(tmp_path)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    for _ in range(5):
        assert process.stdout.readline() == "fed\n"
    os.killpg(process.pid, signal.SIGINT)
    out, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (0, "")
    assert out.endswith("interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_killed_outright(tmp_path):
    """kill -9 leaves at most a part: ffmpeg ends with its input, and nothing of it has a segment's name."""
    command = [sys.executable, "-c", FOREVER, str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    for _ in range(5):
        assert process.stdout.readline() == "fed\n"
    process.kill()
    process.communicate(timeout=20)
    deadline = time.monotonic() + 20
    while _open_by_anyone(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _open_by_anyone(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if ".part" not in path.name] == []


def _open_by_anyone(folder: Path) -> bool:
    commands = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            commands.append(process.read_bytes())
        except OSError:
            continue
    return any(str(folder).encode() in command and b"ffmpeg" in command for command in commands)
