"""Completion: what may come next on a command line, asked as each shell asks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gandream.cli.complete import candidates
from gandream.cli.main import app
from gandream.cli.shells import SCRIPTS

BREAKS = " \t\n\"'@><=;|&(:"


def texts(*words: str) -> list[str]:
    return [one.text for one in candidates(app, list(words))]


def test_commands_and_options():
    assert texts("rend") == ["render"]
    assert {"render", "new", "models", "cache"} <= set(texts(""))
    assert texts("models", "re") == ["remove"]
    assert texts("render", "--fr") == ["--frames"]
    assert {"--quiet", "--help", "--json"} <= set(texts("render", "--"))
    assert texts("plan", "x.yaml", "--no") == ["--no-probe"]
    assert texts("nothing", "") == []


def test_values(here: Path):
    (here / "night.yaml").touch()
    (here / "notes.txt").touch()
    (here / "films").mkdir()
    (here / "films" / "a.mp4").touch()
    assert texts("render", "") == ["films/", "night.yaml"]
    assert texts("validate", "night.yaml", "n") == ["night.yaml"]
    assert texts("recipe", "films/") == ["films/a.mp4"]
    assert texts("render", "night.yaml", "-o", "n") == ["night.yaml", "notes.txt"]
    assert texts("render", "night.yaml", "--device", "") == ["auto", "cpu", "cuda", "mps"]
    assert texts("render", "night.yaml", "--device=c") == ["--device=cpu", "--device=cuda"]
    assert texts("render", "night.yaml", "--frames", "") == []
    assert texts("completion", "f") == ["fish"]
    assert "music_viz" in texts("new", "--from", "mus")
    assert texts("new", "--song", "bundled:n") == ["bundled:night_drive"]
    assert texts("models", "info", "cp") == ["cppn#"]
    assert "faces64" in texts("models", "add", "fa")


def test_words_of_recipes():
    assert "video=" in texts("render", "x", "--set", "vid")
    assert "video.codec=" in texts("render", "x", "--set", "video.co")
    assert texts("render", "x", "--set", "video.codec=h") == ["video.codec=h264", "video.codec=h265"]
    assert texts("compare", "x", "--vary", "video.codec=h264,a") == ["video.codec=h264,av1"]
    assert texts("render", "x", "--set", "video.loop=") == ["video.loop=false", "video.loop=true"]
    assert texts("render", "x", "--set", "nothing.at.all=") == []


def ask(shell: str, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "_GANDREAM_COMPLETE": shell, "_GANDREAM_WORDS": "\n".join(words)}
    command = [sys.executable, "-m", "gandream", *([] if shell == "powershell" else words)]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=True)


def test_shells_get_lines_with_what_words_mean(tmp_path: Path):
    for shell in ("zsh", "fish", "powershell"):
        assert ask(shell, "rend", folder=tmp_path).stdout == "render\tRender a recipe to a film with its sound.\n"


@pytest.mark.parametrize(
    ("line", "ends"),
    [
        ("gandream rend", ["render "]),
        ("gandream render x --set video.codec=h", ["h264 ", "h265 "]),
        ("gandream new --song bundled:n", ["night_drive "]),
        ("gandream render my", ["my\\ song.yaml "]),
        ("gandream render my\\ s", ["my\\ song.yaml "]),
        ('gandream render "my s', ["my song.yaml"]),
        ("gandream render fol", ["folder/"]),
        ("gandream render ", ["folder/", "my\\ song.yaml "]),
    ],
)
def test_bash_replaces_what_follows_its_last_break(
    here: Path, capsys: pytest.CaptureFixture[str], line: str, ends: list[str]
):
    from gandream.cli.complete import complete

    (here / "my song.yaml").touch()
    (here / "folder").mkdir()
    complete(app, "bash", [line, BREAKS])
    assert capsys.readouterr().out.splitlines() == ends


@pytest.mark.skipif(sys.platform == "win32", reason="no file has such a name there")
@pytest.mark.parametrize("mark", ["", '"', "'"])
def test_bash_obeys_no_name(here: Path, capsys: pytest.CaptureFixture[str], mark: str):
    from gandream.cli.complete import complete

    name = "a$(touch x)`touch y`{b,c}'d\" $HOME;e\\.wav"
    (here / name).touch()
    (here / "a\nb\x1b[31m.wav").touch()
    complete(app, "bash", [f"gandream new --song {mark}a", BREAKS])
    (end,) = capsys.readouterr().out.splitlines()
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash")
    said = subprocess.run([bash, "-c", f"printf %s {mark}{end}{mark}"], capture_output=True, text=True, check=True)
    assert said.stdout == name
    assert not (here / "x").exists()
    assert not (here / "y").exists()


def test_completing_loads_nothing_heavy():
    program = "from gandream.cli.main import app\nfrom gandream.cli.complete import candidates\nimport sys\n"
    program += "assert candidates(app, ['render', 'x', '--set', 'video.codec=h']) and candidates(app, ['sheet', 'c'])\n"
    program += "print([m for m in ('torch', 'librosa', 'scipy', 'pydantic', 'yaml') if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_the_script_is_printed(gandream):
    assert gandream("completion", "bash").out == SCRIPTS["bash"]
    assert gandream("completion", "powershell").out == SCRIPTS["powershell"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_takes_it(shell: str, tmp_path: Path):
    """Where the shell is there, it reads its script and completes with it."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} isn't here")
    program = tmp_path / "gandream"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gandream "$@"\n')
    program.chmod(0o755)
    (tmp_path / "script").write_text(SCRIPTS[shell])
    asked = {
        "bash": 'source script; COMP_LINE="gandream rend"; COMP_POINT=13; _gandream; echo "${COMPREPLY[0]}"',
        "zsh": "compdef() { print defined }; source ./script",
        "fish": "source script; complete -C 'gandream rend' | cut -f 1",
    }
    quick = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    command = [shell, *quick, "-c", asked[shell]]
    said = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (said.stdout.strip(), said.stderr) == ({"zsh": "defined"}.get(shell, "render"), "")
