"""A Ray cluster for as long as it is used: one that is there, or one that is started on this machine."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gandream.base.files import writable_folder
from gandream.rendering.store import ELSEWHERE
from gandream.run.cluster.facts import Facts, differences, versions
from gandream.run.cluster.hello import greet, hint
from gandream.run.cluster.where import INSTALL, ClusterError, Where
from gandream.run.cluster.worker import PROBES, node_facts

ANSWER_S = 10.0
"""How long a cluster may take to answer, and we to say that it doesn't."""
CLIENT_S = 30.0
"""The same of a client server that speaks: it starts a process for each driver, and only then answers."""
SAY_S = 2.0
"""Of these, for Python to start and to end."""
PROBE_S = 60.0
"""How long a node may take to start a process that says what it is."""
OBJECTS = 512 << 20
"""Bytes of the object store of a cluster that is started here."""
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray writes what happens to workers on our standard output; who is lost is our business, and told where it matters.
    "RAY_DEDUP_LOGS": "1",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
}
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Has a cluster that is started here listen on this machine alone, on Linux too."""


@dataclass(frozen=True)
class Node:
    """A machine of the cluster that can hold workers."""

    id: str
    address: str
    processors: float
    gpus: float

    def room(self, threads: int, device: str) -> int:
        """How many workers fit."""
        return int(self.gpus) if device == "cuda" else int(self.processors // max(1, threads))


@contextmanager
def connected(place: Where) -> Iterator[Any]:
    """Ray, connected to the place. A connection that this process has already is used, and stays."""
    if find_spec("ray") is None:
        raise ClusterError("--on ray", "Ray isn't installed", INSTALL)
    began = time.monotonic()
    # Ray reads these while it is imported.
    for name, value in {**QUIET, **(LOOPBACK if place.address is None else greet(place))}.items():
        os.environ.setdefault(name, value)
    import ray

    if ray.is_initialized():
        yield ray
        return
    over = _connect(ray, place, began)
    try:
        yield ray
    finally:
        over()


def _connect(ray: Any, place: Where, began: float) -> Callable[[], None]:
    """Begin; Ray itself would try for minutes. Gives what ends it, and waits until it has.

    A thread of its own does both: on Linux what Ray starts here ends with the thread that started it (prctl(2),
    PR_SET_PDEATHSIG), and so with this process, however that ends.
    """
    told: dict[str, Any] = {"logging_level": logging.CRITICAL, "log_to_driver": False}
    if place.address is None:
        told |= {"address": "local", "include_dashboard": False, "object_store_memory": OBJECTS}
        told |= {"_node_ip_address": "127.0.0.1", "num_cpus": os.cpu_count() or 1}
    else:
        told |= {"address": place.address}
    failed: list[BaseException] = []
    begun, over = threading.Event(), threading.Event()

    def live() -> None:
        try:
            with _silent():
                ray.init(**told)
        except BaseException as error:
            failed.append(error)
            return
        finally:
            begun.set()
        over.wait()
        with contextlib.suppress(Exception):
            ray.shutdown()

    thread = threading.Thread(target=live, name="gandream-ray", daemon=True)
    thread.start()
    through_client = (place.address or "").startswith("ray://")
    limit = PROBE_S if place.address is None else CLIENT_S if through_client else ANSWER_S
    while not begun.wait(0.1):
        if time.monotonic() - began > limit - SAY_S:
            over.set()
            raise ClusterError(place.said, f"no Ray cluster answers there within {limit:g} seconds", hint(place))
    if failed:
        raise ClusterError(place.said, _said(failed[0]), hint(place)) from failed[0]

    def end() -> None:
        over.set()
        thread.join()

    return end


@contextmanager
def _silent() -> Iterator[None]:
    """Ray tells of its connection on the standard streams; ours are for results and notes."""
    logger = logging.getLogger("ray")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _said(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


def nodes(ray: Any, threads: int, device: str) -> list[Node]:
    """The machines of the cluster that can hold a worker now."""
    found = []
    for one in ray.nodes():
        held = one.get("Resources") or {}
        if one.get("Alive"):
            node = Node(one["NodeID"], one.get("NodeManagerAddress", ""), held.get("CPU", 0.0), held.get("GPU", 0.0))
            found += [node] if node.room(threads, device) else []
    return found


def gpus(ray: Any) -> bool:
    """Whether the cluster has any."""
    return ray.cluster_resources().get("GPU", 0) >= 1


def probed(ray: Any, place: Where, there: Sequence[Node], store: Path) -> dict[str, bool]:
    """Ask each machine for its versions, and whether it sees the store; the latter is given, by the machine's id.

    ClusterError where versions differ, or where the store must be shared and isn't.
    """
    token = uuid.uuid4().hex
    folder = writable_folder(store / PROBES, ELSEWHERE)
    probe = folder / token[:8]
    try:
        probe.write_text(token, "ascii")
        facts = _asked(ray, place, there, str(probe.absolute()), token)
        differ = differences(versions(), list(facts.values()))
        if differ:
            hint = "Install the same on all machines, or render with --on local."
            raise ClusterError(place.said, f"the workers have other versions than the driver:\n  {differ}", hint)
        blind = [one.node for one in facts.values() if not one.sees_store]
        answers = len(list(folder.glob(f"{probe.name}.*")))
        if place.store == "shared" and (blind or answers < len(facts)):
            who = ", ".join(blind[:3]) or "some of them"
            problem = f"workers don't see what is written here: {who}"
            hint = "Render into a folder that all machines share (-o, GANDREAM_CACHE), or take --store bytes."
            raise ClusterError(str(store), problem, hint)
        return {node: one.sees_store and answers >= len(facts) for node, one in facts.items()}
    finally:
        for file in folder.glob(f"{token[:8]}*"):
            with contextlib.suppress(OSError):
                file.unlink()
        with contextlib.suppress(OSError):
            folder.rmdir()


def _asked(ray: Any, place: Where, there: Sequence[Node], probe: str, token: str) -> dict[str, Facts]:
    from ray import exceptions
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ask = ray.remote(node_facts)
    asked = {
        node.id: ask.options(
            num_cpus=0, max_retries=1, scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False)
        ).remote(probe, token)
        for node in there
    }
    found, until = {}, time.monotonic() + PROBE_S
    for node in there:
        try:
            found[node.id] = ray.get(asked[node.id], timeout=max(0.1, until - time.monotonic()))
        except (exceptions.NodeDiedError, exceptions.WorkerCrashedError, exceptions.TaskUnschedulableError):
            continue  # it is gone, and is asked again if it comes back
        except Exception as error:  # whatever keeps a node from loading our code
            words = str(error)
            lines = [line.strip() for line in words.splitlines() if "Error" in line]
            lacks = "No module named 'gandream" in words
            problem = "gandream isn't installed there" if lacks else (lines[-1] if lines else _said(error))[:300]
            hint = f"On every machine: {INSTALL}"
            raise ClusterError(f"{place.said}, {node.address}", problem, hint) from error
    return found
