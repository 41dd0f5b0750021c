"""A scheduler whose clock is set by a test, and batches that write down what they do."""

import json
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from gandream.run.schedule import keeper
from gandream.run.schedule import serve as serving
from gandream.run.schedule.cron import parse_cron
from gandream.run.schedule.keeper import Change
from gandream.run.schedule.rhythm import ByCron
from gandream.run.schedule.serve import serve
from gandream.run.schedule.store import Schedules

UTC = timezone.utc
RUN = """
import json, os, signal, sys, time
from pathlib import Path
batch = Path(sys.argv[1])
words = batch.read_text().lstrip("# ").split()
log = batch.with_suffix(".log")
def say(word):
    with open(log, "a") as file:
        file.write(f"{word} {time.monotonic():.3f}\\n")
def park(number, frame):
    say("parked")
    os._exit(143)
signal.signal(signal.SIGTERM, park)
say("begin")
if words[0] == "wait":
    until = Path(words[1])
    while not until.exists():
        time.sleep(0.01)
if words[0] == "refuse":
    print(json.dumps({"error": {"where": "batch b", "problem": "this batch is running already", "hint": ""}}))
    raise SystemExit(1)
if words[0] == "crash":
    print("out of luck", file=sys.stderr)
    os.kill(os.getpid(), signal.SIGKILL)
say("end")
bad = int(words[1]) if words[0] == "fail" else 0
print(json.dumps({"counts": {"done": 2, "failed": bad} if bad else {"done": 2}, "report": "r.html"}))
raise SystemExit(1 if bad else 0)
"""
COMMAND = (sys.executable, "-S", "-c", RUN)


class Clock:
    """What the machine's clock shows, as the scheduler and APScheduler read it; it runs on by itself."""

    def __init__(self, monkeypatch, shows: str):
        self.set(shows)
        clock = self

        class Shown(datetime):
            @classmethod
            def now(cls, tz=None):
                return clock.now().astimezone(tz)

        monkeypatch.setattr("apscheduler.schedulers.base.datetime", Shown)
        monkeypatch.setattr("apscheduler.executors.base.datetime", Shown)
        monkeypatch.setattr(serving, "now", self.now)
        monkeypatch.setattr(keeper, "now", self.now)
        monkeypatch.setattr(serving, "BEAT_S", 0.02)

    def set(self, shows: str) -> None:
        self._shows, self._at = datetime.fromisoformat(shows).replace(tzinfo=UTC), time.monotonic()

    def now(self) -> datetime:
        return self._shows + timedelta(seconds=time.monotonic() - self._at)


class Served:
    """A folder with schedules, and a scheduler that serves it in a thread."""

    def __init__(self, folder: Path, clock: Clock | None):
        self.folder, self._clock = folder / "jobs", clock
        self.films = folder
        self.schedules = Schedules(self.folder)
        self.changes: list[Change] = []
        self.stop, self.thread = threading.Event(), None

    @property
    def clock(self) -> Clock:
        assert self._clock is not None, "this one goes by the machine's"
        return self._clock

    def put(self, name: str, does: str, cron: str, grace_s: float = 3600, zone: str = "UTC") -> Path:
        batch = self.films / f"{name}.batch.yaml"
        batch.write_text(does)
        self.schedules.put(batch, self.films, ByCron(parse_cron(cron), ZoneInfo(zone)), grace_s, self.clock.now())
        return batch

    def start(self) -> None:
        self.stop = threading.Event()
        self.thread = threading.Thread(target=serve, args=(self.folder, self.changes.append, self.stop, COMMAND))
        self.thread.start()

    def end(self) -> None:
        self.stop.set()
        if self.thread is not None:
            self.thread.join(10)
            assert not self.thread.is_alive()
            self.thread = None

    def said(self, name: str = "") -> list[str]:
        return [change.state for change in self.changes if not name or change.name == name]

    def until(self, done: Callable[[], bool], longest_s: float = 8) -> None:
        end = time.monotonic() + longest_s
        while not done():
            assert time.monotonic() < end, f"not within {longest_s} s; said so far: {self.changes}"
            time.sleep(0.01)

    def rest(self) -> None:
        """Long enough for what would be done wrongly."""
        time.sleep(0.15)

    def times(self, batch: Path) -> list[tuple[str, float]]:
        path = batch.with_suffix(".log")
        lines = path.read_text().splitlines() if path.exists() else []
        return [(word, float(at)) for word, at in (line.split() for line in lines)]

    def log(self) -> list[dict]:
        return [json.loads(line) for line in (self.folder / "events.jsonl").read_text().splitlines()]
