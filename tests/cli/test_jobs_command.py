"""``gandream jobs``: the queue as people and programs see it."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gandream.cli.complete import candidates
from gandream.cli.main import app
from gandream.run.jobs.folder import jobs_folder
from gandream.run.jobs.queue import Queue, Worker
from gandream.run.jobs.records import ENDED, Job, Task


@pytest.fixture(autouse=True)
def nowhere(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own."""
    monkeypatch.delenv("GANDREAM_JOBS", raising=False)


def taken(queue: Queue, worker: Worker) -> Job:
    job = queue.take(worker)
    assert job is not None
    return job


@pytest.fixture
def queue(here: Path) -> Iterator[Queue]:
    """Six jobs: done, failed, quarantined, orphaned, waiting, cancelled; and one of another batch."""
    with Queue(jobs_folder(here / "outputs")) as queue:
        asked = Task("sea", str(here / "sea.yaml"), retries=0, group="cppn#7")
        odd = {"device": "cpu", "said": [], "force": False, "frames": None}
        asked = replace(asked, options=odd)
        films = [replace(asked, name=f"sea-{n}", out=str(here / f"outputs/sea-{n}.mp4")) for n in range(6)]
        queue.add("night", [replace(films[0], overrides=("seed=1", "video.crf=20")), *films[1:]])
        with Worker(queue.folder) as worker:
            queue.done(taken(queue, worker), {"seconds": 3.25, "films": ["a.mp4", "b.mp4"]})
            queue.failed(taken(queue, worker), "sea.yaml:3:1  audio = x.mp3\n  no such \x1b[31mfile\n  Did you?")
            taken(queue, worker)
        with Worker(queue.folder) as worker:
            taken(queue, worker)
        queue.cancel([6])
        queue.add("day", [replace(asked, name="sun")])
        yield queue


def test_the_list(gandream, queue: Queue, here: Path):
    said = gandream("jobs")
    assert (said.status, said.err) == (0, "")
    rows = [re.split(r" {2,}", line.strip()) for line in said.out.splitlines()]
    assert rows[0] == ["job", "batch", "render", "state", "tried", "took"]
    assert rows[1] == ["1", "night", "sea-0", "done", "1 of 1", "0 s", "outputs/sea-0.mp4"]
    assert rows[2][:5] == ["2", "night", "sea-1", "failed", "1 of 1"]
    assert " ".join(rows[2][6:]) == "sea.yaml:3:1 audio = x.mp3: no such \\u001b[31mfile: Did you?"
    assert [rows[3][3], rows[3][-1]] == ["quarantined", ENDED]
    assert rows[4][3:] == ["orphaned", "1 of 1", "its process is no more; it waits to be taken again"]
    assert rows[5] == ["5", "night", "sea-4", "waiting"]
    assert rows[6][:4] == ["6", "night", "sea-5", "cancelled"]
    assert rows[7] == ["7", "day", "sun", "waiting"]
    totals = "2 waiting, 1 running, 1 done, 1 failed, 1 cancelled, 1 quarantined"
    assert said.out.splitlines()[-1] == f"{totals}, in {Path('outputs/.gandream/jobs')}"
    assert gandream("jobs", "list").out == said.out
    assert gandream("jobs", "-q").out == said.out
    of_day = gandream("jobs", "--batch", "day").out.splitlines()
    assert of_day[0].split() == ["job", "render", "state", "tried", "took"]
    assert [line.split()[:3] for line in of_day[1:2]] == [["7", "sun", "waiting"]]
    assert of_day[-1].startswith("1 waiting, in ")
    few = gandream("jobs", "--state", "failed", "--state", "quarantined").out.splitlines()
    assert [line.split()[0] for line in few] == ["job", "2", "3", "2"]
    assert gandream("jobs", "list", "--folder", here / "outputs").out == said.out


