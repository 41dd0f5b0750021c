"""The queue under kills and under many hands: nothing is lost, nothing is done twice."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from hands import OVER, events, hands_at, marked, replayed, task, tasks

from gandream.run.jobs.queue import Queue, Worker
from gandream.run.jobs.records import ENDED

forked = pytest.mark.skipif(sys.platform == "win32", reason="its processes are forked")


@forked
@pytest.mark.parametrize("kills", [4, pytest.param(50, marks=pytest.mark.slow)])
def test_random_kills_lose_nothing_and_nothing_is_recorded_twice(tmp_path: Path, kills: int):
    """Two processes work, one of them is killed at a random moment and another takes its place, again and again.

    The record of a job's end and the work itself aren't one step: a kill between them means that the work is done
    again, at most once for each kill. Its record stays one.
    """
    chance, batches, hit = random.Random(7), 0, 0
    with Queue(tmp_path) as queue, hands_at(tmp_path, work_s=0.004) as hands:
        queue.add("0", tasks(40, retries=10_000))
        crew = [hands.start(), hands.start()]
        # On a busy machine all may come before anything is done.
        while hit < kills or not any(job.attempt > 1 for job in queue.jobs()):
            time.sleep(chance.uniform(0.002, 0.05))
            if queue.counts()["waiting"] < 20:
                batches += 1
                queue.add(str(batches), tasks(40, retries=10_000))
            at = chance.randrange(2)
            assert hands.kill(crew[at]) == -9
            hit += 1
            crew[at] = hands.start()
        (tmp_path / OVER).touch()
        assert [hands.wait(process) for process in crew] == [0, 0]
        jobs = queue.jobs()
        attempts = {job.id: queue.attempts(job.id) for job in jobs}
    assert len(jobs) == 40 * (batches + 1)
    assert {job.state for job in jobs} == {"done"}
    assert {id: [one.outcome for one in own].count("done") for id, own in attempts.items()} == dict.fromkeys(
        attempts, 1
    )
    assert {one.outcome for own in attempts.values() for one in own} <= {"done", "ended"}
    ended = sum(one.outcome == "ended" for own in attempts.values() for one in own)
    assert 0 < ended <= hit
    for id, own in attempts.items():
        assert [one.number for one in own] == list(range(1, len(own) + 1))
        assert own[-1].outcome == "done"
        assert (id, own[-1].number) in marked(tmp_path), "what is recorded as done was done"
    done = Counter(marked(tmp_path))
    assert set(done.values()) == {1}, "no attempt works twice"
    assert len(done) - len(jobs) <= ended, "only what a killed process had done was done again"
    assert replayed(tmp_path) == {job.id: "done" for job in jobs}
    ends = Counter(one["job"] for one in events(tmp_path) if one["to"] == "done")
    assert ends == dict.fromkeys((job.id for job in jobs), 1)


@forked
@pytest.mark.parametrize("count", [80, pytest.param(500, marks=pytest.mark.slow)])
def test_eight_threads_of_four_processes_take_none_twice(tmp_path: Path, count: int):
    with Queue(tmp_path) as queue:
        with hands_at(tmp_path, work_s=0.001, threads=2) as hands:
            crew = [hands.start() for _ in range(4)]
            queue.add("all", tasks(count))
            (tmp_path / OVER).touch()
            assert [hands.wait(process) for process in crew] == [0] * 4
        jobs = queue.jobs()
    assert sorted(marked(tmp_path)) == [(number, 1) for number in range(1, count + 1)]
    assert {job.state for job in jobs} == {"done"}
    assert len({job.worker for job in jobs}) > 1
    assert replayed(tmp_path) == {job.id: "done" for job in jobs}


@forked
def test_a_killed_process_gives_its_job_back_and_too_many_of_them_quarantine_it(tmp_path: Path):
    with Queue(tmp_path) as queue, Worker(tmp_path) as me, hands_at(tmp_path, work_s=60) as hands:
        (first,) = queue.add("poison", [task("x", retries=2)])
        for number in (1, 2, 3):
            process = hands.start()
            until = time.monotonic() + 20
            while queue.job(first.id).attempts < number and time.monotonic() < until:
                time.sleep(0.01)
            assert (queue.job(first.id).state, queue.job(first.id).orphaned) == ("running", False)
            assert hands.kill(process) == -9
            assert queue.job(first.id).orphaned
            assert queue.counts()["running"] == 1, "looking changes nothing"
        assert queue.take(me) is None
        job = queue.job(first.id)
        assert (job.state, job.attempts, job.error, job.orphaned) == ("quarantined", 3, ENDED, False)
        assert [(one.outcome, one.error) for one in queue.attempts(first.id)] == [("ended", ENDED)] * 3
        assert [job.state for job in queue.retry([first.id])] == ["waiting"]
        taken = queue.take(me)
        assert taken is not None
        assert (taken.attempts, taken.attempt) == (1, 4)


ADDS = """
import sys, time
from pathlib import Path
from gandream.run.jobs.queue import Queue
from gandream.run.jobs.records import Task
print("ready", flush=True)
sys.stdin.readline()
with Queue(Path(sys.argv[1])) as queue:
    print(*(job.id for job in queue.add("night", [Task(f"t{one}", "r.yaml", key="a") for one in range(30)])))
"""


def test_processes_that_start_at_once_make_one_queue_and_add_a_batch_once(tmp_path: Path):
    words = [sys.executable, "-c", ADDS, str(tmp_path)]
    crew = [subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [one.stdout and one.stdout.readline() for one in crew] == ["ready\n"] * 3
    for one in crew:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    said = [one.communicate()[0].split() for one in crew]
    assert said == [[str(number) for number in range(1, 31)]] * 3
    assert len(events(tmp_path)) == 30
    assert set(replayed(tmp_path).values()) == {"waiting"}


def test_connections_that_open_at_once_make_one_queue(tmp_path: Path):
    ready, results, errors = threading.Barrier(8), [], []

    def add() -> None:
        ready.wait()
        try:
            with Queue(tmp_path / "new") as queue:
                results.append([job.id for job in queue.add("night", tasks(10))])
        except Exception as error:
            errors.append(error)

    crew = [threading.Thread(target=add) for _ in range(8)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    assert errors == []
    assert results == [list(range(1, 11))] * 8
