"""A cluster as a render sees it: entered with the command, and connected to when there is something to do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gandream.rendering.device import DeviceWord, Kind, pick
from gandream.rendering.projector import Load
from gandream.rendering.together import Job
from gandream.run.cluster import session
from gandream.run.cluster.crew import Crew
from gandream.run.cluster.desk import Policy
from gandream.run.cluster.fill import Round
from gandream.run.cluster.intake import fetched
from gandream.run.cluster.where import ClusterError, Where
from gandream.run.cluster.worker import ENDS
from gandream.run.prepare import Prepared


class Cluster:
    """A cluster at work for one render: connected to when there is something to do, and not before."""

    def __init__(self, place: Where, policy: Policy | None = None):
        self._place, self._policy = place, policy or Policy(ahead=ENDS)
        self._until_left = contextlib.ExitStack()
        self._ray: Any = None
        self._crew: Crew | None = None

    def ray(self) -> Any:
        """Ray, connected."""
        if self._ray is None:
            self._ray = self._until_left.enter_context(session.connected(self._place))
        return self._ray

    def device(self, word: DeviceWord) -> Kind:
        """What renders, by the word that was given: what the workers have, and not this machine."""
        if word == "mps":
            raise ClusterError("--device mps", "workers render on CPUs and on NVIDIA's GPUs", "Take --on local for it.")
        if word == "cpu":
            return "cpu"
        if self._place.address is None:
            return "cuda" if pick(word) == "cuda" else "cpu"
        if session.gpus(self.ray()):
            return "cuda"
        if word == "cuda" and self._place.workers is None:
            hint = "Take --device cpu; --workers N asks a cluster that grows for machines."
            raise ClusterError(f"--device cuda {self._place.said}", "the cluster has no GPU", hint)
        return "cuda" if word == "cuda" else "cpu"

    def fill(self, prepared: Prepared, store: Path) -> Callable[..., list[int]]:
        """What renders a film's jobs there: a ``run.film.Fill``."""

        def filled(
            jobs: Sequence[Job],
            load: Load,
            progress: Callable[[int], None],
            waiting: Callable[[], None] = lambda: None,
        ) -> list[int]:
            self._crew = crew = self._crew or Crew(self._place, self.ray())
            crew.use(store)
            if "://" in self._place.store:
                jobs = fetched(jobs, self._place.store, progress)
            try:
                return Round(crew, jobs, prepared, progress, waiting, self._policy).run()
            except BaseException as error:
                crew.dismiss_all(gently=isinstance(error, Exception))  # who is stopped waits for nobody
                self._crew = None
                raise

        return filled

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        waits = error is None or isinstance(error, Exception)
        if self._crew is not None:
            self._crew.dismiss_all(gently=waits)
        if waits:  # else Ray ends with this process
            self._until_left.close()
