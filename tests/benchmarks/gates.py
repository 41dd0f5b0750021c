"""What the quality gates add to a render: python tests/benchmarks/gates.py [--rounds 3] [--seconds 10]

The same film is rendered in turn with them and without, each into an empty store, in processes of their own; without,
segments are only decoded and films aren't judged, as before there were gates. Seconds of the clock and of the
processor; the latter depend less on who else is at work. Then each part alone, in ms a frame.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np

from gandream.base import ffmpeg
from gandream.video.quality.beside import look, points_in
from gandream.video.quality.flashes import hazards
from gandream.video.quality.judge import judge
from gandream.video.quality.looks import SAMPLED, looks_of
from gandream.video.quality.timing import timing

RECIPE = """
model: cppn#7
audio: bundled:night_drive
signals: {kick: {from: onset, high: 120}}
push: {random: 3, by: 0.3*kick}
video: {size: 512, fps: 30, duration: DURATION}
"""
RENDER = "import sys; sys.argv = ['gandream', 'render', 'r.yaml', '--device', 'cpu']\n"
WITHOUT = """
import gandream.run.film, gandream.video.encoding as encoding
from gandream.base import ffmpeg
def decodes(path, frames):
    ffmpeg.run(*ffmpeg.QUIET, '-xerror', '-err_detect', 'explode', '-threads', '2', *ffmpeg.media(path),
               '-map', '0:v:0', '-f', 'null', '-progress', 'pipe:1', '-')
encoding.check_decodes, encoding.attach = decodes, lambda path, looks: None
gandream.run.film.gated = lambda output, store, note: ()
"""
WAYS = {"with": RENDER, "without": RENDER + WITHOUT}
MAIN = "from gandream.cli.main import main\nmain()\n"


def rendered(program: str, recipe: str) -> tuple[float, float]:
    """Seconds of the clock and of the processor that a render takes."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "r.yaml").write_text(recipe)
        before, began = os.times(), time.perf_counter()
        subprocess.run([sys.executable, "-c", program + MAIN], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - began, used


def spent(call: Callable[[], object], rounds: int) -> float:
    """Least seconds of the processor, this one's and its children's, of some calls."""
    least = float("inf")
    for _ in range(rounds):
        before = os.times()
        call()
        least = min(least, sum(os.times()[:4]) - sum(before[:4]))
    return least


def main() -> None:
    """Say both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10, help="of the film")
    said = parser.parse_args()
    rounds, recipe = said.rounds, RECIPE.replace("DURATION", str(said.seconds))
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, program in WAYS.items():
            found[way].append(rendered(program, recipe))
    for way, times in found.items():
        clock, used = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{way:8} {clock:6.1f} s, of the processor {used:6.1f} s")
    more = [one[1] / other[1] - 1 for one, other in zip(found["with"], found["without"], strict=True)]
    each = ", ".join(f"{100 * one:.1f}" for one in more)
    print(f"more of the processor's time: {100 * statistics.median(more):.1f} % (rounds: {each})")

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "r.yaml").write_text(recipe)
        subprocess.run([sys.executable, "-c", RENDER + MAIN], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        film = Path(folder, "outputs/r.mp4")
        told = ("-map", "0:v:0", "-fps_mode", "passthrough", "-vf", SAMPLED, "-f", "rawvideo", "-")
        points = points_in(ffmpeg.run(*ffmpeg.QUIET, *ffmpeg.media(film), *told))
        looks = look(film)
        frames = looks.frames
        null = ("-map", "0:v:0", "-f", "null", "-")
        parts: dict[str, Callable[[], object]] = {
            "decoding, as before": lambda: ffmpeg.run(*ffmpeg.QUIET, *ffmpeg.media(film), *null),
            "decoding to points": lambda: ffmpeg.run(*ffmpeg.QUIET, *ffmpeg.media(film), *told),
            "statistics": lambda: [looks_of(part) for part in np.split(points, range(60, frames, 60))],
            "judging": lambda: judge(looks, 30.0, closes=True),
            "of which flashes": lambda: hazards(looks.luminance, 30.0),
            "reading the file": lambda: timing(film, frames, Fraction(30), sound=True),
        }
        for name, call in parts.items():
            print(f"{name:20} {1000 * spent(call, rounds) / frames:6.3f} ms a frame")
        print(
            f"{len(looks.packed()) / frames:.0f} bytes a frame, beside {film.stat().st_size / frames:.0f} of the film"
        )


if __name__ == "__main__":
    main()
