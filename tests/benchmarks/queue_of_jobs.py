"""What the queue of renders costs: python tests/benchmarks/queue_of_jobs.py [--jobs 10000] [--workers 0 10 100]

Medians and the slowest of a hundred, in ms of the clock and of the processor: nearly all of a change is waiting for
the disk, on which it must be before anybody acts on it. With more workers at work, taking asks each of their locks.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from gandream.run.jobs.queue import Queue, Worker
from gandream.run.jobs.records import Task

T = TypeVar("T")


class Times:
    """Times of one kind of work."""

    def __init__(self, name: str):
        self.name = name
        self.clock: list[float] = []
        self.processor: list[float] = []

    def of(self, work: Callable[[], T]) -> T:
        """Do it, and note how long it takes."""
        began, used = time.perf_counter(), time.process_time()
        result = work()
        self.clock.append(1000 * (time.perf_counter() - began))
        self.processor.append(1000 * (time.process_time() - used))
        return result

    def __str__(self) -> str:
        slow = sorted(self.clock)[-max(1, len(self.clock) // 100)]
        clock, processor = statistics.median(self.clock), statistics.median(self.processor)
        return f"{self.name:<28} {clock:9.2f} ms  1 % slower than {slow:9.2f} ms  processor {processor:9.2f} ms"


def measured(folder: Path, count: int, workers: int, rounds: int) -> None:
    """Fill a queue, and take from it and give back while so many others are at work."""
    add, again, take, done = Times(f"add {count} jobs"), Times("add the same again"), Times("take"), Times("done")
    listed, counted = Times("list all"), Times("count by states")
    tasks = [
        Task(f"film-{number}", "/r.yaml", (f"seed={number}",), key=str(number), group=f"model-{number % 7}")
        for number in range(count)
    ]
    with contextlib.ExitStack() as stack:
        queue = stack.enter_context(Queue(folder))
        add.of(lambda: queue.add("night", tasks))
        again.of(lambda: queue.add("night", tasks))
        for _ in range(workers):
            queue.take(stack.enter_context(Worker(folder)))
        me = stack.enter_context(Worker(folder))
        job = queue.take(me, "night")
        for _ in range(rounds):
            assert job is not None
            done.of(partial(queue.done, job, {"seconds": 1.5}))
            job = take.of(partial(queue.take, me, "night", job.task.group))
        listed.of(queue.jobs)
        counted.of(queue.counts)
    print(f"\n{count} jobs, {workers} other workers at work")
    for one in (add, again, take, done, listed, counted):
        print(one)


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--jobs", type=int, default=10_000)
    words.add_argument("--workers", type=int, nargs="+", default=[0, 10, 100])
    words.add_argument("--rounds", type=int, default=300)
    words.add_argument("--folder", type=Path, help="where the queue is for that while")
    given = words.parse_args()
    for workers in given.workers:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            measured(Path(folder), given.jobs, workers, given.rounds)


if __name__ == "__main__":
    main()
