"""Hooks, with real commands and a real server on this machine."""

import json
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import ValidationError

from gandream.base.errors import RecipeError
from gandream.recipe.load import mistakes_of
from gandream.recipe.reader import document_of
from gandream.run.hooks import Hooks, run_hooks
from gandream.run.lengths import length_s

EVENT = {"event": "success", "batch": "night", "failed": 0, "jobs": ["a"], "good": True}


def hooks_of(text: str, tmp_path) -> Hooks:
    document = document_of(text, "b.yaml", tmp_path)
    try:
        return Hooks.model_validate(document.tree)
    except ValidationError as error:
        raise mistakes_of(document, error, Hooks) from None


class Server:
    def __init__(self, statuses, wait=0.0):
        self.got: list[tuple[str, dict[str, str], Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((self.path, dict(self.headers), json.loads(body)))
                status = statuses[min(len(outer.got), len(statuses)) - 1]
                time.sleep(wait)
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", f"http://127.0.0.1:{outer.port}/elsewhere")
                self.end_headers()

            def log_message(self, format, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]


@contextmanager
def serving(*statuses, wait=0.0):
    server = Server(statuses, wait)
    thread = threading.Thread(target=server.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.server.shutdown()
    server.server.server_close()


def told(hooks: Hooks, event=EVENT, pauses: list[float] | None = None) -> list[str]:
    notes: list[str] = []
    run_hooks(hooks, event, notes.append, (pauses if pauses is not None else []).append)
    return notes


WRITES = "import json, os, sys; json.dump([json.load(sys.stdin), {k: v for k, v in os.environ.items() if 'GANDREAM_EVENT' in k}, sys.argv[2:]], open(sys.argv[1], 'w'))"  # noqa: E501


def test_a_command_reads_the_event_and_no_shell_reads_the_command(tmp_path):
    words = [sys.executable, "-c", WRITES, str(tmp_path / "said"), "$HOME; touch x", "*"]
    assert told(Hooks.model_validate({"on_success": words})) == []
    event, environment, rest = json.loads((tmp_path / "said").read_text())
    assert event == EVENT
    assert rest == ["$HOME; touch x", "*"]
    expected = {"": "success", "_BATCH": "night", "_FAILED": "0", "_GOOD": "true"}
    assert {key.removeprefix("GANDREAM_EVENT"): value for key, value in environment.items()} == expected


def test_only_the_hooks_of_what_happened_are_run_in_their_order(tmp_path):
    log = tmp_path / "log"
    append = "import sys; open(sys.argv[1], 'a').write(sys.argv[2])"

    def one(word):
        return [sys.executable, "-c", append, str(log), word]

    hooks = Hooks.model_validate({"on_success": [one("a"), {"command": one("b")}], "on_failure": [one("c")]})
    assert told(hooks) == []
    assert log.read_text() == "ab"
    assert told(hooks, {"event": "failure"}) == []
    assert log.read_text() == "abc"


def test_a_command_that_fails_is_a_note_and_the_next_is_run(tmp_path):
    quit_ = [sys.executable, "-c", "print('one'); print('no such disk'); raise SystemExit(3)"]
    good = [sys.executable, "-c", "import sys; open(sys.argv[1], 'w')", str(tmp_path / "after")]
    hooks = Hooks.model_validate({"on_success": [["/no/such/program"], quit_, good]})
    first, second = told(hooks)
    assert first == "on_success: /no/such/program: can't be run: No such file or directory"
    assert second == f"on_success: {sys.executable}: ended with status 3: no such disk"
    assert (tmp_path / "after").exists()


def test_no_room_for_what_a_command_says_is_a_note(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    [note] = told(Hooks.model_validate({"on_success": [sys.executable, "-c", ""]}))
    assert note == f"on_success: {sys.executable}: can't be run: No such file or directory"


def test_a_name_that_is_no_text_is_told_all_the_same():
    event = {"event": "success", "report": "/films/\udcff.html"}
    with serving(204) as server:
        assert told(Hooks.model_validate({"on_success": {"webhook": f"http://127.0.0.1:{server.port}"}}), event) == []
    assert [body for _, _, body in server.got] == [event]


@pytest.mark.skipif(sys.platform == "win32", reason="a group of processes is ended by its signal")
def test_a_command_that_takes_too_long_is_ended_with_its_children(tmp_path):
    child = f"import time; time.sleep(0.8); open({str(tmp_path / 'late')!r}, 'w')"
    parent = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    hooks = Hooks.model_validate({"on_success": {"command": [sys.executable, "-c", parent], "timeout": 0.4}})
    began = time.monotonic()
    assert told(hooks) == [f"on_success: {sys.executable}: took longer than 0.4 s and was ended"]
    assert time.monotonic() - began < 5
    time.sleep(0.6)
    assert not (tmp_path / "late").exists()


def test_a_command_may_leave_somebody_behind_who_keeps_its_output_open(tmp_path):
    parent = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3)'])"
    began = time.monotonic()
    assert told(Hooks.model_validate({"on_success": [sys.executable, "-c", parent]})) == []
    assert time.monotonic() - began < 2


def test_a_webhook_posts_the_event_with_its_headers():
    with serving(204) as server:
        hook = {"webhook": f"http://127.0.0.1:{server.port}/a?b=c", "headers": {"X-Secret": "1"}}
        assert told(Hooks.model_validate({"on_success": hook})) == []
    [(path, headers, body)] = server.got
    assert (path, headers["X-Secret"], headers["Content-Type"]) == ("/a?b=c", "1", "application/json")
    assert body == EVENT


def test_a_webhook_is_tried_again_after_longer_and_longer_pauses():
    pauses: list[float] = []
    with serving(500, 429, 503, 200) as server:
        assert (
            told(Hooks.model_validate({"on_success": {"webhook": f"http://localhost:{server.port}"}}), EVENT, pauses)
            == []
        )
    assert len(server.got) == 4
    assert pauses == [1, 2, 4]


@pytest.mark.parametrize(
    ("statuses", "tries", "words"),
    [
        ([500], 3, "answered with status 500 (3 tries)"),
        ([404], 1, "answered with status 404"),
        ([302], 1, "says that it moved (status 302): give the new address"),
        ([307], 1, "says that it moved (status 307): give the new address"),
    ],
)
def test_what_a_webhook_answers_is_a_note_and_nothing_follows_it(statuses, tries, words):
    with serving(*statuses) as server:
        hook = {"webhook": f"http://127.0.0.1:{server.port}/secret", "retries": 2}
        assert told(Hooks.model_validate({"on_success": hook})) == [
            f"on_success: http://127.0.0.1:{server.port}: {words}"
        ]
    assert [path for path, _, _ in server.got] == ["/secret"] * tries


def test_a_webhook_that_says_nothing_has_a_limit_and_one_that_is_not_there_is_told():
    with serving(200, wait=1.0) as server:
        address = f"http://127.0.0.1:{server.port}"
        began = time.monotonic()
        hook = {"webhook": address, "timeout": 0.2, "retries": 1}
        assert told(Hooks.model_validate({"on_failure": hook}), {"event": "failure"}) == [
            f"on_failure: {address}: no answer within 0.2 s (2 tries)"
        ]
        assert time.monotonic() - began < 0.9
    [note] = told(Hooks.model_validate({"on_success": {"webhook": address, "retries": 0}}))
    assert note == f"on_success: {address}: doesn't answer: Connection refused (1 try)"


def test_a_proxy_of_the_surroundings_is_not_asked_for_this_machine(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serving(200) as server:
        assert told(Hooks.model_validate({"on_success": {"webhook": f"http://127.0.0.1:{server.port}"}})) == []
    assert len(server.got) == 1


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("on_success: notify-send done", "b.yaml:1:1", "no shell reads it"),
        ("on_success: [a, 3]", "b.yaml:1:17  on_success[1] = 3", "wanted text"),
        ("on_success: [a, [b]]", "b.yaml:1:14  on_success[0] = a", "wanted a command"),
        ("on_success:\n  - [a]\n  - [b, true]", "on_success[1][1]", "wanted text"),
        ("on_success: {webhok: 'https://a'}", "on_success.webhok", "Did you mean 'webhook'?"),
        ("on_sucess: [a]", "on_sucess", "Did you mean 'on_success'?"),
        ("on_success: {}", "on_success", "wanted either a command or a webhook"),
        ("on_success: {webhook: 'file:///etc/passwd'}", "on_success.webhook", "https://"),
        ("on_success: {webhook: 'ftp://a/b'}", "on_success.webhook", "https://"),
        ("on_success: {webhook: 'https://me:word@a/b'}", "on_success.webhook", "a name and a password"),
        ("on_success: {webhook: 'https://a:99999/'}", "on_success.webhook", "https://"),
        ("on_success: {webhook: 'https://a/', timeout: soon}", "on_success.timeout", "wanted a time such as 90s"),
        ("on_success: {webhook: 'https://a/', timeout: 0}", "on_success.timeout", "longer than 0"),
        ("on_success: {webhook: 'https://a/', retries: 21}", "on_success.retries", "at most 20"),
        ("on_success: {webhook: 'https://a/', headers: {'A b': c}}", "on_success.headers.A b", "name of a header"),
        ('on_success: {webhook: "https://a/", headers: {A: "b\\r\\nC: d"}}', "on_success.headers.A", "one line"),
        ("on_success: {command: [a], retries: 3}", "on_success.retries", "only a webhook has this"),
    ],
)
def test_mistakes_say_where_they_are(text, place, words, tmp_path):
    with pytest.raises(RecipeError) as caught:
        hooks_of(text, tmp_path)
    assert place in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (90, 90),
        ("90", 90),
        ("1.5s", 1.5),
        ("20 min", 1200),
        ("20m", 1200),
        ("2h", 7200),
        ("1 day", 86400),
        ("1:30:00", 5400),
        ("2:05", 125),
    ],
)
def test_lengths(written, seconds):
    assert length_s(written) == seconds


@pytest.mark.parametrize("written", ["", "h", "-1s", "1:75", "2 weeks", None, True, "1e9h", 0, [1]])
def test_what_is_no_length(written):
    with pytest.raises(ValueError, match=r"wanted a time|longer than 0|too long"):
        length_s(written)
