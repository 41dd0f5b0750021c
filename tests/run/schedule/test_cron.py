"""Cron texts against a transcription of crontab(5) that goes through every minute."""

import random
from datetime import date, datetime, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from gandream.run.schedule.cron import parse_cron
from gandream.run.schedule.errors import ScheduleError
from gandream.run.schedule.rhythm import ByCron, Every, moved, upcoming
from gandream.run.schedule.zones import instants, skipped_at, system_zone, zone_named

UTC = timezone.utc
MINUTE = timedelta(minutes=1)
WEEK = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
YEAR = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NAMES = {name: number for number, name in enumerate(WEEK)} | {name: number for number, name in enumerate(YEAR, 1)}


@cache
def allows(field: str, value: int, low: int, high: int) -> bool:
    """crontab(5): "*", numbers, names, ranges, lists, steps."""
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = (str(low), "", str(high)) if span == "*" else span.partition("-")
        begin = NAMES[first.lower()] if first.lower() in NAMES else int(first)
        end = begin if not last else NAMES[last.lower()] if last.lower() in NAMES else int(last)
        if begin <= value <= end and (value - begin) % int(step or 1) == 0:
            return True
    return False


def matches(text: str, wall: datetime) -> bool:
    """crontab(5): both day fields where one begins with "*", else either."""
    minute, hour, day, month, week = text.split()
    number = wall.isoweekday() % 7
    weekday = allows(week, number, 0, 7) or (number == 0 and allows(week, 7, 0, 7))
    by_date = allows(day, wall.day, 1, 31)
    days = (by_date or weekday) if day[0] != "*" and week[0] != "*" else (by_date and weekday)
    at = allows(minute, wall.minute, 0, 59) and allows(hour, wall.hour, 0, 23)
    return at and allows(month, wall.month, 1, 12) and days


def walked(text: str, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """Every minute of the time that passes, and what the clock on the wall shows at it."""
    hourly = all(allows(text.split()[1], hour, 0, 23) for hour in range(24))
    found, shown, before = [], set(), None
    moment = start
    while moment < end:
        wall = moment.astimezone(zone).replace(tzinfo=None, fold=0)
        skipped = []
        if before is not None and wall > before + MINUTE:
            skipped = [before + MINUTE * step for step in range(1, int((wall - before) / MINUTE))]
        first = wall not in shown
        if hourly:
            fires = matches(text, wall)
        else:
            fires = (first and matches(text, wall)) or any(matches(text, one) for one in skipped)
        if fires:
            found.append(moment)
        shown.add(wall)
        before, moment = wall, moment + MINUTE
    return found


def computed(text: str, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    rhythm, found = ByCron(parse_cron(text), zone), []
    moment = rhythm.after(start - MINUTE / 2)
    while moment < end:
        found.append(moment)
        moment = rhythm.after(moment)
    return found


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("0 3 * * *", marks=pytest.mark.slow),
        "*/7 1-23/5 * * *",
        pytest.param("0 0 13 * 5", marks=pytest.mark.slow),
        pytest.param("5 4 * * sun", marks=pytest.mark.slow),
        pytest.param("5 4 * * 7", marks=pytest.mark.slow),
        "5 4 * * 5-7",
        "0 12 */2 * 1",
        pytest.param("0 12 1-7 * */2", marks=pytest.mark.slow),
        pytest.param("30 6 1,15 jan-MAR mon-fri", marks=pytest.mark.slow),
        pytest.param("59 23 31 * *", marks=pytest.mark.slow),
        pytest.param("0 0 29 2 *", marks=pytest.mark.slow),
        pytest.param("*/20 22 * 2,12 WED", marks=pytest.mark.slow),
        pytest.param("1 1 28-31 * 0,3", marks=pytest.mark.slow),
    ],
)
def test_every_minute_of_months_is_as_crontab_says(text):
    for start in (datetime(2027, 12, 25, tzinfo=UTC), datetime(2028, 2, 25, tzinfo=UTC)):
        end = start + timedelta(days=9)
        assert computed(text, ZoneInfo("UTC"), start, end) == walked(text, ZoneInfo("UTC"), start, end)


