"""`gandream watch` as a process of its own: the recipe is saved as editors do, and what it says is read."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gandream.base import ffmpeg

BASE = "tempo: {bpm: 120}\n"
RECIPE = """\
include: base.yaml
model: cppn#7
walk: {through: [1, 2, 3], every: 2 bars}
push: {random: 3, by: 0.2}
video: {size: 32, fps: 12, duration: 8}
"""
PEAK = "{4s: 0.2, 5s: 0.5, 6s: 0.2}"
LONGEST_S = 120


class Watching:
    """The process, and its lines as they come, from both its outputs."""

    def __init__(self, folder: Path, *options: str):
        self.lines: queue.Queue[str] = queue.Queue()
        self.seen: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gandream", "watch", "r.yaml", "--device", "cpu", *options],
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def until(self, wanted: str) -> list[str]:
        """The lines up to the one that holds the words, and it."""
        found: list[str] = []
        while not found or wanted not in found[-1]:
            try:
                found.append(self.lines.get(timeout=LONGEST_S))
            except queue.Empty:
                raise AssertionError(f"waited for {wanted!r} after {[*self.seen, *found]}") from None
            assert "Traceback" not in found[-1]
        self.seen += found
        return found

    def stop(self) -> float:
        """Ctrl-C; gives the seconds until the end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        return time.monotonic() - began


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Callable[..., Watching]]:
    """Start watching r.yaml in a folder; whatever happens, it ends with the test."""
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "r.yaml").write_text(RECIPE)
    started: list[Watching] = []

    def start(*options: str) -> Watching:
        started.append(Watching(tmp_path, *options))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def by_rename(file: Path, text: str) -> None:
    """As vim and most others: a new file that takes the name."""
    other = file.with_suffix(".new")
    other.write_text(text)
    other.replace(file)


def by_truncation(file: Path, text: str) -> None:
    """As nano: emptied, a moment nothing, then written in two parts."""
    with open(file, "w") as stream:
        stream.flush()
        time.sleep(0.3)
        stream.write(text[:30])
        stream.flush()
        time.sleep(0.1)
        stream.write(text[30:])


def by_moving_away(file: Path, text: str) -> None:
    """As some keep a backup: the file is away for a moment."""
    file.rename(file.with_suffix(".bak"))
    time.sleep(0.5)
    file.write_text(text)


def test_a_morning_at_the_recipe(tmp_path: Path, watching):
    watch, file = watching(), tmp_path / "r.yaml"
    first = watch.until("rendered in")
    assert re.fullmatch(r"\d\d:\d\d:\d\d  watching r.yaml and 1 more file; Ctrl-C ends it", first[0])
    assert "outputs/r.draft.mp4: all 32 frames rendered in" in first[-1]

    by_rename(file, RECIPE.replace("by: 0.2", f"by: {PEAK}"))
    told = [line[10:] for line in watch.until("rendered in")]
    assert told[:2] == ["saved: r.yaml", "bar 3 (0:04.2 to 0:06): push[0].by"]
    assert "8 of 32 frames rendered" in told[-1], "one segment of four"

    film = (tmp_path / "outputs/r.draft.mp4").read_bytes()
    by_truncation(file, RECIPE.replace("walk:", "wolk:"))
    wrong = watch.until("the last film stays")
    assert any(line.endswith("r.yaml:3:1  wolk") for line in wrong)
    assert any("Did you mean 'walk'?" in line for line in wrong)
    assert not any("frames rendered" in line for line in wrong)
    assert (tmp_path / "outputs/r.draft.mp4").read_bytes() == film

    by_moving_away(file, RECIPE.replace("by: 0.2", f"by: {PEAK}") + "# a thought\n")
    told = [line[10:] for line in watch.until("r.draft.mp4")]
    assert told == ["saved: r.yaml", "nothing changes", *told[2:]]
    assert "frames" not in told[-1], "nothing is rendered"

    by_rename(tmp_path / "base.yaml", BASE.replace("120", "60"))
    told = [line[10:] for line in watch.until("rendered in")]
    assert told[0] == "saved: base.yaml"
    assert "tempo.bpm" in told[1]

    assert watch.stop() < 3
    assert watch.process.returncode == 130
    assert watch.until("Stopped.")
    raw = ffmpeg.run("-loglevel", "error", "-i", tmp_path / "outputs/r.draft.mp4", "-f", "rawvideo", "-")
    assert len(raw) == 32 * 16 * 16 * 3 // 2


