"""What the benchmarks of generators share: ways of making the same pictures, in turn, and what there is to say of them.

Rounds are interleaved, so that all ways meet the same noise; ratios are medians over rounds. Time is what passes, and
beside it what the processors spent, which other work on the machine changes less.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from gandream.models.precision import multiplies_bfloat16
from gandream.models.spec import Generator, Inputs

Way = Callable[[], Tensor]
SIDE = 1536
"""Of the matrices whose product is the roof."""


def options(description: str | None, **defaults: int) -> argparse.ArgumentParser:
    """Options of a script, whole numbers by name; two threads unless it says otherwise."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in {"rounds": 5, "batch": 1, "threads": 2, **defaults}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser


def psnr(pictures: Tensor, reference: Tensor) -> float:
    """Of display values, in dB; both are scaled so that the reference's standard deviation is a half, as pictures'."""
    shown = [(127.5 * one / (2 * reference.std()) + 127.5).round().clamp(0, 255) for one in (pictures, reference)]
    return float(10 * torch.log10(255**2 / (shown[0] - shown[1]).square().mean()))


def moving(net: Generator, inputs: Inputs | Tensor) -> Way:
    """Makes pictures of inputs, of which nothing can be kept from call to call: in a film they would move."""
    w = inputs.w if isinstance(inputs, Inputs) else inputs
    calls = itertools.count()

    def way() -> Tensor:
        moved = w * (1 + 1e-6 * (next(calls) % 2))
        return net.synthesise(replace(inputs, w=moved) if isinstance(inputs, Inputs) else moved)

    return way


def peak(dtype: torch.dtype) -> float:
    """Operations a second in the product of two matrices: what these threads reach at best, about."""
    a, b = (torch.randn(SIDE, SIDE).to(dtype) for _ in range(2))
    taken = []
    for _ in range(6):
        start = time.perf_counter()
        torch.mm(a, b)
        taken.append(time.perf_counter() - start)
    return 2 * SIDE**3 / min(taken)


def compare(ways: Mapping[str, Way], batch: int, rounds: int, threads: int) -> None:
    """Time all ways, of which the first is what they are compared to, and ``float32`` is ours in full precision."""
    torch.set_num_threads(threads)
    made = {name: way() for name, way in ways.items()}
    first = next(iter(ways))
    with FlopCounterMode(display=False) as counter:
        ways["float32"]()
    work = counter.get_total_flops() / batch
    passed: dict[str, list[float]] = {name: [] for name in ways}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start, used = time.perf_counter(), time.process_time()
            way()
            passed[name].append((time.perf_counter() - start) / batch * 1000)
            spent[name].append((time.process_time() - used) / batch * 1000)
    roofs = {"float32": peak(torch.float32)}
    if multiplies_bfloat16():
        roofs["bfloat16"] = peak(torch.bfloat16)
    print(f"{threads} threads, batch {batch}, {rounds} rounds, torch {torch.__version__}; ", end="")
    print(", ".join(f"{name} matrices {roof / 1e9:.0f} GFLOP/s" for name, roof in roofs.items()), end="; ")
    print(f"{work / 1e9:.1f} GFLOP a picture")
    print("| | ms/picture | best | ratio | ratio of CPU time | PSNR, dB | of the roof |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in ways:
        ratio, of_cpu = (
            statistics.median(a / b for a, b in zip(all_of[first], all_of[name], strict=True))
            for all_of in (passed, spent)
        )
        share = work / min(passed[name]) * 1000 / roofs.get(name, roofs["float32"])
        likeness = "" if name == first else f"{psnr(made[name], made[first]):.1f}"
        print(
            f"| {name} | {statistics.median(passed[name]):.1f} | {min(passed[name]):.1f} | {ratio:.2f} | {of_cpu:.2f} "
            f"| {likeness} | {100 * share:.0f} % |"
        )
