"""Models over http, from a server on this machine: once, resumable, whole, and never a web page."""

from __future__ import annotations

import hashlib
import http.server
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gandream.base.errors import CheckpointError
from gandream.models import catalogue, dcgan
from gandream.models.catalogue import download as downloads
from gandream.models.catalogue.download import download
from gandream.models.registry import describe

torch = pytest.importorskip("torch")


@dataclass
class Server:
    """What is served, how badly, and what was asked for."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    etag: str | None = '"one"'
    cuts: list[int] = field(default_factory=list)
    """Bytes after which each of the next answers breaks off."""
    moved: dict[str, str] = field(default_factory=dict)
    fails: list[int] = field(default_factory=list)
    """Statuses of the next answers."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Paths, and the ranges that were asked for."""
    sent: int = 0


def handler(server: Server) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            wanted = self.headers.get("Range")
            server.asked.append((self.path, wanted))
            path = urlsplit(self.path).path
            if server.fails:
                return self.send_error(server.fails.pop(0))
            if path in server.moved:
                self.send_response(302)
                self.send_header("Location", server.moved[path])
                return self.end_headers()
            if path not in server.files:
                return self.send_error(404)
            body, start = server.files[path], 0
            same = self.headers.get("If-Range") == server.etag
            if wanted and server.ranges and same:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(body):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(body)}")
                    return self.end_headers()
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            else:
                self.send_response(200)
            if server.etag:
                self.send_header("ETag", server.etag)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            part = body[start : start + server.cuts.pop(0)] if server.cuts else body[start:]
            server.sent += len(part)
            self.wfile.write(part)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "GANDREAM_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(downloads, "WAIT_S", 0.001)
    known = Server()
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(known))
    known.address = f"http://127.0.0.1:{listening.server_port}"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield known
    listening.shutdown()
    listening.server_close()
    thread.join()


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANDREAM_MODELS", str(tmp_path / "shelf"))
    return tmp_path / "shelf"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A DCGAN of some hundred kilobytes in the layout of PyTorch's example."""
    layers = torch.nn.Sequential(
        torch.nn.ConvTranspose2d(60, 80, 4, 1, 0, bias=False),
        torch.nn.BatchNorm2d(80),
        torch.nn.ReLU(),
        torch.nn.ConvTranspose2d(80, 3, 4, 2, 1, bias=False),
    )
    file = tmp_path_factory.mktemp("model") / "net.pth"
    torch.save({f"main.{name}": value for name, value in layers.state_dict().items()}, file)
    return file.read_bytes()


def silent(done: int, total: int | None) -> None:
    pass


def test_it_is_fetched_once_and_whole(server: Server, shelf: Path, model: bytes):
    server.files["/zoo/faces.pth"] = model
    seen: list[tuple[int, int | None]] = []
    found = catalogue.add(f"{server.address}/zoo/faces.pth?dl=1", progress=lambda *now: seen.append(now))
    assert found.name == "faces"
    assert found.path.read_bytes() == model
    assert found.sha256 == hashlib.sha256(model).hexdigest()
    assert seen[0] == (0, len(model))
    assert seen[-1] == (len(model), len(model))
    assert describe("faces").family == describe(f"{server.address}/zoo/faces.pth?dl=1").family == "dcgan"
    assert len(server.asked) == 1
    assert [path.name for path in shelf.iterdir()] == ["faces"]


def test_a_connection_that_breaks_goes_on_where_it_was(server: Server, shelf: Path, model: bytes):
    server.files["/faces.pth"] = model
    server.cuts = [1000, 0, 50_000]
    assert catalogue.add(f"{server.address}/faces.pth").path.read_bytes() == model
    assert [asked for _, asked in server.asked] == [None, "bytes=1000-", "bytes=1000-", "bytes=51000-"]
    assert server.sent == len(model)


def test_the_next_command_goes_on_too(server: Server, shelf: Path, model: bytes, monkeypatch: pytest.MonkeyPatch):
    server.files["/faces.pth"] = model
    monkeypatch.setattr(downloads, "TRIES", 1)
    server.cuts = [70_000]
    with pytest.raises(CheckpointError, match=r"70000 of \d+ bytes came\n.*the same command goes on"):
        catalogue.add(f"{server.address}/faces.pth")
    assert catalogue.added() == []
    assert catalogue.add(f"{server.address}/faces.pth").path.read_bytes() == model
    assert server.asked[-1] == ("/faces.pth", "bytes=70000-")
    assert server.sent == len(model)


def test_a_file_that_changed_meanwhile_is_fetched_anew(server: Server, tmp_path: Path):
    server.files["/m"] = b"old" * 1000
    server.cuts = [500]

    def change(done: int, total: int | None) -> None:
        if done == 500:
            server.files["/m"], server.etag = b"the new one" * 900, '"two"'

    download(f"{server.address}/m", tmp_path / "m.part", change)
    assert (tmp_path / "m.part").read_bytes() == b"the new one" * 900


