"""Ways to a cluster: through its client server, with its token and without, from a batch; and what is no cluster."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from clusters import WORDS, alone, apart, free_port, recipe, sums, wait_for

from gandream.recipe.load import load_recipe
from gandream.run.cluster.hello import SETTINGS, greet
from gandream.run.cluster.where import ClusterError, Where
from gandream.run.film import render

__all__ = ["alone"]
needs_ray = pytest.mark.skipif(sys.platform != "linux" or find_spec("ray") is None, reason="this needs Ray, on Linux")
TOKEN = "0123456789abcdef" * 4


@contextmanager
def answering(words: bytes) -> Iterator[int]:
    """A port that says the same to everyone."""
    with closing(socket.socket()) as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def serve() -> None:
            line, _ = server.accept()
            with line:
                line.recv(99)
                line.sendall(words)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


@pytest.mark.parametrize("words", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n", b""])
def test_what_answers_and_is_no_cluster_is_told_at_once(words: bytes):
    with answering(words) as port, pytest.raises(ClusterError, match="is no Ray cluster") as caught:
        greet(Where(f"127.0.0.1:{port}"))
    assert caught.value.exit_code == 2


def test_what_speaks_as_a_cluster_is_believed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with answering(SETTINGS) as port:
        assert greet(Where(f"127.0.0.1:{port}")) == {}
    assert greet(Where(None)) == greet(Where("auto")) == {}


def test_the_users_token_goes_to_a_client_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "token"))
    for found in ({}, {"RAY_AUTH_MODE": "token"}):
        with answering(SETTINGS) as port:
            assert greet(Where(f"ray://127.0.0.1:{port}")) == found
        (tmp_path / "token").write_text(TOKEN)


@contextmanager
def head(home: Path, mode: str) -> Iterator[tuple[int, int]]:
    """A cluster with a client server; gives the ports of both."""
    own, client = free_port(), free_port()
    (home / ".ray").mkdir(parents=True)
    (home / ".ray" / "auth_token").write_text(TOKEN)
    options = ["--head", "--port", own, "--ray-client-server-port", client, "--num-cpus", 2, "--block"]
    process = subprocess.Popen(
        [Path(sys.executable).parent / "ray", "start", *map(str, options), "--include-dashboard=false"],
        env={**os.environ, "HOME": str(home), "RAY_AUTH_MODE": mode, "RAY_USAGE_STATS_ENABLED": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def listens() -> bool:
        assert process.poll() is None
        with closing(socket.socket()) as line:
            return line.connect_ex(("127.0.0.1", client)) == 0

    try:
        wait_for(listens)
        time.sleep(2)
        yield own, client
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 15)
            process.wait(40)


@needs_ray
@pytest.mark.slow
@pytest.mark.parametrize("mode", ["token", "disabled"])
def test_a_cluster_is_reached_at_both_its_ports(tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    render(recipe(tmp_path / "local", WORDS), tmp_path / "local" / "r.mp4", device="cpu")
    with head(tmp_path / "home", mode) as (own, client):
        for name, on in (("own", f"ray:127.0.0.1:{own}"), ("client", f"ray://127.0.0.1:{client}")):
            recipe(tmp_path / name, WORDS)
            with apart(tmp_path / name, "--on", on, "--store", "bytes", HOME=str(tmp_path / "home")) as process:
                _, words = process.communicate(timeout=120)
            assert process.returncode == 0, words
            assert words == ""
            assert sums(tmp_path / name / "outputs") == sums(tmp_path / "local")
        if mode == "token":
            for more, said in (({"RAY_AUTH_TOKEN": "another"}, "is another"), ({}, "wants a token")):
                where = {"HOME": str(tmp_path / "nobody"), **more}
                with apart(tmp_path / "own", "--on", f"ray:127.0.0.1:{own}", "-o", "b.mp4", **where) as process:
                    _, words = process.communicate(timeout=60)
                assert process.returncode == 2
                assert said in words


@needs_ray
@pytest.mark.slow
def test_a_batch_is_rendered_by_a_cluster(tmp_path: Path):
    for number in range(2):
        file = tmp_path / f"f{number}.yaml"
        file.write_text(f"model: cppn#{number}\n" + WORDS.partition("\n")[2])
        render(load_recipe(file), tmp_path / "local" / f"f{number}.mp4", device="cpu")
    done = subprocess.run(
        [sys.executable, "-m", "gandream", "batch", "f0.yaml", "f1.yaml", "--on", "ray", "--device", "cpu", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    found = sums(tmp_path / "outputs")
    assert {name: found[name] for name in sums(tmp_path / "local")} == sums(tmp_path / "local")