@pytest.mark.slow
def test_random_texts_are_as_crontab_says():
    dice = random.Random(3)

    def field(low: int, high: int) -> str:
        a, b = sorted(dice.sample(range(low, high + 1), 2))
        step = dice.randint(1, b - a)
        return dice.choice(
            ["*", "*", str(a), f"{a},{b}", f"{a}-{b}", f"{a}-{b}/{step}", f"*/{dice.randint(2, (high - low) // 2)}"]
        )

    start = datetime(2028, 2, 26, 5, 17, tzinfo=UTC)
    for _ in range(30):
        text = " ".join([field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6)])
        end = start + timedelta(days=5)
        assert computed(text, ZoneInfo("UTC"), start, end) == walked(text, ZoneInfo("UTC"), start, end), text


NIGHTS = [
    ("Europe/Berlin", "2027-03-28"),
    ("Europe/Berlin", "2026-10-25"),
    pytest.param("America/New_York", "2027-03-14", marks=pytest.mark.slow),
    pytest.param("America/New_York", "2026-11-01", marks=pytest.mark.slow),
    pytest.param("Australia/Lord_Howe", "2026-10-04", marks=pytest.mark.slow),  # by half an hour
    pytest.param("Australia/Lord_Howe", "2027-04-04", marks=pytest.mark.slow),
    pytest.param("America/Sao_Paulo", "2018-11-04", marks=pytest.mark.slow),  # at midnight
    pytest.param("America/Sao_Paulo", "2018-02-18", marks=pytest.mark.slow),
    ("Africa/Cairo", "2024-04-26"),
    ("Africa/Cairo", "2024-11-01"),  # from midnight back into the day before
    pytest.param("Antarctica/Troll", "2024-03-31", marks=pytest.mark.slow),  # by two hours
    ("Pacific/Apia", "2011-12-30"),  # a day that never was
    pytest.param("Asia/Kathmandu", "2026-10-25", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(
    "text", ["30 2 * * *", "0 0 * * *", "15,45 1-3 * * *", "*/20 * * * *", "0 */2 * * *", "10 23 * * *"]
)
@pytest.mark.parametrize(("zone", "night"), NIGHTS)
def test_nights_on_which_clocks_are_set(zone, night, text):
    there = ZoneInfo(zone)
    start = datetime.fromisoformat(night).replace(tzinfo=UTC) - timedelta(hours=30)
    end = start + timedelta(hours=60)
    expected = walked(text, there, start - timedelta(hours=3), end)
    expected = [one for one in expected if one >= start]
    assert computed(text, there, start, end) == expected


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Berlin",
        *(
            pytest.param(zone, marks=pytest.mark.slow)
            for zone in ("America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Europe/London")
        ),
    ],
)
@pytest.mark.parametrize("time", ["0 0", "30 0", "30 1", "0 2", "15 2", "59 2", "0 3", "30 23"])
def test_a_time_of_day_comes_once_on_each_day_of_a_year(zone, time):
    rhythm = ByCron(parse_cron(f"{time} * * *"), ZoneInfo(zone))
    start = datetime(2026, 12, 31, 23, 59, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    runs = upcoming(rhythm, start, 365)
    days = [one.astimezone(ZoneInfo(zone)).date() for one in runs]
    assert days == [date(2027, 1, 1) + timedelta(days=number) for number in range(365)]
    minute, hour = map(int, time.split())
    other = [
        one
        for one in runs
        if (one.astimezone(ZoneInfo(zone)).hour, one.astimezone(ZoneInfo(zone)).minute) != (hour, minute)
    ]
    assert len(other) == sum(1 for one in runs if "forward" in moved(rhythm, one)) <= 1


def test_the_next_moment_does_not_depend_on_where_it_is_asked_from():
    dice, there = random.Random(5), ZoneInfo("Europe/Berlin")
    start = datetime(2026, 10, 24, 20, tzinfo=UTC)
    for text in ("30 2 * * *", "*/30 * * * *", "0,30 1-2 * * 0"):
        rhythm = ByCron(parse_cron(text), there)
        runs = walked(text, there, start - timedelta(hours=3), start + timedelta(days=9))
        for _ in range(60):
            moment = start + timedelta(seconds=dice.randint(0, 86400))
            assert rhythm.after(moment) == next(one for one in runs if one > moment)
        for one in runs:
            assert rhythm.after(one - timedelta(microseconds=1)) == one


def test_what_clocks_show():
    berlin = ZoneInfo("Europe/Berlin")
    assert instants(datetime(2027, 3, 28, 2, 30), berlin) == ()
    assert skipped_at(datetime(2027, 3, 28, 2, 30), berlin) == datetime(2027, 3, 28, 1, tzinfo=UTC)
    twice = (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    assert instants(datetime(2026, 10, 25, 2, 30), berlin) == twice
    rhythm = ByCron(parse_cron("30 2 * * *"), berlin)
    assert "forward" in moved(rhythm, datetime(2027, 3, 28, 1, tzinfo=UTC))
    assert "back" in moved(rhythm, twice[0])
    assert moved(rhythm, datetime(2026, 10, 26, 1, 30, tzinfo=UTC)) == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 0 31 2 *", ["never fires", "February has no day 31"]),
        ("0 0 30,31 2 *", ["February has no day 30 or 31"]),
        ("0 0 31 4,6,9,11 *", ["April and June and September and November have no day 31"]),
        ("61 * * * *", ["minute = 61", "61 is no minute; wanted 0 to 59"]),
        ("* 24 * * *", ["hour = 24", "wanted 0 to 23"]),
        ("* * 0 * *", ["day of the month = 0", "wanted 1 to 31"]),
        ("* * * 13 *", ["month = 13", "wanted 1 to 12 or JAN to DEC"]),
        ("* * * * 8", ["day of the week = 8", "wanted 0 to 7 or SUN to SAT"]),
        ("* * * * MOM", ["Did you mean 'MON'?"]),
        ("* * * * FRI-MON", ["goes backwards", "FRI-SAT,SUN-MON"]),
        ("* 22-4 * * *", ["goes backwards", "22-23,0-4"]),
        ("5/10 * * * *", ["*/10"]),
        ("*/0 * * * *", ["'0' is no step"]),
        ("*/90 * * * *", ["longer than the range", "--every"]),
        ("0 0 ? * *", ["another cron"]),
        ("0 0 * * 5#3", ["another cron"]),
        ("0 0 L * *", ["another cron"]),
        ("* * * *", ["4 fields; wanted five"]),
        ("0 0 3 * * *", ["6 fields", "no seconds"]),
        ("", ["0 fields"]),
        ("@reboot", ["start of a machine"]),
        ("@dayly", ["Did you mean '@daily'?"]),
        ("-1 * * * *", ["minute = -1"]),
        ("1--3 * * * *", ["minute = 1--3"]),
        ("1,,2 * * * *", ["minute = 1,,2"]),
        ("٣ * * * *", ["minute"]),
        ("1e3 * * * *", ["minute"]),
        ("* " * 300, ["characters are no cron text"]),
    ],
)
def test_wrong_texts_say_where_and_what(text, words):
    with pytest.raises(ScheduleError) as caught:
        parse_cron(text)
    for word in [*words, "--cron"]:
        assert word in str(caught.value)


