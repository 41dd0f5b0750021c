"""``--json``: one document on standard output, and nothing else there, from every command that reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from gandream.cli.main import app

RECIPE = "model: cppn#7\nvideo: {size: 64, fps: 10, duration: 0.4, preset: ultrafast}\n"
NEVER = {
    "completion": "prints a script",
    "jobs logs": "prints a log as it is",
    "jobs watch": "goes on while something waits",
    "schema": "prints JSON as it is",
    "watch": "goes on until Ctrl-C",
}


@pytest.fixture(autouse=True)
def recipe(here: Path) -> None:
    """A small recipe."""
    (here / "r.yaml").write_text(RECIPE)


def read(gandream, *words: str, status: int = 0) -> Any:
    said = gandream(*words, "--json")
    assert said.status == status, said.err
    return json.loads(said.out)


def test_every_command_that_reports_has_it():
    group: Any = typer.main.get_command(app)
    leaves = {
        f"{name} {below}".strip(): command
        for name, one in group.commands.items()
        for below, command in getattr(one, "commands", {"": one}).items()
    }
    without = {name for name, one in leaves.items() if not any("--json" in param.opts for param in one.params)}
    assert without == set(NEVER)


def test_validate(gandream, here: Path):
    assert read(gandream, "validate", "r.yaml") == {
        "good": True,
        "recipes": [{"recipe": "r.yaml", "good": True, "mistakes": []}],
    }
    (here / "bad.yaml").write_text(RECIPE + "wlak: 1\nvdieo: 2\n")
    found = read(gandream, "validate", "r.yaml", "bad.yaml", status=2)
    assert [one["good"] for one in found["recipes"]] == [True, False]
    assert [one["hint"] for one in found["recipes"][1]["mistakes"]] == ["Did you mean 'walk'?", "Did you mean 'video'?"]
    assert found["recipes"][1]["mistakes"][0]["where"] == "bad.yaml:3:1  wlak = 1"


def test_still_and_trajectory(gandream):
    assert read(gandream, "still", "r.yaml", "-o", "a.png") == {"file": "a.png", "warnings": []}
    assert Path("a.png").is_file()
    found = read(gandream, "trajectory", "r.yaml", "-o", "a.npz")
    assert (found["file"], found["frames"]) == ("a.npz", 4)


def test_surprise(gandream):
    found = read(gandream, "surprise", "--seed", "7")
    assert found == {"seed": 7, "text": gandream("surprise", "--seed", "7").out}
    assert read(gandream, "surprise")["seed"] >= 0


def test_explain(gandream):
    found = read(gandream, "explain", "r.yaml")
    assert yaml.safe_load(found["text"])["video"]["size"] == [64, 64]
    assert found["text"] == gandream("explain", "r.yaml").out
    found = read(gandream, "explain", "--functions")
    assert {"name", "group", "arguments", "about", "range", "example"} == set(found["functions"][0])
    assert "t" in [one["name"] for one in found["names"]]


def test_models(gandream, monkeypatch: pytest.MonkeyPatch, stylegan2_file, here: Path):
    monkeypatch.setenv("GANDREAM_MODELS", str(here / "shelf"))
    assert [one["name"] for one in read(gandream, "models", "list")["models"]] == ["cppn#SEED", "dream"]
    known = read(gandream, "models", "list", "--known")["models"]
    assert {"name", "source", "family", "about", "megabytes", "licence", "tried", "here"} == set(known[0])
    assert read(gandream, "models", "add", "mine", str(stylegan2_file()))["name"] == "mine"
    assert read(gandream, "models", "list")["models"][-1]["kind"] == "added"
    found = read(gandream, "models", "convert", "mine", "out.safetensors", "--check")
    assert (found["file"], found["family"], found["largest_difference"]) == ("out.safetensors", "stylegan2", 0)
    assert read(gandream, "models", "remove", "mine")["name"] == "mine"


def test_preview(gandream):
    found = read(gandream, "preview", "r.yaml", "--at", "0s", "--for", "0.3s")
    assert (found["file"], found["start_s"], found["why"]) == (str(Path("outputs/r.preview.mp4")), 0, None)


@pytest.mark.slow
def test_a_training_that_would_be(gandream):
    shape = ("--family", "dcgan", "--resolution", "16", "--images", "1k")
    found = read(gandream, "train", "procedural:dreams", "-o", "a.safetensors", *shape, "--dry-run")
    assert (found["family"], found["resolution"], found["pictures"], found["fits"]) == ("dcgan", 16, None, True)
    assert sum(one["images"] for one in found["stages"]) == 1000
    assert found["seconds"] > 0
    assert found["memory_bytes"]["needed"] < found["memory_bytes"]["there"]


def test_the_cache(gandream):
    assert read(gandream, "cache", "list")["films"] == []
    assert read(gandream, "cache", "size")["bytes"] == 0
    assert read(gandream, "cache", "verify") == {"segments": 0, "false": [], "removed": True}
    assert read(gandream, "cache", "prune", "--unused") == {"files": [], "bytes": 0}


def test_doctor(gandream):
    found = read(gandream, "doctor")
    assert found["good"] is True
    assert {"part", "good", "found", "advice"} == set(found["parts"][0])
