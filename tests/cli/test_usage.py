"""Mistakes on the command line itself: where, what is wrong, what to do; status 2, in the same words as all others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MORE = "`gandream {} --help` tells what there is."
MISTAKES = {
    "rendr x.yaml": (
        "gandream rendr",
        "no such command",
        "Did you mean 'render'? `gandream --help` lists the commands.",
    ),
    "xyzzy": ("gandream xyzzy", "no such command", "`gandream --help` lists the commands."),
    "--flags": ("gandream --flags", "no such option", "`gandream --help` tells what there is."),
    "models lst": (
        "gandream models lst",
        "no such command",
        "Did you mean 'list'? `gandream models --help` lists the commands.",
    ),
    "render": ("gandream render", "RECIPE is missing", "It is: gandream render RECIPE [options]"),
    "render a.yaml b.yaml": (
        "gandream render b.yaml",
        "there is no place for this",
        "It is: gandream render RECIPE [options]",
    ),
    "render a.yaml --frmes 0:3": (
        "gandream render --frmes",
        "no such option",
        f"Did you mean '--frames'? {MORE.format('render')}",
    ),
    "render a.yaml -o": ("gandream render -o", "its value is missing", "It is: --out FILE"),
    "render a.yaml --draft=3": ("gandream render --draft", "it takes no value", MORE.format("render")),
    "render a.yaml --device tpu": (
        "gandream render --device",
        "'tpu' is no device; wanted auto, cpu, cuda or mps",
        MORE.format("render"),
    ),
    "render a.yaml --frames x": (
        "gandream render --frames",
        "'x' is no range of frames; wanted A:B such as 0:60, :60 or 60:",
        MORE.format("render"),
    ),
    "bench a.yaml --rounds 0": (
        "gandream bench --rounds 0",
        "'0' is no whole number of 1 or more",
        MORE.format("bench"),
    ),
    "bench a.yaml --rounds=x": (
        "gandream bench --rounds x",
        "'x' is no whole number of 1 or more",
        MORE.format("bench"),
    ),
    "surprise --seed -1": (
        "gandream surprise --seed -1",
        "'-1' is no whole number of 0 or more",
        MORE.format("surprise"),
    ),
    "train photos": (
        "gandream train",
        "--out is missing",
        "It is: gandream train DATA --out FILE [options]",
    ),
    "explain": ("gandream explain", "RECIPE is missing, or --functions", MORE.format("explain")),
    "completion bahs": (
        "gandream completion bahs",
        "no such shell; there are bash, zsh, fish, powershell",
        "Did you mean 'bash'?",
    ),
    "validate": ("gandream validate", "RECIPE... is missing", "It is: gandream validate RECIPE... [options]"),
}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_mistake_says_where_what_and_what_to_do(gandream, here: Path, words: str):
    said = gandream(*words.split())
    where, problem, hint = MISTAKES[words]
    assert (said.status, said.out) == (2, "")
    assert said.err == f"{where}\n  {problem}\n  {hint}\n"


@pytest.mark.parametrize("words", ["", "-q", "models", "cache", "models -v"])
def test_a_missing_command_gets_the_help_on_standard_error(gandream, words: str):
    said = gandream(*words.split())
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith(f"gandream {words.replace('-q', '').replace('-v', '').strip()}".strip() + " COMMAND ...")
    assert "-q, --quiet" in said.err


COMMANDS = (
    "validate", "explain", "listen", "still", "preview", "watch", "sheet", "compare", "plan", "render", "recipe",
    "trajectory", "bench", "models info",
)  # fmt: skip
"""Commands with a file of which they say that it isn't there."""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_file_ends_every_command_with_2(gandream, here: Path, command: str):
    more = ["--vary", "seed=1,2"] if command == "compare" else ["-q"]
    name = "missing.mp4" if command == "recipe" else "missing.yaml"
    said = gandream(*command.split(), name, *more)
    assert said.status == 2
    assert said.out == ""
    assert f"{name}\n  no such file" in said.err
    assert not list(here.iterdir()) or command == "watch"


def test_what_nobody_foresaw_is_no_traceback(gandream, here: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise KeyError("gone")

    monkeypatch.setattr("gandream.recipe.load.load_recipe", broken)
    said = gandream("render", "r.yaml")
    assert said.status == 1
    assert "KeyError: 'gone'" in said.err
    assert "Traceback" not in said.err
    for words in (["--debug", "render", "r.yaml"], ["render", "r.yaml", "--debug"]):
        said = gandream(*words)
        assert said.status == 1
        assert "Traceback" in said.err
        assert said.err.endswith("tell it with that.\n")


def test_debug_changes_no_status(gandream, here: Path):
    said = gandream("render", "missing.yaml", "--debug")
    assert said.status == 2
    assert "Traceback" in said.err
    assert said.err.endswith("missing.yaml\n  no such file\n")


def test_errors_for_programs(gandream, here: Path):
    (here / "r.yaml").write_text("model: cppn#7\nwlak: 3\nvdieo: 4\n")
    said = gandream("render", "r.yaml", "--json")
    found = json.loads(said.out)["error"]
    assert said.status == found["exit"] == 2
    assert (found["where"], found["hint"]) == ("r.yaml:2:1  wlak = 3", "Did you mean 'walk'?")
    assert [other["where"] for other in found["others"]] == ["r.yaml:3:1  vdieo = 4"]
    assert said.err.startswith("r.yaml:2:1  wlak = 3\n  ")
    said = gandream("render", "--json", "--frmes", "3")
    assert json.loads(said.out)["error"]["where"] == "gandream render --frmes"


@pytest.mark.parametrize("command", ["render", "plan"])
def test_work_that_fails_ends_with_1(here: Path, command: str):
    """An ffmpeg that always fails."""
    if (false := shutil.which("false")) is None:
        pytest.skip("there is no program that fails")
    (here / "r.yaml").write_text("model: cppn#7\nvideo: {size: 64, fps: 10, duration: 1}\n")
    environment = {**os.environ, "IMAGEIO_FFMPEG_EXE": false}
    words = [sys.executable, "-m", "gandream", command, "r.yaml", "--json"]
    said = subprocess.run(words, env=environment, capture_output=True, text=True)
    found = json.loads(said.stdout)["error"]
    assert (said.returncode, found["exit"], found["where"]) == (1, 1, "ffmpeg")
    assert said.stderr.startswith("ffmpeg\n  ")
    assert "Traceback" not in said.stderr
