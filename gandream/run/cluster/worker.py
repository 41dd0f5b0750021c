"""A worker: a process on a node that holds the models of a film and renders the segments that the driver names."""

from __future__ import annotations

import os
import platform
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gandream.base import ffmpeg
from gandream.base.calm import wait_asleep
from gandream.base.errors import GandreamError, OutputError, RenderError
from gandream.base.files import machine, remove_parts
from gandream.rendering.projector import Projector
from gandream.rendering.reel import make_reel
from gandream.rendering.store import Store
from gandream.rendering.together import Job, projectors_of, render_together
from gandream.run.cluster import remote
from gandream.run.cluster.cargo import work_folder
from gandream.run.cluster.facts import Facts, versions
from gandream.run.cluster.parcel import Model, Parcel, load_model, unpack
from gandream.run.cluster.sinks import Keeper, Made, Part, PictureKeeper, SegmentKeeper
from gandream.video.format import VideoFormat

if TYPE_CHECKING:
    from gandream.models.spec import Generator

ENDS = 2
"""Parts at once: one is rendered while the one before is still encoded."""
PROBES = "cluster"
"""Of the store: the folder in which driver and workers look whether they see each other's files."""
SEEN_S = 3.0
"""A network drive may take so long to show a file."""


@dataclass(frozen=True)
class Broken:
    """An error of ours on its way to the driver: Python's pickles of errors keep their arguments only."""

    kind: type[GandreamError]
    arguments: tuple[Any, ...]
    state: dict[str, Any]

    @classmethod
    def of(cls, error: GandreamError) -> Broken:
        """The error as data."""
        return cls(type(error), error.args, dict(error.__dict__))

    def error(self) -> GandreamError:
        """The error again."""
        made = self.kind.__new__(self.kind, *self.arguments)
        made.__dict__.update(self.state)
        return made


@dataclass(frozen=True)
class Outcome:
    """What came of some parts."""

    made: tuple[Made, ...] = ()
    broken: Broken | None = None
    seconds: float = 0.0


def node_facts(probe: str = "", token: str = "") -> Facts:
    """What a node says of itself. ``probe`` is a file that the driver wrote in its store, with a token as its text."""
    import ray

    node = platform.node()
    if ray.is_initialized():
        node += f" ({ray.util.get_node_ip_address()})"
    return Facts(node, versions(), bool(probe) and sees(Path(probe), token))


def sees(probe: Path, token: str) -> bool:
    """Whether the driver's file is here, and ours can be written beside it; its name says that we did."""
    until = time.monotonic() + SEEN_S
    while probe.parent.is_dir() and time.monotonic() < until:
        try:
            if probe.read_text("ascii") == token:
                (probe.parent / f"{probe.name}.{uuid.uuid4().hex[:8]}").write_text(token, "ascii")
                return True
        except OSError:
            pass
        time.sleep(0.1)
    return False


