"""Renders in processes of their own, which tests kill and stop."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

RECIPE = """\
model: cppn#7
walk: {through: [1, 2, 3, 4, 5, 6, 7], every: 4}
video: {size: 160, fps: 10, duration: 24, preset: ultrafast}
"""
"""Twelve segments, no two of them equal."""


def start(folder: Path, recipe: str = RECIPE, *options: str, **environment: str) -> subprocess.Popen[str]:
    """``gandream render r.yaml`` in a folder."""
    folder.mkdir(exist_ok=True)
    (folder / "r.yaml").write_text(recipe)
    # Torch of a process that is one of several shouldn't take every core.
    return subprocess.Popen(
        [sys.executable, "-m", "gandream", "render", "r.yaml", "--device", "cpu", *options],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> None:
    """Wait for a render that must end well."""
    _, words = process.communicate(timeout=300)
    assert process.returncode == 0, words


def segments(folder: Path) -> list[Path]:
    """The segments in the store."""
    return [path for path in (folder / "outputs/.gandream/segments").glob("*.mp4") if not path.name.startswith(".")]


def parts(folder: Path) -> list[Path]:
    """What is half-written."""
    return list((folder / "outputs").glob("**/.*.part*"))


def wait_for_segments(folder: Path, process: subprocess.Popen[str], count: int) -> None:
    """Until so many segments are there; a render that ends before fails."""
    until = time.monotonic() + 120
    while len(segments(folder)) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)


def children(process: subprocess.Popen[str]) -> list[int]:
    """Ids of the processes that one has started: its ffmpegs."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]