@pytest.mark.slow
def test_an_edit_while_it_renders_starts_over(tmp_path: Path, watching):
    file = tmp_path / "r.yaml"
    file.write_text(RECIPE.replace("size: 32", "size: 512").replace("duration: 8", "duration: 60"))
    watch = watching("--full")
    until = time.monotonic() + LONGEST_S
    while not list((tmp_path / "outputs/.gandream/segments").glob("[!.]*")) and time.monotonic() < until:
        time.sleep(0.05)
    file.write_text(RECIPE)
    told = watch.until("rendered in")
    assert any("saved again: starting over" in line for line in told)
    assert "outputs/r.mp4: all 96 frames rendered" in told[-1]


@pytest.mark.slow
def test_a_part_of_it_and_what_the_draft_does_not_show(tmp_path: Path, watching):
    watch, file = watching("--at", "2 bars", "--for", "1 bar"), tmp_path / "r.yaml"
    assert "outputs/r.preview.mp4: all 8 frames rendered" in watch.until("rendered in")[-1]
    by_rename(file, RECIPE.replace("duration: 8", "duration: 8, crf: 30"))
    told = [line[10:] for line in watch.until("r.preview.mp4")]
    assert told[1] == "not seen in the draft: video.crf"


@pytest.mark.slow
def test_what_is_not_there_yet_is_waited_for(tmp_path: Path, watching):
    file = tmp_path / "r.yaml"
    file.write_text(RECIPE.replace("base.yaml", "other.yaml"))
    watch = watching()
    assert any("no such file" in line for line in watch.until("waiting for it"))
    (tmp_path / "other.yaml").write_text(BASE)
    assert "all 32 frames" in watch.until("rendered in")[-1]
    watch.process.send_signal(signal.SIGTERM)
    watch.process.wait(30)
    assert watch.process.returncode == 143


def test_mistakes_end_it(here: Path, gandream):
    said = gandream("watch", "r.yaml")
    assert (said.status, said.err.splitlines()[0]) == (2, "r.yaml")
    (here / "r.yaml").write_text(RECIPE)
    assert gandream("watch", "r.yaml", "--full", "--at", "2s").status == 2
    said = gandream("watch", "r.yaml", "--at", "noon")
    assert (said.status, said.out, said.err.splitlines()[0]) == (2, "", "--at noon"), "no edit would mend it"


@pytest.mark.parametrize(
    ("options", "where", "words"),
    [
        (("--set", "video.sze=32"), "--set video.sze=32", "Did you mean 'size'?"),
        (("--set", "video.size"), "--set video.size", "wanted key=value"),
        (("--set", "walk.through[7]=1"), "--set walk.through[7]=1", "walk.through is a list of 3"),
        (("--set", "walk.every=-1"), "--set walk.every=-1", ""),
        (("--set", "push=nothing_named_so"), "--set push=nothing_named_so", ""),
        (("--set", "mix={from: 1, layers: 0-99}"), "--set mix={from: 1, layers: 0-99}", ""),
        (("-o", "film.txt"), "film.txt", "For instance"),
        (("-o", "film.mp4"), "film.mp4", "was not made by gandream"),
    ],
)
def test_mistakes_of_the_command_end_it(here: Path, gandream, options: tuple[str, ...], where: str, words: str):
    (here / "base.yaml").write_text(BASE)
    (here / "r.yaml").write_text(RECIPE)
    (here / "film.mp4").write_text("somebody else's")
    said = gandream("watch", "r.yaml", "--device", "cpu", *options)
    assert said.status == 2
    assert said.err.splitlines()[0].startswith(where)
    assert words in said.err
    assert "Traceback" not in said.err
