"""docs/pages/extend.md: its changes fit the code as it is, and a copy of gandream with all of them makes a film."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "pages" / "extend.md"
BLOCK = re.compile(r'^```(\w+) title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> Iterator[tuple[str, str]]:
    """The file and the text of each block of a kind."""
    return ((found[2], found[3]) for found in BLOCK.finditer(PAGE.read_text("utf-8")) if found[1] == kind)


def changed(text: str, hunk: str) -> str:
    """A file's text with a change made to it, whose context must be there exactly once."""
    lines = hunk.splitlines()
    before = "".join(f"{line[1:]}\n" for line in lines if line[:1] in (" ", "-", ""))
    after = "".join(f"{line[1:]}\n" for line in lines if line[:1] in (" ", "+", ""))
    assert text.count(before) == 1, before
    return text.replace(before, after)


@pytest.mark.parametrize(("file", "hunk"), list(blocks("diff")), ids=lambda text: text.split("\n")[0])
def test_every_change_fits(file: str, hunk: str):
    text = (ROOT / file).read_text("utf-8")
    assert changed(text, hunk) != text


def test_new_files_are_new():
    assert [file for file, _ in blocks("python")]
    assert not [file for file, _ in blocks("python") if (ROOT / file).exists()]


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of gandream with all changes of the page."""
    folder = tmp_path_factory.mktemp("extended")
    shutil.copytree(ROOT / "gandream", folder / "gandream", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "assets").symlink_to(ROOT / "assets", target_is_directory=True)
    for file, hunk in blocks("diff"):
        (folder / file).write_text(changed((folder / file).read_text("utf-8"), hunk), "utf-8")
    for file, text in blocks("python"):
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(text, "utf-8")
    for file, text in blocks("yaml"):
        (folder / file).write_text(text, "utf-8")
    return folder


def said(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "gandream", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.slow
def test_the_film_with_all_of_it_is_made(extended: Path):
    assert said(extended, "render", "new.yaml", "--device", "cpu").strip() == str(Path("outputs") / "new.mp4")
    assert (extended / "outputs" / "new.mp4").stat().st_size > 1000


@pytest.mark.slow
def test_the_reference_knows_them(extended: Path):
    assert "effects: [{tint: level, colour: sky}]" in said(extended, "reference", "tint")
    assert "85 % of the sound" in said(extended, "reference", "rolloff")
    assert "walk: {eight: {seed: 3}}" in said(extended, "reference", "walk.eight")


@pytest.mark.slow
def test_the_effect_tints_and_the_signal_is_heard(extended: Path):
    """Sky is more blue than red, in every picture of the film; and its amount moves with the music."""
    from PIL import Image

    for name, how in (("plain", "effects=[]"), ("full", "effects=[{tint: 1, colour: sky}]")):
        said(extended, "still", "new.yaml", "--set", how, "-o", f"{name}.png", "--at", "1s")
    red, _, blue = Image.open(extended / "full.png").convert("RGB").split()
    assert sum(blue.histogram()[at] * at for at in range(256)) > 1.5 * sum(
        red.histogram()[at] * at for at in range(256)
    )
    assert Image.open(extended / "plain.png").tobytes() != Image.open(extended / "full.png").tobytes()
