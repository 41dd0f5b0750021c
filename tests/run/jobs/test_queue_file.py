"""The queue's file: one that isn't a queue, a newer one, a damaged one; and the files beside it."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import sqlite3
import threading
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from hands import events, replayed, task, tasks

from gandream.base.errors import GandreamError
from gandream.run.jobs import events as told
from gandream.run.jobs.events import append, beat
from gandream.run.jobs.folder import events_file, health_file, queue_file
from gandream.run.jobs.queue import Queue, Worker
from gandream.run.jobs.schema import VERSION


def refused(folder: Path, words: str) -> GandreamError:
    """What opening it says; the file stays as it is."""
    before = queue_file(folder).read_bytes()
    with pytest.raises(GandreamError, match=words) as caught:
        _use(folder)
    assert queue_file(folder).read_bytes() == before
    assert caught.value.where == str(queue_file(folder))
    assert "GANDREAM_JOBS" in caught.value.hint or "Move the file away" in caught.value.hint
    return caught.value


def _use(folder: Path) -> None:
    with Queue(folder) as queue:
        queue.jobs()
        queue.add("b", tasks(3))


def test_what_isnt_a_queue_is_left_as_it_is(tmp_path: Path):
    queue_file(tmp_path).write_text("my notes about films, which are longer than the header of a database\n" * 9)
    assert refused(tmp_path, "no queue of renders").exit_code == 2
    queue_file(tmp_path).unlink()
    with closing(sqlite3.connect(queue_file(tmp_path))) as other:
        other.execute("CREATE TABLE cats (name TEXT)")
        other.commit()
    assert refused(tmp_path, "another program's database").exit_code == 2


def test_a_newer_queue_is_left_as_it_is(tmp_path: Path):
    with Queue(tmp_path) as queue:
        queue.add("b", tasks(2))
    with closing(sqlite3.connect(queue_file(tmp_path))) as newer:
        newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    refused(tmp_path, f"its version is {VERSION + 1}, this one knows {VERSION}")


def test_a_damaged_queue_is_left_as_it_is(tmp_path: Path):
    with Queue(tmp_path) as queue:
        queue.add("b", tasks(500))
    content = bytearray(queue_file(tmp_path).read_bytes())
    content[4096:-4096] = random.Random(1).randbytes(len(content) - 8192)
    queue_file(tmp_path).write_bytes(content)
    assert refused(tmp_path, "the queue is damaged").exit_code == 1


def test_half_a_file_and_an_empty_one(tmp_path: Path):
    queue_file(tmp_path).touch()
    with Queue(tmp_path) as queue:
        queue.add("b", tasks(500))
    half = queue_file(tmp_path).read_bytes()[:20_000]
    queue_file(tmp_path).write_bytes(half)
    refused(tmp_path, "the queue is damaged")


def test_a_folder_that_cant_be_written(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(GandreamError, match="can't write here"):
        Queue(tmp_path / "file" / "jobs")


def test_a_disk_that_is_full_loses_nothing(tmp_path: Path):
    with Queue(tmp_path) as queue:
        queue.add("b", tasks(5))
        pages = queue._book.read("PRAGMA page_count")[0][0]
        queue._book.read(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(GandreamError, match="disk is full"):
            queue.add("c", tasks(2000))
        assert len(queue.jobs()) == 5
        queue._book.read("PRAGMA max_page_count = 1000000")
        assert len(queue.add("c", tasks(2000))) == 2000
    assert replayed(tmp_path) == dict.fromkeys(range(1, 2006), "waiting")


def test_an_events_file_that_cant_be_written_stops_nothing_and_is_made_up_for(tmp_path: Path, monkeypatch):
    with Queue(tmp_path) as queue, Worker(tmp_path) as worker:
        queue.add("b", tasks(2))

        def full(descriptor: int, content: bytes) -> int:
            raise OSError(errno.ENOSPC, "full")

        with monkeypatch.context() as patch:
            patch.setattr(told.os, "write", full)
            job = queue.take(worker)
            assert job is not None
            queue.done(job, {})
        assert len(events(tmp_path)) == 2
    with Queue(tmp_path):
        assert [one["to"] for one in events(tmp_path)] == ["waiting", "waiting", "running", "done"]
    assert replayed(tmp_path) == {1: "done", 2: "waiting"}


def test_half_a_line_that_a_kill_left_is_made_whole(tmp_path: Path):
    with Queue(tmp_path) as queue:
        queue.add("b", tasks(3))
    whole = events_file(tmp_path).read_bytes()
    events_file(tmp_path).write_bytes(whole[:-30])
    with Queue(tmp_path):
        assert events_file(tmp_path).read_bytes() == whole
    with open(events_file(tmp_path), "ab") as file:
        file.write(b'{"n": 4, "time": "2')
    with Queue(tmp_path) as queue:
        queue.cancel([1])
    assert replayed(tmp_path) == {1: "cancelled", 2: "waiting", 3: "waiting"}


def test_other_lines_between_ours_and_a_new_file(tmp_path: Path):
    with Queue(tmp_path) as queue:
        queue.add("b", tasks(2))
        append(tmp_path, event="batch started", path=Path("x"))
        queue.cancel([1])
        lines = [json.loads(line) for line in events_file(tmp_path).read_text().splitlines()]
        assert [one.get("n") for one in lines] == [1, 2, None, 3]
        assert (lines[2]["event"], lines[2]["path"]) == ("batch started", "x")
        shutil.move(events_file(tmp_path), tmp_path / "events.1.jsonl")  # as programs that rotate logs do
        queue.cancel([2])
        assert [json.loads(line)["n"] for line in events_file(tmp_path).read_text().splitlines()][-1] == 4


def test_an_event_says_what_when_and_whose(tmp_path: Path):
    with Queue(tmp_path) as queue, Worker(tmp_path) as worker:
        queue.add("night", [task("sea", retries=0)])
        job = queue.take(worker)
        assert job is not None
        queue.failed(job, "no such\nsong ☃")
    last = events(tmp_path)[-1]
    assert abs(datetime.fromisoformat(last.pop("time")).timestamp() - datetime.now().timestamp()) < 60
    assert last == {
        **{"n": 3, "batch": "night", "job": 1, "name": "sea", "from": "running", "to": "failed", "attempt": 1},
        **{"worker": job.worker, "error": "no such\nsong ☃"},
    }


def test_told_events_are_forgotten(tmp_path: Path):
    with Queue(tmp_path) as queue:
        queue.add("b", tasks(50))
        queue.cancel([1])
        queue.retry([1])
        assert queue._book.read("SELECT count(*) FROM outbox")[0][0] == 1, "those of the last change"
    assert len(events(tmp_path)) == 52


def test_a_sign_of_life_is_whole_whoever_writes_it(tmp_path: Path):
    stop, seen = threading.Event(), []

    def write(name: str) -> None:
        while not stop.is_set():
            beat(tmp_path, batch=name, waiting=7)

    crew = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    beat(tmp_path / "new" / "folder", x=1)
    beat(tmp_path, batch="a")
    for one in crew:
        one.start()
    for _ in range(100):
        seen.append(json.loads(health_file(tmp_path).read_text()))
    stop.set()
    for one in crew:
        one.join()
    assert {one["process"] for one in seen} == {os.getpid()}
    assert {one["batch"] for one in seen} <= {"a", "b"}
    assert datetime.fromisoformat(seen[-1]["time"]).tzinfo is not None
    assert list(tmp_path.glob(".*part*")) == []
    beat(tmp_path / "new" / "folder" / "health.json", x=1)  # where a file is in the way: nothing stops for it
