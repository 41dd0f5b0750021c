"""Many machines, measured on this one and simulated for a thousand: where is the next bottleneck?

    python tests/benchmarks/cluster.py measure [--segments 40] [--size 256]    needs Ray; takes some minutes
    python tests/benchmarks/cluster.py costs                                   what one segment costs the driver
    python tests/benchmarks/cluster.py simulate [--fps 2.5] [--link 1250]      seconds; no Ray, no torch

``measure`` renders one film locally in one thread, by one worker of a warm cluster and by two, each from an empty
store, and tells the overhead of a segment and the gain of the second worker. ``simulate`` has the driver's own
bookkeeping (``gandream.run.cluster.desk``) hand the segments of a film of three hours, 3840x2160 at 60 frames a
second, to simulated workers. How long segments take is a guess (``--fps``); what the driver does for each takes what
was measured: what came is moved through its link, verified and written by its threads; then the film is joined. For
each number of workers it says how long which part of the driver was busy, before and after the store was listed once
instead of once a segment.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["OMP_NUM_THREADS"] = "1"


@dataclass(frozen=True)
class Costs:
    """Seconds and megabytes; measured by ``measure`` and ``costs``, guessed where the comment says so."""

    frame_s: float = 1 / 2.5
    """A guess: a worker that makes, scales and encodes 2.5 frames of 3840x2160 a second."""
    spread: float = 0.08
    """A guess: of the logarithm of a segment's time."""
    slow: float = 0.01
    """A guess: so many segments take five times as long, as their machine is wanted by others."""
    segment_mb: float = 6.1
    """120 frames of h264, by ``run.needs``."""
    link_mb: float = 1250.0
    """Megabytes a second into the driver: ten gigabits."""
    overhead_s: float = 0.05
    """A guess, and the target: of a segment on its worker, beside its frames. ``measure`` tells it; beside other work
    76 ms were measured."""
    issue_s: float = 0.0015
    """Of the driver's thread: a lock, a call, an answer: measured."""
    list_us: float = 8.0
    """Microseconds for each name in the store when a segment is looked for, as it was: measured."""
    verify_mb: float = 460.0
    """Megabytes that a thread reads and sums a second: measured."""
    write_mb: float = 270.0
    """Megabytes that a thread writes and flushes a second: measured."""
    join_mb: float = 290.0
    """Megabytes that are joined a second: measured."""
    hands: int = 4
    readers: int = 8
    lists_each: bool = False
    """Whether the store is listed for each segment, as it was before."""


@dataclass(frozen=True)
class Told:
    """Seconds."""

    rendered: float
    driver: float
    link: float
    hands: float
    ending: dict[str, float]
    late: int

    @property
    def total(self) -> float:
        return self.rendered + sum(self.ending.values())


def simulate(workers: int, segments: int, costs: Costs, seed: int = 0) -> Told:
    """Discrete events: workers end, the driver's thread acts, the link moves, hands verify and write."""
    from gandream.run.cluster.desk import Desk, Policy, Unit

    dice = random.Random(seed)
    desk = Desk([Unit(number) for number in range(segments)], Policy(ahead=2))
    events: list[tuple[float, int, Callable[[float], None]]] = []
    count = 0
    busy = {"driver": 0.0, "link": 0.0, "hands": 0.0}
    free = {"driver": 0.0, "link": 0.0}
    hands = [0.0] * costs.hands
    until = dict.fromkeys(range(workers), 0.0)
    written, late, end = 0, 0, 0.0

    def at(when: float, what: Callable[[float], None]) -> None:
        nonlocal count
        count += 1
        heapq.heappush(events, (when, count, what))

    def take(name: str, now: float, seconds: float) -> float:
        busy[name] += seconds
        free[name] = max(free[name], now) + seconds
        return free[name]

    def issue(worker: int, now: float) -> None:
        nonlocal late
        while unit := desk.next(worker, now):
            give(worker, unit, now)
        if not desk.waiting and (unit := desk.again(worker, now)):
            late += 1
            give(worker, unit, now)

    def give(worker: int, unit: object, now: float) -> None:
        listing = costs.list_us * 1e-6 * written if costs.lists_each else 0.0
        began = take("driver", now, costs.issue_s + listing)
        seconds = 120 * costs.frame_s * dice.lognormvariate(0, costs.spread) + costs.overhead_s
        seconds *= 5 if dice.random() < costs.slow else 1
        until[worker] = max(until[worker], began) + seconds
        at(until[worker], lambda then: ended(worker, unit.number, then))  # type: ignore[attr-defined]

    def ended(worker: int, number: int, now: float) -> None:
        moved = take("link", now, costs.segment_mb / costs.link_mb)
        at(moved, lambda then: heard(worker, number, then))

    def heard(worker: int, number: int, now: float) -> None:
        nonlocal written, end
        acted = take("driver", now, costs.issue_s)
        if desk.done(worker, number, acted):
            seconds = costs.segment_mb * (1 / costs.verify_mb + 1 / costs.write_mb)
            first = min(range(costs.hands), key=hands.__getitem__)
            hands[first] = max(hands[first], acted) + seconds
            busy["hands"] += seconds / costs.hands
            written += 1
            end = max(end, hands[first])
        issue(worker, acted)

    for worker in range(workers):
        desk.hire(worker)
    for worker in range(workers):
        issue(worker, 0.0)
    looked = 0.0
    while desk.left:
        when, _, what = heapq.heappop(events)
        what(when)
        if when - looked > 1 and not desk.waiting:  # as the driver looks for who is late
            looked = when
            for worker in range(workers):
                issue(worker, when)
    size = segments * costs.segment_mb
    readers = costs.readers if not costs.lists_each else 1
    ending = {
        "verify": size / (costs.verify_mb * readers),
        "join": size / costs.join_mb,
        "sum": size / costs.verify_mb,
    }
    return Told(end, busy["driver"], busy["link"], busy["hands"], ending, late)


