"""How long it takes to start, to find that nothing changed, and to stop: python tests/benchmarks/start_and_stop.py

Seconds of the clock, and of the processor, which don't depend on who else is at work. Signals are sent at random
moments of a render's life: libraries and model loaded, music heard, frames, joining; the slowest stop counts.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

RECIPE = """
model: cppn#7
audio: bundled:night_drive
signals: {kick: {from: onset, high: 120}}
push: {random: 3, by: 0.3*kick}
video: {size: 512, fps: 30, duration: 20}
"""
COMMAND = [sys.executable, "-m", "gandream", "render", "r.yaml", "--device", "cpu"]


def timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds of the clock and of the processor."""
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - began, used


def stage(folder: Path) -> str:
    """What a render is doing, by what lies about."""
    store = folder / "outputs/.gandream"
    if list((folder / "outputs").glob(".r.*.part.mp4")):
        return "joining"
    if list((store / "segments").glob(".*.part.mp4")) or list((store / "segments").glob("*.mp4")):
        return "rendering"
    return "starting, listening, loading"


def stops(rounds: int, folder: Path, whole_s: float) -> dict[str, list[float]]:
    """Seconds from the signal to the end, by what was being done."""
    found, draw = defaultdict(list), random.Random(0)
    for number in range(rounds):
        place = folder / f"stop{number}"
        place.mkdir()
        (place / "r.yaml").write_text(RECIPE)
        process = subprocess.Popen(COMMAND, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5 + draw.random() * whole_s)
        doing, began = stage(place), time.perf_counter()
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait()
            if process.returncode == 130:
                found[doing].append(time.perf_counter() - began)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    print("| what | seconds | of the processor |\n|---|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "r.yaml").write_text(RECIPE)
        plain = RECIPE.replace("audio: bundled:night_drive\n", "").replace(
            "signals: {kick: {from: onset, high: 120}}\n", ""
        )
        (folder / "one.yaml").write_text(plain.replace("0.3*kick", "0.3*sin(t)"))
        one = [*COMMAND[:4], "one.yaml", *COMMAND[5:], "--frames", "0:1"]
        # In folders of their own, where no music was heard before.
        draft = [*COMMAND, "--draft", "-o", "draft/film.mp4"]
        preview = [*COMMAND[:3], "preview", *COMMAND[4:], "-o", "preview/film.mp4"]
        rows = {
            "gandream --help": [*COMMAND[:3], "--help"],
            "import torch": [sys.executable, "-c", "import torch"],
            "one frame, without music": one,
            "the same, nothing changed": one,
            "the whole": COMMAND,
            "the whole, nothing changed": COMMAND,
            "a draft": draft,
            "a draft, nothing changed": draft,
            "a preview": preview,
            "a preview, one word edited": preview,
            "a preview, nothing changed": preview,
        }
        whole_s = 0.0
        for what, command in rows.items():
            if "edited" in what:
                (folder / "r.yaml").write_text(RECIPE.replace("0.3*kick", "0.4*kick"))
            clock, processor = timed(command, folder)
            whole_s = clock if command is COMMAND and not whole_s else whole_s
            print(f"| {what} | {clock:.2f} | {processor:.2f} |", flush=True)
        print("\n| Ctrl-C while | times | median s | slowest s |\n|---|---:|---:|---:|")
        for doing, took in stops(rounds, folder, whole_s).items():
            print(f"| {doing} | {len(took)} | {sorted(took)[len(took) // 2]:.2f} | {max(took):.2f} |")


if __name__ == "__main__":
    main()
