"""How much is said: -q, -v and --debug before and after the command, notes once, colours where they belong."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gandream.cli.voice import Voice, coloured, note, speak, voice

PLAIN = "model: cppn#7\nvideo: {size: 64, fps: 10, duration: 0.4, preset: ultrafast}\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "terminal", "pipe"),
    [
        ({}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_colours(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], terminal: bool, pipe: bool):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (coloured(Terminal()), coloured(io.StringIO())) == (terminal, pipe)


@pytest.mark.parametrize("words", [["--help"], ["render", "--help"], ["render", "missing.yaml"], ["reference", "fade"]])
def test_colours_can_be_forced_and_forbidden(gandream, here: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    said = gandream(*words)
    assert "\x1b[" in said.out + said.err
    monkeypatch.setenv("NO_COLOR", "1")
    said = gandream(*words)
    assert "\x1b[" not in said.out + said.err


def test_notes_are_told_once_and_not_with_quiet(capsys: pytest.CaptureFixture[str]):
    speak(Voice())
    note("odd")
    note("odd")
    note("even")
    assert capsys.readouterr().err == "note: odd\nnote: even\n"
    speak(Voice(quiet=True))
    note("odd")
    assert capsys.readouterr().err == ""
    speak(Voice())


def test_a_run_leaves_nothing_for_the_next_one(gandream, here: Path):
    (here / "r.yaml").write_text(PLAIN)
    assert gandream("-v", "validate", "r.yaml").err
    assert gandream("validate", "r.yaml").err == ""
    assert not voice().verbose


@pytest.mark.parametrize("words", [["-v", "render", "r.yaml"], ["render", "r.yaml", "--verbose"]])
def test_verbose_says_the_stages_and_their_times(gandream, here: Path, words: list[str]):
    (here / "r.yaml").write_text(PLAIN)
    said = gandream(*words)
    stages = [line.partition(":")[0] for line in said.err.splitlines()]
    assert stages == ["starting", "listening", "planning", "loading", "rendering", "joining", "in all"]
    assert re.search(r"rendering: \d+\.\d\d s, 4 frames, \d+\.\d frames/s\n", said.err)
    again = gandream(*words)
    assert [line.partition(":")[0] for line in again.err.splitlines()][2:] == ["planning", "there already", "in all"]


@pytest.mark.parametrize("words", [["-q", "preview", "r.yaml"], ["preview", "r.yaml", "-q"]])
def test_quiet_says_the_result_alone(gandream, here: Path, words: list[str]):
    (here / "r.yaml").write_text(PLAIN.replace("duration: 0.4", "duration: 2"))
    loud = gandream(*(word for word in words if word != "-q"), "--at", "0s", "--for", "1s")
    said = gandream(*words, "--at", "0s", "--for", "1s")
    assert (said.status, said.err) == (0, "")
    assert said.out == loud.out == f"{Path('outputs/r.preview.mp4')}\n"


def test_quiet_keeps_errors(gandream, here: Path):
    said = gandream("-q", "render", "missing.yaml")
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith("missing.yaml\n  no such file")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_pipe_that_lacks_characters_gets_escapes(here: Path, options: tuple[str, ...]):
    """As on Windows, where a pipe has those of one language."""
    (here / "\u0416.yaml").write_text(PLAIN)
    command = [sys.executable, "-m", "gandream", "validate", "\u0416.yaml", *options]
    said = subprocess.run(command, env={**os.environ, "PYTHONIOENCODING": "cp1252"}, capture_output=True, check=True)
    shown = said.stdout.decode("ascii")
    assert (json.loads(shown)["good"] if options else "\\u0416.yaml: good" in shown) is True
