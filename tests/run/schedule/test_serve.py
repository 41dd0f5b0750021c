"""The scheduler, with real processes, a store on the disk, and a clock that the tests set."""

import json
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from served import COMMAND, UTC, Clock, Served

from gandream.base.errors import OutputError, RenderError
from gandream.base.locks import take
from gandream.run.batch.enqueue import locked
from gandream.run.schedule.errors import ScheduleError
from gandream.run.schedule.keeper import Keeper, health_file
from gandream.run.schedule.rhythm import Every
from gandream.run.schedule.runs import KEPT_LOGS, RUNS_ALREADY
from gandream.run.schedule.serve import is_served, once, serve
from gandream.run.schedule.store import Schedules, schedule_file

pytest.importorskip("apscheduler")


@pytest.fixture
def served(tmp_path, monkeypatch):
    found = Served(tmp_path, Clock(monkeypatch, "2026-11-23T00:30:00"))
    yield found
    found.end()


def test_a_run_begins_at_its_time_once_and_is_written_down(served):
    batch = served.put("night", "do", "0 1 * * *")
    served.start()
    served.rest()
    assert served.said() == []
    served.clock.set("2026-11-23T01:00:00")
    served.until(lambda: "done" in served.said())
    served.rest()
    assert served.said() == ["start", "done"]
    assert [word for word, _ in served.times(batch)] == ["begin", "end"]
    start, done = served.log()
    assert (start["state"], start["schedule"], start["due"]) == ("start", "night", "2026-11-23T01:00:00+00:00")
    assert (done["state"], done["status"], done["counts"], done["report"]) == ("done", 0, {"done": 2}, "r.html")
    kept = served.schedules.find(batch)
    assert (kept.state, kept.next) == ("done", datetime(2026, 11, 24, 1, tzinfo=UTC))


def test_a_clock_set_forward_by_a_day_means_one_run(served):
    batch = served.put("hourly", "do", "0 * * * *")
    served.start()
    served.rest()
    served.clock.set("2026-11-24T00:30:00")
    served.until(lambda: "done" in served.said())
    served.rest()
    assert served.said() == ["start", "done"]
    assert served.changes[0].due == datetime(2026, 11, 24, 0, tzinfo=UTC)
    assert served.schedules.find(batch).next == datetime(2026, 11, 24, 1, tzinfo=UTC)


def test_a_year_of_missed_minutes_is_gone_through_at_once(served):
    served.put("often", "do", "* * * * *")
    served.clock.set("2027-11-23T00:30:10")
    served.start()
    served.until(lambda: "done" in served.said(), 5)
    assert served.said() == ["start", "done"]


def test_a_clock_set_back_does_nothing_twice(served):
    batch = served.put("hourly", "do", "0 * * * *")
    served.start()
    served.clock.set("2026-11-23T01:00:00")
    served.until(lambda: "done" in served.said())
    served.clock.set("2026-11-23T00:10:00")
    served.rest()
    served.clock.set("2026-11-23T01:00:01")
    served.rest()
    assert served.said() == ["start", "done"]
    served.clock.set("2026-11-23T02:00:00")
    served.until(lambda: len(served.times(batch)) == 4)
    assert served.said()[:3] == ["start", "done", "start"]


def test_a_clock_that_was_a_year_ahead_does_not_stop_a_schedule_for_a_year(served):
    batch = served.put("night", "do", "0 1 * * *")
    served.start()
    served.clock.set("2027-11-23T01:00:00")
    served.until(lambda: "done" in served.said())
    served.clock.set("2026-11-23T00:30:00")
    served.until(lambda: "clock" in served.said())
    assert served.schedules.find(batch).next == datetime(2026, 11, 23, 1, tzinfo=UTC)
    served.clock.set("2026-11-23T01:00:00")
    served.until(lambda: len(served.times(batch)) == 4)
    served.until(lambda: served.said() == ["start", "done", "clock", "start", "done"])


