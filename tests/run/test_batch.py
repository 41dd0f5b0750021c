"""Batches that are rendered: by worker processes that crash, hang, are killed and stopped, and what is left of it."""

from __future__ import annotations

import base64
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gandream.base.errors import RenderError
from gandream.base.locks import take
from gandream.recipe.load import load_recipe
from gandream.rendering.room import Room
from gandream.run.batch import models as kept
from gandream.run.batch.crew import gpu_of, threads_of
from gandream.run.batch.enqueue import queued
from gandream.run.batch.entries import Said
from gandream.run.batch.models import Models
from gandream.run.batch.outcome import BatchResult
from gandream.run.batch.report_page import Card, page
from gandream.run.batch.run import Flags, plan_batch, run_batch
from gandream.run.batch.thumbnails import thumbnail
from gandream.run.film import render
from gandream.run.jobs.queue import Queue
from gandream.run.jobs.records import Job
from gandream.run.jobs.worker import Worker

SMALL = (
    "model: cppn#7\nwalk: {through: [1, 2], every: 0.5}\nvideo: {size: 64, fps: 10, duration: 0.3, preset: ultrafast}\n"
)
LONGER = SMALL.replace("duration: 0.3", "duration: 12").replace("[1, 2]", "[1, 2, 3, 4, 5]").replace("0.5", "3")
ODD = (str(Path(__file__).parent / "odd_worker.py"),)


