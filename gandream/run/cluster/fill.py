"""The driver: it hands segments to workers, takes in what they made, and publishes that in the store."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from gandream.base.errors import RenderError
from gandream.base.locks import Lock
from gandream.rendering.batches import TooManyError
from gandream.rendering.numbered import PictureSink
from gandream.rendering.plan import Segment
from gandream.rendering.segments import SegmentSink
from gandream.rendering.together import Job, groups
from gandream.run.cluster.crew import Crew, Fellow
from gandream.run.cluster.desk import Desk, Policy, Unit
from gandream.run.cluster.intake import HANDS, take_in
from gandream.run.cluster.sinks import Part
from gandream.run.cluster.worker import Outcome
from gandream.run.prepare import Prepared

LOOK_S = 0.2
"""How often there is a look at what tells nothing by itself: the clock, other renders."""
STAFF_S, ASK_S = 5.0, 1.0
"""How often the cluster is asked for room for more workers, and workers for how far they are."""
MOST_LOCKS = 256
"""Locks that are held at once, as each is an open file. What is rendered without one may be rendered twice."""
MOST_ASKED = 64
"""Workers that are asked how far they are; of more, whole segments are shown."""
MOST_TAKEN = 32
"""Units that wait to be written, and are held in memory; while there are more, no others are given out."""
FAILURES = 2
"""So often a unit may fail for reasons of a worker's machine: its disk, its encoder."""
STARTS = 3
"""So many workers may end, one after another, before any of them is ready."""


