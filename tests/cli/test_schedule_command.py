"""`gandream schedule`: what is kept, shown and printed, and a process that serves until it is stopped."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gandream.base.locks import take
from gandream.run.schedule.cron import parse_cron
from gandream.run.schedule.rhythm import ByCron, upcoming

BATCH = "recipes: [look.yaml]\nvary: {seed: [1, 2]}\n"
LOOK = "model: cppn#7\nvideo: {size: 32, fps: 10, duration: 0.2, preset: ultrafast}\n"
JOBS = Path("outputs/.gandream/jobs")


@pytest.fixture(autouse=True)
def batch(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small batch, on a machine in Berlin."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    monkeypatch.delenv("GANDREAM_JOBS", raising=False)
    (here / "look.yaml").write_text(LOOK)
    (here / "night.batch.yaml").write_text(BATCH)
    return here / "night.batch.yaml"


def until(done: Callable[[], bool], longest_s: float = 60) -> None:
    end = time.monotonic() + longest_s
    while not done():
        assert time.monotonic() < end, f"not within {longest_s} s"
        time.sleep(0.02)


def test_next_runs(gandream):
    begin = datetime.now(timezone.utc)
    said = gandream("schedule", "night.batch.yaml", "--cron", "30 2 * * SUN", "--next", "60", "--json")
    rhythm = ByCron(parse_cron("30 2 * * SUN"), ZoneInfo("Europe/Berlin"))
    [found] = json.loads(said.out)
    assert found["schedule"] == "night"
    assert [datetime.fromisoformat(one) for one in found["next"]] == upcoming(rhythm, begin, 60)
    said = gandream("schedule", "night.batch.yaml", "--cron", "30 2 * * SUN", "--next", "60")
    lines = said.out.splitlines()
    assert len(lines) == 60
    assert all(line.startswith("Sun ") for line in lines)
    assert 1 <= sum("03:00 CEST  (clocks are set forward over its time)" in line for line in lines) <= 2
    assert 1 <= sum("02:30 CEST  (clocks are set back: the first of two)" in line for line in lines) <= 2
    assert not JOBS.exists()


def test_kept_shown_and_forgotten(gandream, batch: Path):
    said = gandream("schedule", "night.batch.yaml", "--cron", "0 3 * * *", "--add")
    assert (said.status, said.out) == (0, "")
    assert "kept: night, 0 3 * * * Europe/Berlin; first on " in said.err
    said = gandream("schedule", "night.batch.yaml", "--every", "6h", "--grace", "90 min", "--add", "--json")
    assert json.loads(said.out)["times"] == "every 6 h"
    listed = json.loads(gandream("schedule", "--list", "--json").out)
    assert listed["served"] is False
    [one] = listed["schedules"]
    assert (one["name"], one["batch"], one["grace_s"], one["last"]) == ("night", str(batch), 5400, None)
    said = gandream("schedule", "--list")
    assert said.out.splitlines()[0].split() == ["name", "times", "next", "last", "batch"]
    assert "No scheduler runs" in said.err
    assert gandream("schedule", "--next", "2").out.count("\n") == 2
    assert gandream("schedule", "night", "--next", "2").out.count("\n") == 2
    said = gandream("schedule", "--remove", "night.batch.yaml")
    assert (said.status, said.err) == (0, "forgotten: night\n")
    assert json.loads(gandream("schedule", "--list", "--json").out)["schedules"] == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["night.batch.yaml", "--cron", "0 0 31 2 *"], ["never fires", "February has no day 31"]),
        (["night.batch.yaml", "--cron", "0 25 * * *"], ["hour = 25", "wanted 0 to 23"]),
        (["night.batch.yaml", "--cron", "0 3 * * *", "--tz", "Europe/Berln"], ["Did you mean 'Europe/Berlin'?"]),
        (["night.batch.yaml", "--cron", "0 3 * * *", "--grace", "soon"], ["--grace soon", "wanted a time"]),
        (["night.batch.yaml", "--cron", "0 3 * * *", "--grace", "60 days"], ["30 days at most"]),
        (["night.batch.yaml", "--every", "5s"], ["a minute or longer"]),
        (["night.batch.yaml", "--every", "often"], ["--every often", "wanted a time"]),
        (["nigth.batch.yaml", "--cron", "0 3 * * *"], ["no such file", "Did you mean 'night.batch.yaml'?"]),
        ([".", "--cron", "0 3 * * *"], ["this is a folder"]),
        (["broken.batch.yaml", "--cron", "0 3 * * *"], ["broken.batch.yaml:1:1", "recipes"]),
        (["night.batch.yaml"], ["has no schedule", "--cron"]),
        (["--remove", "night.batch.yaml"], ["has no schedule"]),
        ([], ["nothing is kept"]),
        (["--cron", "0 3 * * *"], ["wanted a batch file"]),
        (["night.batch.yaml", "--cron", "0 3 * * *", "--every", "6h"], ["two rhythms"]),
        (["night.batch.yaml", "--cron", "0 3 * * *", "--next", "3", "--once"], ["give one"]),
        (["--list", "--every", "6h", "night.batch.yaml"], ["needs no times"]),
        (["night.batch.yaml", "--tz", "UTC"], ["wants --cron or --every"]),
        (["night.batch.yaml", "--add"], ["wants --cron or --every"]),
        (["night.batch.yaml", "--grace", "2h"], ["wants --cron or --every"]),
        (["night.batch.yaml", "--every", "6h", "--grace", "2h", "--crontab"], ["--crontab keeps nothing"]),
        (["night.batch.yaml", "--every", "7 min", "--crontab"], ["cron has no words for it", "--systemd"]),
    ],
)
def test_bad_input_is_told_and_nothing_is_kept(gandream, here: Path, words, told):
    (here / "broken.batch.yaml").write_text("recipes: []\n")
    said = gandream("schedule", *words)
    assert (said.status, said.out) == (2, ""), said.err
    for word in told:
        assert word in said.err
    assert "Traceback" not in said.err
    assert json.loads(gandream("schedule", "--list", "--json").out)["schedules"] == []


def test_texts_for_other_schedulers(gandream, here: Path):
    cron = ("night.batch.yaml", "--cron", "0 3 * * 1-5")
    said = gandream("schedule", *cron, "--systemd")
    assert "# ~/.config/systemd/user/gandream-night.service\n[Unit]\n" in said.out
    assert "\nOnCalendar=Mon..Fri *-*-* 03:00:00 Europe/Berlin\n" in said.out
    assert f"WorkingDirectory={here}\n" in said.out
    assert "systemctl --user enable --now gandream-night.timer" in said.err
    files = json.loads(gandream("schedule", *cron, "--systemd", "--json").out)["files"]
    assert all(text in said.out for text in files.values())
    said = gandream("schedule", *cron, "--crontab")
    assert said.out.splitlines()[1].startswith(f"0 3 * * 1-5 cd {here} && PATH=")
    assert said.err == ""
    said = gandream("schedule", *cron, "--crontab", "--tz", "Asia/Tokyo")
    assert said.out.splitlines()[1] == "CRON_TZ=Asia/Tokyo"
    assert "note: cronie and others go by CRON_TZ" in said.err
    assert not JOBS.exists()


@pytest.mark.slow
def test_a_batch_that_runs_already_is_skipped(gandream, here: Path):
    JOBS.mkdir(parents=True)
    lock = take(JOBS / "night.batch.lock")
    assert lock is not None
    said = gandream("schedule", "night.batch.yaml", "--once", "--json")
    lock.release()
    assert said.status == 1
    start, skipped = [json.loads(line) for line in said.out.splitlines()]
    assert (start["state"], skipped["state"]) == ("start", "skipped")
    assert "running already" in skipped["error"]


def test_without_apscheduler_it_says_what_to_install_and_keeps_nothing(gandream, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("apscheduler")]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "apscheduler", None)
    monkeypatch.delitem(sys.modules, "gandream.run.schedule.machinery", raising=False)
    said = gandream("schedule", "night.batch.yaml", "--cron", "0 3 * * *")
    assert said.status == 2
    assert "isn't installed" in said.err
    assert "pip install 'gandream[schedule]'" in said.err
    assert not JOBS.exists()
    assert gandream("schedule", "night.batch.yaml", "--cron", "0 3 * * *", "--systemd").status == 0


def test_a_schedule_that_can_not_be_read_is_said_and_can_be_forgotten(gandream):
    gandream("schedule", "night.batch.yaml", "--cron", "0 3 * * *", "--add")
    with sqlite3.connect(JOBS / "schedule.sqlite3") as base:
        base.execute("UPDATE schedules SET zone = 'Mars/Olympus'")
    said = gandream("schedule", "--list")
    assert (said.status, said.out) == (0, "")
    assert "note: schedule 'night' in " in said.err
    assert gandream("schedule", "night", "--remove").status == 0
    assert gandream("schedule", "night", "--remove").status == 2


@pytest.mark.slow
def test_once_of_another_file_of_the_same_name_leaves_what_is_kept(gandream, here: Path):
    gandream("schedule", "night.batch.yaml", "--cron", "0 3 * * *", "--add")
    (here / "other").mkdir()
    (here / "other" / "night.batch.yaml").write_text(BATCH.replace("look.yaml", "nothing.yaml"))
    said = gandream("schedule", "other/night.batch.yaml", "--once", "--json")
    assert said.status == 1
    assert [json.loads(line)["schedule"] for line in said.out.splitlines()] == ["night-2", "night-2"]
    [kept] = json.loads(gandream("schedule", "--list", "--json").out)["schedules"]
    assert (kept["name"], kept["last"]) == ("night", None)


def serving(here: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "gandream", "schedule", *words],
        cwd=here,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="a signal to a process")
@pytest.mark.parametrize(
    ("numbers", "status"),
    [
        pytest.param([signal.SIGINT], 130, marks=pytest.mark.slow),
        pytest.param([getattr(signal, "SIGHUP", 1)], 129, marks=pytest.mark.slow),
        ([signal.SIGTERM, signal.SIGTERM], 143),
    ],
)
def test_a_process_serves_until_it_is_stopped(gandream, here: Path, numbers, status):
    pytest.importorskip("apscheduler")
    process = serving(here, "night.batch.yaml", "--cron", "0 3 1 1 *")
    until(lambda: (JOBS / "schedule.health.json").exists())
    assert json.loads(gandream("schedule", "--list", "--json").out)["served"] is True
    said = gandream("schedule", "night.batch.yaml", "--cron", "0 4 1 1 *")
    assert (said.status, "A scheduler runs here already" in said.err) == (0, True)
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.01)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (status, "")
    assert "night: 0 3 1 1 * Europe/Berlin, next on " in err
    assert "the same command goes on from there" in err
    assert json.loads((JOBS / "schedule.health.json").read_text())["state"] == "stopped"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a signal to a process")
def test_a_batch_is_rendered_parked_and_goes_on(here: Path):
    (here / "look.yaml").write_text(LOOK.replace("size: 32", "size: 96").replace("duration: 0.2", "duration: 60"))
    process = serving(here, "night.batch.yaml", "--once")
    segments = here / "outputs/.gandream/segments"
    until(lambda: segments.exists() and len(list(segments.iterdir())) > 2)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    assert "night: parked" in out
    kept = {path.name: path.stat().st_mtime_ns for path in segments.iterdir() if not path.name.startswith(".")}
    process = serving(here, "night.batch.yaml", "--once")
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert "2 done" in out
    assert kept.items() <= {path.name: path.stat().st_mtime_ns for path in segments.iterdir()}.items()
    assert (here / "outputs/look-1.mp4").is_file()
    lines = [json.loads(line) for line in (here / JOBS / "events.jsonl").read_text().splitlines()]
    assert [one["state"] for one in lines if "schedule" in one] == ["start", "parked", "start", "done"]
