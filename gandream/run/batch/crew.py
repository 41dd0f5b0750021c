"""Worker processes: started with their share of the cores, listened to, stopped."""

from __future__ import annotations

import contextlib
import os
import queue as queues
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from gandream.rendering.device import cuda_devices
from gandream.rendering.threads import cores
from gandream.run.batch.wire import STOP, Event, event_of

WORKER = ("-m", "gandream.run.batch.worker")
USUAL_JOBS = 1
"""Films at a time where nobody says it: it has the whole device, and its segments are those of ``gandream render``."""
LAST_WORDS_S = 1.0
"""How long it may take until all is heard that a worker said before it ended."""
_APART = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""On Windows what ``start_new_session`` is elsewhere: the terminal's Ctrl-C is for the one who starts workers."""


@dataclass
class Hand:
    """A worker's process, and what is known of it."""

    number: int
    process: subprocess.Popen[bytes]
    log: Path
    listener: threading.Thread | None = None
    job: int = 0
    name: str = ""
    stage: str = ""
    done: int = 0
    total: int = 0
    began: float = 0.0
    """When it took its job, by ``time.monotonic``."""
    useful: bool = False
    """Whether it has ever taken a job, or found that there are none."""
    timed_out: bool = False
    why: str = ""
    """Why it ends, if it could say so."""

    def hear(self, event: Event) -> None:
        """Know what it tells."""
        if event.kind == "taken":
            self.job, self.name, self.stage, self.done, self.total = event.job, event.name, "starting", 0, 0
            self.began, self.useful = time.monotonic(), True
        elif event.kind == "progress":
            self.stage, self.done, self.total = event.words, event.done, event.total
        elif event.kind == "ended":
            self.job, self.name = 0, ""
        elif event.kind == "idle":
            self.useful = True
        elif event.kind == "broken":
            self.why = event.words

    def kill(self) -> None:
        """End it at once, with the encoders that it has started."""
        with contextlib.suppress(OSError):
            if sys.platform != "win32" and self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)  # it leads a group of its own
            self.process.kill()

    def said(self) -> str:
        """Why it ended, as far as it said: the end of what it wrote to standard error, if nothing better."""
        if self.why:
            return self.why
        try:
            return "\n".join(self.log.read_text("utf-8", "replace").strip().splitlines()[-4:])
        except OSError:
            return ""


@dataclass
class Crew:
    """All workers of a batch."""

    folder: Path
    batch: str
    jobs: int
    command: Sequence[str] = WORKER
    """What a worker is, for this Python."""
    hands: list[Hand] = field(default_factory=list)
    events: queues.SimpleQueue[tuple[Hand, Event]] = field(default_factory=queues.SimpleQueue)
    started: int = 0

    def start(self) -> Hand:
        """Another worker."""
        self.started += 1
        number = min({*range(1, self.jobs + 1)} - {hand.number for hand in self.hands})
        log = self.folder / "logs" / f"{self.batch}.worker-{number}.log"
        with _opened(log) as errors:
            process = subprocess.Popen(
                [sys.executable, *self.command, str(self.folder), self.batch],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "OMP_NUM_THREADS": str(threads_of(self.jobs)), **gpu_of(number, cuda_devices())},
                start_new_session=True,
                creationflags=_APART,
            )
        hand = Hand(number, process, log)
        self.hands.append(hand)
        hand.listener = threading.Thread(target=self._listen, args=(hand,), daemon=True)
        hand.listener.start()
        return hand

    def heard(self, longest_s: float) -> list[tuple[Hand, Event]]:
        """What was told meanwhile, or is within a time."""
        found: list[tuple[Hand, Event]] = []
        with contextlib.suppress(queues.Empty):
            found.append(self.events.get(timeout=longest_s) if longest_s else self.events.get_nowait())
            while True:
                found.append(self.events.get_nowait())
        for hand, event in found:
            hand.hear(event)
        return found

    def gone(self) -> list[Hand]:
        """The workers that have ended since this was asked last."""
        ended = [hand for hand in self.hands if hand.process.poll() is not None]
        self.hands = [hand for hand in self.hands if hand not in ended]
        for hand in ended:
            if hand.listener is not None:
                hand.listener.join(LAST_WORDS_S)
            _close(hand)
            _tidy(hand)
        if ended:
            self.heard(0.0)  # what they said last
        return ended

    def park(self, within_s: float) -> None:
        """Have all workers put their films back and end; whoever takes too long is killed."""
        for hand in self.hands:
            with contextlib.suppress(OSError, ValueError):
                assert hand.process.stdin is not None, "it is a pipe"
                hand.process.stdin.write(STOP.encode())
                hand.process.stdin.close()
        until = time.monotonic() + within_s
        for hand in self.hands:
            with contextlib.suppress(subprocess.TimeoutExpired):
                hand.process.wait(max(0.0, until - time.monotonic()))
        for hand in self.hands:
            hand.kill()
        for hand in self.hands:
            with contextlib.suppress(subprocess.TimeoutExpired):
                hand.process.wait(0.5)
            _close(hand)
            _tidy(hand)

    def _listen(self, hand: Hand) -> None:
        assert hand.process.stdout is not None, "it is a pipe"
        with hand.process.stdout as lines:
            for line in lines:
                if event := event_of(line):
                    self.events.put((hand, event))


def _opened(log: Path) -> IO[bytes]:
    """A log to write; where there can be none, what is written is lost."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        return open(log, "wb")
    except OSError:
        return open(os.devnull, "wb")


def _tidy(hand: Hand) -> None:
    """Remove the log of one that said nothing."""
    with contextlib.suppress(OSError):
        if not hand.log.stat().st_size:
            hand.log.unlink()


def _close(hand: Hand) -> None:
    """Close the pipe to it; the one from it is closed by who listens."""
    with contextlib.suppress(OSError):
        if hand.process.stdin is not None:
            hand.process.stdin.close()


def gpu_of(number: int, devices: int, named: str | None = None) -> dict[str, str]:
    """What gives a worker one of several CUDA devices: the workers, counted from 1, take them in turns.

    ``named`` are those that ``CUDA_VISIBLE_DEVICES`` leaves this process, as the CUDA programming guide describes it.
    """
    named = os.environ.get("CUDA_VISIBLE_DEVICES") if named is None else named
    there = [one.strip() for one in named.split(",") if one.strip()] if named else [str(one) for one in range(devices)]
    return {"CUDA_VISIBLE_DEVICES": there[(number - 1) % len(there)]} if devices > 1 and len(there) > 1 else {}


def threads_of(jobs: int) -> int:
    """The threads of each of so many workers: its share of the cores, or what ``OMP_NUM_THREADS`` leaves it."""
    asked = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    whole = int(asked) if asked.isdigit() and int(asked) else cores()
    return max(1, whole // jobs)