def test_the_list_for_programs(gandream, queue: Queue, here: Path):
    found = json.loads(gandream("jobs", "--json").out)
    assert found["queue"] == str(Path("outputs/.gandream/jobs/queue.sqlite3"))
    assert found["counts"]["quarantined"] == 1
    first, fourth = found["jobs"][0], found["jobs"][3]
    assert [one["state"] for one in found["jobs"]][:3] == ["done", "failed", "quarantined"]
    assert (fourth["state"], fourth["orphaned"]) == ("running", True)
    told = {name: first[name] for name in ("id", "batch", "name", "set", "attempts", "figures", "error")}
    assert told == {
        **{"id": 1, "batch": "night", "name": "sea-0", "set": ["seed=1", "video.crf=20"], "attempts": 1},
        **{"figures": {"seconds": 3.25, "films": ["a.mp4", "b.mp4"]}, "error": ""},
    }
    assert first["created"] <= first["started"] <= first["finished"]
    one = json.loads(gandream("jobs", "show", "2", "--json").out)
    assert [(each["number"], each["outcome"]) for each in one["tries"]] == [(1, "failed")]


def test_all_about_one(gandream, queue: Queue, here: Path):
    said = gandream("jobs", "show", "1").out
    assert said.startswith("job 1  night: sea-0\n  state    done\n  tried    1 of 1 times\n  recipe   sea.yaml\n")
    for line in (
        "changed  seed=1, video.crf=20",
        "film     outputs/sea-0.mp4",
        "group    cppn#7",
        "options  device=cpu",
        "seconds  3.25",
    ):
        assert f"\n  {line}\n" in said
    assert "\n  films    a.mp4\n           b.mp4\n" in said
    assert "error" not in said
    failed = gandream("jobs", "show", "2").out
    assert (
        "\n  error    sea.yaml:3:1  audio = x.mp3\n           no such \\u001b[31mfile\n           Did you?\n" in failed
    )
    assert re.search(r"\n\ntries\n  1  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d +0 s  failed\n", failed)
    assert "(its process is no more; it waits to be taken again)" in gandream("jobs", "show", "4").out
    waiting = gandream("jobs", "show", "5").out
    assert "tried    not yet" in waiting
    assert "tries\n" not in waiting


def test_cancel(gandream, queue: Queue):
    said = gandream("jobs", "cancel", 5, 1, 5)
    assert (said.status, said.err) == (0, "")
    assert said.out == "5  night: sea-4: cancelled\n1  night: sea-0: done already, left as it is\n"
    assert gandream("jobs", "cancel", "--batch", "night").out == "4  night: sea-3: cancelled\n"
    again = gandream("jobs", "cancel", "--batch", "night")
    assert (again.status, again.out, again.err) == (0, "", "nothing waits or runs there\n")
    assert queue.counts("night")["cancelled"] == 3
    assert json.loads(gandream("jobs", "cancel", "7", "--json").out)["jobs"][0]["state"] == "cancelled"


def test_retry(gandream, queue: Queue):
    assert gandream("jobs", "retry", "--batch", "night").out == "2  night: sea-1: waiting\n3  night: sea-2: waiting\n"
    assert gandream("jobs", "retry", "--batch", "night").err == "nothing failed there\n"
    said = gandream("jobs", "retry", 6, 4, 1, 5).out.splitlines()
    assert said == [
        "6  night: sea-5: waiting",
        "4  night: sea-3: waiting",
        "1  night: sea-0: done already, left as it is",
        "5  night: sea-4: waiting already, left as it is",
    ]
    assert queue.counts("night")["waiting"] == 5


def test_logs(gandream, queue: Queue):
    said = gandream("jobs", "logs", 1)
    assert (said.status, said.out, said.err) == (0, "", "job 1 is done; it said nothing\n")
    log = Path(queue.job(1).log)
    log.parent.mkdir()
    log.write_bytes(b"rendering\n\x1b[2Jframe\t1\nna\xefve\n")
    for words in (("logs", 1), ("logs", 1, "--follow"), ("logs", "-f", 1)):
        said = gandream("jobs", *words)
        assert (said.status, said.out, said.err) == (0, "rendering\n\\u001b[2Jframe       1\nna�ve\n", "")


