"""Units and crontab lines, read back by systemd's own tool and by a shell."""

import itertools
import os
import shutil
import stat
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gandream.run.schedule.calendar_events import calendar_events, plain_line
from gandream.run.schedule.cron import parse_cron
from gandream.run.schedule.errors import ScheduleError
from gandream.run.schedule.rhythm import ByCron, Every, upcoming
from gandream.run.schedule.system import crontab, systemd

UTC = timezone.utc
NIGHTLY = ByCron(parse_cron("0 3 * * 1-5"), ZoneInfo("Europe/Berlin"))
ANALYZE = shutil.which("systemd-analyze")
ODD = 'my "odd" %d $HOME it\'s \\ films'
TEXTS = [
    "0 3 * * *",
    "*/15 9-17 * * 1-5",
    "0 0 1,15 * SUN",
    "5,6 1-22/3 * JAN,FEB,MAR *",
    "30 2 * * SAT-SUN",
    "0 0 */2 * 1",
]
TEXTS += ["1-59/2 * 31 * *", "10 4 29 2 *", "7 7 * * 0,2,4", "0 12 1-7 6-8,12 *"]


def every(seconds: float) -> Every:
    return Every(seconds, datetime(2026, 1, 1, tzinfo=UTC), ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("0 3 * * *", ["*-*-* 03:00:00 UTC"]),
        ("*/15 9-17 * * 1-5", ["Mon..Fri *-*-* 09..17:00/15:00 UTC"]),
        ("0 0 1,15 * SUN", ["*-*-01,15 00:00:00 UTC", "Sun *-*-* 00:00:00 UTC"]),
        ("0 0 */2 * 1", ["Mon *-*-01/2 00:00:00 UTC"]),
        ("30 2 * 1-3 SAT-SUN", ["Sat,Sun *-01..03-* 02:30:00 UTC"]),
    ],
)
def test_calendar_events(text, events):
    assert calendar_events(parse_cron(text), "UTC") == events


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze isn't installed")
@pytest.mark.parametrize("text", TEXTS)
def test_systemd_sees_the_same_moments(text):
    cron = parse_cron(text)
    begin = datetime(2027, 1, 30, 11, 7, tzinfo=UTC)
    ours = upcoming(ByCron(cron, ZoneInfo("UTC")), begin, 12)
    theirs: set[datetime] = set()
    for event in calendar_events(cron, "UTC"):
        words = [str(ANALYZE), "calendar", "--iterations=12", f"--base-time={begin:%Y-%m-%d %H:%M:%S} UTC", event]
        done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "TZ": "UTC", "LC_ALL": "C"})
        if "base-time" in done.stderr:
            pytest.skip("this systemd-analyze has no --base-time")
        assert done.returncode == 0, done.stderr
        for line in done.stdout.splitlines():
            head, _, rest = line.strip().partition(": ")
            if head.startswith(("Next elapse", "Iter", "Iteration")):
                theirs.add(datetime.strptime(" ".join(rest.split()[1:3]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC))
    assert sorted(theirs)[:12] == ours


def test_plain_lines_mean_the_same():
    for text in TEXTS:
        first, second = parse_cron(text), parse_cron(plain_line(parse_cron(text)))
        start = datetime(2027, 1, 1, tzinfo=UTC)
        zone = ZoneInfo("UTC")
        assert upcoming(ByCron(first, zone), start, 30) == upcoming(ByCron(second, zone), start, 30)
        assert not any(letter.isalpha() for letter in plain_line(first))


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze isn't installed")
@pytest.mark.parametrize("rhythm", [NIGHTLY, every(6 * 3600)])
def test_systemd_takes_the_unit_and_the_timer(tmp_path, rhythm):
    folder = tmp_path / ODD
    folder.mkdir()
    files = systemd("night ü", folder / "night.batch.yaml", folder, folder / "jobs", rhythm)
    assert list(files) == ["gandream-night_.service", "gandream-night_.timer"]
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [str(ANALYZE), "verify", *(str(tmp_path / name) for name in files)], capture_output=True, text=True
    )
    if "Failed to connect" in done.stderr or "lookup paths" in done.stderr:
        pytest.skip(done.stderr)
    ours = [line for line in done.stderr.splitlines() if "gandream-night_" in line]
    assert ours == []


def test_units_say_folders_and_words_as_systemd_reads_them(tmp_path):
    folder = tmp_path / ODD
    service = systemd("night", folder / "a b.yaml", folder, tmp_path / "jobs", NIGHTLY)["gandream-night.service"]
    lines = dict(
        line.split("=", 1) for line in service.splitlines() if "=" in line and not line.startswith("Environment")
    )
    assert lines["WorkingDirectory"] == str(folder).replace("%", "%%")
    word = f"{folder}/a b.yaml".replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    assert lines["ExecStart"] == f'{sys.executable} -m gandream batch "{word}"'
    assert f"GANDREAM_JOBS={tmp_path}/jobs" in service


