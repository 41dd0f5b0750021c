"""The queue: what becomes of jobs, one step at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hands import events, names, replayed, task, tasks

from gandream.base.errors import GandreamError
from gandream.run.jobs.folder import jobs_folder
from gandream.run.jobs.queue import Queue, Worker
from gandream.run.jobs.records import ENDED, STATES, Job


@pytest.fixture
def queue(tmp_path: Path):
    with Queue(tmp_path) as found:
        yield found


@pytest.fixture
def worker(tmp_path: Path):
    with Worker(tmp_path) as found:
        yield found


def taken(queue: Queue, worker: Worker, **how: str) -> Job:
    job = queue.take(worker, **how)
    assert job is not None
    return job


def test_a_task_comes_back_as_it_was_asked(queue: Queue, worker: Worker):
    asked = replace(
        task("näme ☃", key="k", group="g", retries=3, timeout_s=1.5),
        **{"overrides": ("a=1", "b=[2, 3]"), "out": "/films/x.mp4", "options": {"device": "cpu", "frames": [0, 5]}},
    )
    (job,) = queue.add("b", [asked])
    assert job.task == asked
    assert queue.job(job.id) == job
    mine = taken(queue, worker)
    assert (mine.task, mine.state, mine.worker, mine.attempts) == (asked, "running", worker.name, 1)
    done = queue.done(mine, {"seconds": 1.5, "films": ["x.mp4"], "path": Path("odd")})
    assert (done.state, done.figures) == ("done", {"seconds": 1.5, "films": ["x.mp4"], "path": "odd"})
    with Queue(queue.folder) as other:
        assert other.jobs() == [done]
        assert other.attempts(job.id)[0].figures == done.figures


def test_names_of_files_that_are_no_text(queue: Queue, worker: Worker):
    odd = os.fsdecode(b"caf\xe9")
    (job,) = queue.add(odd, [replace(task(odd), recipe=f"/{odd}.yaml", out=f"/{odd}.mp4")])
    mine = taken(queue, worker, batch=odd)
    assert mine.task.recipe == f"/{odd}.yaml"
    assert queue.failed(mine, f"/{odd}.yaml\n  no such file").state == "waiting"
    assert names(queue.add(odd, [replace(task(odd), recipe=f"/{odd}.yaml")])) == [odd]
    assert len(queue.jobs(odd)) == 1
    assert job.id == 1


def test_the_order_is_that_of_adding_whatever_clocks_say(queue: Queue, worker: Worker, monkeypatch):
    now = [2e9]
    monkeypatch.setattr(time, "time", lambda: now.__setitem__(0, now[0] - 1000) or now[0])
    queue.add("b", tasks(5))
    queue.add("a", tasks(5))
    jobs = queue.jobs()
    assert [job.created for job in jobs] == sorted((job.created for job in jobs), reverse=True)
    assert [taken(queue, worker).id for _ in range(10)] == list(range(1, 11))
    assert replayed(queue.folder) == dict.fromkeys(range(1, 11), "running")
    for job in queue.jobs():
        assert queue.done(job, {}).state == "done"


def test_a_worker_prefers_what_it_has_loaded_then_what_was_tried_less(queue: Queue, worker: Worker):
    queue.add("b", [task("a1", group="a"), task("b1", group="b"), task("a2", group="a"), task("b2", group="b")])
    queue.add("c", [task("b3", group="b")])
    assert taken(queue, worker, group="b").task.name == "b1"
    mine = taken(queue, worker, group="nothing of that")
    assert mine.task.name == "a1"
    queue.failed(mine, "broken")
    assert taken(queue, worker, batch="c", group="a").task.name == "b3"
    assert [taken(queue, worker, group="a").task.name for _ in range(3)] == ["a2", "a1", "b2"]
    assert queue.take(worker) is None


def test_a_failure_is_tried_again_as_often_as_it_was_said(queue: Queue, worker: Worker):
    (job,) = queue.add("b", [task("x", retries=2)])
    states = [queue.failed(taken(queue, worker), f"error {number}").state for number in range(3)]
    assert states == ["waiting", "waiting", "failed"]
    now = queue.job(job.id)
    assert (now.attempts, now.error) == (3, "error 2")
    assert [one.error for one in queue.attempts(job.id)] == ["error 0", "error 1", "error 2"]
    assert queue.take(worker) is None
    queue.retry([job.id])
    assert queue.failed(taken(queue, worker), "hopeless", again=False).state == "failed"
    queue.retry([job.id])
    assert queue.done(taken(queue, worker), {}).error == ""


def test_parking_counts_no_attempt(queue: Queue, worker: Worker):
    (job,) = queue.add("b", [task("x", retries=0)])
    for number in range(1, 4):
        mine = taken(queue, worker)
        assert (mine.attempts, mine.attempt) == (1, number)
        assert (queue.parked(mine).state, queue.job(job.id).attempts) == ("waiting", 0)
    assert {one.outcome for one in queue.attempts(job.id)} == {"parked"}


def test_a_job_that_was_cancelled_isnt_given_back(queue: Queue, worker: Worker):
    (job,) = queue.add("b", [task("x")])
    mine = taken(queue, worker)
    assert not queue.asked_to_stop(mine)
    assert queue.cancel([job.id])[0].state == "cancelled"
    assert queue.asked_to_stop(mine)
    assert queue.done(mine, {"late": 1}).state == "cancelled"
    queue.retry([job.id])
    again = taken(queue, worker)
    assert queue.asked_to_stop(mine)
    for late in (queue.done(mine, {}), queue.failed(mine, "late"), queue.parked(mine)):
        assert (late.state, late.attempt) == ("running", 2), "it is another attempt's by now"
    assert queue.done(again, {"fresh": 1}).figures == {"fresh": 1}
    assert [one.outcome for one in queue.attempts(job.id)] == ["cancelled", "done"]
    assert queue.cancel([job.id])[0].state == "done"
    assert queue.retry([job.id])[0].state == "done"


def test_adding_again_leaves_alone_what_is_done_or_runs(queue: Queue, worker: Worker, tmp_path: Path):
    film = tmp_path / "film.mp4"
    film.touch()
    asked = [replace(task(name), out=str(film) if name == "done" else "") for name in ("done", "runs", "waits", "old")]
    queue.add("b", asked)
    queue.done(taken(queue, worker), {})
    mine = taken(queue, worker)
    told = len(events(tmp_path))
    again = queue.add("b", asked[:3])
    assert [job.state for job in again] == ["done", "running", "waiting"]
    assert not queue.asked_to_stop(mine)
    assert [one["to"] for one in events(tmp_path)[told:]] == ["cancelled"], "of what isn't asked any more"
    assert queue.counts("b") == {**dict.fromkeys(STATES, 0), "done": 1, "running": 1, "waiting": 1, "cancelled": 1}
    film.unlink()
    assert queue.add("b", asked)[0].state == "waiting", "its film is gone"
    changed = queue.add("b", [replace(one, key="b", overrides=("seed=2",)) for one in asked])
    assert [(job.state, job.task.overrides) for job in changed] == [("waiting", ("seed=2",))] * 4
    assert [job.id for job in changed] == [1, 2, 3, 4]
    assert queue.asked_to_stop(mine), "what it renders isn't what is asked now"


def test_adding_again_gives_all_attempts_back_also_to_what_was_killed(queue: Queue, worker: Worker):
    """However often a whole batch is killed and started again, nothing of it is quarantined for that."""
    asked = [task("x", retries=0)]
    for _ in range(3):
        with Worker(queue.folder) as other:
            taken(queue, other) if queue.jobs() else queue.add("b", asked) and taken(queue, other)
        assert queue.jobs()[0].orphaned
        assert [(job.state, job.attempts) for job in queue.add("b", asked)] == [("waiting", 0)]
    mine = taken(queue, worker)
    assert queue.failed(mine, "no").state == "failed"
    assert queue.add("b", asked)[0].state == "waiting"
    assert [one.outcome for one in queue.attempts(1)] == ["ended"] * 3 + ["failed"]


def test_two_tasks_of_one_name_and_unknown_jobs(queue: Queue, worker: Worker):
    with pytest.raises(GandreamError, match="2 renders are named 'x'"):
        queue.add("b", [task("x"), task("y"), task("x")])
    assert queue.jobs() == []
    with pytest.raises(GandreamError, match="The queue is empty"):
        queue.job(1)
    queue.add("b", tasks(3))
    for unknown, near in ((99, 3), (0, 1), (-5, 1), (1 << 70, 3)):
        with pytest.raises(GandreamError, match=f"no job {unknown}\n.*nearest is {near}"):
            queue.cancel([1, unknown])
    with pytest.raises(GandreamError, match="no job 7"):
        queue.attempts(7)
    assert queue.jobs()[0].state == "waiting", "all or nothing"
    assert len(queue.cancel([1, 1, 2])) == 2


def test_a_worker_takes_only_while_it_lives(queue: Queue, tmp_path: Path):
    queue.add("b", tasks(1))
    with Worker(tmp_path, "ann") as ann:
        with pytest.raises(GandreamError, match="'ann' is at work already"), Worker(tmp_path, "ann"):
            pass
        assert ann.alive
        taken(queue, ann)
        with Worker(tmp_path, "bob") as bob:
            assert queue.take(bob) is None, "ann lives"
    with pytest.raises(ValueError, match="only while"):
        queue.take(ann)
    with Worker(tmp_path, "bob") as bob:
        assert (queue.jobs()[0].orphaned, queue.jobs()[0].state) == (True, "running")
        job = taken(queue, bob)
    assert (job.attempts, job.error) == (2, ENDED)


def test_a_place_without_locks_is_refused(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("gandream.base.locks._locked", lambda descriptor: True)
    with pytest.raises(GandreamError, match="no locks between processes"), Worker(tmp_path):
        pass


def test_where_the_queue_is(tmp_path: Path, monkeypatch):
    monkeypatch.delenv("GANDREAM_CACHE", raising=False)
    monkeypatch.delenv("GANDREAM_JOBS", raising=False)
    assert jobs_folder() == Path("outputs/.gandream/jobs")
    assert jobs_folder(tmp_path) == tmp_path / ".gandream" / "jobs"
    monkeypatch.setenv("GANDREAM_CACHE", str(tmp_path / "c"))
    assert jobs_folder() == tmp_path / "c" / "jobs"
    monkeypatch.setenv("GANDREAM_JOBS", str(tmp_path / "j"))
    assert jobs_folder() == tmp_path / "j"


def test_the_queue_loads_nothing_heavy():
    code = "import sys, gandream.run.jobs.queue; print({'torch', 'librosa', 'scipy', 'pydantic'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


def test_json_of_all_records(queue: Queue, worker: Worker):
    queue.add("b", [task("x", group="g")])
    json.dumps([vars(one) for one in queue.attempts(1)])
    json.dumps({**vars(queue.job(1)), "task": vars(queue.job(1).task)})
