"""What batches cost: two workers against one, a segment's overhead, many tiny films: python tests/benchmarks/batch.py

Ratios are of rounds in turns, so that a busy neighbour slows all of them alike. A batch is timed from the moment when
its first film is taken, by workers that have loaded nothing yet, to the last film's end.

    workers   films of 40 segments in all: one worker with one core for itself and its encoder, one with a thread whose
              encoder takes what is free, two with one thread each, one with two threads
    segments  a film of 40 segments of two frames of 64x64: seconds beyond the generator, by segment
    tiny      many films, and what the generator alone takes for the same pictures in one process
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

FILM = """\
model: {model}
walk: {{through: [1, 2, 3, 5, 8], every: 2}}
push: {{random: 3, by: 0.2*sin(t)}}
video: {{size: {size}, fps: {fps}, duration: {duration}}}
"""
ALONE = """
import sys, tempfile, time
from pathlib import Path
from gandream.recipe.load import load_recipe
from gandream.rendering.projector import Projector
from gandream.run.prepare import prepare
spent, models = 0.0, {}
for file in sys.argv[1:]:
    with tempfile.TemporaryDirectory() as store:
        prepared = prepare(load_recipe(file), Path(store), device="cpu")
        reel, load = prepared.reel("cpu"), prepared.load("cpu")
        model = models.setdefault(prepared.spec.fingerprint, None) or load(0)
        models[prepared.spec.fingerprint] = model
        projector = Projector(reel, lambda number: model)
        if not spent:
            next(projector.pictures(0, reel.segments[0].stop))  # what is done once belongs to no film
        began = time.perf_counter()
        for segment in reel.segments:
            for images in projector.pictures(segment.start, segment.stop):
                pass
        spent += time.perf_counter() - began
print(spent)
"""


def lay(folder: Path, count: int, **words: object) -> list[str]:
    """Recipes of films that differ in their seeds alone."""
    for number in range(count):
        text = FILM.format(**words).replace("random: 3", f"random: {number + 3}")
        (folder / f"film{number:03}.yaml").write_text(text)
    return [f"film{number:03}.yaml" for number in range(count)]


def batch(folder: Path, files: list[str], jobs: int, threads: int, cores: int = 0) -> tuple[float, float]:
    """Seconds from the first film that is taken to the end of the last, and of the whole command."""
    outputs = tempfile.mkdtemp(dir=folder)
    code = (
        "import sys, time; from pathlib import Path\n"
        "from gandream.run.batch.run import Flags, run_batch\n"
        "from gandream.run.batch.entries import Said\n"
        "first = []\n"
        "def watch(seen):\n    if seen.now and not first: first.append(time.perf_counter())\n"
        f"files = [Path(name) for name in {files!r}]\n"
        f"flags = Flags(Said(out={outputs!r} + '/{{recipe}}'), {{'jobs': {jobs}, 'device': 'cpu'}})\n"
        f"result = run_batch(files, flags, folder=Path({outputs!r}) / 'jobs', watch=watch)\n"
        "assert result.good, [row.job.error for row in result.failed]\n"
        "print(max(row.job.finished for row in result.rows) - min(row.job.started for row in result.rows))\n"
    )
    began = time.perf_counter()
    said = _python(code, folder, jobs * threads, cores=cores)
    return float(said.split()[-1]), time.perf_counter() - began


def generator(folder: Path, files: list[str], threads: int) -> float:
    """Seconds that the generator alone takes for the pictures of all films."""
    return float(_python(ALONE, folder, threads, *files).split()[-1])


def _python(code: str, folder: Path, threads: int, *words: str, cores: int = 0) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
    pinned = f"import os; os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:{cores}])\n" if cores else ""
    done = subprocess.run(
        [sys.executable, "-c", pinned + code, *words],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def workers(folder: Path, options: argparse.Namespace) -> None:
    """One worker, two, and one with two threads: (workers, threads of each, cores that they may use, 0 for all)."""
    films, each = 4, options.segments // 4
    files = lay(folder, films, model=options.model, size=options.size, fps=24, duration=2 * each)
    ways = {
        "one worker on one core": (1, 1, 1),
        "one worker, one thread, its encoder on any core": (1, 1, 0),
        "two workers, one thread each": (2, 1, 0),
        "one worker, two threads": (1, 2, 0),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, way in ways.items():
            took[name].append(batch(folder, files, *way)[0])
    base = took["one worker on one core"]
    print(f"\n{films * each} segments in {films} films of {options.size}, {options.model}\n")
    print("| | seconds | of one worker on one core |\n|---|---:|---:|")
    for name, times in took.items():
        print(f"| {name} | {median(times):.1f} | {median(a / b for a, b in zip(base, times, strict=True)):.2f}x |")


def segments(folder: Path, options: argparse.Namespace) -> None:
    """What a segment costs beside its pictures."""
    files = lay(folder, 2, model="cppn#7", size=64, fps=1, duration=80)
    rounds = [(batch(folder, files, 1, 1)[0], generator(folder, files, 1)) for _ in range(options.rounds)]
    # The second film alone: the first loads libraries and the model.
    one = [batch(folder, files[:1], 1, 1)[0] for _ in range(options.rounds)]
    more = [whole - first - own / 2 for (whole, own), first in zip(rounds, one, strict=True)]
    print(f"\nA segment of two frames of 64x64: {1000 * median(more) / 40:.1f} ms beyond its pictures")


def tiny(folder: Path, options: argparse.Namespace) -> None:
    """Many films, and their generator alone."""
    files = lay(folder, options.films, model=options.model, size=options.size, fps=24, duration=options.seconds)
    rounds = [(*batch(folder, files, 1, 1), generator(folder, files, 1)) for _ in range(options.rounds)]
    print(f"\n{options.films} films of {options.size} and {24 * options.seconds:.0f} frames, {options.model}\n")
    print("| | seconds | of the generator alone |\n|---|---:|---:|")
    own = median(alone for _, _, alone in rounds)
    print(f"| the generator alone | {own:.1f} | |")
    for name, at in (("the films, from the first to the last", 0), ("the whole command", 1)):
        ratio = median(row[at] / row[2] for row in rounds)
        print(f"| {name} | {median(row[at] for row in rounds):.1f} | {ratio:.2f}x |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["workers", "segments", "tiny"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--segments", type=int, default=40)
    parser.add_argument("--films", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--model", default="cppn#7")
    options = parser.parse_args()
    for name in options.what:
        with tempfile.TemporaryDirectory() as folder:
            {"workers": workers, "segments": segments, "tiny": tiny}[name](Path(folder), options)


if __name__ == "__main__":
    main()
