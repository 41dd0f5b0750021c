"""What a render is said to need, against what it takes: python tests/benchmarks/memory_needed.py [NAME ...] [--exact]

Models of random weights are written to a folder (--folder keeps them), and each is rendered for a few frames in a
process of its own. Every few milliseconds the memory of that process and of its ffmpeg is added up (Linux only: from
/proc); the most of it is what was taken. ``said`` must be no less, and about half as much again at most.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import biggan
import numpy as np
import stylegan2
import stylegan3
import torch

from gandream.models.families import Identity
from gandream.models.files import Savable, save_native
from gandream.models.registry import facts
from gandream.recipe.load import load_recipe
from gandream.rendering.memory import needed_by
from gandream.run.prepare import prepare

CPU = torch.device("cpu")
PLAIN, CLASSES = "[1, 2]", "[{seed: 1, class: 1}, {seed: 2, class: 2}]"


def style2(size: int, base: int, most: int) -> Savable:
    return stylegan2.ours(stylegan2.random_tensors(size, base, most, most))


def style3(size: int, base: int, most: int, radial: bool) -> Savable:
    found = stylegan3.random_tensors(size, base, most, radial)
    tensors = {name: one.astype(np.float32) for name, one in found.items()}
    network = stylegan3.network(tensors)
    spec = stylegan3.describe_network(network, Identity("random", ""))
    return stylegan3.StyleGAN3(spec, stylegan3.plan(network), tensors, {}, CPU, None)


def big(size: int, width: int) -> Savable:
    tensors = biggan.plain_tensors(size, width)
    network = biggan.network_of(tensors)
    spec = biggan.biggan.describe_network(network, Identity("random", ""))
    return biggan.BigGAN(spec, biggan.plan_of(network), tensors, CPU, None)


def deep(size: int) -> Savable:
    tensors = biggan.deep_tensors(size, 128)
    network = biggan.network_of(tensors)
    spec = biggan.biggan_deep.describe_network(network, Identity("random", ""))
    return biggan.BigGANDeep(spec, biggan.plan_of_deep(network), tensors, CPU, None)


MODELS: dict[str, tuple[Callable[[], Savable], str]] = {
    "stylegan2-64": (lambda: style2(64, 2048, 128), PLAIN),
    "stylegan2-256": (lambda: style2(256, 16384, 512), PLAIN),
    "stylegan2-1024": (lambda: style2(1024, 32768, 512), PLAIN),
    "stylegan3-t-256": (lambda: style3(256, 16384, 512, False), PLAIN),
    "stylegan3-r-256": (lambda: style3(256, 32768, 1024, True), PLAIN),
    "biggan-128": (lambda: big(128, 96), CLASSES),
    "biggan-deep-128": (lambda: deep(128), CLASSES),
    "biggan-deep-256": (lambda: deep(256), CLASSES),
}
FILMS = {
    "cppn-64": ("cppn#7", "size: 64"),
    "cppn-512": ("cppn#7", "size: 512"),
    "cppn-1080": ("cppn#7", "size: [1920, 1080]"),
    "cppn-2160": ("cppn#7", "size: [3840, 2160]"),
    "cppn-1080-h265": ("cppn#7", "size: [1920, 1080], codec: h265"),
    "cppn-1080-av1": ("cppn#7", "size: [1920, 1080], codec: av1"),
    "cppn-1080-vp9": ("cppn#7", "size: [1920, 1080], codec: vp9"),
    "cppn-1080-prores": ("cppn#7", "size: [1920, 1080], codec: prores, file: mov"),
    "cppn-1080-ultrafast": ("cppn#7", "size: [1920, 1080], preset: ultrafast"),
    "cppn-1080-medium": ("cppn#7", "size: [1920, 1080], preset: medium"),
    **{name: (name, "") for name in MODELS},
    "stylegan2-256-1080": ("stylegan2-256", "size: [1920, 1080]"),
    "grid-stylegan2-256": ("stylegan2-256", "size: [1920, 1920]"),
    "grid-stylegan2-64": ("stylegan2-64", "size: [1280, 1280]"),
    "grid-stylegan3-t-256": ("stylegan3-t-256", "size: [1280, 1280]"),
    "grid-cppn-1080": ("cppn#7", "size: [1920, 1080]"),
}


def told(path: Path, word: str) -> int:
    """Bytes that the system tells of a process; 0 once it is gone."""
    try:
        lines = path.joinpath("status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith(f"{word}:")), 0)


def family(parent: int) -> Iterator[Path]:
    """A process and the other programs that it started; a child that is just born still shares its parent's memory."""
    own = Path(f"/proc/{parent}")
    yield own
    for task in own.glob("task/*/children"):
        try:
            children = [
                child for child in task.read_text().split() if not Path(f"/proc/{child}/exe").samefile(own / "exe")
            ]
        except OSError:
            continue
        for child in children:
            yield from family(int(child))


def taken(command: list[str], folder: Path) -> tuple[int, int]:
    """Most bytes of a command with all that it starts, and of it alone."""
    most = alone = 0
    environment = os.environ | {"GANDREAM_CACHE": str(folder / "store")}
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, env=environment)
    while process.poll() is None:
        most = max(most, sum(told(path, "VmRSS") for path in family(process.pid)))
        alone = max(alone, told(Path(f"/proc/{process.pid}"), "VmHWM"))
        time.sleep(0.005)
    if process.returncode:
        raise SystemExit(f"{command} failed")
    return max(most, alone), alone


def measured(name: str, models: Path, frames: int, exact: bool) -> dict[str, Any]:
    """One film."""
    model, video = FILMS[name]
    seeds = PLAIN
    if model in MODELS:
        make, seeds = MODELS[model]
        path = models / f"{model}.safetensors"
        if not path.exists():
            save_native(make(), path, name=model)
        model = str(path)
    precision = "exact" if exact else "auto"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        video = ", ".join(one for one in (video, f"fps: 25, duration: {frames} frames") if one)
        words = f"model: {{file: {model}, precision: {precision}}}" if seeds or exact else f"model: {model}"
        if "#" in model:
            words = f"model: {model}"
        (folder / "r.yaml").write_text(f"{words}\nwalk: {{through: {seeds}, every: 0.2}}\nvideo: {{{video}}}\n")
        if name.startswith("grid-"):
            with open(folder / "r.yaml", "a") as file:
                file.write("grid: {columns: 4, rows: 4, seeds: 1-16}\n")
        prepared = prepare(load_recipe(folder / "r.yaml"), folder / "cache")
        plan = prepared.reel("cpu").shots[0].plan
        found = facts(model)
        said = needed_by(plan, 4 * found.parameters if found else 0)
        took, alone = taken([sys.executable, "-m", "gandream", "render", "r.yaml", "--device", "cpu"], folder)
    return {"film": name, "batch": plan.batch, "precision": plan.precision, "said": said, "took": took, "alone": alone}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FILMS))
    parser.add_argument("--exact", action="store_true", help="in float32")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--folder", type=Path, help="where models are kept")
    asked = parser.parse_args()
    print("| film | batch | precision | said, MB | taken, MB | of it the render's own | said / taken |")
    print("|---|---:|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in asked.names or FILMS:
            row = measured(name, folder, asked.frames, asked.exact)
            said, took, alone = (round(row[key] / (1 << 20)) for key in ("said", "took", "alone"))
            facts_of = f"| {name} | {row['batch']} | {row['precision']}"
            print(f"{facts_of} | {said} | {took} | {alone} | {said / took:.2f} |", flush=True)


if __name__ == "__main__":
    main()
