"""Renders that are killed, stopped, or fail: nothing half-written stays, and the same command goes on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

RECIPE = "model: cppn#7\nvideo: {size: 160, fps: 10, duration: 24, preset: ultrafast}\n"


def start(folder: Path, **environment: str) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    (folder / "r.yaml").write_text(RECIPE)
    command = [sys.executable, "-m", "gandream", "render", "r.yaml", "--device", "cpu"]
    return subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def segments(folder: Path) -> list[Path]:
    return [path for path in (folder / "outputs/.gandream/segments").glob("*.mp4") if not path.name.startswith(".")]


def wait_for_segments(folder: Path, process: subprocess.Popen[str], count: int) -> None:
    until = time.monotonic() + 60
    while len(segments(folder)) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)


def children(process: subprocess.Popen[str]) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("undisturbed")
    process = start(folder)
    assert process.wait(120) == 0
    return (folder / "outputs/r.mp4").read_bytes()


SLOW = [pytest.param(moment, marks=pytest.mark.slow) for moment in (1, 7)]


@pytest.mark.parametrize("moment", [3, *SLOW])
def test_killed_and_started_again_it_makes_the_same_film(tmp_path: Path, undisturbed: bytes, moment: int):
    process = start(tmp_path)
    wait_for_segments(tmp_path, process, moment)
    process.kill()
    process.communicate()
    assert not (tmp_path / "outputs/r.mp4").exists()
    kept = {path: path.stat().st_mtime_ns for path in segments(tmp_path)}
    again = start(tmp_path)
    _, words = again.communicate(timeout=120)
    assert again.returncode == 0, words
    assert (tmp_path / "outputs/r.mp4").read_bytes() == undisturbed
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items()), "finished segments are used"
    assert not list((tmp_path / "outputs/.gandream/segments").glob(".*.part.*")), "what the killed one left is swept"


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_the_user_it_ends_soon_and_cleanly(tmp_path: Path, kind: signal.Signals):
    process = start(tmp_path)
    wait_for_segments(tmp_path, process, 2)
    process.send_signal(kind)
    began = time.monotonic()
    _, words = process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - began < 5
    assert "same command goes on" in words
    assert "Traceback" not in words
    assert not list((tmp_path / "outputs/.gandream/segments").glob(".*.part.*"))


def test_ffmpeg_dying_midway_is_told_in_words(tmp_path: Path):
    process = start(tmp_path)
    wait_for_segments(tmp_path, process, 1)
    until = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < until:
        for child in children(process):
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.02)
    _, words = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "ffmpeg" in words
    assert "Traceback" not in words
    assert not (tmp_path / "outputs/r.mp4").exists()


def test_a_full_disk_leaves_no_half_film(tmp_path: Path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", small], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small disk isn't allowed here")
    try:
        process = start(small)
        _, words = process.communicate(timeout=120)
        assert process.returncode == 1, words
        assert "disk is full" in words
        assert "Traceback" not in words
        assert not list(small.glob("outputs/*.mp4"))
        assert not list(small.glob("outputs/**/.*.part.*"))
    finally:
        subprocess.run(["umount", small], check=True)
        shutil.rmtree(small, ignore_errors=True)
