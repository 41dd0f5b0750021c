"""The documentation: its recipes are read, its commands parse, its pictures are there, and its site is built."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from example_files import completed, lay

from gandream.cli.main import app
from gandream.recipe.bend import BENDS
from gandream.recipe.cells import cells_of
from gandream.recipe.codecs import CODECS
from gandream.recipe.effects import EFFECTS
from gandream.recipe.load import load_recipe
from gandream.recipe.recipe import check_beats
from gandream.recipe.use import PRESETS
from gandream.recipe.walk import KINDS, PATHS, WALKS
from gandream.run.batch.file import read_batch
from gandream.run.reference.kinds import default_of
from gandream.run.reference.topics import topics

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PICTURES = DOCS / "pages" / "pictures"
PAGES = sorted([*DOCS.glob("*.md"), *(DOCS / "pages").glob("*.md"), ROOT / "README.md"])
FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MOST_BYTES = 1_500_000
"""Of all pictures together: they are in the repository."""
ELSEWHERE = {"new.yaml", "model: stripes#1"}
"""What a recipe of the pages has that gandream hasn't: it shows how gandream is extended."""


def fences(*kinds: str) -> Iterator[tuple[str, str]]:
    """The page and text of every block of a kind."""
    for page in PAGES:
        for found in FENCE.finditer(page.read_text("utf-8")):
            if found[1] in kinds:
                yield page.name, found[2]


def whole(text: str) -> bool:
    return not any(one in text for one in ELSEWHERE)


RECIPES = [pytest.param(text, id=f"{page}-{text.split(chr(10))[0]}") for page, text in fences("yaml") if whole(text)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, clicks: Path) -> Path:
    made = lay(tmp_path_factory.mktemp("pages"), clicks)
    (made / "song.mp3").write_bytes(clicks.read_bytes())
    return made


@pytest.mark.parametrize("text", RECIPES)
def test_every_recipe_is_read(text: str, folder: Path):
    if re.search(r"^recipes:", text, re.MULTILINE):
        (folder / "page.batch.yaml").write_text(text, "utf-8")
        read_batch(folder / "page.batch.yaml")
        return
    if re.search(r"^(model|scenes):", text, re.MULTILINE):
        file = folder / "page.yaml"
        file.write_text(text, "utf-8")
        recipe = load_recipe(file)
    else:
        recipe = completed(text, folder)
    check_beats(recipe)
    cells_of(recipe)


def spoken() -> Iterator[tuple[str, str]]:
    """Every command line that a page shows, in blocks and in sentences."""
    for page, text in fences("sh"):
        for line in text.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\||;|>", line.split(" #")[0]):
                yield page, part.strip()
    for page in PAGES:
        text = FENCE.sub("", page.read_text("utf-8"))
        yield from ((page.name, span) for span in re.findall(r"`(gandream [^`]+)`", text))


def asked(line: str) -> list[str] | None:
    """What of a line gandream is asked; nothing where it is another program."""
    line = re.sub(r'^eval "\$\((.*)\)"$', r"\1", line)
    said = re.search(r"(?:^|/)gandream (.*)$", line) if not line.startswith("docker build") else None
    said = re.search(r"^docker run .* gandream (.*)$", line) if line.startswith("docker run") else said
    return shlex.split(said[1]) if said else None


LINES = sorted({(page, line) for page, line in spoken() if asked(line) is not None and "COMMAND" not in line})


@pytest.mark.parametrize(("page", "line"), LINES, ids=[line[:70] for _, line in LINES])
def test_every_command_line_parses(page: str, line: str):
    command: Any = typer.main.get_command(app)
    rest = asked(line) or []
    while rest and rest[0].startswith("-"):
        assert any(rest[0] in param.opts for param in command.params), line
        rest = rest[1:]
    while rest and hasattr(command, "commands"):
        assert rest[0] in command.commands, line
        command, rest = command.commands[rest[0]], rest[1:]
    if rest:  # a command's name alone, in a sentence, is just its name
        command.make_context(command.name, rest)


def test_pages_have_recipes_and_commands():
    assert len(RECIPES) > 15
    assert len(LINES) > 30


def test_python_of_the_pages_compiles():
    blocks = list(fences("python"))
    assert blocks
    for page, text in blocks:
        compile(text, page, "exec")