class Round:
    """What some outputs lack, made by a crew."""

    def __init__(
        self,
        crew: Crew,
        jobs: Sequence[Job],
        prepared: Prepared,
        progress: Callable[[int], None],
        waiting: Callable[[], None],
        policy: Policy,
    ):
        self._crew, self._jobs, self._progress, self._waiting = crew, jobs, progress, waiting
        self._echoes = dict[tuple[int, str], int]()
        self._units = self._once(jobs)
        models = [jobs[parts[0].output].reel.models(parts[0].segment) for parts in self._units]
        self._desk = Desk([Unit(number, wanted) for number, wanted in enumerate(models)], policy)
        reels = [job.reel for job in jobs]
        self._threads, self._device = reels[0].threads, reels[0].device
        self._room = crew.room(self._threads, self._device)
        formats = [job.sink.folder.fmt if isinstance(job.sink, PictureSink) else job.reel.fmt for job in jobs]
        self._parcel = crew.parcel(reels, formats, prepared)
        self._policy = policy
        self._locks: dict[tuple[int, Segment], Lock] = {}
        self._elsewhere: set[int] = set()
        self._failures: dict[int, int] = {}
        self._made, self._taking, self._unready = [0] * len(jobs), 0, 0
        self._frames, self._shown = 0, 0
        self._before = {fellow: fellow.frames for fellow in crew.fellows}
        self._ready: set[Fellow] = set()

    def _once(self, jobs: Sequence[Job]) -> list[tuple[Part, ...]]:
        """The parts that are of the same frames; what a film shows several times is made once."""
        units, seen = [], set[tuple[int, str]]()
        for group in groups(jobs):
            parts = []
            for job, segment in group:
                part, mine = Part(job, segment, jobs[job].missing[segment]), (job, segment.key)
                if mine in seen and isinstance(jobs[job].sink, SegmentSink):
                    self._echoes[mine] = self._echoes.get(mine, 0) + len(part.frames)
                    continue
                seen.add(mine)
                parts.append(part)
            units += [tuple(parts)] if parts else []
        return units

    def _there(self, part: Part) -> None:
        """Count the frames of what is in the store now."""
        self._frames += len(part.frames) + self._echoes.pop((part.output, part.segment.key), 0)

    def run(self) -> list[int]:
        """Do it; gives how many frames of each output were made."""
        staffed = asked = 0.0
        with self._hands():
            for fellow in self._crew.fellows:
                self._crew.equip(fellow, self._parcel, self._equipped)
            while self._desk.left or self._taking:
                now = time.monotonic()
                if now - staffed > STAFF_S or len(self._crew.fellows) < min(self._room, self._desk.left):
                    staffed = now
                    self._staff()
                if now - asked > ASK_S and len(self._ready) <= MOST_ASKED:
                    asked = now
                    for fellow in self._ready:
                        self._crew.ask(fellow)
                self._issue()
                self._hear()
                self._show()
        return self._made

    @contextmanager
    def _hands(self) -> Iterator[None]:
        """The threads that take in; and no lock stays."""
        self._pool = ThreadPoolExecutor(HANDS, thread_name_prefix="gandream-intake")
        try:
            yield
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)
            for lock in self._locks.values():
                lock.release()

    def _staff(self) -> None:
        """Have as many workers as there is room and work for."""
        self._room = self._crew.room(self._threads, self._device)
        for _ in range(min(self._room, self._desk.left) - len(self._crew.fellows)):
            fellow = self._crew.hire(self._threads, self._device, self._hired)
            self._before[fellow] = 0

    def _hear(self) -> None:
        """Wait for an event, and act on all that are there."""
        with contextlib.suppress(queue.Empty):
            self._crew.events.get(timeout=LOOK_S)()
            while True:
                self._crew.events.get_nowait()()

    def _hired(self, fellow: Fellow, future: Future[Any]) -> None:
        if future.exception() is not None:
            self._lost(fellow, future.exception())
            return
        fellow.node, fellow.mark = future.result()
        self._crew.equip(fellow, self._parcel, self._equipped)

    def _equipped(self, fellow: Fellow, future: Future[Any]) -> None:
        if future.exception() is not None:
            self._lost(fellow, future.exception())
        elif future.result() is not None:
            raise future.result().error()
        else:
            self._unready = 0
            self._ready.add(fellow)
            self._desk.hire(fellow)

    def _issue(self) -> None:
        """Give workers what they can take, unless what came is more than the disk keeps up with."""
        if self._taking >= MOST_TAKEN:
            return
        now, tried = time.monotonic(), set[int]()
        for fellow in self._ready:
            while unit := self._desk.next(fellow, now):
                if unit.number in tried:
                    self._desk.back(fellow, unit.number)
                    break
                tried.add(unit.number)
                self._send(fellow, unit)
        for fellow in () if self._desk.waiting else tuple(filter(self._desk.idle, self._ready)):
            if (unit := self._desk.again(fellow, now)) is None:
                break  # nor is there any for others
            self._render(fellow, unit)
        if self._elsewhere and len(self._elsewhere) == self._desk.left:
            self._waiting()

    def _send(self, fellow: Fellow, unit: Unit) -> None:
        """Have a unit rendered, unless another process is at it, or has done it while we waited."""
        parts = self._units[unit.number]
        for part in parts:
            mine = (part.output, part.segment)
            if mine in self._locks or len(self._locks) >= MOST_LOCKS:
                continue
            lock = self._jobs[part.output].sink.claim(part.segment)
            if lock is None:
                self._release(parts)
                self._elsewhere.add(unit.number)
                self._desk.later(fellow, unit.number)
                return
            self._locks[mine] = lock
        if unit.number in self._elsewhere:
            self._elsewhere.discard(unit.number)
            for part in parts:
                if not self._jobs[part.output].sink.lacking(part.segment):
                    self._there(part)
                    self._release([part])
                    parts = tuple(one for one in parts if one is not part)
            self._units[unit.number] = parts
            if not parts:
                self._desk.done(fellow, unit.number, time.monotonic())
                return
        self._render(fellow, unit)

    def _render(self, fellow: Fellow, unit: Unit) -> None:
        told = lambda fellow, future: self._rendered(fellow, unit, future)  # noqa: E731 - it remembers the unit
        self._crew.render(fellow, self._units[unit.number], told)

    def _release(self, parts: Any) -> None:
        for part in parts:
            if lock := self._locks.pop((part.output, part.segment), None):
                lock.release()

    def _rendered(self, fellow: Fellow, unit: Unit, future: Future[Any]) -> None:
        """What came of a unit."""
        error = future.exception()
        if error is not None:
            self._lost(fellow, error, unit)
            return
        outcome: Outcome = future.result()
        if outcome.broken is not None:
            self._broken(fellow, unit, outcome.broken.error())
        elif self._desk.done(fellow, unit.number, time.monotonic()):
            self._taking += 1
            parts = self._units[unit.number]
            taken = self._pool.submit(take_in, self._jobs, parts, outcome.made, self._crew.place.store)
            done = lambda future: self._crew.events.put(lambda: self._taken(unit, future))  # noqa: E731
            taken.add_done_callback(done)

    def _taken(self, unit: Unit, future: Future[bool]) -> None:
        """Something is published, or came damaged."""
        self._taking -= 1
        if not future.result():
            self._fail(unit, RenderError("cluster", "a segment came damaged from a worker, again and again"))
            self._desk.reopen(unit.number)
            return
        parts = self._units[unit.number]
        self._release(parts)
        for part in parts:
            self._made[part.output] += len(part.frames)
            self._there(part)

    def _broken(self, fellow: Fellow, unit: Unit, error: Exception) -> None:
        """A worker could not: what is the user's, or too large a batch, ends all; its machine's is tried again."""
        if getattr(error, "exit_code", 2) == 1 and not isinstance(error, TooManyError):
            self._fail(unit, error)
            self._desk.back(fellow, unit.number)
            return
        raise error

    def _fail(self, unit: Unit, error: Exception) -> None:
        self._failures[unit.number] = self._failures.get(unit.number, 0) + 1
        if self._failures[unit.number] >= FAILURES:
            raise error

    def _lost(self, fellow: Fellow, error: BaseException | None, unit: Unit | None = None) -> None:
        """A worker is no more, or what it did is lost with its machine; anything else is a mistake of ours."""
        from ray import exceptions

        if isinstance(error, exceptions.OutOfMemoryError):
            reels = [self._jobs[part.output].reel for part in self._units[unit.number]] if unit else []
            batch = max((reel.batch for reel in reels), default=1)
            what = f"{batch} pictures at a time need more memory than a worker's machine has"
            if batch > 1:
                raise TooManyError("rendering", what, "Take machines with more.", batch)
            raise RenderError("rendering", what, "Make video.size smaller, or take machines with more.")
        if isinstance(error, exceptions.RayTaskError):
            raise error.as_instanceof_cause()
        if isinstance(error, exceptions.ObjectLostError) and unit is not None:
            self._desk.back(fellow, unit.number)
            return
        if not isinstance(error, exceptions.RayError):
            raise error or RuntimeError("lost")
        self._crew.dismiss(fellow)
        if fellow not in self._ready:
            self._unready += unit is None
            if self._unready >= STARTS:
                problem, hint = "workers end before they begin", "Ray's own log on their machine says why."
                raise RenderError(self._crew.place.said, problem, f"{hint} {str(error).strip().splitlines()[0][:200]}")
            return
        self._ready.discard(fellow)
        at = self._desk.lost(fellow)
        if at is not None and self._desk.deaths(at) >= self._policy.deaths:
            segment = self._units[at][0].segment
            problem = f"{self._policy.deaths} workers ended while they rendered frames {segment.start}:{segment.stop}"
            raise RenderError("rendering", problem, "What is finished is kept. Does --on local render them?")

    def _show(self) -> None:
        """Tell the frames: those that are there, and what workers have of others."""
        live = sum(fellow.frames - self._before.get(fellow, 0) for fellow in self._crew.fellows)
        total = sum(len(frames) for job in self._jobs for frames in job.missing.values())
        now = min(max(self._frames, live), total)
        if now > self._shown:
            self._progress(now - self._shown)
            self._shown = now
