"""Work spread over threads in which torch itself runs on one thread: coarse pieces, and the same bytes always."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import torch

Job = TypeVar("Job")
Scratch = TypeVar("Scratch")


def spread(jobs: Iterable[Job], work: Callable[[Job, Scratch], None], scratch: Callable[[], Scratch], threads: int) -> None:
    """Call work(job, scratch) for every job on ``threads`` threads, each with a scratch of its own.

    The caller's thread takes no job unless ``threads`` is 1 and torch runs on one thread anyway: a matrix product
    that is split over threads may be rounded in another way.
    """
    threads_before = torch.get_num_threads()
    if threads == 1 and threads_before == 1:
        with torch.inference_mode():
            room = scratch()
            for job in jobs:
                work(job, room)
        return

    queue: Iterator[Job] = iter(jobs)
    lock = threading.Lock()
    failures: list[BaseException] = []

    def loop() -> None:
        torch.set_num_threads(1)  # of this thread; see below
        try:
            with torch.inference_mode():
                room = scratch()
                while not failures:
                    with lock:
                        job = next(queue, queue)
                    if job is queue:
                        return
                    work(job, room)  # type: ignore[arg-type]
        except BaseException as error:
            failures.append(error)

    team = [threading.Thread(target=loop, daemon=True) for _ in range(threads)]
    for thread in team:
        thread.start()
    for thread in team:
        thread.join()
    # torch keeps one number per thread, and a default for threads that are yet to come, which the team has set to 1.
    torch.set_num_threads(threads_before)
    if failures:
        raise failures[0]