def test_a_python_example_runs(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """The one on the page of the inside, as far as the recipe; rendering is tested elsewhere."""
    text = next(text for page, text in fences("python") if page == "inside.md")
    (folder / "first.yaml").write_text("model: cppn#7\n")
    monkeypatch.chdir(folder)
    told: dict[str, Any] = {}
    exec(text.split("film =")[0], told)
    assert told["recipe"].model.written == "cppn#7"


def test_every_walk_effect_and_bend_has_its_picture():
    for kind in WALKS:
        assert (PICTURES / f"walk.{kind}.svg").is_file(), kind
        assert (PICTURES / f"walk.{kind}.webp").is_file(), kind
    for name in (*(f"effects.{one}" for one in EFFECTS), *(f"bend.{one}" for one in BENDS)):
        assert (PICTURES / f"{name}.webp").is_file(), name
    assert all((PICTURES / f"walk.path.{path}.svg").is_file() for path in PATHS)


def test_every_recipe_has_its_picture_unless_its_model_is_fetched():
    recipes = list((ROOT / "recipes").glob("*.yaml"))
    assert len(recipes) > 20
    for file in recipes:
        fetched = "models add" in file.read_text("utf-8")
        assert (PICTURES / f"recipe.{file.stem}.webp").is_file() or fetched, f"python docs/draw.py recipe.{file.stem}"


def test_no_picture_is_left_over_and_all_are_small():
    known = {
        f"{prefix}.{name}"
        for prefix, names in (("walk", WALKS), ("effects", EFFECTS), ("bend", BENDS))
        for name in names
    }
    known |= {f"walk.path.{path}" for path in PATHS} | {
        f"recipe.{file.stem}" for file in (ROOT / "recipes").glob("*.yaml")
    }
    files = [file for file in PICTURES.iterdir() if file.suffix in (".svg", ".webp")]
    assert {file.stem for file in files} <= known
    assert sum(file.stat().st_size for file in files) < MOST_BYTES


def test_the_language_page_agrees_with_the_declarations():
    """What it says of codecs and presets is what is declared; the rest of it tells how, and not what."""
    text = (DOCS / "language.md").read_text("utf-8")
    for name, codec in CODECS.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}` |"))
        cells = [cell.strip() for cell in row.split("|")]
        assert set(re.findall(r"`(\w+)`", cells[2])) == set(codec.files)
        assert cells[3] == (f"0-{codec.crf[1]}, {codec.crf[0]}" if codec.crf else "none")
        assert cells[4] == ", ".join(str(depth) for depth in codec.depths)
        assert cells[5] == ", ".join(codec.subsamplings)
    for name, preset in PRESETS.items():
        rows = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        for word, default in re.findall(r"`(\w+)`(?: ([\d.]+))?", rows[0].split("|")[2]) if rows else ():
            assert word in preset.model_fields, word
            assert not default or default_of(preset.model_fields[word]) == default, word
    for name, kind in KINDS.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}` |"))
        for word, default in re.findall(r"`(\w+)` ([\d.]+s?)\b", row.split("|")[3]):
            told = default_of(kind.model_fields[word])
            assert told in ("", default), f"{name}.{word}"  # what depends on other words has none of its own


@pytest.mark.slow
def test_the_site_has_a_page_for_every_topic(site: Path):
    for topic in topics():
        assert f'<h1 id="{topic.name}">' in (site / "reference" / f"{topic.name}.html").read_text("utf-8")
    push = (site / "reference" / "push.html").read_text("utf-8")
    assert 'id="push.toward"' in push


@pytest.mark.slow
def test_the_site_shows_curves_pictures_and_recipes(site: Path):
    eases = (site / "reference" / "eases.html").read_text("utf-8")
    assert eases.count("<svg xmlns") >= 34
    assert "pictures/effects.glow.webp" in (site / "reference" / "effects.html").read_text("utf-8")
    recipes = (site / "recipes.html").read_text("utf-8")
    for file in (ROOT / "recipes").glob("*.yaml"):
        assert f'id="{file.stem}"' in recipes


@pytest.mark.slow
def test_the_site_asks_nobody_else_for_anything(site: Path):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        text = page.read_text("utf-8")
        assert not re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="https?://', text), page


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("material", reason="pip install 'gandream[docs]'")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-f", str(DOCS / "mkdocs.yml"), "-d", str(folder)],
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder
