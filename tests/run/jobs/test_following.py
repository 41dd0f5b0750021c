"""Looking on while others work at the queue."""

from __future__ import annotations

import sys
import threading
from itertools import islice
from pathlib import Path

import pytest
from hands import OVER, hands_at, tasks

from gandream.run.jobs.events import append
from gandream.run.jobs.folder import events_file
from gandream.run.jobs.following import log_pieces, watched
from gandream.run.jobs.queue import Queue, Worker


@pytest.mark.skipif(sys.platform == "win32", reason="its processes are forked")
def test_who_watches_sees_each_change_once_until_all_is_over(tmp_path: Path):
    with Queue(tmp_path) as queue, hands_at(tmp_path, work_s=0.002) as hands:
        queue.add("others", [])
        queue.add("b", tasks(20))
        views = watched(queue, "b", 0.01)
        first = next(views)
        assert (first.counts["waiting"], first.events, first.running, first.over) == (20, (), (), False)
        (tmp_path / OVER).touch()
        process = hands.start()
        seen = list(islice(views, 2000))
        assert hands.wait(process) == 0
    assert seen[-1].over
    assert seen[-1].counts["done"] == 20
    changes = [(one["job"], one["to"]) for view in seen for one in view.events]
    assert sorted(changes) == sorted((number, to) for number in range(1, 21) for to in ("running", "done"))


def test_only_the_batch_is_watched_also_in_a_new_file(tmp_path: Path):
    with Queue(tmp_path) as queue:
        queue.add("a", tasks(3))
        queue.add("b", tasks(2))
        views = watched(queue, "a", 0)
        next(views)
        append(tmp_path, event="of another kind")
        queue.cancel([1, 4, 5])
        assert [one["job"] for one in next(views).events] == [1]
        with open(events_file(tmp_path), "ab") as file:
            file.write(b'{"n": 99, "batch": "a"')  # half a line
        assert next(views).events == ()
        events_file(tmp_path).unlink()
        next(views)
        queue.cancel([2, 3])
        last = next(views)
        assert {2, 3} <= {one["job"] for one in last.events}
        assert last.over
        assert list(views) == []


def test_a_log_is_followed_to_the_end_of_its_job(tmp_path: Path):
    with Queue(tmp_path) as queue, Worker(tmp_path) as worker:
        queue.add("b", tasks(2))
        assert list(log_pieces(queue, 1)) == []
        job = queue.take(worker)
        assert job is not None
        log = Path(job.log)
        log.parent.mkdir()
        log.write_text("one\n")
        assert list(log_pieces(queue, 1)) == ["one\n"]
        said, more = [], threading.Event()

        def follow() -> None:
            for piece in log_pieces(queue, 1, follow=True, every_s=0.01):
                said.append(piece)
                more.set()

        looker = threading.Thread(target=follow)
        looker.start()
        assert more.wait(10)
        with open(log, "a") as file:
            file.write("two\n")
        queue.done(job, {})
        looker.join(10)
        assert not looker.is_alive()
    assert "".join(said) == "one\ntwo\n"