def test_watch_ends_with_the_queue_and_tells_each_change_in_a_line(gandream, queue: Queue):
    queue.cancel([7])

    def work() -> None:
        time.sleep(0.3)
        with Queue(queue.folder) as other, Worker(queue.folder) as worker:
            first, second = taken(other, worker), taken(other, worker)
            other.done(first, {})
            other.failed(second, "broken:\n  it is", again=False)

    queue.retry([4])
    hand = threading.Thread(target=work)
    hand.start()
    said = gandream("jobs", "watch", "--batch", "night")
    hand.join()
    assert (said.status, said.err) == (0, "")
    *lines, last = said.out.splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d  \d  night: sea-\d: ", line) for line in lines)
    assert [line[10:] for line in lines] == [
        "4  night: sea-3: waiting → running",
        "5  night: sea-4: waiting → running",
        "4  night: sea-3: running → done",
        "5  night: sea-4: running → failed  broken: it is",
    ]
    assert last == "2 done, 2 failed, 1 cancelled, 1 quarantined"


NO_QUEUE = {
    "jobs": "nothing was queued in outputs/.gandream/jobs\n",
    "jobs --state done": "nothing was queued in outputs/.gandream/jobs\n",
}


def test_where_there_is_no_queue(gandream, here: Path):
    for words, out in NO_QUEUE.items():
        said = gandream(*words.split())
        assert (said.status, said.out, said.err) == (0, out, "")
    assert json.loads(gandream("jobs", "--json").out)["jobs"] == []
    for words in ("show 1", "cancel 1", "retry --batch x", "logs 1", "watch"):
        said = gandream("jobs", *words.split())
        assert (said.status, said.out) == (2, "")
        assert "there is no queue here\n  gandream batch makes one" in said.err
    assert gandream("jobs", "--folder", "fimls").status == 2
    assert list(here.iterdir()) == [], "looking makes nothing"


MISTAKES = {
    "show 99": ("queue.sqlite3", "there is no job 99", "The nearest is 7. All are listed by: gandream jobs"),
    "cancel 5 99": ("queue.sqlite3", "there is no job 99", "The nearest is 7. All are listed by: gandream jobs"),
    "retry 0": ("queue.sqlite3", "there is no job 0", "The nearest is 1. All are listed by: gandream jobs"),
    "logs 1000000000000000000000": ("queue.sqlite3", "there is no job 1000000000000000000000", "The nearest is 7."),
    "list --batch nigth": ("--batch nigth", "there is no batch of this name in the queue", "Did you mean 'night'?"),
    "watch --batch x": ("--batch x", "there is no batch of this name in the queue", "There are: night, day."),
    "list --state faild": ("gandream jobs list --state", "'faild' is no state; wanted", "gandream jobs list --help"),
    "cancel": ("gandream jobs cancel", "nothing says which jobs; wanted their numbers, or --batch", "cancel --help"),
    "retry 1 --batch night": ("gandream jobs retry", "these jobs, or all of a batch? Leave one out", "retry --help"),
    "show two": ("gandream jobs show", "'two' is no number of a job", "jobs show --help"),
    "lst": ("gandream jobs lst", "", "list"),
}


@pytest.mark.parametrize("words", MISTAKES)
def test_mistakes(gandream, queue: Queue, words: str):
    before = queue.jobs()
    said = gandream("jobs", *words.split())
    where, problem, hint = MISTAKES[words]
    assert (said.status, said.out) == (2, "")
    first, *rest = said.err.splitlines()
    assert where in first
    assert problem in rest[0]
    assert hint in "\n".join(rest)
    assert queue.jobs() == before


def test_help_is_asked_for_the_group(gandream):
    assert gandream("jobs", "--help").out.startswith("gandream jobs COMMAND ...")
    assert gandream("jobs", "-q", "list", "-h").out.startswith("gandream jobs list [options]")


def test_completion_knows_jobs_and_batches(queue: Queue):
    def texts(*words: str) -> list[str]:
        return [one.text for one in candidates(app, ["jobs", *words])]

    assert texts("show", "") == [str(number) for number in range(1, 8)]
    assert texts("cancel", "1", "") == texts("show", "")
    assert texts("list", "--batch", "") == ["day", "night"]
    assert texts("list", "--state", "d") == ["done"]
    assert {one.text: one.about for one in candidates(app, ["jobs", "logs", "2"])} == {"2": "sea-1: failed"}


def test_completion_says_nothing_where_there_is_no_queue(here: Path):
    assert candidates(app, ["jobs", "show", ""]) == []
    folder = jobs_folder()
    folder.mkdir(parents=True)
    (folder / "queue.sqlite3").write_text("no database" * 200)
    assert candidates(app, ["jobs", "show", ""]) == []
