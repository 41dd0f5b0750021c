"""How long a model takes for a picture, here."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from gandream.models.convert import display
from gandream.models.spec import Generator

PICTURES = 7
"""That are timed, after one that isn't."""


@dataclass(frozen=True)
class Timing:
    """Seconds for one picture, in batches of one: the median of a few."""

    seconds: float
    device: str
    threads: int


def timed(generator: Generator, pictures: int = PICTURES) -> Timing:
    """Time pictures from seed to display values; a first one, which makes kernels ready, doesn't count."""
    import torch

    display(generator, 0)
    taken = []
    for seed in range(pictures):
        start = time.perf_counter()
        display(generator, seed)  # ends on the CPU, so nothing of it is still under way
        taken.append(time.perf_counter() - start)
    return Timing(statistics.median(taken), generator.device.type, torch.get_num_threads())
