"""From films that are checked to jobs in the queue; what is done, and there, stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gandream.base.errors import RenderError
from gandream.base.locks import Lock, take
from gandream.run.batch.check import BROKEN, Checked, by_model
from gandream.run.jobs.queue import Queue
from gandream.run.jobs.records import EDITED, Job, Task
from gandream.run.jobs.worker import Worker


def locked(folder: Path, name: str) -> Lock:
    """The right to run a batch, as long as this process lives; RenderError where another has it."""
    lock = take(folder / f"{name}.batch.lock")
    if lock is None:
        hint = "Wait for it, or look with gandream jobs watch; another name is --name."
        raise RenderError(f"batch {name}", "this batch is running already", hint)
    return lock


def queued(folder: Path, name: str, films: Sequence[Checked]) -> dict[str, Job]:
    """Put everything into the queue, in the order in which models stay loaded; broken ones have failed at once."""
    with Queue(folder) as queue, Worker(folder) as here:
        there = {job.task.name: job for job in queue.jobs(name)}
        tasks = [replace(film.task, key=_key(film.task, there.get(film.task.name))) for film in by_model(films)]
        jobs = {job.task.name: job for job in queue.add(name, tasks)}
        wrong = {
            film.task.name: film.mistake for film in films if film.mistake and jobs[film.task.name].state == "waiting"
        }
        while wrong and (job := queue.take(here, name, BROKEN)) is not None:
            if job.task.name not in wrong:
                queue.parked(job)
                break
            jobs[job.task.name] = queue.failed(job, wrong.pop(job.task.name), again=False)
        return jobs


def _key(task: Task, there: Job | None) -> str:
    """A task's key; another one than that of its job where that is done, and its films aren't there as they were."""
    if there is None or there.task.key.partition("+")[0] != task.key:
        return task.key
    if there.state != "done" or (there.task.out == task.out and _is_there(there)):
        return there.task.key
    return f"{task.key}+{int(there.task.key.partition('+')[2] or 0) + 1}"


def _is_there(job: Job) -> bool:
    """Whether all films of a job that is done are there still, as large as they were, of what was asked for."""
    if job.figures.get(EDITED):
        return False
    films, sizes = job.figures.get("films", [job.task.out]), job.figures.get("bytes", [0])
    for film, size in zip(films, sizes, strict=False):
        path = Path(film)
        if not path.exists() or (size and path.is_file() and path.stat().st_size != size):
            return False
    return True