class Worker:
    """Made by the driver, once for each device. Several of its methods run at once, one of them renders."""

    def __init__(self) -> None:
        wait_asleep()  # torch isn't loaded yet, and what the driver's environment says isn't known here
        self._renders = ThreadPoolExecutor(1, thread_name_prefix="gandream-render")
        self._until_ended = ExitStack()
        self._parcel: Parcel | None = None
        self._kept: dict[Model, Generator] = {}
        """The model of the last film, if it had only one: the next may have it too."""
        self._frames, self._counting = 0, threading.Lock()

    def hello(self) -> tuple[str, str]:
        """The id of the machine that it was put on, and what is in the names of what it writes."""
        import ray

        return ray.get_runtime_context().get_node_id(), f"{machine()}-{os.getpid()}"

    def leave(self) -> None:
        """Remove what is of no use without it, and end before anything else is begun."""
        ffmpeg.end_all()
        self._until_ended.close()
        remove_parts()
        os._exit(0)

    def take(self, parcel: Parcel, store: str, way: str) -> Broken | None:
        """Be ready for a film. ``way`` is ``shared``, ``bytes`` or an address; ``store`` is the driver's folder."""
        try:
            self._renders.submit(self._take, parcel, store, way).result()
        except GandreamError as error:
            return Broken.of(error)
        return None

    def _take(self, parcel: Parcel, store: str, way: str) -> None:
        import ray

        self._until_ended.close()
        self._parcel = parcel
        self._get: Callable[[str], Any] = lambda sha256: ray.get(parcel.contents[sha256])
        self._reels = unpack(ray.get(parcel.reels), self._get)
        self._projectors = projectors_of(self._reels, self._load)
        if way == "shared":
            self._store, self._hand_on = Store(Path(store)), lambda path: None
            return
        self._store = Store(self._until_ended.enter_context(work_folder()))
        self._hand_on = _content if way == "bytes" else lambda path: remote.put(path, way)

    def _load(self, number: int) -> Generator:
        assert self._parcel is not None, "it was taken"
        model = self._parcel.models[number]
        if model in self._kept:
            return self._kept[model]
        self._kept.clear()  # before another takes its place
        loaded = load_model(model, self._reels[0].device, self._get)
        if len(self._parcel.models) == 1:  # of several the projectors hold as few as they can
            self._kept[model] = loaded
        return loaded

    def frames(self) -> int:
        """How many were made by this worker so far."""
        return self._frames

    def render(self, parts: tuple[Part, ...]) -> Outcome:
        """Make parts of several outputs, of the same frames."""
        try:
            keepers, seconds = self._renders.submit(self._render, parts).result()
            return Outcome(tuple(keeper.finish() for keeper in keepers), None, seconds)
        except GandreamError as error:
            return Outcome(broken=Broken.of(error))
        except OSError as error:
            words = traceback.format_exception_only(error)[-1].strip()
            problem = RenderError(platform.node(), words, "This is the worker's machine, not yours.")
            return Outcome(broken=Broken.of(problem))

    def _render(self, parts: tuple[Part, ...]) -> tuple[list[Keeper], float]:
        """In the one thread that renders: torch's number of threads belongs to it, and so do recorded graphs."""
        assert self._parcel is not None, "it was taken"
        began = time.perf_counter()
        for part in parts:
            self._same(part)
        keepers = [self._keeper(part) for part in parts]
        jobs = [
            Job(self._reels[part.output], {part.segment: part.frames}, keeper)
            for part, keeper in zip(parts, keepers, strict=True)
        ]
        projectors: list[Projector] = [self._projectors[part.output] for part in parts]
        try:
            render_together(jobs, self._load, self._count, projectors=projectors)
        except BaseException:
            self._projectors = projectors_of(self._reels, self._load)  # what they hold stands in the middle of a part
            raise
        return keepers, time.perf_counter() - began

    def _keeper(self, part: Part) -> Keeper:
        assert self._parcel is not None, "it was taken"
        fmt = self._parcel.formats[part.output]
        if isinstance(fmt, VideoFormat):
            return SegmentKeeper(part, fmt, self._store, self._hand_on)
        return PictureKeeper(part, fmt)

    def _same(self, part: Part) -> None:
        """RenderError unless what we are about to make is what the driver means by that key."""
        segment = part.segment
        found = make_reel(self._reels[part.output].shots, (segment.start, segment.stop)).segments
        if found != (segment,):
            key = found[0].key if len(found) == 1 else "several"
            problem = (
                f"frames {segment.start}:{segment.stop} have the key {key[:12]} here, and {segment.key[:12]} there"
            )
            hint = "Driver and workers aren't of one version: install the same gandream, torch and ffmpeg on all."
            raise OutputError(platform.node(), problem, hint)

    def _count(self, frames: int) -> None:
        with self._counting:
            self._frames += frames


def _content(path: Path) -> bytes:
    """A segment's bytes; its file isn't needed any more."""
    data = path.read_bytes()
    path.unlink()
    return data
