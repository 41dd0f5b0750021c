"""What ships is in the wheel: a film is begun and looked at with nothing but what was installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

Runs = Callable[..., "subprocess.CompletedProcess[str]"]


def test_the_version_is_one():
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", cited, re.MULTILINE)[1] == PROJECT["version"]  # type: ignore[index]
    assert re.search(r"^license: (.+)$", cited, re.MULTILINE)[1] == PROJECT["license"]  # type: ignore[index]
    changes = (ROOT / "docs" / "changelog.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", changes, re.MULTILINE)[1] == PROJECT["version"]  # type: ignore[index]


def test_what_is_known_to_work_is_within_the_bounds():
    """.ci/constraints.txt names each dependency, in a version that is allowed."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lines = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").split()
    known = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *(one for extra in ("docs", "lint", "test") for one in extras[extra])]
    for requirement in map(Requirement, wanted):
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        assert requirement.specifier.contains(known[canonicalize_name(requirement.name)]), requirement


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a wheel of this tree holds, as an installation would lay it out."""
    pytest.importorskip("hatchling")
    made = tmp_path_factory.mktemp("wheel")
    build = "from hatchling.build import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    said = subprocess.run(
        [sys.executable, "-c", build, str(made)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    place = made / "site"
    with zipfile.ZipFile(made / said.stdout.split()[-1]) as wheel:
        wheel.extractall(place)
    return place


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Runs:
    """Runs what is installed, outside the checkout."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"}
        words = [sys.executable, "-m", "gandream", *arguments]
        return subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)

    return run


@pytest.mark.slow
def test_a_film_is_begun_from_the_wheel(run: Runs, tmp_path: Path, installed: Path):
    where = "import gandream; print(gandream.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    said = subprocess.run(
        [sys.executable, "-c", where], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert Path(said.stdout.strip()).is_relative_to(installed), "it is the wheel that is tested"

    begun = run("new", "night")
    assert (begun.returncode, begun.stderr) == (0, "")
    assert (tmp_path / "gandream.schema.json").is_file()
    assert run("validate", "night.yaml").stdout == "night.yaml: good\n"
    seen = run("still", "night.yaml", "--at", "1s", "--set", "video.size=32", "--device", "cpu", "-o", "seen.png")
    assert seen.returncode == 0, seen.stderr
    assert (tmp_path / "seen.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_all_that_ships_is_in_the_wheel(run: Runs, installed: Path):
    listed = run("new", "--list").stdout.splitlines()
    assert len(listed) == len(list((ROOT / "recipes").glob("*.yaml")))
    assert run("validate", "bundled:music_viz", "bundled:wander").returncode == 0
    held = {path.relative_to(installed / "gandream" / "_assets").parts[0]
            for path in (installed / "gandream" / "_assets").rglob("*") if path.is_file()}  # fmt: skip
    assert held == {"labels", "models", "music", "recipes", "schema", "starter"}
    assert (installed / "gandream" / "py.typed").is_file()
    meta = next(installed.glob("gandream-*.dist-info"))
    assert (meta / "METADATA").read_text(encoding="utf-8").count("Provides-Extra: ") == len(
        PROJECT["optional-dependencies"]
    )
    assert list(meta.rglob("LICENSE"))
