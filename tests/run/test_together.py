"""Several renders of one recipe at the same time: each segment is rendered once, and all have the film."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from gandream.base.locks import Lock, take
from gandream.recipe.load import load_recipe
from gandream.rendering.plan import Segment
from gandream.rendering.together import Job, Sink, render_together
from gandream.run.prepare import prepare

sys.path.insert(0, str(Path(__file__).parent))
from renders import RECIPE, parts, segments

FRAMES = 240
SMALL = RECIPE.replace("size: 160", "size: 64")

PROGRAM = """
import sys, time
from pathlib import Path
import torch
from gandream.recipe.load import load_recipe
from gandream.run.film import render
recipe = load_recipe("r.yaml")
print("ready", flush=True)
sys.stdin.readline()
waited = []
made = render(recipe, sys.argv[1], device="cpu", progress=lambda stage, *_: "another" in stage and waited.append(stage))
print(made.rendered, flush=True)
"""


def begin(folder: Path, outs: list[str], recipe: str = RECIPE) -> list[subprocess.Popen[str]]:
    """Renders that all begin at once."""
    folder.mkdir(exist_ok=True)
    (folder / "r.yaml").write_text(recipe)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, out],
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for out in outs
    ]
    for process in processes:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            words = process.communicate()[1]
            for other in processes:
                other.kill()
                other.communicate()
            pytest.fail(f"one ended with status {process.returncode} before it began (negative: a signal): {words}")
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return processes


def rendered(process: subprocess.Popen[str]) -> int:
    """Wait for one, and give how many frames it rendered itself."""
    said, words = process.communicate(timeout=300)
    assert process.returncode == 0, words
    return int(said)


def test_two_renders_share_the_work(tmp_path: Path):
    processes = begin(tmp_path, ["outputs/a.mp4", "outputs/b.mp4"], SMALL)
    shares = [rendered(process) for process in processes]
    assert sum(shares) == FRAMES, "each segment once"
    assert len(segments(tmp_path)) == 12
    assert (tmp_path / "outputs/a.mp4").read_bytes() == (tmp_path / "outputs/b.mp4").read_bytes()
    assert not list((tmp_path / "outputs/.gandream/locks").iterdir())
    assert not parts(tmp_path)


class Failing(Sink):
    """Fails as soon as it has begun, and publishes all the same, when everything is over."""

    def __init__(self, folder: Path):
        self.folder, self.published = folder, list[Callable[[], None]]()

    def claim(self, segment: Segment) -> Lock | None:
        return take(self.folder / f"{segment.key}.lock")

    def lacking(self, segment: Segment) -> range:
        return range(segment.start, segment.stop)

    def begin(self, segment: Segment, frames: range, published: Callable[[], None]) -> Future[Any]:
        self.published.append(published)
        raise RuntimeError("no")

    def write(self, images: Any, first: int) -> None:
        raise AssertionError("it has failed before")

    def __exit__(self, *error: object) -> None:
        pass


def test_a_lock_is_let_go_of_once(tmp_path: Path):
    """Its number may be another file's by the time that a thread which was late publishes."""
    (tmp_path / "r.yaml").write_text(RECIPE)
    prepared = prepare(load_recipe(tmp_path / "r.yaml"), tmp_path / "cache")
    reel, sink = prepared.reel("cpu", (0, 20)), Failing(tmp_path)
    job = Job(reel, {segment: range(segment.start, segment.stop) for segment in reel.segments}, sink)
    with pytest.raises(RuntimeError, match="no"):
        render_together([job], prepared.load("cpu"), lambda count: None)
    assert not list(tmp_path.glob("*.lock"))
    with open(tmp_path / "other.txt", "w") as other:
        for published in sink.published:
            published()
        other.write("still open")
    assert (tmp_path / "other.txt").read_text() == "still open"


@pytest.mark.slow
def test_the_same_film_by_two_at_once(tmp_path: Path):
    shares = [rendered(process) for process in begin(tmp_path, ["outputs/a.mp4"] * 2)]
    assert sum(shares) in (0, FRAMES)
    assert not parts(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("killed_at", [1, 4, 8])
def test_one_of_three_is_killed_and_the_others_do_its_part(tmp_path: Path, killed_at: int):
    (alone,) = begin(tmp_path / "alone", ["outputs/r.mp4"])
    assert rendered(alone) == FRAMES
    folder = tmp_path / "three"
    first, second, third = begin(folder, [f"outputs/{name}.mp4" for name in "abc"])
    until = time.monotonic() + 60
    while len(segments(folder)) < killed_at and time.monotonic() < until:
        time.sleep(0.005)
    second.kill()
    second.communicate()
    before = len(segments(folder))
    shares = [rendered(first), rendered(third)]
    assert FRAMES - 20 * before <= sum(shares) <= FRAMES
    assert len(segments(folder)) == 12
    for name in "ac":
        assert (folder / f"outputs/{name}.mp4").read_bytes() == (tmp_path / "alone/outputs/r.mp4").read_bytes()
