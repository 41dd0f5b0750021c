"""``gandream batch``: what it says before, meanwhile and after, to people and to programs, and how it ends."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

RECIPE = "model: cppn#7\nvideo: {size: 64, fps: 10, duration: 0.4, preset: ultrafast}\n"
WORDS = """\
recipes: [a.yaml, {recipe: b.yaml, set: {seed: 3}}]
vary: {truncation: [0.5, 1]}
out: films/{recipe}-{truncation}
jobs: 1
timeout: 1:00:00
on_success: [[echo, well], {webhook: 'https://example.org/x', retries: 1}]
"""


@pytest.fixture(autouse=True)
def recipes(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two small recipes."""
    monkeypatch.delenv("GANDREAM_JOBS", raising=False)
    for name in "ab":
        (here / f"{name}.yaml").write_text(RECIPE)


def test_a_dry_run_says_what_would_be(gandream, here: Path):
    said = gandream("batch", "a.yaml", "b.yaml", "--vary", "seed=1-2", "-o", "x/{recipe}{seed:02}", "--dry-run")
    assert said.status == 0
    assert said.out.splitlines() == [
        "a-1  ->  x/a01.mp4",
        "a-2  ->  x/a02.mp4",
        "b-1  ->  x/b01.mp4",
        "b-2  ->  x/b02.mp4",
    ]
    assert said.err == "4 films\n"
    assert not (here / "x").exists()
    assert not (here / "outputs").exists()
    found = json.loads(gandream("batch", "a.yaml", "--dry-run", "--draft", "--json", "--name", "n").out)
    film = {"name": "a", "recipe": str(here / "a.yaml"), "set": [], "outputs": [str(here / "outputs/a.draft.mp4")]}
    assert found == {"batch": "n", "films": [{**film, "mistake": None}]}
    assert json.loads(gandream("batch", "a.yaml", "--dry-run", "--json", "--name", "n" * 300).out)["batch"] == "n" * 50


def test_mistakes_that_are_alike_are_told_once(gandream, here: Path):
    (here / "b.yaml").write_text(RECIPE + "wlak: 1\n")
    said = gandream("batch", "a.yaml", "b.yaml", "--vary", "seed=1-9", "--dry-run")
    assert said.status == 1
    assert said.err.count("Did you mean 'walk'?") == 1
    assert said.err.startswith("b-1, b-2, b-3 and 6 more:\n  b.yaml:3:1  wlak = 1\n")
    assert "9 of 18 films can't be rendered, as said above." in said.err
    assert len(said.out.splitlines()) == 9


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("a.yaml", "--vary", "seed"), "wanted key=values"),
        (("a.yaml", "--vary", "seed=9-1"), "write 1-9, not 9-1"),
        (("a.yaml", "--vary", "seed="), "seed has no values"),
        (("a.yaml", "--vary", "seed=1,2", "-o", "film.mp4"), "Put {seed} into `out`"),
        (("a.yaml", "a.yaml"), "would both be this film"),
        (("a.yaml", "--timeout", "long"), "wanted a time such as 90s"),
        (("a.yaml", "--jobs", "0"), "'0' is no whole number from 1 to 256"),
        (("a.yaml", "--device", "gpu"), "wanted auto, cpu, cuda or mps"),
        (("a.yaml", "--on", "moon"), "no such place to render on"),
        (("*.yml",), "there is no file *.yml"),
        (("gone.batch.yaml",), "no such file"),
        ((), "is missing"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_a_wrong_command_line_is_told(gandream, words: tuple[str, ...], told: str):
    said = gandream("batch", *words)
    assert (said.status, said.out) == (2, "")
    assert told in said.err
    assert "Traceback" not in said.err
    assert not Path("outputs").exists()


def test_what_failed_is_the_status_and_in_the_table(gandream, here: Path):
    """Nothing here can be rendered, so that no worker starts."""
    said = gandream("batch", "c.yaml", "d.yaml", "--vary", "seed=1")
    assert said.status == 1
    assert said.out.splitlines() == [
        "c-1  failed    c.yaml: no such file",
        "d-1  failed    d.yaml: no such file",
        "outputs/c+1.report.html",
    ]
    assert said.err.splitlines()[-1].startswith("0 of 2 done, 2 failed, in 0.")
    found = json.loads(gandream("batch", "c.yaml", "--json").out)
    assert (found["good"], found["films"][0]["state"]) == (False, "failed")
    assert found["report"] == "outputs/c.report.html", "from here"
    kept = json.loads((here / "outputs/c.report.json").read_text())
    assert (kept["report"], kept["films"][0]["recipe"]) == ("c.report.html", "../c.yaml"), "from there"


@pytest.mark.slow
def test_a_film_is_rendered_and_said(gandream, here: Path):
    (here / "night.batch.yaml").write_text(
        f'recipes: a.yaml\non_success: [{sys.executable}, -c, \'open("told", "w")\']\n'
    )
    said = gandream("batch", "night.batch.yaml", "--device", "cpu", "--set", "video.duration=0.2")
    assert said.status == 0, said.err
    assert said.out.splitlines()[1] == "outputs/night.report.html"
    assert said.out.startswith("a  done  ")
    assert said.err.startswith("[1/1] a: outputs/a.mp4 in ")
    assert (here / "told").exists()
    again = gandream("batch", "night.batch.yaml", "--device", "cpu", "--set", "video.duration=0.2", "-q")
    assert (again.status, again.out, again.err) == (0, "a  there    outputs/a.mp4\noutputs/night.report.html\n", "")


def test_the_schema_of_batch_files(gandream, here: Path):
    schema = json.loads(gandream("schema", "--batch").out)
    Draft202012Validator.check_schema(schema)
    check = Draft202012Validator(schema)
    (here / "w.batch.yaml").write_text(WORDS)
    assert gandream("batch", "w.batch.yaml", "--dry-run").status == 0
    good = yaml.safe_load(WORDS)
    assert list(check.iter_errors({**good, "timeout": "2h"})) == []
    assert list(check.iter_errors({"recipes": "a.yaml"})) == []
    for wrong in ({}, {"recipes": []}, {**good, "jobs": 0}, {**good, "retires": 1}, {"recipes": [{"vary": {}}]}):
        assert list(check.iter_errors(wrong)), wrong
    assert gandream("schema", "--batch", "-o", "b.json").out == "b.json\n"
    assert json.loads((here / "b.json").read_text()) == schema
