"""Taking in what workers made: segments into the store, pictures into their folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from gandream.base.files import disk_errors, temporary_beside
from gandream.rendering.numbered import PictureSink
from gandream.rendering.segments import SegmentSink
from gandream.rendering.store import Store
from gandream.rendering.together import Job
from gandream.run.cluster import remote
from gandream.run.cluster.sinks import Made, Part
from gandream.video.segments import key_of

SEEN_S = 5.0
"""A network drive may take so long to show a file that another machine published."""
LOOK_S = 0.02
HANDS = 4
"""Threads that take in what workers made."""


def fetched(jobs: Sequence[Job], address: str, progress: Callable[[int], None]) -> list[Job]:
    """Bring what a store of fsspec has of some jobs, from an earlier render; gives them with what they lack still."""
    wanted = {segment.key for job in jobs if isinstance(job.sink, SegmentSink) for segment in job.missing}
    names = remote.there(address, wanted)
    here = dict[str, bool]()
    with ThreadPoolExecutor(HANDS) as pool:
        for job in jobs:
            if isinstance(job.sink, SegmentSink):
                new = [segment.key for segment in job.missing if segment.key in names and segment.key not in here]
                here |= zip(new, pool.map(partial(_fetched, address, job.sink.store), map(names.get, new)), strict=True)
    left = []
    for job in jobs:
        films = isinstance(job.sink, SegmentSink)
        missing = {part: frames for part, frames in job.missing.items() if not (films and here.get(part.key))}
        progress(sum(map(len, job.missing.values())) - sum(map(len, missing.values())))
        left.append(replace(job, missing=missing))
    return left


def _fetched(address: str, store: Store, name: str | None) -> bool:
    return name is not None and remote.get(address, name, store) is not None


def take_in(jobs: Sequence[Job], parts: Sequence[Part], made: Sequence[Made], way: str) -> bool:
    """Publish what was made of some parts; False where something came damaged. Called in several threads."""
    return all(_one(jobs[part.output].sink, part, one, way) for part, one in zip(parts, made, strict=True))


def _one(sink: object, part: Part, made: Made, way: str) -> bool:
    if isinstance(sink, PictureSink):
        for frame, data, look in made.pictures:
            if frame in sink.keys and frame in part.frames:
                sink.folder.publish(frame, sink.keys[frame], data, look)
        return len(made.pictures) >= len(part.frames)
    assert isinstance(sink, SegmentSink)
    store, name = sink.store, made.name
    if not name.startswith(f"{part.segment.key}-"):
        return False
    if made.data is not None:
        return _received(store, name, made.data)
    if "://" in way:
        return remote.get(way, name, store) is not None
    return _seen(store, name)


def _received(store: Store, name: str, data: bytes) -> bool:
    part = temporary_beside(store.segments / f"segment{name[name.rindex('.') :]}")
    try:
        with disk_errors(store.segments):
            part.write_bytes(data)
            return remote.received(part, name, store) is not None
    finally:
        part.unlink(missing_ok=True)


def _seen(store: Store, name: str) -> bool:
    until = time.monotonic() + SEEN_S
    while not (store.segments / name).is_file():
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_S)
    return bool(key_of(store.segments / name))