class Page(HTMLParser):
    """What a report shows."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == "!doctype" or self.open.pop() == tag, f"</{tag}>"

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str, name: str) -> list[str]:
        return [str(found[name]) for one, found in self.tags if one == tag and name in found]


@pytest.fixture(autouse=True)
def alone(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No queue but the folder's own; torch of one of several processes shouldn't take every core."""
    monkeypatch.delenv("GANDREAM_JOBS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def lay(here: Path, *names: str, text: str = SMALL) -> list[Path]:
    for name in names:
        (here / f"{name}.yaml").write_text(text)
    return [Path(f"{name}.yaml") for name in names]


def states(result: BatchResult) -> dict[str, str]:
    return {row.film.wanted.name: row.state for row in result.rows}


def errors(result: BatchResult) -> dict[str, str]:
    return {row.film.wanted.name: row.job.error for row in result.rows if row.state != "done"}


def test_a_night_with_broken_recipes(here: Path):
    """Films of two models among broken ones, read back with their report; again, nothing is left to do."""
    lay(here, "a", "b & <b>")
    lay(here, "wrong", text=SMALL + "wlak: 1\n")
    (here / "night.batch.yaml").write_text(
        "recipes: [a.yaml, wrong.yaml, 'b & <b>.yaml', gone.yaml]\n"
        "vary: {model: [cppn#7, cppn#8]}\nout: 'films/{recipe}-{model}'\ndevice: cpu\n"
    )
    told: list[str] = []
    order: list[str] = []

    def watch(seen: Any) -> None:
        if seen.ended is not None:
            order.append(seen.ended.task.name)
            (here / "night.batch.yaml").write_text("recipes: a.yaml\nvary: {seed: 1-2}\n")  # edited while it runs
            (here / "new").write_text(SMALL + "seed: 5\n")
            (here / "new").replace(here / "b & <b>.yaml")  # at once, since a worker may be reading it

    result = run_batch(Path("night.batch.yaml"), watch=watch, note=told.append)
    good = ["a-cppn_7", "b_b-cppn_7", "a-cppn_8", "b_b-cppn_8"]
    assert order == good, "films of one model come one after the other"
    assert [name for name, state in states(result).items() if state == "done"] == sorted(good)
    assert not result.good
    assert "wlak" in errors(result)["wrong-cppn_7"]
    assert "no such file" in errors(result)["gone-cppn_8"]
    assert told == [
        "night.batch.yaml changed while the batch ran: what it says now is rendered when the batch is run again"
    ]

    last = next(row for row in result.rows if row.film.wanted.name == "b_b-cppn_8")
    assert "changed while the batch ran" in last.job.figures["warnings"][0]

    # Each film is the one that `render` makes of the same words.
    alone = render(load_recipe("a.yaml", ["model=cppn#8"]), here / "alone/film.mp4", device="cpu")
    assert alone.rendered == 3
    text = {name: (here / f"films/{name}.mp4").read_bytes() for name in good}
    assert text["a-cppn_8"] == alone.path.read_bytes()

    shown = Page((here / "films/night.report.html").read_text("utf-8"))
    assert shown.open == []
    assert {"script", "link", "iframe"}.isdisjoint(tag for tag, _ in shown.tags)
    assert [Path(name) for name in shown.all("video", "src")] == [Path(f"{name}.mp4") for name in sorted(good)]
    for poster in shown.all("video", "poster"):
        picture = Image.open(io.BytesIO(base64.b64decode(poster.removeprefix("data:image/jpeg;base64,"))))
        assert (picture.format, picture.size) == ("JPEG", (64, 64))
    words = "".join(shown.words)
    assert "b & <b>.yaml" in words, "what people write is text"
    assert "Did you mean 'walk'?" in words
    assert "http" not in (here / "films/night.report.html").read_text("utf-8")
    facts = json.loads((here / "films/night.report.json").read_text("utf-8"))
    assert facts["counts"] == {"done": 4, "failed": 4}
    there = [film["film"] for film in facts["films"] if film["state"] == "done"]
    assert there == [f"{name}.mp4" for name in sorted(good)]

    (here / "night.batch.yaml").write_text(
        "recipes: a.yaml\nvary: {model: [cppn#7, cppn#8]}\nout: 'films/{recipe}-{model}'\ndevice: cpu\n"
    )
    again = run_batch(Path("night.batch.yaml"), command=("-c", "raise SystemExit(3)"))
    assert again.good, "no worker was wanted"
    assert not any(row.now for row in again.rows)
    with Queue(here / "outputs/.gandream/jobs") as queue:
        assert queue.counts("night")["failed"] == 4, "the page tells of them still, the queue too"


def test_what_crashes_or_fails_or_is_cancelled_stops_no_other(here: Path):
    files = lay(here, "slow", "mistake", "poison")
    cancelled = False

    def watch(seen: Any) -> None:
        nonlocal cancelled
        if not cancelled and any(one.stage == "rendering" and one.name == "slow" for one in seen.now):
            cancelled = True
            with Queue(here / "outputs/.gandream/jobs") as queue:
                queue.cancel([next(job.id for job in queue.jobs() if job.task.name == "slow")])

    result = run_batch(files, Flags(words={"retries": 0, "device": "cpu"}), watch=watch, command=ODD)
    assert states(result) == {"slow": "cancelled", "mistake": "failed", "poison": "quarantined"}
    assert errors(result)["mistake"] == "ZeroDivisionError: of somebody's"
    assert [row.job.attempts for row in result.rows] == [1, 1, 1]
    logs = {row.film.wanted.name: Path(row.job.log).read_text() for row in result.rows}
    assert "Segmentation fault" in logs["poison"]
    assert "odd_worker.py" in logs["mistake"]
    assert "Traceback" in logs["mistake"]


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_stopping_parks_and_counts_nothing(here: Path, jobs: int):
    files = lay(here, "slow", "slow2", "slow3")
    began = 0.0
    all_render = False

    def watch(seen: Any) -> None:
        nonlocal all_render, began
        if len([one for one in seen.now if one.stage == "rendering"]) == jobs and not all_render:
            all_render, began = True, time.monotonic()

    result = run_batch(
        files, Flags(words={"jobs": jobs, "device": "cpu"}), watch=watch, stop=lambda: all_render, command=ODD
    )
    assert time.monotonic() - began < 4
    assert result.stopped
    assert states(result) == dict.fromkeys(("slow", "slow2", "slow3"), "waiting")
    assert {row.job.attempts for row in result.rows} == {0}


def test_what_takes_too_long_has_failed_and_the_first_ends_it_where_that_is_wanted(here: Path):
    flags = Flags(words={"keep_going": False, "retries": 0, "device": "cpu", "timeout": 0.5})
    result = run_batch(lay(here, "stuck", "slow"), flags, command=ODD)
    assert states(result) == {"stuck": "failed", "slow": "waiting"}
    assert errors(result)["stuck"] == "took longer than 0.5 s"
    if Path("/proc/self/stat").is_file():
        assert not lives(int((here / "stuck.child").read_text())), "what the worker had started ends with it"
    lay(here, "wrong", text="model: 7\n")
    result = run_batch([*lay(here, "slow"), Path("wrong.yaml")], flags, command=("-c", "raise SystemExit(3)"))
    assert states(result) == {"slow": "waiting", "wrong": "failed"}


def test_workers_that_never_start_are_told(here: Path):
    with pytest.raises(RenderError, match=r"no worker can work: .*nothing here"):
        run_batch(lay(here, "a"), command=("-c", "raise SystemExit('nothing here')"))


def test_why_no_worker_can_work_is_told(here: Path):
    """Also where a worker says it with its last words and has ended by then."""
    script = """import json; print(json.dumps({"kind": "broken", "words": "the disk is full"}))"""
    with pytest.raises(RenderError, match=r"no worker can work: the disk is full$"):
        run_batch(lay(here, "a"), command=("-c", script))


def test_without_a_report_the_films_are_told(here: Path):
    lay(here, "wrong", text="model: 7\n")
    (here / "blocked").touch()
    notes: list[str] = []
    result = run_batch([Path("wrong.yaml")], Flags(words={"report": str(here / "blocked/r")}), note=notes.append)
    assert (states(result), result.report) == ({"wrong": "failed"}, None)
    assert len(notes) == 1
    assert notes[0].startswith("there is no report: ")


def test_what_is_done_is_done_for_its_words_and_its_place_alone(here: Path):
    """Back at a place where another film lies by now; edited while it was rendered; changed by somebody else."""

    def job(out: str) -> Job:
        plan = plan_batch(lay(here, "a"), Flags(Said(out=out), force=True))
        return queued(here / "jobs", "a", plan.films)["a"]

    def done(**figures: Any) -> None:
        with Queue(here / "jobs") as queue, Worker(here / "jobs") as worker:
            taken = queue.take(worker)
            assert taken is not None
            Path(taken.task.out).write_bytes(b"film")
            queue.done(taken, {"films": [taken.task.out], "bytes": [4], **figures})

    (here / "first.mp4").write_bytes(b"another")
    assert job("second.mp4").state == "waiting"
    done()
    assert job("second.mp4").state == "done"
    assert job("first.mp4").state == "waiting"
    done(edited=True)
    assert job("first.mp4").state == "waiting"
    done()
    assert job("first.mp4").state == "done"
    (here / "first.mp4").write_bytes(b"longer film")
    assert job("first.mp4").state == "waiting"


def test_a_batch_runs_once_at_a_time(here: Path):
    (here / "outputs/.gandream/jobs").mkdir(parents=True)
    lock = take(here / "outputs/.gandream/jobs/a.batch.lock")
    assert lock is not None
    with pytest.raises(RenderError, match="running already"):
        run_batch(lay(here, "a"))
    lock.release()


def test_hooks_are_told_of_the_end(here: Path):
    lay(here, "wrong", text="model: 7\n")
    script = "import sys, pathlib; pathlib.Path('told.json').write_text(sys.stdin.read())"
    (here / "x.batch.yaml").write_text(
        f'recipes: wrong.yaml\non_failure: [{sys.executable}, -c, "{script}"]\non_success: [never]\n'
    )
    run_batch(Path("x.batch.yaml"))
    told = json.loads((here / "told.json").read_text())
    assert (told["event"], told["batch"], told["films"], told["failed"]) == ("failure", "x", 1, 1)
    assert Path(told["report"]).is_file()


def test_models_stay_loaded_as_long_as_there_is_room(here: Path, stylegan2_file, monkeypatch: pytest.MonkeyPatch):
    recipes = []
    for name, seed in (("a", 1), ("b", 2)):
        lay(here, name, text=f"model: {stylegan2_file(seed=seed)}\nvideo: {{size: 16}}\n")
        recipes.append(load_recipe(f"{name}.yaml"))
    store = Models()
    first = store.load(recipes[0], "cpu")
    assert store.load(recipes[0], "cpu") is first
    second = store.load(recipes[1], "cpu")
    assert (store.loaded, len(store)) == (2, 2)
    assert store.load(recipes[0], "cpu") is first
    assert store.load(recipes[1], "cpu") is second
    monkeypatch.setattr(kept, "room", lambda device: Room(100, 10))
    third = Models()
    third.load(recipes[0], "cpu")
    third.load(recipes[1], "cpu")
    assert len(third) == 1, "what was wanted longest ago has gone"


def test_workers_share_what_there_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert [gpu_of(number, 2).get("CUDA_VISIBLE_DEVICES") for number in (1, 2, 3)] == ["0", "1", "0"]
    assert [gpu_of(number, 2, "4, GPU-7f") for number in (1, 2)] == [
        {"CUDA_VISIBLE_DEVICES": "4"},
        {"CUDA_VISIBLE_DEVICES": "GPU-7f"},
    ]
    assert gpu_of(2, 1) == gpu_of(1, 0) == gpu_of(1, 0, "") == {}
    for whole, jobs, each in ((8, 2, 4), (8, 3, 2), (2, 5, 1)):
        monkeypatch.setenv("OMP_NUM_THREADS", str(whole))
        assert threads_of(jobs) == each


def test_pictures_of_what_is_no_film(here: Path):
    colours = [Image.new("RGB", (900, 300), colour) for colour in ("red", "lime", "blue")]
    (here / "frames").mkdir()
    for number, picture in enumerate(colours):
        picture.save(here / f"frames/{number:06}.png")
    colours[0].save(here / "moving.gif", save_all=True, append_images=colours[1:])
    (here / "broken.mp4").write_bytes(b"no film")
    for name in ("frames", "moving.gif"):
        made = Image.open(io.BytesIO(thumbnail(here / name)))
        assert (made.format, made.size) == ("JPEG", (400, 133))
        red, green, blue = made.getpixel((200, 60))  # type: ignore[misc]
        assert (red < 30, green > 220, blue < 30) == (True, True, True), "a third into it"
    assert thumbnail(here / "broken.mp4") == thumbnail(here / "gone.gif") == b""


def test_nothing_that_is_written_is_taken_for_the_page():
    evil = "</style><script>alert(1)</script>\x1b[2J"
    links = ["a b#1?.mp4", "javascript:alert(1).mp4", "../up.mov", "no letter\udcff.mp4"]
    cards = [Card(evil, evil, {evil: evil}, "done", link, [link], b"jpeg", [evil], [evil], [evil]) for link in links]
    made = page([*cards, Card(evil, evil, {}, "failed", error=evil, log=evil)], name=evil, when=evil, took=evil)
    read = Page(made)
    assert read.open == []
    assert "script" not in {tag for tag, _ in read.tags}
    assert "".join(read.words).count("<script>alert(1)</script>\\u001b[2J") > 20
    assert read.all("video", "src") == ["./a%20b%231%3F.mp4", "./javascript%3Aalert%281%29.mp4", "./no%20letter%FF.mp4"]
    assert all(link.startswith((".", "..")) for link in read.all("a", "href"))


@pytest.mark.slow
def test_what_fails_once_is_made_at_the_second_try(here: Path):
    once, poison = run_batch(lay(here, "once", "poison"), Flags(words={"device": "cpu"}), command=ODD).rows
    assert (once.state, once.job.attempts, once.job.error) == ("done", 2, "")
    assert "a passing trouble" in Path(once.job.log).read_text()
    assert (poison.state, poison.job.attempts) == ("quarantined", 2)
    assert Path(poison.job.log).read_text().count("Segmentation fault") == 2


@pytest.mark.slow
def test_a_batch_of_pictures_that_is_too_large_is_halved(here: Path):
    result = run_batch(
        lay(here, "short", text=SMALL.replace("0.3", "0.6")), Flags(words={"device": "cpu"}), command=ODD
    )
    (row,) = result.rows
    assert row.state == "done"
    assert any("goes on with 2" in words for words in row.job.figures["warnings"])


@pytest.mark.slow
def test_where_no_log_can_be_written_films_are_rendered(here: Path):
    (here / "outputs/.gandream/jobs").mkdir(parents=True)
    (here / "outputs/.gandream/jobs/logs").touch()
    assert run_batch(lay(here, "a"), Flags(words={"device": "cpu"})).good


def lives(process: int) -> bool:
    """Whether a process does, as Linux tells it."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def workers(folder: Path) -> list[int]:
    """Ids of the workers that are at a folder's batch."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if b"gandream.run.batch.worker" in (place / "cmdline").read_bytes() and (place / "cwd").resolve() == folder:
                found.append(int(place.name))
        except OSError:
            continue
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes as Linux shows them")
def test_killed_at_random_moments_everything_is_made_once(here: Path, tmp_path_factory: pytest.TempPathFactory):
    """kill -9 of the batch, of workers, or of both; started again, the films are those that nobody disturbed."""
    undisturbed = tmp_path_factory.mktemp("undisturbed")
    names = [f"film{number}" for number in range(4)]
    for folder in (undisturbed, here):
        for number, name in enumerate(names):
            (folder / f"{name}.yaml").write_text(LONGER.replace("#7", f"#{number}"))
    line = [sys.executable, "-m", "gandream", "batch", *(f"{name}.yaml" for name in names)]
    line += ["--jobs", "2", "--retries", "30", "--device", "cpu"]
    subprocess.run(line, cwd=undisturbed, check=True, capture_output=True)
    draw = random.Random(4)
    for _ in range(8):
        process = subprocess.Popen(line, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(draw.uniform(0.5, 6))
        victims = draw.choice(("batch", "worker", "both"))
        for worker in workers(here) if victims != "batch" else []:
            os.kill(worker, signal.SIGKILL)
        if victims != "worker":
            process.kill()
        else:
            time.sleep(draw.uniform(0.1, 2))
            process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=60)
        assert "Traceback" not in said + out
        until = time.monotonic() + 5
        while workers(here):
            assert time.monotonic() < until, "workers end with who started them"
            time.sleep(0.05)
    subprocess.run(line, cwd=here, check=True, capture_output=True)
    for name in names:
        assert (here / f"outputs/{name}.mp4").read_bytes() == (undisturbed / f"outputs/{name}.mp4").read_bytes()
    assert not list((here / "outputs").glob("**/.*.part*"))
    with Queue(here / "outputs/.gandream/jobs") as queue:
        for job in queue.jobs():
            outcomes = [attempt.outcome for attempt in queue.attempts(job.id)]
            assert (job.state, outcomes.count("done"), outcomes[-1]) == ("done", 1, "done"), outcomes