@pytest.mark.parametrize(("shows", "said"), [("01:09:58", ["start", "done"]), ("01:10:05", ["missed"])])
def test_what_is_late_by_more_than_the_grace_time_is_missed(served, shows, said):
    batch = served.put("night", "do", "0 1 * * *", grace_s=600)
    served.clock.set(f"2026-11-23T{shows}")
    served.start()
    served.until(lambda: said[-1] in served.said())
    served.rest()
    assert served.said() == said
    assert served.schedules.find(batch).next == datetime(2026, 11, 24, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("night", "hours"),
    [
        ("2027-03-28", ["2027-03-28T01:00:00+00:00"]),
        pytest.param("2026-10-25", ["2026-10-25T00:30:00+00:00"], marks=pytest.mark.slow),
    ],
)
def test_a_night_on_which_clocks_are_set_has_one_run(served, night, hours):
    served.clock.set(f"{night}T00:10:00")
    served.put("night", "do", "30 2 * * *", zone="Europe/Berlin")
    served.start()
    for shows in ("00:29:59", "00:30:00", "00:59:59", "01:00:00", "01:30:00", "02:00:00", "02:30:00"):
        served.clock.set(f"{night}T{shows}")
        time.sleep(0.08)
    served.until(lambda: served.said() == ["start", "done"])
    assert [served.changes[0].due.astimezone(UTC).isoformat()] == hours


def test_no_run_beside_itself(served):
    go = served.films / "go"
    batch = served.put("long", f"wait {go}", "* * * * *")
    served.start()
    served.clock.set("2026-11-23T00:31:00")
    served.until(lambda: len(served.times(batch)) == 1)
    served.clock.set("2026-11-23T00:32:00")
    served.until(lambda: "skipped" in served.said())
    served.rest()
    assert served.said() == ["start", "skipped"]
    go.touch()
    served.until(lambda: "done" in served.said())
    assert [word for word, _ in served.times(batch)] == ["begin", "end"]


def test_two_batches_of_one_time_run_one_after_the_other(served):
    batches = [served.put(name, "do", "0 1 * * *") for name in ("a", "b", "c")]
    served.start()
    served.clock.set("2026-11-23T01:00:00")
    served.until(lambda: served.said().count("done") == 3)
    spans = sorted(tuple(at for _, at in served.times(batch)) for batch in batches)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert "waiting" in served.said()


def test_a_stop_parks_and_the_next_start_goes_on(served):
    go = served.films / "go"
    batch = served.put("long", f"wait {go}", "0 1 * * *")
    other = served.put("later", "do", "0 1 * * *")
    served.start()
    served.clock.set("2026-11-23T01:00:00")
    served.until(lambda: "begin" in [word for word, _ in served.times(batch)] or "done" in served.said("later"))
    served.until(lambda: len(served.times(batch)) == 1)
    served.end()
    assert served.said("long")[-1] == "parked"
    assert [word for word, _ in served.times(batch)] == ["begin", "parked"]
    assert served.schedules.find(batch).state == "parked"
    assert json.loads(health_file(served.folder).read_text())["state"] == "stopped"

    go.touch()
    served.start()
    served.until(lambda: served.said("long")[-1] == "done" and served.said("later")[-1] == "done")
    assert "goes on" in served.said("long")
    assert [word for word, _ in served.times(other)] == ["begin", "end"]
    assert served.schedules.find(batch).next == datetime(2026, 11, 24, 1, tzinfo=UTC)


def test_what_was_parked_longer_ago_than_the_grace_time_waits_for_its_next_time(served):
    batch = served.put("long", f"wait {served.films / 'go'}", "0 1 * * *", grace_s=600)
    served.start()
    served.clock.set("2026-11-23T01:00:00")
    served.until(lambda: len(served.times(batch)) == 1)
    served.end()
    served.clock.set("2026-11-23T05:00:00")
    served.start()
    served.until(lambda: "missed" in served.said())
    served.rest()
    assert len(served.times(batch)) == 2
    assert served.schedules.find(batch).next == datetime(2026, 11, 24, 1, tzinfo=UTC)


