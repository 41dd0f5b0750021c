"""First layers that are computed once while their styles stay: ms per picture with and without, side by side.

    OMP_WAIT_POLICY=PASSIVE python tests/benchmarks/prefix.py [--rounds 5] [--size 256] [--base 8192] [--batch 4]
        [--threads 2]

Batches of a film whose layers from some resolution on change from picture to picture, as style mixing and fine
reactions do, and of one that stands still. Without is the same generator, told that nothing is alike.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from typing import Any

import stylegan1
import stylegan2
import torch
from side_by_side import options

from gandream.models.precision import multiplies_bfloat16

FAMILIES: dict[str, Any] = {"StyleGAN": stylegan1, "StyleGAN2": stylegan2}
FROM = (0, 8, 32, 64)
"""Sides of the first layers that change; 0: none does."""


def film(net: Any, batch: int, side: int) -> Callable[[], torch.Tensor]:
    """Makes the next batch of a film whose layers from this side on change, and only those."""
    w = net.map(net.latents(range(batch))).w
    first = next((n for n, layer in enumerate(net.spec.layers) if side and layer.resolution >= side), w.shape[1])
    calls = itertools.count()

    def way() -> torch.Tensor:
        mixed = w[:1].repeat(batch, 1, 1)
        mixed[:, first:] = w[:, first:] * (1 + 0.01 * next(calls))
        return net.synthesise(mixed)

    return way


def without(net: Any) -> Any:
    """The same generator, which is told that nothing is alike."""
    net.synthesis._prefix = lambda *given: (0, None)
    return net


def main() -> None:
    asked = options(__doc__, size=256, base=8192, batch=4).parse_args()
    torch.set_num_threads(asked.threads)
    print(
        f"{asked.size} x {asked.size}, {asked.base} base channels, batch {asked.batch}, {asked.threads} threads, ",
        end="",
    )
    print(f"{asked.rounds} rounds, torch {torch.__version__}\n| | changes from | with | without | ratio |")
    print("|---|---:|---:|---:|---:|")
    dtypes = {"float32": torch.float32, **({"bfloat16": torch.bfloat16} if multiplies_bfloat16() else {})}
    for (family, module), (name, dtype) in itertools.product(FAMILIES.items(), dtypes.items()):
        tensors = module.random_tensors(asked.size, asked.base)
        nets = module.ours(tensors, dtype), without(module.ours(tensors, dtype))
        for side in FROM:
            ways = [film(net, asked.batch, side) for net in nets]
            for way in (*ways, *ways):
                way()
            taken: list[list[float]] = [[], []]
            for number in range(2 * asked.rounds):
                start = time.perf_counter()
                ways[number % 2]()
                taken[number % 2].append((time.perf_counter() - start) / asked.batch * 1000)
            ratio = statistics.median(b / a for a, b in zip(*taken, strict=True))
            each = " | ".join(f"{statistics.median(one):.1f}" for one in taken)
            print(
                f"| {family}, {name} | {f'{side} x {side}' if side else 'nowhere'} | {each} | {ratio:.2f} |", flush=True
            )


if __name__ == "__main__":
    main()
