"""Renders that are killed, stopped, or fail: nothing half-written stays, and the same command goes on."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from renders import RECIPE, children, finished, parts, segments, start, wait_for_segments

from gandream.base import ffmpeg
from gandream.video.boxes import picture_track

QUICK = RECIPE.replace("size: 160", "size: 64").replace("duration: 24", "duration: 12")
"""Six small segments, for the fast tests."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[bytes, float]]:
    """The film of a recipe that nobody disturbed, and how many seconds it took."""

    @cache
    def film(recipe: str) -> tuple[bytes, float]:
        folder = tmp_path_factory.mktemp("undisturbed")
        began = time.monotonic()
        finished(start(folder, recipe))
        return (folder / "outputs/r.mp4").read_bytes(), time.monotonic() - began

    return film


def kill(process: subprocess.Popen[str], victims: str) -> None:
    """``kill -9`` of the program, of its ffmpegs, or of all of them."""
    encoders = children(process)
    if "python" in victims:
        process.kill()
    for encoder in encoders if "ffmpeg" in victims else ():
        with contextlib.suppress(ProcessLookupError):
            os.kill(encoder, signal.SIGKILL)


VICTIMS = ("python", "ffmpeg", "python and ffmpeg")
MOMENTS = [
    pytest.param(1, 1, QUICK, id="1-1"),
    *(pytest.param(seed, 2, RECIPE, id=f"{seed}-2", marks=pytest.mark.slow) for seed in range(10)),
]
"""Seeds, and how often a render is killed: twenty moments in all, and one in the fast tests."""


@pytest.mark.parametrize(("seed", "times", "recipe"), MOMENTS)
def test_killed_at_random_moments_it_makes_the_same_film(
    tmp_path: Path, undisturbed, seed: int, times: int, recipe: str
):
    film, seconds = undisturbed(recipe)
    draw = random.Random(seed)
    for _ in range(times):
        process = start(tmp_path, recipe)
        time.sleep(draw.uniform(0.1, seconds))
        kill(process, draw.choice(VICTIMS))
        _, words = process.communicate(timeout=120)
        assert process.returncode in (0, 1, -signal.SIGKILL), words
        assert "Traceback" not in words
        if process.returncode:
            assert not (tmp_path / "outputs/r.mp4").exists() or (tmp_path / "outputs/r.mp4").read_bytes() == film
    kept = {path: path.stat().st_mtime_ns for path in segments(tmp_path)}
    finished(start(tmp_path, recipe))
    assert (tmp_path / "outputs/r.mp4").read_bytes() == film
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items()), "finished segments are used"
    assert not parts(tmp_path), "what the killed ones left is swept"


@pytest.mark.parametrize("victims", VICTIMS)
@pytest.mark.slow
def test_killed_while_it_joins_it_makes_the_same_film(tmp_path: Path, undisturbed, victims: str):
    process = start(tmp_path)
    until = time.monotonic() + 60
    while not list((tmp_path / "outputs").glob(".r.*.part.mp4")) and time.monotonic() < until:
        time.sleep(0.001)
    kill(process, victims)
    process.communicate(timeout=60)
    finished(start(tmp_path))
    assert (tmp_path / "outputs/r.mp4").read_bytes() == undisturbed(RECIPE)[0]
    assert not parts(tmp_path)


def stop(process: subprocess.Popen[str], kind: signal.Signals) -> float:
    """Send a signal; gives the seconds until the end."""
    began = time.monotonic()
    process.send_signal(kind)
    process.wait(60)
    return time.monotonic() - began


@pytest.mark.slow
def test_a_second_signal_ends_it_at_once(tmp_path: Path):
    process = start(tmp_path)
    wait_for_segments(tmp_path, process, 1)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    assert process.returncode in (130, 143)
    assert "Traceback" not in process.communicate()[1]
    finished(start(tmp_path))
    assert not parts(tmp_path)


def check_stopped(folder: Path, process: subprocess.Popen[str], kind: signal.Signals) -> None:
    _, words = process.communicate()
    assert process.returncode == 128 + kind
    assert words == "Stopped. What is finished is kept: the same command goes on from there.\n"
    assert not parts(folder)
    assert not children(process)