@pytest.mark.parametrize(("ranges", "etag"), [(False, '"one"'), (True, None), (True, 'W/"weak"')])
def test_servers_that_cannot_go_on_begin_anew(server: Server, tmp_path: Path, ranges: bool, etag: str | None):
    server.files["/m"], server.ranges, server.etag = bytes(range(256)) * 40, ranges, etag
    server.cuts = [3000]
    download(f"{server.address}/m", tmp_path / "m.part", silent)
    assert (tmp_path / "m.part").read_bytes() == server.files["/m"]
    assert len(server.asked) == 2


def test_a_whole_part_is_not_fetched_again(server: Server, tmp_path: Path):
    server.files["/m"] = b"weights" * 1000
    for _ in range(2):
        download(f"{server.address}/m", tmp_path / "m.part", silent)
    assert server.sent == 7000
    assert (tmp_path / "m.part").read_bytes() == server.files["/m"]


def test_busy_servers_are_asked_again(server: Server, tmp_path: Path):
    server.files["/m"], server.fails = b"weights", [503, 429, 500]
    download(f"{server.address}/m", tmp_path / "m.part", silent)
    assert (tmp_path / "m.part").read_bytes() == b"weights"


def test_a_server_that_stays_busy_is_given_up(server: Server, tmp_path: Path):
    server.fails = [503] * 50
    with pytest.raises(CheckpointError, match="broke off: 503"):
        download(f"{server.address}/m", tmp_path / "m.part", silent)
    assert len(server.asked) == downloads.TRIES
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "words"), [(404, "no such file"), (410, "gone"), (403, "with a browser"), (401, "login"), (400, "400")]
)
def test_what_a_server_refuses_is_told_at_once(server: Server, shelf: Path, status: int, words: str):
    server.fails = [status] * 9
    with pytest.raises(CheckpointError, match=rf"(?s){words}.*Nothing was added"):
        catalogue.add(f"{server.address}/faces.pth")
    assert len(server.asked) == 1
    assert list(shelf.iterdir()) == []


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html>Sign in", b"\n <html><head>", b"<!-- x --><!doctype html>"])
def test_a_web_page_is_no_model(server: Server, shelf: Path, page: bytes):
    server.files["/file/d/1x/view"] = page + b" " * 5000
    with pytest.raises(CheckpointError, match="a web page, not a model"):
        catalogue.add(f"{server.address}/file/d/1x/view")
    assert catalogue.added() == []
    assert list(shelf.iterdir()) == []


def test_pages_of_well_known_sites_say_what_to_do():
    about = downloads._about_page
    assert "browser" in about("https://drive.google.com/uc?id=1")
    assert "dl=1" in about("https://www.dropbox.com/s/x/faces.pkl?dl=0")
    assert "hf://" in about("https://huggingface.co/a/b/blob/main/x.pkl")
    assert "/raw/" in about("https://github.com/a/b/blob/main/x.pkl")


def test_another_sum_than_wanted_is_refused_and_forgotten(server: Server, shelf: Path, model: bytes):
    server.files["/faces.pth"] = model
    wanted = "ab" * 32
    with pytest.raises(CheckpointError, match=f"{hashlib.sha256(model).hexdigest()}, and {wanted} is wanted"):
        catalogue.add(f"{server.address}/faces.pth", sha256=wanted.upper())
    assert catalogue.added() == []
    assert list(shelf.iterdir()) == []
    right = hashlib.sha256(model).hexdigest().upper()
    assert catalogue.add(f"{server.address}/faces.pth", sha256=right).sha256 == right.lower()
    with pytest.raises(CheckpointError, match="64 hex digits"):
        catalogue.add(f"{server.address}/faces.pth", "other", sha256="abc")


def test_redirects_within_a_server_are_followed(server: Server, shelf: Path, model: bytes):
    server.files["/store/17"] = model
    server.moved["/faces.pth"] = "/store/17"
    assert catalogue.add(f"{server.address}/faces.pth").name == "faces"


@pytest.mark.parametrize("to", ["http://127.0.0.1:9/x", "ftp://127.0.0.1/x", "file:///etc/hostname"])
def test_redirects_to_elsewhere_go_to_https_alone(server: Server, shelf: Path, to: str):
    server.moved["/faces.pth"] = to
    with pytest.raises(CheckpointError, match="which is not https"):
        catalogue.add(f"{server.address}/faces.pth")


def test_files_that_are_too_large_are_refused_before_they_come(server: Server, tmp_path: Path):
    server.files["/m"] = bytes(5000)
    with pytest.raises(CheckpointError, match="at most"):
        download(f"{server.address}/m", tmp_path / "m.part", silent, limit=4000)
    assert list(tmp_path.iterdir()) == []


def test_nobody_there(shelf: Path, server: Server):
    with pytest.raises(CheckpointError, match=r"127\.0\.0\.1 can't be reached: .*\n.*https_proxy"):
        catalogue.add("http://127.0.0.1:9/faces.pth")


