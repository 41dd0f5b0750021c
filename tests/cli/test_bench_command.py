"""``gandream bench``: figures that belong together, from a real render that leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gandream.cli.main import app

STAGES = ["generator", "effects", "colours", "encoder"]


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    text = "model: cppn#7\neffects: [{contrast: 1.3}]\nvideo: {size: 32, duration: 3s, fps: 10}\n"
    (tmp_path / "r.yaml").write_text(text, "utf-8")
    return tmp_path / "r.yaml"


def test_figures(recipe: Path):
    done = CliRunner().invoke(app, ["bench", str(recipe), "--rounds", "2", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert list(found["stages"]) == [*STAGES, "the whole"]
    assert found["frames"] == [0, 30]
    assert found["rounds"] == 2
    assert found["size"] == "32x32"
    assert all(found["stages"][name] > 0 for name in ("generator", "colours", "encoder", "the whole"))
    assert found["bottleneck"] == max(STAGES, key=found["stages"].get)
    assert found["bound_ms"] == pytest.approx(sum(found["stages"][name] for name in STAGES), abs=0.01)
    assert found["ratio"] == pytest.approx(found["whole"] / found["bound_ms"], abs=0.01)
    assert sorted(path.name for path in recipe.parent.iterdir()) == ["r.yaml"]


def test_table_and_range(recipe: Path):
    done = CliRunner().invoke(app, ["bench", str(recipe), "--rounds", "1", "--frames", "4:9"])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert "32x32, 10 fps, h264, frames 4 to 8" in lines[0]
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + len(STAGES) + 1
    assert len({row.count("|") for row in rows}) == 1
    beyond = CliRunner().invoke(app, ["bench", str(recipe), "--frames", "4:90"])
    assert "0:30" in str(beyond.exception)
    assert beyond.exception.exit_code == 2


@pytest.mark.parametrize("words", ["file: mov, codec: prores", "file: png, depth: 16"])
def test_pictures_of_more_than_8_bits(recipe: Path, words: str):
    recipe.write_text(f"model: cppn#7\nvideo: {{size: 32, duration: 1s, fps: 4, {words}}}\n", "utf-8")
    done = CliRunner().invoke(app, ["bench", str(recipe), "--rounds", "1"])
    assert done.exit_code == 0, done.exception
    assert "| encoder |" in done.stdout