@pytest.mark.parametrize("kind", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_stopped_by_the_user_it_ends_soon_and_cleanly(tmp_path: Path, kind: signal.Signals):
    process = start(tmp_path)
    wait_for_segments(tmp_path, process, 2)
    took = stop(process, kind)
    check_stopped(tmp_path, process, kind)
    assert took < 5  # tests/benchmarks/start_and_stop.py measures it


def starting(folder: Path) -> bool:
    return (folder / "outputs/.gandream").exists()


def rendering(folder: Path) -> bool:
    return bool(list((folder / "outputs/.gandream/segments").glob(".*.part.mp4")))


def joining(folder: Path) -> bool:
    return bool(list((folder / "outputs").glob(".r.*.part.mp4")))


@pytest.mark.slow
@pytest.mark.parametrize("begun", [starting, rendering, joining])
@pytest.mark.parametrize("after_s", [0.0, 0.3, 1.0])
def test_stopped_whatever_it_does(tmp_path: Path, begun: Callable[[Path], bool], after_s: float):
    """Loading, the first batch, the joining."""
    process = start(tmp_path)
    until = time.monotonic() + 60
    while not begun(tmp_path) and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(after_s)
    if process.poll() is None:
        took = stop(process, signal.SIGINT)
        if process.returncode in (0, -signal.SIGINT):  # too late: the interpreter was on its way out
            assert (tmp_path / "outputs/r.mp4.manifest.json").exists()
        else:
            check_stopped(tmp_path, process, signal.SIGINT)
        assert took < 5
    process.communicate()


LONG = """
import sys, threading
import torch
from gandream.cli import stopping
from gandream.cli.main import main
import gandream.run.film as film
def long(*_, **__):
    print("deep in torch", file=sys.stdout, flush=True)
    torch.eye(8000) @ torch.eye(8000)
film.prepare = long
sys.argv = ["gandream", "render", "r.yaml"]
main()
"""


@pytest.mark.parametrize("kind", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_one_long_kernel_delays_nothing(tmp_path: Path, kind: signal.Signals):
    (tmp_path / "r.yaml").write_text(RECIPE)
    process = subprocess.Popen(
        [sys.executable, "-c", LONG], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "deep in torch\n"
    time.sleep(0.2)
    took = stop(process, kind)
    check_stopped(tmp_path, process, kind)
    assert took < 5  # the product takes half a minute


@pytest.mark.slow
def test_ffmpeg_dying_midway_is_told_in_words(tmp_path: Path):
    process = start(tmp_path)
    wait_for_segments(tmp_path, process, 1)
    until = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < until:
        kill(process, "ffmpeg")
        time.sleep(0.02)
    _, words = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "ffmpeg" in words
    assert "Traceback" not in words
    assert not (tmp_path / "outputs/r.mp4").exists()
    assert not parts(tmp_path)


SIZES = [(40, 2), (400, 1), *(pytest.param(size, 1, marks=pytest.mark.slow) for size in (300, 500, 700, 850, 1000))]
"""Disks in kB, and how a render ends there: one that is far too small is told before anything is rendered."""


@pytest.mark.parametrize(("size", "status"), SIZES)
def test_a_full_disk_leaves_no_half_film(tmp_path: Path, size: int, status: int):
    """Full at once, while segments are written, or while they are joined."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", small], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small disk isn't allowed here")
    try:
        process = start(small)
        _, words = process.communicate(timeout=120)
        assert process.returncode == status, words
        assert ("disk is full" if status == 1 else "are free") in words
        assert "Traceback" not in words
        assert not list(small.glob("outputs/*.mp4"))
        assert not parts(small)
        for segment in segments(small):
            assert picture_track(segment).samples == 20
            ffmpeg.run(*ffmpeg.QUIET, "-xerror", "-i", segment, "-f", "null", "-")
    finally:
        subprocess.run(["umount", small], check=True)
        shutil.rmtree(small, ignore_errors=True)