@pytest.mark.parametrize("beside", [b'{"size": 8}', None, b"<!doctype html>not here"])
def test_what_a_family_reads_beside_its_file_comes_along(
    server: Server, shelf: Path, model: bytes, monkeypatch: pytest.MonkeyPatch, beside: bytes | None
):
    monkeypatch.setattr(dcgan, "BESIDE", "config.json", raising=False)
    server.files["/zoo/net.pth"] = model
    if beside is not None:
        server.files["/zoo/config.json"] = beside
    found = catalogue.add(f"{server.address}/zoo/net.pth")
    good = beside is not None and beside.startswith(b"{")
    assert found.beside == ({"config.json": hashlib.sha256(beside or b"").hexdigest()} if good else {})
    assert [path for path, _ in server.asked] == ["/zoo/net.pth", "/zoo/config.json"]
    plain = describe("net").fingerprint
    if good:
        found.path.with_name("config.json").unlink()
        (found.path.parent / "model.json").unlink()
        assert describe(str(found.path)).fingerprint != plain
    assert [path.name for path in shelf.iterdir()] == ["net"]


def test_what_belongs_to_a_known_model_must_come(
    server: Server, shelf: Path, model: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dcgan, "BESIDE", "config.json", raising=False)
    server.files["/net.pth"] = model
    entry = catalogue.Entry(
        f"{server.address}/net.pth", None, "x", "none", "dcgan", beside={"config.json": f"{server.address}/c17"}
    )
    monkeypatch.setitem(catalogue.KNOWN, "known", entry)
    with pytest.raises(CheckpointError, match="no such file"):
        catalogue.add("known")
    assert list(shelf.iterdir()) == []
    server.files["/c17"] = b"{}"
    assert list(catalogue.add("known").beside) == ["config.json"]


def test_what_a_killed_command_left_is_swept_away(server: Server, shelf: Path, model: bytes):
    server.files["/net.pth"] = model
    old, young = shelf / ".adding-old", shelf / ".adding-young"
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    catalogue.add(f"{server.address}/net.pth")
    assert sorted(path.name for path in shelf.iterdir()) == [".adding-young", "net"]


def test_proxies_of_the_environment_are_used(
    server: Server, shelf: Path, model: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("http_proxy", server.address)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    server.files["/faces.pth"] = model
    assert catalogue.add("http://models.invalid/faces.pth").path.read_bytes() == model
    assert server.asked[0][0] == "http://models.invalid/faces.pth"


@pytest.mark.parametrize(
    ("variable", "source", "refused"),
    [
        ("GANDREAM_OFFLINE", "/faces.pth", True),
        ("GANDREAM_OFFLINE", "hf://a/b/c.pkl", True),
        ("GANDREAM_OFFLINE", "pypi:a==1#c.pkl", True),
        ("HF_HUB_OFFLINE", "hf://a/b/c.pkl", True),
        ("HF_HUB_OFFLINE", "/faces.pth", False),
    ],
)
def test_offline(
    server: Server,
    shelf: Path,
    model: bytes,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    source: str,
    refused: bool,
):
    server.files["/faces.pth"] = model
    source = server.address + source if source.startswith("/") else source
    monkeypatch.setenv(variable, "1")
    if refused:
        with pytest.raises(CheckpointError, match=f"{variable} is set, so nothing is fetched"):
            catalogue.add(source)
        assert server.asked == []
    else:
        assert catalogue.add(source).name == "faces"
    monkeypatch.setenv(variable, "0")
    if source.startswith("http"):
        assert catalogue.add(source, "again").name == "again"


def test_only_one_command_writes_a_file(server: Server, tmp_path: Path):
    server.files["/m"] = b"weights" * 100
    refused: list[CheckpointError] = []

    def meanwhile(done: int, total: int | None) -> None:
        if done == 700:
            with pytest.raises(CheckpointError, match="right now") as caught:
                download(f"{server.address}/m", tmp_path / "m.part", silent)
            refused.append(caught.value)

    download(f"{server.address}/m", tmp_path / "m.part", meanwhile)
    assert refused
    assert (tmp_path / "m.part").read_bytes() == server.files["/m"]


def test_the_command_tells_how_far_it_is(server: Server, shelf: Path, model: bytes, gandream: Callable[..., object]):
    server.files["/net.pth"] = model
    said = gandream("models", "add", "mine", f"{server.address}/net.pth")
    assert said.status == 0
    assert said.out == "mine: added. Write `model: mine` in a recipe.\n"
    assert f"{len(model) / 1e6:.1f} of {len(model) / 1e6:.1f} MB, 100 %" in said.err
    assert hashlib.sha256(model).hexdigest() in said.err
    turned = gandream("models", "add", f"{server.address}/net.pth", "mine")
    assert turned.status == 2
    assert f"gandream models add mine {server.address}/net.pth" in turned.err