def table(costs: Costs) -> None:
    segments = 3 * 3600 // 2
    print(f"{segments} segments, {segments * costs.segment_mb / 1000:.0f} GB; seconds\n")
    head = ("workers", "rendering", "ideal", "driver", "link", "hands", "verify", "join", "sum", "in all", "next")
    for name, now in (("listed for each segment", replace(costs, lists_each=True)), ("listed once", costs)):
        print(f"{name}:")
        print("".join(f"{word:>11}" for word in head))
        for workers in (1, 10, 100, 1000):
            told = simulate(workers, segments, now)
            ideal = segments * 120 * costs.frame_s / workers
            parts = {"driver": told.driver, "link": told.link, "hands": told.hands, **told.ending}
            most = max(parts, key=lambda part: parts[part])
            row = [told.rendered, ideal, *parts.values(), told.total]
            print(f"{workers:>11}" + "".join(f"{seconds:>11.0f}" for seconds in row) + f"{most:>11}")
        print()


def measure(segments: int, size: int) -> None:
    from gandream.recipe.load import load_recipe
    from gandream.run.cluster.cluster import Cluster
    from gandream.run.cluster.where import Where
    from gandream.run.film import render

    through = list(range(1, segments + 2))  # no segment twice
    video = f"{{size: {size}, fps: 30, duration: {2 * segments}}}"
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.environ["XDG_CACHE_HOME"] = str(folder / "home")

        def film(name: str, seed: int, cluster: Cluster | None) -> float:
            file = folder / name / "film.yaml"
            file.parent.mkdir()
            file.write_text(f"model: cppn#{seed}\nwalk: {{through: {through}, every: 2}}\nvideo: {video}\n")
            made = render(load_recipe(file), folder / name / "film.mp4", device="cpu", on=cluster)
            figures = json.loads(made.manifest.read_text())["figures"]
            return figures["render_seconds"]

        local = film("local", 7, None)
        print(f"local, one thread: {local:.1f} s", flush=True)
        took = {}
        for workers in (1, 2):
            with Cluster(Where(None, "auto", workers)) as cluster:
                film(f"warm{workers}", 8, cluster)
                took[workers] = film(f"on{workers}", 7, cluster)
                print(f"{workers} workers: {took[workers]:.1f} s", flush=True)
        films = {(folder / name / "film.mp4").read_bytes() for name in ("local", "on1", "on2")}
        print(f"the same bytes: {len(films) == 1}")
        print(f"overhead of a segment: {1000 * (took[1] - local) / segments:.0f} ms")
        print(f"two workers against one: {took[1] / took[2]:.2f}x, against local: {local / took[2]:.2f}x")


def costs_here() -> None:
    """What the driver does for each segment, on this machine."""
    import shutil
    from fractions import Fraction

    import numpy as np

    from gandream.base.files import flush_to_disk
    from gandream.base.hashing import content_key
    from gandream.rendering.store import Store
    from gandream.video.encode import SegmentWriter
    from gandream.video.format import VideoFormat
    from gandream.video.join import join
    from gandream.video.segments import find_verified

    with tempfile.TemporaryDirectory() as place:
        folder, fmt = Path(place), VideoFormat(320, 192, Fraction(60), preset="ultrafast")
        store, dice = Store(folder), np.random.default_rng(0)
        with SegmentWriter(fmt) as writer:
            made = writer.begin(folder, 120, lambda part: part.rename(folder / "one.mp4"))
            for _ in range(12):
                writer.write(dice.integers(0, 255, (10, fmt.frame_bytes), dtype=np.uint8))
        one, count = made.result(), 60
        size = one.stat().st_size / 1e6
        writes, publishes = [], []
        for number in range(count):
            part = store.segments / f"x{number}.mp4"
            began = time.perf_counter()
            shutil.copy(one, part)
            flush_to_disk(part)
            writes.append(time.perf_counter() - began)
            began = time.perf_counter()
            store.publish(part, content_key(number))
            publishes.append(time.perf_counter() - began)
        began = time.perf_counter()
        found = store.find_all(map(content_key, range(count)))
        verified = time.perf_counter() - began
        began = time.perf_counter()
        join([found[content_key(number)] for number in range(count)], [120] * count, fmt, folder / "film.mp4")
        joined = time.perf_counter() - began
        many = folder / "many"
        many.mkdir()
        for number in range(5400):
            (many / f"{content_key(number)}-0123456789abcdef.mp4").touch()
        finds = []
        for _ in range(20):
            began = time.perf_counter()
            find_verified(many, "none")
            finds.append(time.perf_counter() - began)
        print(f"segments of {size:.1f} MB")
        print(f"write and flush: {size / statistics.median(writes):.0f} MB/s")
        print(f"sum and rename: {size / statistics.median(publishes):.0f} MB/s")
        print(f"verify, several at a time: {count * size / verified:.0f} MB/s")
        print(f"join: {count * size / joined:.0f} MB/s")
        print(f"one key among 5400: {1000 * statistics.median(finds):.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("what", choices=("measure", "costs", "simulate"))
    parser.add_argument("--segments", type=int, default=40)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--fps", type=float, default=2.5, help="frames a second of one worker")
    parser.add_argument("--link", type=float, default=1250.0, help="megabytes a second into the driver")
    given = parser.parse_args()
    if given.what == "measure":
        measure(given.segments, given.size)
    elif given.what == "costs":
        costs_here()
    else:
        table(Costs(frame_s=1 / given.fps, link_mb=given.link))


if __name__ == "__main__":
    main()
