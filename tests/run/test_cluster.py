"""Films that a Ray cluster on this machine renders: the same bytes, whatever is killed meanwhile."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from clusters import (
    LONG,
    WORDS,
    alone,
    apart,
    below,
    free_port,
    recipe,
    runs,
    segments,
    started,
    sums,
    wait_for,
    workers,
)

from gandream.base.errors import CheckpointError, RenderError
from gandream.run.cluster.cluster import Cluster
from gandream.run.cluster.desk import Policy
from gandream.run.cluster.where import Where
from gandream.run.film import render

pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="this needs Ray"),
    pytest.mark.skipif(sys.platform == "win32", reason="processes are killed as POSIX does"),
]
__all__ = ["alone", "started"]


def made(folder: Path, store: str, words: str = WORDS, **options: Any):
    with Cluster(Where(None, store), options.pop("policy", None)) as cluster:
        return render(recipe(folder, words), folder / "film.mp4", device="cpu", on=cluster, **options)


def test_workers_make_the_same_bytes_in_a_shared_folder(started: Any, tmp_path: Path):
    local = render(recipe(tmp_path / "local"), tmp_path / "local" / "film.mp4", device="cpu")
    told: list[tuple[str, int, int]] = []
    film = made(tmp_path / "shared", "shared", progress=lambda *now: told.append(now))
    assert (film.rendered, film.others[0].rendered) == (local.rendered, local.others[0].rendered) == (64, 64)
    assert len(sums(tmp_path / "local")) == 65
    assert sums(tmp_path / "shared") == sums(tmp_path / "local")
    counted = [done for stage, done, _ in told if stage == "rendering"]
    assert counted == sorted(counted)
    assert counted[-1] == 128
    assert made(tmp_path / "shared", "shared").rendered == 0


@pytest.mark.slow
def test_what_a_film_shows_again_is_rendered_once(started: Any, tmp_path: Path):
    words = WORDS.replace("duration: 8", "duration: 24")
    local = render(recipe(tmp_path / "local", words), tmp_path / "local" / "film.mp4", device="cpu")
    told: list[int] = []
    film = made(tmp_path / "a", "bytes", words, progress=lambda stage, done, total: told.append(done))
    assert (film.rendered, film.others[0].rendered) == (local.rendered, local.others[0].rendered) == (64, 192)
    assert told[-1] == 384
    assert sums(tmp_path / "a") == sums(tmp_path / "local")


@pytest.mark.slow
def test_segments_come_through_a_store_and_stay_there(started: Any, tmp_path: Path):
    pytest.importorskip("fsspec")
    made(tmp_path / "local", "shared")
    address = f"file://{tmp_path}/bucket"
    made(tmp_path / "a", address)
    assert sums(tmp_path / "a") == sums(tmp_path / "local")
    assert len(list((tmp_path / "bucket").iterdir())) == 4
    damaged = next((tmp_path / "bucket").iterdir())
    damaged.write_bytes(damaged.read_bytes()[:-1])
    film = made(tmp_path / "b", address)
    assert film.rendered == 16, "three were there, and whole"
    assert sums(tmp_path / "b") == sums(tmp_path / "local")


@pytest.mark.slow
def test_a_models_files_travel(started: Any, tmp_path: Path, stylegan2_file: Callable[..., Path]):
    words = (
        f"model: {stylegan2_file()}\nwalk: {{through: [1, 2], every: 2}}\nvideo: {{size: 32, fps: 8, duration: 6}}\n"
    )
    render(recipe(tmp_path / "local", words), tmp_path / "local" / "film.mp4", device="cpu")
    made(tmp_path / "bytes", "bytes", words)
    assert sums(tmp_path / "bytes") == sums(tmp_path / "local")


@pytest.mark.slow
def test_a_mistake_on_a_worker_is_told_as_it_is_here(
    started: Any, tmp_path: Path, stylegan2_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
):
    from gandream.run.cluster import parcel

    model = shutil.copy(stylegan2_file(seed=2), tmp_path / "net.safetensors")
    words = f"model: {model}\nwalk: {{through: [1, 2], every: 2}}\nvideo: {{size: 32, fps: 8, duration: 6}}\n"
    sent = parcel.sent

    def damaged(path: Path):  # between the planning and the worker's reading
        Path(path).write_bytes(b"no model")
        return sent(path)

    monkeypatch.setattr(parcel, "sent", damaged)
    with pytest.raises(CheckpointError) as caught:
        made(tmp_path / "a", "shared", words)
    assert type(caught.value) is CheckpointError
    assert caught.value.exit_code == 2
    assert workers() == []


@pytest.mark.slow
def test_too_large_a_batch_is_halved_for_the_whole_film(started: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The limit is of the worker's address space, and torch itself says that it has none left."""
    from gandream.run.cluster import crew

    class Short(crew.Worker):
        def take(self, parcel: Any, store: str, way: str):
            done = super().take(parcel, store, way)
            from gandream.models.cppn.network import CPPN

            own = CPPN.synthesise

            def synthesise(self: Any, inputs: Any, **more: Any):
                if len(inputs.w) > 2:
                    raise MemoryError
                return own(self, inputs, **more)

            CPPN.synthesise = synthesise
            return done

    monkeypatch.setattr(crew, "Worker", Short)
    notes: list[str] = []
    film = made(tmp_path / "a", "shared", note=notes.append)
    assert film.rendered == 64
    assert len(notes) == 2
    assert "goes on with 2" in notes[-1]


