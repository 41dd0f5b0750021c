"""How long a model takes for a picture, here, in batches as a render makes them."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from gandream.models.convert import displays
from gandream.models.spec import Generator

LEAST, MOST = 3, 7
"""Batches that are timed, after one that isn't."""
ENOUGH_S = 10.0
"""Once so long was timed, the least will do."""


@dataclass(frozen=True)
class Timing:
    """Seconds for one picture: the median of a few batches, over their pictures."""

    seconds: float
    batch: int
    device: str
    threads: int


def timed(generator: Generator, batch: int = 1, most: int = MOST) -> Timing:
    """Time batches from seeds to display values; a first one, which makes kernels ready, doesn't count."""
    import torch

    taken: list[float] = []
    with torch.inference_mode():  # as renders are made
        displays(generator, range(batch))
        while len(taken) < min(LEAST, most) or (len(taken) < most and sum(taken) < ENOUGH_S):
            first = (len(taken) + 1) * batch  # other seeds each time: nothing of a batch serves the next
            start = time.perf_counter()
            displays(generator, range(first, first + batch))  # ends on the CPU, so nothing of it is still under way
            taken.append(time.perf_counter() - start)
    return Timing(statistics.median(taken) / batch, batch, generator.device.type, torch.get_num_threads())
