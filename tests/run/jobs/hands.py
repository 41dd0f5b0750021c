"""What the tests of the queue share: tasks, events that are read back, and processes that work and are killed.

Run as a program it waits for words on standard input, and starts such processes by forking, which takes milliseconds.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gandream.run.jobs.folder import events_file
from gandream.run.jobs.queue import Queue, Worker
from gandream.run.jobs.records import State, Task

MARKS = "marks.txt"
"""A line for each piece of work that was done: the job, its attempt."""

OVER = "over"
"""This file is there when nothing more will be added."""


def task(name: str, key: str = "a", **more: Any) -> Task:
    """A task of little."""
    return Task(name, f"/recipes/{name}.yaml", key=key, **more)


def tasks(count: int, **more: Any) -> list[Task]:
    """Tasks named by their numbers."""
    return [task(f"t{number}", **more) for number in range(count)]


def events(folder: Path) -> list[dict[str, Any]]:
    """All events; every line is whole, and they are numbered without a gap."""
    text = events_file(folder).read_bytes()
    assert text.endswith(b"\n")
    found = [json.loads(line) for line in text.splitlines()]
    assert [one["n"] for one in found] == list(range(1, len(found) + 1))
    return found


def replayed(folder: Path) -> dict[int, State]:
    """The states that the events tell; each goes on from where the one before has ended."""
    states: dict[int, State] = {}
    for one in events(folder):
        assert one["from"] == states.get(one["job"], ""), one
        assert one["to"] != one["from"], one
        states[one["job"]] = one["to"]
    return states


def marked(folder: Path) -> list[tuple[int, int]]:
    """Work that was done: job, attempt."""
    return [(int(job), int(number)) for job, number in map(str.split, (folder / MARKS).read_text().splitlines())]


def work(folder: Path, work_s: float, threads: int) -> None:
    """Do what is in the queue until nothing waits or runs and a file says that nothing will come."""

    over = folder / OVER

    def one() -> None:
        with Worker(folder) as worker:
            while True:
                job = queue.take(worker)
                if job is None:
                    counts = queue.counts()
                    if not counts["waiting"] + counts["running"] and over.exists():
                        return
                    time.sleep(0.01)
                    continue
                time.sleep(random.random() * 2 * work_s)
                mark = os.open(folder / MARKS, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
                os.write(mark, f"{job.id} {job.attempt}\n".encode())
                os.close(mark)
                queue.done(job, {"process": os.getpid()})

    with Queue(folder) as queue:
        hands = [threading.Thread(target=one) for _ in range(threads)]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()


class Hands:
    """Processes that work at a queue."""

    def __init__(self, folder: Path, work_s: float, threads: int):
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(folder), str(work_s), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def _ask(self, words: str) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{words}\n")
        return int(self.process.stdout.readline())

    def start(self) -> int:
        """One more; its number."""
        return self._ask("start")

    def kill(self, number: int) -> int:
        """Kill it, and give its exit status: -9 if it worked still."""
        return self._ask(f"kill {number}")

    def wait(self, number: int) -> int:
        """Its exit status, when it has done all."""
        return self._ask(f"wait {number}")


@contextmanager
def hands_at(folder: Path, work_s: float = 0.0, threads: int = 1) -> Iterator[Hands]:
    """Something that starts processes."""
    hands = Hands(folder, work_s, threads)
    try:
        yield hands
    finally:
        hands.process.communicate()


def _serve(folder: Path, work_s: float, threads: int) -> None:
    import signal

    here: set[int] = set()
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "start":
            if (process := os.fork()) == 0:
                random.seed()
                status = 1
                try:
                    work(folder, work_s, threads)
                    status = 0
                finally:
                    os._exit(status)
            here.add(process)
            print(process, flush=True)
            continue
        process = int(rest[0])
        if word == "kill":
            os.kill(process, signal.SIGKILL)  # a child that nobody waited for yet: its number is its own
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
        here.discard(process)
    for process in here:
        os.kill(process, signal.SIGKILL)


def names(found: Sequence[Any]) -> list[str]:
    """The names of jobs."""
    return [job.task.name for job in found]


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
