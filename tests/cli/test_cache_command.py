"""``gandream cache``: what lies in the store, and what may go."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from gandream.base.files import machine
from gandream.recipe.load import load_recipe
from gandream.run.film import render

SEGMENTS = Path("outputs/.gandream/segments")
DAY_S = 86400


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory, clicks: Path) -> Path:
    """A recipe of three segments, edited once at its end, and another that shares nothing with it."""
    folder = tmp_path_factory.mktemp("films")
    for name, words in (
        ("a", "truncation: {0s: 1, 4.2s: 1, 5s: 0.5}"),
        ("a", "truncation: {0s: 1, 4.2s: 1, 5s: 0.2}"),
        ("b", f"audio: {clicks}\nsignals: {{hit: rms}}\ntruncation: 0.3 + 0.1*hit"),
    ):
        (folder / f"{name}.yaml").write_text(
            f"model: cppn#7\n{words}\nvideo: {{size: 64, fps: 10, duration: 5, preset: ultrafast}}\n"
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("GANDREAM_CACHE", raising=False)
            render(load_recipe(folder / f"{name}.yaml"), folder / f"outputs/{name}.mp4", device="cpu")
    return folder


@pytest.fixture
def two_films(rendered: Path, here: Path) -> Path:
    """The same in a place of its own, as a project that was moved."""
    shutil.copytree(rendered, here, dirs_exist_ok=True)
    return here


def listed(gandream) -> dict:
    return json.loads(gandream("cache", "list", "--json").out)


def gone(said) -> int:
    return len(json.loads(said.out)["files"])


def test_it_tells_what_is_of_which_film(two_films: Path, gandream):
    found = listed(gandream)
    films = {film["film"]: film for film in found["films"]}
    assert films["outputs/a.mp4"] | {"bytes": 0, "used": 0} == {
        **{"film": "outputs/a.mp4", "recipe": "a.yaml", "segments": 3, "of": 3, "bytes": 0, "used": 0}
    }
    assert films["outputs/b.mp4"]["segments"] == 3
    others = {one["what"]: one["files"] for one in found["others"]}
    assert others["of no film any more"] == 1, "what the edit has replaced"
    assert others["what was heard in music"] >= 1
    whole = sum(path.stat().st_size for path in Path("outputs/.gandream").glob("[sa]*/**/*") if path.is_file())
    assert found["bytes"] == whole == json.loads(gandream("cache", "size", "--json").out)["bytes"]
    said = gandream("cache", "list").out
    assert "outputs/a.mp4" in said
    assert "3 of 3" in said
    assert "just now" in said


def test_what_no_film_needs_goes_and_the_rest_stays(two_films: Path, gandream):
    before = set(SEGMENTS.iterdir())
    assert gone(gandream("cache", "prune", "--unused", "--json", "--dry-run")) == 1
    assert set(SEGMENTS.iterdir()) == before
    assert gandream("cache", "prune", "--unused").out.startswith("1 file went, ")
    assert len(before - set(SEGMENTS.iterdir())) == 1
    for name in "ab":
        Path(f"outputs/{name}.mp4").unlink()
        gandream("render", f"{name}.yaml", "--device", "cpu")
        manifest = json.loads(Path(f"outputs/{name}.mp4.manifest.json").read_text())
        assert manifest["figures"]["frames_rendered"] == 0
    Path("b.yaml").unlink()
    assert gone(gandream("cache", "prune", "--unused", "--json")) == 3, "those of a recipe that is gone"
    assert [film["film"] for film in listed(gandream)["films"]] == ["outputs/a.mp4"]


def test_by_recipe(two_films: Path, gandream):
    assert gone(gandream("cache", "prune", "--recipe", "b.yaml", "--json")) == 3
    assert gone(gandream("cache", "prune", "--recipe", "other.yaml", "--json")) == 0
    assert [film["film"] for film in listed(gandream)["films"]] == ["outputs/a.mp4"]
    assert Path("outputs/b.mp4").exists(), "finished films are never touched"


def test_by_age_and_size(two_films: Path, gandream):
    old = time.time() - 40 * DAY_S
    for path in SEGMENTS.iterdir():
        os.utime(path, (old, old))
    assert gone(gandream("cache", "prune", "--older", "30d", "--json")) == 1, "the others' films were used just now"
    for note in (SEGMENTS.parent / "films").iterdir():
        os.utime(note, (old, old))
    whole = listed(gandream)["bytes"]
    largest = max(path.stat().st_size for path in SEGMENTS.iterdir())
    assert gone(gandream("cache", "prune", "--older", "30d", "--larger", "5GB", "--json")) == 0
    gandream("cache", "prune", "--larger", f"{whole - 1}")
    assert whole - largest <= listed(gandream)["bytes"] < whole
    gandream("cache", "prune", "--older", "4w")
    assert not list(SEGMENTS.iterdir())
    assert gone(gandream("cache", "prune", "--older", "0s", "--json")) >= 1, "what was heard"
    assert gandream("cache", "list").out == "nothing is in outputs/.gandream\n"


def test_what_is_false_is_found_and_removed(two_films: Path, gandream):
    good = gandream("cache", "verify")
    assert (good.status, good.out) == (0, "7 of 7 segments are whole\n")
    path = sorted(SEGMENTS.iterdir())[2]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    left = SEGMENTS / f".segment.{machine()}-{2**22 + 1}-00000000.part.mp4"
    left.write_bytes(b"left by a killed one")
    (SEGMENTS.parent / "films/odd.json").write_text("[" * 5000)
    said = gandream("cache", "verify", "--dry-run")
    assert (said.status, path.exists()) == (1, True)
    said = gandream("cache", "verify")
    assert (said.status, said.out) == (1, "6 of 7 segments are whole\n")
    assert path.name in said.err
    assert not path.exists()
    assert not left.exists()
    assert gandream("cache", "verify").status == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nothing says what may go"),
        (["--older", "30 moons"], "no age"),
        (["--larger", "much"], "no size"),
        (["--larger", "-5GB"], "no size"),
    ],
)
def test_what_is_asked_wrongly_removes_nothing(here: Path, gandream, arguments: list[str], words: str):
    said = gandream("cache", "prune", *arguments)
    assert said.status == 2
    assert words in " ".join(said.err.split())


def test_a_store_that_is_not_there(here: Path, gandream):
    assert gandream("cache", "list").out == "nothing is in outputs/.gandream\n"
    assert gandream("cache", "size").out == "0 B in outputs/.gandream\n"
    assert gandream("cache", "verify").out == "0 of 0 segments are whole\n"
    assert gandream("cache", "prune", "--unused").out == "0 files went, 0 B\n"
    assert not Path("outputs").exists()
    for command in (["list"], ["size"], ["verify"], ["prune", "--unused"]):
        said = gandream("cache", *command, "--folder", "output")
        assert (said.status, said.err.splitlines()[:2]) == (2, ["output", "  no such folder"])