@pytest.mark.slow
def test_workers_that_are_killed_are_replaced(started: Any, tmp_path: Path):
    render(recipe(tmp_path / "local", LONG), tmp_path / "local" / "film.mp4", device="cpu")
    killed: list[int] = []

    def kill() -> None:
        for count in (2, 6, 10):
            wait_for(lambda count=count: len(segments(tmp_path / "a")) >= count)
            mine = [pid for pid, name in below() if name.startswith("ray::Worker")]
            if mine:
                os.kill(mine[0], signal.SIGKILL)
                killed.append(mine[0])

    thread = threading.Thread(target=kill)
    thread.start()
    film = made(tmp_path / "a", "bytes", LONG)
    thread.join()
    assert len(set(killed)) == 3
    assert film.rendered == 320
    assert sums(tmp_path / "a") == sums(tmp_path / "local")
    assert not list(tmp_path.rglob(".*.part*"))


@pytest.mark.slow
def test_what_kills_every_worker_is_an_error_with_its_frames(
    started: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    from gandream.run.cluster import crew

    class Short(crew.Worker):
        def render(self, parts: Any):
            if parts[0].segment.start == 16:
                os.kill(os.getpid(), signal.SIGSEGV)
            return super().render(parts)

    monkeypatch.setattr(crew, "Worker", Short)
    with pytest.raises(RenderError, match="2 workers ended while they rendered frames 16:32") as caught:
        made(tmp_path / "a", "shared", policy=Policy(deaths=2))
    assert caught.value.exit_code == 1
    assert workers() == []
    assert capfd.readouterr().out == "", "that is for results"


@pytest.mark.slow
def test_a_straggler_is_overtaken(started: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from gandream.run.cluster import crew

    flag = tmp_path / "slow"

    class Short(crew.Worker):
        def render(self, parts: Any):
            if parts[0].segment.start == 16:
                try:
                    flag.mkdir()
                except FileExistsError:
                    pass
                else:
                    time.sleep(600)
            return super().render(parts)

    monkeypatch.setattr(crew, "Worker", Short)
    film = made(tmp_path / "a", "shared", policy=Policy(least_s=1))
    assert flag.is_dir()
    assert film.rendered == 64
    assert workers() == [], "nobody waits for the one who sleeps"


@pytest.mark.slow
def test_a_full_disk_is_told_and_what_is_finished_stays(started: Any, tmp_path: Path):
    small = tmp_path / "a"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=800k", "tmpfs", small], capture_output=True)
    if mounted.returncode:
        pytest.skip("this needs a file system of its own")
    try:
        for way, size in (("shared", 800), ("bytes", 1200)):
            subprocess.run(["mount", "-o", f"remount,size={size}k", small], check=True)
            with pytest.raises(RenderError, match="disk is full") as caught:
                made(small, way, LONG)
            assert caught.value.exit_code == 1
            until = time.monotonic() + 10
            while left := list(small.rglob(".*.part*")):
                assert time.monotonic() < until, (way, left)
                time.sleep(0.1)
        assert 0 < len(segments(small)) < 16
        subprocess.run(["mount", "-o", "remount,size=64m", small], check=True)
        assert 0 < made(small, "bytes", LONG).rendered < 320
    finally:
        subprocess.run(["umount", "-l", small], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_driver_that_ends_leaves_nobody_behind_and_goes_on(tmp_path: Path, how: signal.Signals):
    render(recipe(tmp_path / "local", LONG), tmp_path / "local" / "r.mp4", device="cpu")
    recipe(tmp_path / "a", LONG)
    with apart(tmp_path / "a", "--on", "ray") as process:
        wait_for(lambda: len(segments(tmp_path / "a" / "outputs")) >= 3 or process.poll() is not None)
        # Ray's agents notice by themselves, some time later, that there is nothing left to do.
        started = {pid for pid, name in below(process.pid) if not name.endswith("Agent")} - {process.pid}
        assert workers(process.pid)
        process.send_signal(how)
        began = time.monotonic()
        _, said = process.communicate(timeout=20)
        took = time.monotonic() - began
    assert process.returncode == (-9 if how == signal.SIGKILL else 130)
    if how == signal.SIGINT:
        assert said.strip() == "Stopped. What is finished is kept: the same command goes on from there."
        assert took < 3, "a second, on a machine with nothing else to do"
    wait_for(lambda: not any(runs(pid) for pid in started), 30)
    with apart(tmp_path / "a", "--on", "ray", "--json") as process:
        said, words = process.communicate(timeout=200)
    assert process.returncode == 0, words
    assert words == ""
    assert '"rendered": 0' not in said
    assert '"rendered": 320' not in said
    found = hashlib.sha256((tmp_path / "a" / "outputs" / "r.mp4").read_bytes()).hexdigest()
    assert found == sums(tmp_path / "local")["r.mp4"]
    assert not list(tmp_path.rglob(".*.part*"))


def refused(folder: Path, on: str) -> None:
    began = time.monotonic()
    with apart(folder, "--on", on) as process:
        said, words = process.communicate(timeout=60)
    assert process.returncode == 2, words
    assert said == ""
    assert f"--on {on}\n" in words
    assert "answers" in words
    assert "Traceback" not in words
    assert time.monotonic() - began < 20, "ten, and what Python takes to start"


def test_an_address_that_does_not_answer_is_told(tmp_path: Path):
    recipe(tmp_path)
    refused(tmp_path, f"ray:127.0.0.1:{free_port()}")


@pytest.mark.slow
def test_an_address_where_something_else_listens_is_told_in_time(tmp_path: Path):
    recipe(tmp_path)
    with closing(socket.socket()) as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        refused(tmp_path, f"ray:127.0.0.1:{deaf.getsockname()[1]}")