SERVE = """
import sys, threading
from pathlib import Path
from gandream.run.schedule import serve
serve.BEAT_S = 0.05
serve.serve(Path(sys.argv[1]), lambda change: print(change.state, flush=True), threading.Event(), sys.argv[2:])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_run_whose_scheduler_was_killed_goes_on(tmp_path):
    batch, go = tmp_path / "long.batch.yaml", tmp_path / "go"
    batch.write_text(f"wait {go}")
    schedules = Schedules(tmp_path / "jobs")
    begin = datetime.now(UTC) - timedelta(hours=1) + timedelta(seconds=1)
    schedules.put(batch, tmp_path, Every(3600, begin, ZoneInfo("UTC")), 3600, begin)
    served = Served(tmp_path, clock=None)
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(served.folder), *COMMAND], stdout=subprocess.DEVNULL)
    served.until(lambda: len(served.times(batch)) == 1, 15)
    assert is_served(served.folder)
    served.until(lambda: json.loads(health_file(served.folder).read_text())["running"] != {})
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not is_served(served.folder)
    go.touch()
    served.start()
    try:
        served.until(lambda: "done" in served.said())
        assert served.said() == ["goes on", "start", "done"]
    finally:
        served.end()


def test_one_process_serves_a_folder(served):
    served.put("night", "do", "0 1 * * *")
    served.start()
    served.until(lambda: health_file(served.folder).exists())
    assert is_served(served.folder)
    assert serve(served.folder, served.changes.append, served.stop) is False


def test_schedules_that_are_put_changed_and_removed_meanwhile(served):
    served.put("first", "do", "0 5 * * *")
    served.start()
    second = served.put("second", "do", "0 1 * * *")
    third = served.put("third", "do", "0 1 * * *")
    served.put("third", "do", "0 2 * * *")
    gone = served.put("gone", "do", "0 1 * * *")
    served.schedules.remove("gone")
    served.clock.set("2026-11-23T01:00:00")
    served.until(lambda: served.said("second") == ["start", "done"])
    served.rest()
    assert served.times(third) == served.times(gone) == []
    assert len(served.times(second)) == 2


@pytest.mark.parametrize(
    ("does", "state", "words"),
    [
        ("fail 1", "failed", "1 of 3 films failed"),
        ("refuse", "skipped", "running already"),
        ("crash", "failed", "ended by signal 9: out of luck"),
    ],
)
def test_runs_that_do_not_end_well(served, does, state, words):
    batch = served.put("night", does, "0 1 * * *")
    outcome = once(served.schedules.find(batch), served.folder, served.changes.append, lambda: False, COMMAND)
    assert (outcome.state, served.said()) == (state, ["start", state])
    assert words in outcome.error
    assert served.log()[-1]["error"] == outcome.error
    assert served.schedules.find(batch).state == ""


def test_a_batch_that_runs_already_says_what_is_taken_for_a_skip(tmp_path):
    lock = take(tmp_path / "night.batch.lock")
    assert lock is not None
    with pytest.raises(RenderError) as caught:
        locked(tmp_path, "night")
    lock.release()
    assert RUNS_ALREADY in caught.value.problem


def test_a_batch_that_crashes_is_told_to_its_own_hooks(served):
    write = "import sys, os; open('told', 'w').write(sys.stdin.read() + os.environ['GANDREAM_EVENT'])"
    words = json.dumps([sys.executable, "-c", write])
    batch = served.put("night", f"# crash\nrecipes: [a.yaml]\non_failure: [{words}, [/no/such/program]]\n", "0 1 * * *")
    once(served.schedules.find(batch), served.folder, served.changes.append, lambda: False, COMMAND)
    told, said = (served.films / "told").read_text().rsplit("}", 1)
    assert said == "failure"
    assert "ended by signal 9: out of luck" in json.loads(told + "}")["error"]
    assert served.said() == ["start", "failed", "note"]
    assert "/no/such/program: can't be run" in served.changes[-1].facts["error"]


def test_who_waits_for_a_turn_goes_on_after_a_crash(served):
    go = served.films / "go"
    batches = [served.put(name, f"wait {go}", "0 1 * * *") for name in ("a", "b")]
    served.start()
    served.clock.set("2026-11-23T01:00:00")
    served.until(lambda: sorted(one.state for one in served.schedules.all()) == ["running", "waiting"])
    served.until(lambda: any(served.times(batch) for batch in batches))
    rows = [(one.state, one.due, one.seen, one.name) for one in served.schedules.all()]
    served.end()
    with sqlite3.connect(schedule_file(served.folder)) as base:  # as a power cut would have left them
        base.executemany("UPDATE schedules SET state = ?, due = ?, seen = ? WHERE name = ?", rows)
    go.touch()
    served.changes.clear()
    served.start()
    served.until(lambda: served.said().count("done") == 2)
    assert served.said().count("goes on") == 2


def test_the_hooks_of_a_batch_tell_what_it_can_not_tell_itself(served):
    write = "import sys; open('told', 'a').write(sys.stdin.read() + '\\n')"
    hooks = f"recipes: [a.yaml]\non_failure: [{json.dumps(sys.executable)}, -c, {json.dumps(write)}]\n"
    batch = served.put("night", f"# do\n{hooks}", "0 1 * * *", grace_s=60)
    served.start()
    served.until(lambda: health_file(served.folder).exists())
    batch.write_text("# crash\nrecipes: [\n")  # it can't be read any more; its hooks were
    served.clock.set("2026-11-23T01:00:00")
    told = served.films / "told"
    served.until(lambda: told.exists() and told.read_text().endswith("\n"))
    served.rest()
    served.clock.set("2026-11-24T01:30:00")
    served.until(lambda: "missed" in served.said())
    served.until(lambda: told.read_text().count("\n") == 2)
    failed, missed = [json.loads(line) for line in told.read_text().splitlines()]
    assert [(one["event"], one["state"]) for one in (failed, missed)] == [("failure", "failed"), ("failure", "missed")]
    assert "out of luck" in failed["error"]
    assert missed["due"] == "2026-11-24T01:00:00+00:00"
    assert "late; 1 min are allowed" in missed["error"]


def test_a_run_that_was_stopped_too_long_ago_is_told_too(served):
    hooks = f"on_failure: [{json.dumps(sys.executable)}, -c, \"open('told', 'w')\"]\n"
    batch = served.put("night", f"recipes: [a.yaml]\n{hooks}", "0 1 * * *", grace_s=60)
    served.schedules.set_state("night", "parked", seen=served.clock.now().timestamp() - 3600)
    served.start()
    served.until(lambda: (served.films / "told").exists())
    served.end()
    assert served.said() == ["missed"]
    assert served.times(batch) == []


def test_whoever_stops_reading_stops_no_film(served):
    def gone(change):
        raise BrokenPipeError

    batch = served.put("night", "do", "0 1 * * *")
    kept = served.schedules.find(batch)
    assert once(kept, served.folder, gone, lambda: False, COMMAND).state == "done"
    assert [one["state"] for one in served.log()] == ["start", "done"]


def test_a_store_that_can_not_be_read_at_a_run_s_time_loses_no_run(served):
    batch = served.put("night", "do", "0 1 * * *")
    kept = served.schedules.find(batch)
    schedule_file(served.folder).write_bytes(b"this is no database, and it is long enough to be seen as none" * 40)
    keeper = Keeper(served.schedules, served.changes.append, lambda: False, COMMAND)
    keeper.due(kept, served.clock.now())
    assert served.said() == ["trouble", "start", "done"]
    assert [one["state"] for one in served.log()] == ["trouble", "start", "done"]
    assert len(served.times(batch)) == 2


def test_logs_of_long_ago_go_with_what_killed_runs_left(served):
    batch = served.put("night", "do", "0 1 * * *")
    logs = served.folder / "logs"
    logs.mkdir()
    for day in range(1, 28):
        for end in ("log", "json"):
            (logs / f"schedule-night-202501{day:02d}-030000.{end}").write_text("")
    (logs / "schedule-night-2-20240101-030000.log").write_text("of another")
    once(served.schedules.find(batch), served.folder, served.changes.append, lambda: False, COMMAND)
    left = sorted(path.name for path in logs.iterdir())
    assert len([name for name in left if name.endswith(".log")]) == KEPT_LOGS + 1
    assert len([name for name in left if name.endswith(".json")]) == KEPT_LOGS - 1
    assert left[0] == "schedule-night-2-20240101-030000.log"


def test_a_folder_that_is_gone_is_a_failed_run_and_the_scheduler_lives(served):
    batch = served.put("night", "do", "0 1 * * *")
    away = served.films / "away"
    kept = served.schedules.find(batch)
    served.schedules.put(batch, away, kept.rhythm, 3600, served.clock.now())
    served.start()
    served.clock.set("2026-11-23T01:00:00")
    served.until(lambda: "failed" in served.said())
    assert "can't be run" in served.changes[-1].facts["error"]
    away.mkdir()
    served.clock.set("2026-11-24T01:00:00")
    served.until(lambda: "done" in served.said())


def test_a_sign_of_life(served):
    batch = served.put("long", f"wait {served.films / 'go'}", "0 1 * * *")
    served.start()
    served.until(lambda: health_file(served.folder).exists())
    first = json.loads(health_file(served.folder).read_text())
    assert (first["state"], first["process"], first["running"]) == ("serving", os.getpid(), {})
    assert first["next"] == {"long": "2026-11-23T01:00:00+00:00"}
    served.clock.set("2026-11-23T01:00:00")
    served.until(lambda: len(served.times(batch)) == 1)
    served.until(lambda: "long" in json.loads(health_file(served.folder).read_text())["running"])
    assert json.loads(health_file(served.folder).read_text())["seconds"] > first["seconds"]


def test_a_store_that_can_not_be_written_begins_nothing_again_and_again(served, monkeypatch):
    batch = served.put("night", "do", "0 1 * * *")
    real = Schedules.set_next

    def full(*words, **more):
        raise OutputError("schedule.sqlite3", "can't be read or written: database or disk is full")

    served.start()
    served.until(lambda: health_file(served.folder).exists())
    monkeypatch.setattr(Schedules, "set_next", full)
    served.clock.set("2026-11-23T01:00:00")
    served.until(lambda: "done" in served.said("night"))
    served.rest()
    assert served.said().count("trouble") == 1
    assert len(served.times(batch)) == 2
    monkeypatch.setattr(Schedules, "set_next", real)
    served.clock.set("2026-11-24T01:00:00")
    served.until(lambda: len(served.times(batch)) == 4)


class Evil:
    def __reduce__(self):
        return (os.mkdir, (os.environ["EVIL"],))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("batch", "relative.yaml"),
        ("folder", pickle.dumps("x")),
        ("cron", "0 0 31 2 *"),
        ("cron", "__import__('os').system('x')"),
        ("zone", "../../etc/passwd"),
        ("next", "soon"),
        ("next", 1e300),
        ("grace", b"\0"),
        ("name", "../../x"),
    ],
)
def test_a_row_that_somebody_else_wrote_is_left_out_and_said(served, column, value):
    served.put("good", "do", "0 1 * * *")
    served.put("bad", "do", "0 1 * * *")
    with sqlite3.connect(schedule_file(served.folder)) as base:
        base.execute(f"UPDATE schedules SET {column} = ? WHERE name = 'bad'", (value,))
    broken: list[str] = []
    assert [one.name for one in served.schedules.all(broken)] == ["good"]
    assert len(broken) == 1


def test_a_row_that_somebody_else_wrote_stops_no_other(served):
    served.put("good", "do", "0 1 * * *")
    served.put("bad", "do", "0 1 * * *")
    with sqlite3.connect(schedule_file(served.folder)) as base:
        base.execute("UPDATE schedules SET cron = '0 0 31 2 *' WHERE name = 'bad'")
    served.start()
    served.clock.set("2026-11-23T01:00:00")
    served.until(lambda: served.said() == ["start", "done"])


def test_nothing_in_the_store_is_ever_unpickled(served, monkeypatch):
    monkeypatch.setenv("EVIL", str(served.films / "evil"))
    batch = served.put("bad", "do", "0 1 * * *")
    evil = pickle.dumps(Evil())
    for column in ("folder", "cron", "zone", "state", "since"):
        with sqlite3.connect(schedule_file(served.folder)) as base:
            base.execute(f"UPDATE schedules SET {column} = ?", (evil,))
        served.schedules.all([])
    assert not (served.films / "evil").exists()
    assert not batch.with_suffix(".log").exists()


def test_a_store_that_is_none_says_so(tmp_path):
    (tmp_path / "schedule.sqlite3").write_bytes(b"this is no database, and it is long enough to be seen as none" * 40)
    with pytest.raises(OutputError, match="Move it away"):
        Schedules(tmp_path).all()
    assert Schedules(tmp_path / "nowhere").all() == []


def test_two_batches_of_one_name_and_one_batch_put_twice(served):
    first = served.put("night", "do", "0 1 * * *")
    (served.films / "other").mkdir()
    kept = served.schedules.find(first)
    second, before = served.schedules.put(
        served.films / "other" / "night.batch.yaml", served.films, kept.rhythm, 3600, served.clock.now()
    )
    assert (second.name, before) == ("night-2", False)
    again, before = served.schedules.put(first, served.films, kept.rhythm, 60, served.clock.now())
    assert (again.name, before, again.grace_s) == ("night", True, 60)
    with pytest.raises(ScheduleError, match="Did you mean 'night'"):
        served.schedules.find(first.with_name("nigth"))
