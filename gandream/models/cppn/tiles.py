"""Work spread over threads in which torch itself runs on one thread: coarse pieces, and the same bytes always.

Measured at 512 x 512 on two cores that others use too, medians in ms per frame: one thread 64 to 73; these threads 40
to 45 while the second core is free and 62 to 73 while it is not; torch's own threads 87 to 460 when waiting threads
sleep (OMP_WAIT_POLICY=PASSIVE: each operation wakes them anew), 47 to 460 when they spin. Python's lock is what limits
us: an operation should last about 30 us or more, or threads spend their time on handing it over (tiles of 4096 points
gain nothing from a second core).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

Job = TypeVar("Job")
Room = TypeVar("Room")


def spread(jobs: Sequence[Job], work: Callable[[Job, Room], None], room: Callable[[], Room], threads: int) -> None:
    """Call work(job, room) for every job in inference mode, on this thread if ``threads`` is 1, else on new ones.

    Each thread makes its own ``room()``. On one thread, torch must run on one thread as well where results are to be
    the same bytes: a matrix product that is split over threads may be rounded in another way.
    """
    queue = iter(jobs)
    lock = threading.Lock()
    stop = threading.Event()
    failures: list[BaseException] = []

    def loop() -> None:
        with torch.inference_mode():
            mine = room()
            while not stop.is_set():
                with lock:
                    job = next(queue, stop)
                if isinstance(job, threading.Event):
                    return
                work(job, mine)

    def run() -> None:
        torch.set_num_threads(1)  # of this thread, and of those that are yet to come
        try:
            loop()
        except BaseException as error:
            failures.append(error)
            stop.set()

    if threads == 1:
        loop()
        return
    before = torch.get_num_threads()
    team = [threading.Thread(target=run, name=f"tiles-{k}") for k in range(min(threads, len(jobs)))]
    try:
        for thread in team:
            thread.start()
        for thread in team:
            thread.join()
    finally:
        stop.set()  # an interrupt ends the team after the tiles in hand
        for thread in team:
            if thread.ident is not None:  # the interrupt may have come before it was started
                thread.join()
        torch.set_num_threads(before)
    if failures:
        raise failures[0]
