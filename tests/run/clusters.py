"""What tests of clusters share: recipes, renders in processes of their own, and who has started whom."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from gandream.recipe.load import load_recipe

WORDS = """\
model: cppn#7
walk: {through: [1, 2, 3, 4], every: 2}
video:
- {size: 96, fps: 8, duration: 8, preset: ultrafast}
- {size: 32, file: png}
"""
LONG = """\
model: cppn#7
walk: {through: [1, 2, 3, 4, 5, 6, 7, 8, 9], every: 4}
video: {size: 144, fps: 10, duration: 32, preset: ultrafast}
"""


def recipe(folder: Path, words: str = WORDS):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "r.yaml").write_text(words)
    return load_recipe(folder / "r.yaml")


def sums(folder: Path) -> dict[str, str]:
    """Of films and pictures."""
    files = [file for file in folder.rglob("*") if file.suffix in (".mp4", ".png") and ".gandream" not in file.parts]
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def segments(folder: Path) -> list[Path]:
    found = (folder / ".gandream" / "segments").glob("*.mp4")
    return [path for path in found if not path.name.startswith(".")]


def below(process: int | None = None) -> Iterator[tuple[int, str]]:
    """Ids and names of the processes that one has started, at whatever remove."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,stat=,args="], capture_output=True, text=True).stdout
    rows = [line.split(None, 3) for line in listed.splitlines()]
    known = {process or os.getpid()}
    for _ in range(6):
        known |= {int(row[0]) for row in rows if int(row[1]) in known}
    for row in rows:
        if int(row[0]) in known and not row[2].startswith("Z"):
            yield int(row[0]), row[3]


def workers(process: int | None = None) -> list[int]:
    """Those that hold models."""
    until = time.monotonic() + 5
    while True:
        found = [pid for pid, name in below(process) if name.startswith(("ray::Worker", "ray::Short"))]
        if not found or time.monotonic() > until or process is not None:
            return found
        time.sleep(0.1)


def wait_for(what: Callable[[], bool], limit_s: float = 90) -> None:
    until = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@contextmanager
def apart(folder: Path, *options: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """``gandream render r.yaml`` in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gandream", "render", "r.yaml", "--device", "cpu", *options],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread a worker, and nothing of another test or of the user."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.delenv("GANDREAM_CACHE", raising=False)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A cluster on this machine, for all tests of a module."""
    from gandream.run.cluster.session import connected
    from gandream.run.cluster.where import Where

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("home")))
        with connected(Where(None)) as connection:
            yield connection
