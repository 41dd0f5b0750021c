"""What a draft costs beside its film, in turns, and how near its pictures are to those in full.

    python tests/benchmarks/drafts.py [recipes/music_viz.yaml ...] [--set video.duration=60] [--rounds 3]

Both are rendered cold, each as a program of its own with an empty store. CPU seconds are those of the program and of
every ffmpeg that it starts, which other work on the machine changes little; seconds by the clock it changes much.
Pictures are compared before they are encoded, where the model makes rough ones.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import torch

from gandream.recipe.load import load_recipe
from gandream.rendering.paint import Painter
from gandream.run.prepare import draft_of, prepare

FRAMES = 40


def cold(recipe: Path, words: list[str], *more: str) -> tuple[float, float]:
    """(seconds, CPU seconds) of a render in a new folder."""
    with tempfile.TemporaryDirectory(prefix="gandream-drafts-") as folder:
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command = [sys.executable, "-m", "gandream", "render", str(recipe.resolve()), *words, *more]
        environment = {**os.environ, "GANDREAM_CACHE": f"{folder}/store"}
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def rough_db(recipe: Path, assignments: list[str]) -> list[float]:
    """PSNR of rough pictures of the draft against the same ones in full, spread over the film."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(draft_of(load_recipe(recipe, tuple(assignments))), Path(folder), device="cpu")
    if not prepared.spec.rough or prepared.cuts:
        return []
    plan, generator = prepared.reel("cpu").shots[0].plan, cast(Any, prepared.load("cpu")(0))
    painter, found = Painter(plan, generator), []
    for at in range(0, plan.trajectory.frames, max(1, plan.trajectory.frames // FRAMES)):
        inputs, size = painter.feed.inputs(at, at + 1), (plan.fmt.height, plan.fmt.width)
        with torch.inference_mode():
            whole, rough = (generator.synthesise(inputs, size=size, **how) for how in ({}, {"rough": True}))
        found.append(float(-10 * torch.log10((whole - rough).square().mean() / 4)))
    return sorted(found)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipes", nargs="*", type=Path, default=[Path("recipes/music_viz.yaml")])
    parser.add_argument("--set", action="append", default=[], metavar="WORD=VALUE")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    words = [word for one in asked.set for word in ("--set", one)]
    print("| recipe | film s | CPU s | draft s | CPU s | times less | of CPU |\n|---|---:|---:|---:|---:|---:|---:|")
    for recipe in asked.recipes:
        runs = [(cold(recipe, words), cold(recipe, words, "--draft")) for _ in range(asked.rounds)]
        film, draft = ([statistics.median(run[which][at] for run in runs) for at in (0, 1)] for which in (0, 1))
        print(f"| {recipe.stem} | {film[0]:.1f} | {film[1]:.1f} | {draft[0]:.1f} | {draft[1]:.1f}", end=" | ")
        print(f"{film[0] / draft[0]:.1f} | {film[1] / draft[1]:.1f} |", flush=True)
        if found := rough_db(recipe, asked.set):
            middle = statistics.median(found)
            print(f"\nrough pictures: {found[0]:.1f} to {found[-1]:.1f} dB, in the median {middle:.1f}\n")


if __name__ == "__main__":
    main()