def test_words_for_usual_times_and_sundays_by_two_numbers():
    assert parse_cron("@daily") == parse_cron("0 0 * * *")
    assert parse_cron("0 0 * * 0").weekdays == parse_cron("0 0 * * 7").weekdays == (0,)
    assert parse_cron("0 0 * * SAT-SUN").weekdays == (0, 6)
    assert parse_cron("0 0 29 2 *").on(date(2028, 2, 29))


def test_every_so_often_goes_by_the_time_that_passes():
    since = datetime(2026, 10, 24, 22, tzinfo=UTC)
    rhythm = Every(6 * 3600, since, ZoneInfo("Europe/Berlin"))
    assert rhythm.after(since) == since + timedelta(hours=6)
    assert rhythm.after(since + timedelta(hours=6)) == since + timedelta(hours=12)
    assert rhythm.after(since + timedelta(days=400, seconds=1)) == since + timedelta(days=400, hours=6)
    assert rhythm.after(since - timedelta(days=3)) == since + timedelta(hours=6)
    assert str(rhythm) == "every 6 h"
    with pytest.raises(ScheduleError, match="a minute or longer"):
        Every(59, since, ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Europe/Berln", "Did you mean 'Europe/Berlin'?"),
        ("berlin", "Did you mean 'Europe/Berlin'?"),
        ("new york", "Did you mean 'America/New_York'?"),
        ("../../etc/passwd", "For instance Europe/Berlin"),
        ("", "For instance"),
    ],
)
def test_unknown_zones_give_the_nearest(name, words):
    with pytest.raises(ScheduleError, match="no such time zone") as caught:
        zone_named(name)
    assert words in str(caught.value)


def test_the_machines_zone_is_found(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    assert system_zone().key == "Asia/Kathmandu"
