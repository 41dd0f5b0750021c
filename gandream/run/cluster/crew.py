"""Workers on a cluster, hired as there is room for them; each says of itself when it is ready, done or gone."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gandream.rendering.reel import Reel
from gandream.run.cluster import remote, session
from gandream.run.cluster.cargo import Sent, contents
from gandream.run.cluster.parcel import Parcel, cargo_of, models_of, pack
from gandream.run.cluster.sinks import Part
from gandream.run.cluster.where import ClusterError, Where
from gandream.run.cluster.worker import ENDS, Worker
from gandream.run.prepare import Prepared
from gandream.video.format import VideoFormat
from gandream.video.pictures import PictureFormat

Event = Callable[[], None]
LEAVES_S = 1.0
"""How long workers may take to tidy up."""


@dataclass(eq=False)
class Fellow:
    """A worker as the driver knows it."""

    actor: Any
    node: str = ""
    mark: str = ""
    """Of its process, in the names of what it has half-written (``base.files.temporary_beside``)."""
    frames: int = 0
    """That it made, as it said last."""
    asked: bool = False
    """Whether it was asked how many these are, and hasn't answered yet."""


class Crew:
    """The workers of one driver."""

    def __init__(self, place: Where, ray: Any):
        self.place, self.ray = place, ray
        self._store = Path()
        self.fellows: list[Fellow] = []
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._sees: dict[str, bool] = {}
        self._refs: dict[str, Any] = {}
        self._parcels = 0
        self._gone: set[str] = set()
        if "://" in place.store:
            remote.check(place.store)

    def use(self, store: Path) -> None:
        """Where the next film's segments belong."""
        if store != self._store:
            self._store, self._sees = store, {}

    def parcel(self, reels: Sequence[Reel], formats: Sequence[VideoFormat | PictureFormat], prepared: Prepared):
        """What workers need of a film, in Ray's store of objects; what it holds already isn't put there again."""
        recipes = [cut.recipe for cut in prepared.cuts] or [prepared.recipe]
        data, files = pack(reels)
        models = models_of(recipes, reels[0])
        self._parcels += 1
        return Parcel(self._parcels, self.ray.put(data), tuple(formats), models, cargo_of(models, files, self._put))

    def _put(self, file: Sent) -> Any:
        if file.sha256 not in self._refs:
            self._refs[file.sha256] = self.ray.put(contents(file))
        return self._refs[file.sha256]

    def room(self, threads: int, device: str) -> int:
        """How many workers the cluster can have, or is to get; new machines are asked what they are.

        ClusterError where it can't have any, or where a machine doesn't fit.
        """
        there = session.nodes(self.ray, threads, device)
        if not there and self.place.workers is None:
            wanted = "a GPU" if device == "cuda" else f"{threads} CPUs" if threads > 1 else "a CPU"
            problem = f"no machine of the cluster has {wanted}, which a worker takes"
            fewer = "OMP_NUM_THREADS=1 plans the film for workers of one; " if device != "cuda" and threads > 1 else ""
            raise ClusterError(self.place.said, problem, f"{fewer}--workers N asks a cluster that grows for room.")
        if self.place.address is not None and (new := [node for node in there if node.id not in self._sees]):
            self._sees |= session.probed(self.ray, self.place, new, self._store)
        return self.place.workers or sum(node.room(threads, device) for node in there)

    def hire(self, threads: int, device: str, ready: Callable[[Fellow, Future[Any]], None]) -> Fellow:
        """Ask Ray for a worker; ``ready`` is told when it is there, or isn't."""
        options: dict[str, Any] = {"max_concurrency": ENDS + 2, "max_restarts": 0, "max_task_retries": 0}
        options |= {"num_gpus": 1, "num_cpus": 0} if device == "cuda" else {"num_cpus": max(1, threads)}
        fellow = Fellow(self.ray.remote(Worker).options(**options).remote())
        self.fellows.append(fellow)
        self.when(fellow.actor.hello.remote(), lambda future: ready(fellow, future))
        return fellow

    def equip(self, fellow: Fellow, parcel: Parcel, told: Callable[[Fellow, Future[Any]], None]) -> None:
        """Give a worker what it needs of a film."""
        ref = fellow.actor.take.remote(parcel, str(self._store.absolute()), self._way(fellow.node))
        self.when(ref, lambda future: told(fellow, future))

    def _way(self, node: str) -> str:
        """How segments come back from a machine."""
        if self.place.store != "auto":
            return self.place.store
        return "shared" if self.place.address is None or self._sees.get(node) else "bytes"

    def render(self, fellow: Fellow, parts: tuple[Part, ...], told: Callable[[Fellow, Future[Any]], None]) -> None:
        """Have a worker render."""
        self.when(fellow.actor.render.remote(parts), lambda future: told(fellow, future))

    def ask(self, fellow: Fellow) -> None:
        """Ask how many frames it made."""

        def told(future: Future[Any]) -> None:
            fellow.asked = False
            if future.exception() is None:
                fellow.frames = future.result()

        if not fellow.asked:
            fellow.asked = True
            self.when(fellow.actor.frames.remote(), told)

    def when(self, ref: Any, told: Callable[[Future[Any]], None]) -> None:
        """Have it told, in the driver's own thread, what came of something."""
        events = self.events
        ref.future().add_done_callback(lambda future: events.put(lambda: told(future)))

    def dismiss(self, fellow: Fellow) -> None:
        """End a worker at once, and remove what it has half-written in the store."""
        if fellow in self.fellows:
            self.fellows.remove(fellow)
        with contextlib.suppress(Exception):
            self.ray.kill(fellow.actor)
        if fellow.mark:
            self._gone.add(fellow.mark)
            self.tidy()

    def dismiss_all(self, *, gently: bool = True) -> None:
        """End all of them; what they still say isn't heard. Gently, they tidy up themselves before."""
        if gently:
            with contextlib.suppress(Exception):
                leaving = [fellow.actor.leave.remote() for fellow in self.fellows if fellow.mark]
                self.ray.wait(leaving, num_returns=len(leaving), timeout=LEAVES_S)
        for fellow in tuple(self.fellows):
            self.dismiss(fellow)
        self.events = queue.SimpleQueue()

    def tidy(self) -> None:
        """Remove what workers that are gone have left in the store; of other machines nobody else knows it so soon."""
        for part in (self._store / "segments").glob(".*.part*"):
            if any(f".{mark}-" in part.name for mark in self._gone):
                with contextlib.suppress(OSError):
                    part.unlink()