@pytest.mark.skipif(sys.platform == "win32", reason="a shell")
def test_a_shell_reads_a_crontab_line_back(tmp_path, monkeypatch):
    """cron(8): up to the first bare % it is the command; \\% is %."""
    folder = tmp_path / ODD
    folder.mkdir()
    program = tmp_path / "python 100%"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$PWD" "$GANDREAM_JOBS" "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr("sys.executable", str(program))
    text = crontab("night", folder / "a b.yaml", folder, tmp_path / "100% jobs", NIGHTLY, "Europe/Berlin")
    comment, line = text.splitlines()
    assert comment == "# gandream: night"
    when, command = line[: len("0 3 * * 1-5")], line[len("0 3 * * 1-5") + 1 :]
    assert when == "0 3 * * 1-5"
    assert "%" not in command.replace("\\%", "")
    subprocess.run(["/bin/sh", "-c", command.replace("\\%", "%")], check=True)
    said = (folder / "night.cron.log").read_text().splitlines()
    assert said == [str(folder), str(tmp_path / "100% jobs"), "-m", "gandream", "batch", str(folder / "a b.yaml")]


def test_a_crontab_says_whose_clock_where_that_is_another():
    place = Path("/films")
    assert "CRON_TZ" not in crontab("a", place / "b.yaml", place, place, NIGHTLY, "Europe/Berlin")
    assert "\nCRON_TZ=Europe/Berlin\n0 3 * * 1-5 cd /films && " in crontab(
        "a", place / "b.yaml", place, place, NIGHTLY, "UTC"
    )


@pytest.mark.parametrize(
    ("seconds", "line"),
    [(60, "* * * * *"), (900, "*/15 * * * *"), (3600, "0 * * * *"), (6 * 3600, "0 */6 * * *"), (86400, "0 0 * * *")],
)
def test_lengths_that_cron_has_words_for(seconds, line):
    text = crontab("a", Path("/f/b.yaml"), Path("/f"), Path("/f"), every(seconds), "UTC")
    assert text.splitlines()[1].startswith(f"{line} cd ")
    runs = upcoming(ByCron(parse_cron(line), ZoneInfo("UTC")), datetime(2026, 1, 1, tzinfo=UTC), 30)
    assert {after - before for before, after in itertools.pairwise(runs)} == {timedelta(seconds=seconds)}


@pytest.mark.parametrize("seconds", [90, 420, 5 * 3600, 2 * 86400])
def test_lengths_that_cron_has_no_words_for(seconds):
    with pytest.raises(ScheduleError, match="--systemd has it"):
        crontab("a", Path("/f/b.yaml"), Path("/f"), Path("/f"), every(seconds), "UTC")
    assert (
        "OnUnitActiveSec="
        in systemd("a", Path("/f/b.yaml"), Path("/f"), Path("/f"), every(seconds))["gandream-a.timer"]
    )


def test_ends_and_letters_that_can_not_be_said(tmp_path):
    with pytest.raises(ScheduleError, match="such an end"):
        systemd("a", tmp_path / "b", Path("/films\\"), tmp_path, NIGHTLY)
    with pytest.raises(ScheduleError, match="before a %"):
        crontab("a", Path("/films/100\\%.yaml"), tmp_path, tmp_path, NIGHTLY, "UTC")


def test_where_things_are_kept_is_said_to_other_schedulers(tmp_path, monkeypatch):
    monkeypatch.setenv("GANDREAM_CACHE", str(tmp_path / "my cache"))
    monkeypatch.setenv("SECRET", "1234")
    line = crontab("a", tmp_path / "b", tmp_path, tmp_path / "jobs", NIGHTLY, "UTC")
    service = systemd("a", tmp_path / "b", tmp_path, tmp_path / "jobs", NIGHTLY)["gandream-a.service"]
    assert f"GANDREAM_CACHE='{tmp_path}/my cache' " in line
    assert f'Environment="GANDREAM_CACHE={tmp_path}/my cache"\n' in service
    assert "1234" not in line + service


def test_names_with_line_breaks_can_not_stand_there():
    bad = Path("/films/a\nExecStartPre=/bin/false")
    for make in (
        lambda: systemd("a", bad / "b", bad, bad, NIGHTLY),
        lambda: crontab("a", bad, bad, bad, NIGHTLY, "UTC"),
    ):
        with pytest.raises(ScheduleError, match="can't stand in a unit"):
            make()
