"""Seeing a batch through: workers are started and started again, films that take too long ended, all parked on wish."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from gandream.base.errors import RenderError
from gandream.run.batch.crew import WORKER, Crew, Hand
from gandream.run.jobs.events import beat
from gandream.run.jobs.queue import Queue
from gandream.run.jobs.records import Job

LOOK_S = 0.1
"""How often it is looked what workers do."""
ASK_S = 2.0
"""How often the queue is asked where nobody has told anything."""
BEAT_S = 10.0
"""How often it is written down that this process lives."""
PARK_S = 3.0
"""How long workers may take to park their films."""
MOST_FALSE_STARTS = 3
"""So many workers in a row that end before they have taken anything mean that none will."""
OPEN = ("waiting", "running")
BAD = ("failed", "quarantined")


@dataclass(frozen=True)
class At:
    """What a worker is at."""

    name: str
    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class Seen:
    """How far a batch is."""

    total: int
    done: int
    failed: int
    now: tuple[At, ...] = ()
    """What is being rendered."""
    ended: Job | None = None
    """The film that has just ended, well or not; each is told once."""


Watch = Callable[[Seen], None]


class Supervisor:
    """Sees films through that are in the queue."""

    def __init__(
        self,
        folder: Path,
        batch: str,
        ids: Sequence[int],
        *,
        jobs: int,
        keep_going: bool,
        watch: Watch,
        stop: Callable[[], bool],
        command: Sequence[str] = WORKER,
    ):
        self.folder, self.batch, self.ids = folder, batch, frozenset(ids)
        self.keep_going, self.watch, self.stop = keep_going, watch, stop
        self.crew = Crew(folder, batch, jobs, command)
        self.asked = False
        """Whether it was asked to stop, and did."""
        self._known: dict[int, Job] = {}
        self._told: set[int] = set()
        self._false_starts = 0
        self._asked = self._beaten = 0.0

    def run(self) -> bool:
        """Render everything; gives whether everything was tried. Whatever happens, films are parked and no worker
        stays.
        """
        with Queue(self.folder) as queue:
            self._ask(queue, quietly=True)
            try:
                while True:
                    if not self._any(OPEN):
                        return True
                    self.asked = self.stop()
                    if self.asked or (not self.keep_going and self._any(BAD)):
                        return False
                    self._start()
                    self._step(queue)
            finally:
                self.crew.park(PARK_S)
                with contextlib.suppress(Exception):
                    self._ask(queue, quietly=False)

    def _step(self, queue: Queue) -> None:
        """Hear workers, and do what there is to do."""
        events = self.crew.heard(LOOK_S)
        gone = self.crew.gone()
        self._late(queue)
        for hand in gone:
            self._missed(hand)
        told = gone or any(event.kind in ("taken", "ended") for _, event in events)
        if told or time.monotonic() - self._asked > ASK_S:
            self._ask(queue, quietly=False)
        self._show()
        if time.monotonic() - self._beaten > BEAT_S:
            self._beaten = time.monotonic()
            beat(self.folder, batch=self.batch, workers=len(self.crew.hands), **self._counts())

    def _start(self) -> None:
        """So many workers as there are films for, up to those that were asked for."""
        taken = {hand.job for hand in self.crew.hands if hand.job}
        free = [hand for hand in self.crew.hands if not hand.job]
        # One whose worker is no more is given back by whoever takes next.
        open_jobs = (job for job in self._known.values() if job.state == "waiting" or job.orphaned)
        left = [job for job in open_jobs if job.id not in taken]
        for _ in range(min(self.crew.jobs - len(self.crew.hands), len(left) - len(free))):
            self.crew.start()

    def _late(self, queue: Queue) -> None:
        """End what takes longer than it may; the attempt counts."""
        for hand in self.crew.hands:
            job = self._known.get(hand.job)
            limit = job.task.timeout_s if job else None
            if job is None or limit is None or hand.timed_out or time.monotonic() - hand.began <= limit:
                continue
            hand.timed_out = True
            with contextlib.suppress(Exception):  # it may have ended just now
                current = queue.job(job.id)
                if current.state == "running":
                    queue.failed(current, f"took longer than {spoken(limit)}")
            hand.kill()

    def _missed(self, hand: Hand) -> None:
        """A worker has ended: well, as it was told to, or before it did anything."""
        if hand.useful:
            self._false_starts = 0
            return
        self._false_starts += 1
        if self._false_starts >= MOST_FALSE_STARTS:
            said = hand.said() or f"status {hand.process.returncode}"
            hint = "" if hand.why else "gandream doctor looks for what may be wrong."
            raise RenderError("batch", f"no worker can work: {said}", hint)

    def _ask(self, queue: Queue, *, quietly: bool) -> None:
        """Ask the queue for the states of all films, and tell what has ended."""
        self._asked = time.monotonic()
        self._known = {job.id: job for job in queue.jobs(self.batch) if job.id in self.ids}
        for job in self._known.values():
            if job.state not in OPEN and job.id not in self._told:
                self._told.add(job.id)
                if not quietly:
                    self._show(job)

    def _show(self, ended: Job | None = None) -> None:
        # Of several that ended at once, each is told with those before it.
        counts = self._counts(None if ended is None else self._told)
        failed = sum(counts[state] for state in BAD)
        now = tuple(At(one.name, one.stage, one.done, one.total) for one in self.crew.hands if one.job)
        self.watch(Seen(len(self.ids), counts["done"], failed, now, ended))

    def _counts(self, ids: Collection[int] | None = None) -> Counter[str]:
        return Counter(job.state for job in self._known.values() if ids is None or job.id in ids)

    def _any(self, states: Sequence[str]) -> bool:
        return any(job.state in states for job in self._known.values())


def spoken(seconds: float) -> str:
    """A length of time in words: ``2 h``, ``20 min``, ``90 s``."""
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds >= 2 * unit or seconds == unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.3g} s"
