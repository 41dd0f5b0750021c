"""How many threads torch computes with on a CPU: fixed when a film is planned, as sums are rounded in another order.

Known without loading torch, so that a film that is already rendered costs nothing.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable
from pathlib import Path

TOPOLOGY = Path("/sys/devices/system/cpu")


def cpu_threads() -> int:
    """``OMP_NUM_THREADS``, as everywhere in the field; else a thread for each core that this process may use."""
    asked = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(asked) if asked.isdigit() and int(asked) else cores()


def cores() -> int:
    """Cores that this process may use; two threads of one core count as one, where the system tells them apart."""
    if hasattr(os, "sched_getaffinity"):
        return _cores(frozenset(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


@functools.cache
def _cores(processors: Iterable[int]) -> int:
    return max(1, len({_siblings(number) for number in processors}))


def _siblings(number: int) -> str:
    """The processors of one core, as Linux writes them."""
    try:
        return (TOPOLOGY / f"cpu{number}" / "topology" / "thread_siblings_list").read_text("ascii").strip()
    except (OSError, ValueError):
        return str(number)


def use(threads: int) -> None:
    """Have torch compute with so many threads in this thread, and in those that it starts from now on."""
    import torch

    if threads and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
