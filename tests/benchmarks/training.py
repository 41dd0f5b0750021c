"""Training: pictures per second in float32 and in bfloat16, side by side; and how fast the stream of dreams is painted.

Run: OMP_WAIT_POLICY=PASSIVE python tests/benchmarks/training.py
"""

from __future__ import annotations

import statistics
import sys
import time

import torch

from gandream.training.data import Dreams
from gandream.training.learner import Learner
from gandream.training.presets import Asked, settings

ROUNDS = 7


def seconds(work) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def training(family: str, threads: int) -> None:
    """Interleaved steps at each size of the small networks."""
    torch.set_num_threads(threads)
    data = Dreams()
    for side in (16, 32, 64):
        learners = {}
        for precision in ("float32", "bfloat16"):
            asked = Asked(family, side, data.classes, 1000, "small", precision=precision)
            learners[precision] = Learner(settings(asked), torch.device("cpu"))
            learners[precision].images = 10**6  # past all growing
            learners[precision].step(data)
        times = {precision: [] for precision in learners}
        for _ in range(ROUNDS):
            for precision, learner in learners.items():
                times[precision].append(seconds(lambda learner=learner: learner.step(data)))
        rates = {precision: 32 / statistics.median(found) for precision, found in times.items()}
        ratio = statistics.median(a / b for a, b in zip(times["float32"], times["bfloat16"], strict=True))
        shown = ", ".join(f"{precision} {rate:.1f} images/s" for precision, rate in rates.items())
        print(f"{family} {side}x{side}, {threads} threads: {shown}, pair by pair {ratio:.2f}", flush=True)


def painting(threads: int) -> None:
    """Batches of each size, after one to warm up."""
    torch.set_num_threads(threads)
    data = Dreams()
    for side in (64, 128, 256):
        data.batch(0, 40, side)
        starts = range(80, 80 * (ROUNDS + 1), 80)
        times = [seconds(lambda first=first, side=side: data.batch(first, 80, side)) for first in starts]
        print(f"dreams {side}x{side}, {threads} threads: {80 / statistics.median(times):.0f} pictures/s", flush=True)


if __name__ == "__main__":
    for count in (1, 2):
        painting(count)
    for name in sys.argv[1:] or ("stylegan2", "biggan_deep"):
        training(name, 2)
