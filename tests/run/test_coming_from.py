"""docs/coming_from.md: every line that it tells people to write is a recipe that is read, and one that compiles."""

from __future__ import annotations

import copy
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main
import yaml

from gandream.base import ffmpeg
from gandream.base.errors import GandreamError
from gandream.recipe.cells import cells_of
from gandream.recipe.load import load_recipe
from gandream.recipe.recipe import Recipe, check_beats
from gandream.recipe.use import PRESETS

PAGE = Path(__file__).parents[2] / "docs" / "coming_from.md"
SPAN = re.compile(r"`([^`]+)`")
ROWS = {"Motion": 63, "Music": 39}
"""What the tools can do, counted one by one."""


@dataclass(frozen=True)
class Line:
    """Words that a row tells to add to the recipe at the top of the page."""

    about: str
    words: dict[str, Any]


def base() -> dict[str, Any]:
    return yaml.safe_load(PAGE.read_text().split("```yaml\n")[1].split("```")[0])


def rows() -> Iterator[tuple[str, str, str]]:
    """Heading, left and right of each row of the page's tables."""
    heading = ""
    for text in PAGE.read_text().splitlines():
        heading = text.removeprefix("## ") if text.startswith("## ") else heading
        cells = [cell.strip() for cell in text.split("|")]
        if len(cells) == 4 and not cells[1].startswith(("---", "what you know")):
            yield heading, cells[1], cells[2]


def recipes(right: str) -> Iterator[dict[str, Any]]:
    """What a row says: spans with nothing between them belong together, those with text between are alternatives."""
    together: dict[str, Any] = {}
    end = 0
    for span in SPAN.finditer(right):
        if right[end : span.start()].strip() and together:
            yield together
            together = {}
        end = span.end()
        words = yaml.safe_load(span[1]) if re.match(r"[a-z]+: ", span[1]) else None
        together = {**together, **words} if isinstance(words, dict) else together
    if together:
        yield together


LINES = [Line(about, words) for _, about, right in rows() for words in recipes(right)]
SPANS = [span for _, _, right in rows() for span in SPAN.findall(right)]


def merged(line: Line, **more: Any) -> dict[str, Any]:
    made = copy.deepcopy(base())
    for word, value in {**line.words, **more}.items():
        both = isinstance(value, dict) and word in ("signals", "video")
        made[word] = {**made[word], **value} if both else value
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, clicks: Path) -> Path:
    """Every file that the page names, of a model with 64 numbers in z and w and ten layers."""
    from PIL import Image

    made = tmp_path_factory.mktemp("film")
    random = np.random.RandomState(0)
    for name in ("song.wav", "drums.wav", "vocals.wav"):
        (made / name).write_bytes(clicks.read_bytes())
    np.savez(made / "faces.npz", smile=random.randn(64), angry=random.randn(64))
    np.savez(made / "directions.npz", smile=random.randn(64), age=random.randn(64))
    np.save(made / "smile.npy", random.randn(64))
    np.save(made / "components.npy", random.randn(5, 64))
    np.save(made / "walk.npy", random.randn(6, 64))
    np.savez(made / "path.npz", z=random.randn(60, 64).astype(np.float32), fps=30)
    (made / "automation.csv").write_text("time,cutoff\n0,0\n8,1\n")
    (made / "song.lrc").write_text("[00:01.00]la\n")
    (made / "take.mid").write_bytes(_midi())
    for name in ("mask.png", "logo.png"):
        Image.fromarray(random.randint(0, 255, (16, 16), np.uint8)).save(made / name)
    _clip(made / "clip.mp4")
    (made / "network.pkl").write_bytes(b"only its name is read")
    return made


def _midi() -> bytes:
    """Note 36 and controller 7 on one track, 480 ticks to a beat."""
    events = bytes.fromhex("00902464 8360 80240000 00b0077f 8360 b00700 00ff2f00".replace(" ", ""))
    header = b"MThd" + (6).to_bytes(4, "big") + bytes.fromhex("0000 0001 01e0".replace(" ", ""))
    return header + b"MTrk" + len(events).to_bytes(4, "big") + events


def _clip(file: Path) -> None:
    frames = np.random.RandomState(1).randint(0, 255, (20, 16, 16, 3), np.uint8)
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "16x16", "-r", "10", "-i", "-"]
    subprocess.run(
        [ffmpeg.executable(), "-loglevel", "error", *raw, "-pix_fmt", "yuv420p", str(file)],
        input=frames.tobytes(),
        check=True,
    )


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
