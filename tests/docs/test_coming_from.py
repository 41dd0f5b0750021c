"""docs/coming_from.md: every line that it tells people to write is a recipe that is read, and one that compiles."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from coming_from_rows import LINES, PAGE, ROWS, SPANS, Line, merged, recipes, rows
from example_files import lay

from gandream.base.errors import GandreamError
from gandream.recipe.cells import cells_of
from gandream.recipe.load import load_recipe
from gandream.recipe.recipe import Recipe, check_beats
from gandream.recipe.use import PRESETS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, clicks: Path) -> Path:
    return lay(tmp_path_factory.mktemp("film"), clicks)


@pytest.fixture(scope="module")
def written(folder: Path) -> Callable[[dict[str, Any]], Recipe]:
    def write(words: dict[str, Any]) -> Recipe:
        file = folder / "film.yaml"
        file.write_text(yaml.safe_dump(words, sort_keys=False))
        return load_recipe(file)

    return write


def test_each_row_has_an_answer():
    counted = dict.fromkeys(ROWS, 0)
    for heading, about, right in rows():
        if heading in counted:
            counted[heading] += 1
        answered = "not here" in right or "not as" in right or "by itself" in right or "gandream " in right
        assert answered or any(recipes(right)), about
    assert counted == ROWS


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.about[:40])
def test_every_line_is_read(line: Line, written: Callable[[dict[str, Any]], Recipe]):
    recipe = written(merged(line))
    check_beats(recipe)
    cells_of(recipe)


def test_every_look_is_named():
    assert set(re.findall(r"`use: (\w+)`", PAGE.read_text())) == set(PRESETS)


def test_what_looks_like_words_is_read_as_such():
    """A span with a colon that is neither a line nor a command would be checked by nobody."""
    read = {word for line in LINES for word in line.words} | {"use"}
    for span in SPANS:
        if ":" in span and not span.startswith("gandream "):
            assert span.split(":")[0] in read, span


@pytest.mark.parametrize("command", sorted({span for span in SPANS if span.startswith("gandream ")}))
def test_every_command_is_there(command: str):
    from gandream.cli.main import app

    commands = getattr(typer.main.get_command(app), "commands")  # noqa: B009 (its type isn't told)
    _, name, *arguments = command.split()
    assert name in commands
    commands[name].make_context(name, arguments)


@pytest.fixture(scope="module")
def models(stylegan2_file: Callable[..., Path]) -> list[str]:
    """A pattern network, and small StyleGAN2s of 64 pixels without classes and with."""
    shape = {"z": 64, "w": 64, "channels": (4, 4, 4, 4, 4)}
    return ["cppn#7", str(stylegan2_file(**shape)), str(stylegan2_file(**shape, classes=12))]


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES, ids=lambda line: line.about[:40])
def test_every_line_compiles_on_some_model(
    line: Line, written: Callable[[dict[str, Any]], Recipe], models: list[str], folder: Path
):
    """And changes something: what a model can't do at all is told as a note (there is no StyleGAN3 among these)."""
    from gandream.run.prepare import prepare

    if "midi" in str(line.words):
        pytest.importorskip("mido")
    told = []
    sections = {"audio": "bundled:night_drive"} if "palette" in str(line.words) else {}
    for model in models:
        classed = {} if model != models[2] or "classes" in line.words else {"classes": 1}
        try:
            prepared = prepare(written(merged(line, model=model, **classed, **sections)), folder / "cache")
        except GandreamError as error:
            told.append(f"{model}: {error}")
            continue
        useless = [note for note in prepared.warnings if "changes nothing" in note or "can't" in note]
        if not useless or line.about.startswith("StyleGAN3"):
            return
        told += useless
    pytest.fail("\n".join(told))
