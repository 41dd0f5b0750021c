"""The recipe back out of what was made from it, and two of them held against each other."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path

import pytest

from gandream.base import ffmpeg
from gandream.base.errors import RecipeError
from gandream.recipe.load import load_recipe
from gandream.run.diff import diff
from gandream.run.film import render
from gandream.run.recipe_of import carried
from gandream.run.still import still
from gandream.video.stamp import read_stamp

TEXT = """\
# Zwei Farben: ein Versuch   (tabs, ümlauts and = ; # \\\\ survive)
title: Größe; = "100 %"
model: cppn#7

walk: {through: [1, 2], every: 1}      # from one to the other
truncation: 0.8 + 0.1*sin(t)
video: {size: 32, fps: 5, duration: 1, preset: ultrafast}
"""


def recipe(folder: Path, text: str = TEXT, name: str = "r.yaml") -> Path:
    (folder / name).write_bytes(text.encode())
    return folder / name


@pytest.mark.parametrize(
    "kind",
    [
        "mp4",
        "gif",
        "png",
        *(pytest.param(k, marks=pytest.mark.slow) for k in ("mov", "mkv", "webm", "apng", "webp", "jpg")),
    ],
)
def test_the_recipe_comes_back_byte_for_byte(here: Path, kind: str):
    text = TEXT.replace("duration: 1", f"duration: 1, file: {kind}")
    film = render(load_recipe(recipe(here, text)), device="cpu")
    found = carried(film.path)
    assert found.text == text
    assert found.file is not None
    assert found.file.resolve() == here / "r.yaml"
    assert carried(film.manifest).text == text


def test_a_still_carries_its_recipe_and_its_time(here: Path):
    path, _ = still(load_recipe(recipe(here)), "0.6s", device="cpu")
    found = carried(path)
    assert (found.text, found.moment) == (TEXT, "frame 3, at 0:00.600")
    assert read_stamp(path).title == 'Größe; = "100 %"'
    assert found.folder.resolve() == here / "outputs", "nothing says where the recipe was"


def test_what_was_set_is_in_it(here: Path):
    film = render(load_recipe(recipe(here), ["video.fps=4"]), device="cpu")
    (here / "again.yaml").write_text(carried(film.path).text)
    again = render(load_recipe(here / "again.yaml"), "outputs/again.mp4", device="cpu")
    assert (again.frames, again.rendered) == (4, 0), "it makes the same film"


def test_a_film_written_anew_has_its_manifest_left(here: Path):
    film = render(load_recipe(recipe(here)), device="cpu")
    bare = here / "bare.mp4"
    ffmpeg.run(*ffmpeg.QUIET, "-i", film.path, "-c", "copy", "-map_metadata", "-1", bare)
    with pytest.raises(RecipeError, match="carries no recipe, and no manifest is beside it"):
        carried(bare)
    shutil.copy(film.manifest, here / "bare.mp4.manifest.json")
    assert carried(bare).text == TEXT
    bare.unlink()
    assert carried(bare).text == TEXT, "its manifest alone is enough"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("r.yaml", b"model: cppn#7\n", "this is a recipe already"),
        ("nothing.mp4", None, "no such file"),
        ("x.mp4", b"not a film", "this file can't be read"),
        ("x.png", b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 10**6), "this file can't be read: cut off"),
        ("x.manifest.json", b"{", "this manifest can't be read: it isn't JSON"),
        ("x.json", b"[1, 2]", "no manifest of a film"),
        ("y.json", b'{"recipe": {"text": 3}}', "no manifest of a film"),
        ("z.json", b"[" * 100_000, "this manifest can't be read"),
    ],
)
def test_a_file_without_one_is_answered(here: Path, name: str, content: bytes | None, words: str):
    if content is not None:
        (here / name).write_bytes(content)
    with pytest.raises(RecipeError) as caught:
        carried(Path(name))
    assert words in caught.value.problem
    assert caught.value.hint or "JSON" in words or "manifest" in words


def test_a_comment_of_someone_else_is_no_recipe(here: Path):
    ffmpeg.run(*ffmpeg.QUIET, "-f", "lavfi", "-i", "color=s=32x32:d=0.2", "-metadata", "comment=made by me", "x.mp4")
    with pytest.raises(RecipeError, match="it carries a comment, but no recipe: 'made by me'"):
        carried(Path("x.mp4"))


def test_equal_things_don_t_differ(here: Path):
    path = recipe(here)
    film = render(load_recipe(path), device="cpu")
    picture, _ = still(load_recipe(path), "0.6s", device="cpu")
    assert diff(path, film.path).same
    assert diff(film.path, film.manifest).same
    assert diff(picture, film.path).same
    assert diff(
        path, recipe(here, "# other words, the same things\n" + TEXT.replace("0.8 +", "0.80 +"), "b.yaml")
    ).words


def test_words_and_parts_are_told(here: Path):
    text = TEXT.replace("duration: 1", "duration: 6")
    one = recipe(here, text)
    two = recipe(
        here,
        text.replace("every: 1", "every: 2").replace("size: 32", "size: 48")
        + "push: {random: 3, by: {4s: 0, 5s: 1}}\n",
        "b.yaml",
    )
    found = diff(one, two)
    rows = {row.name: row.shown for row in found.words}
    assert rows["walk.every"] == ("1s", "2s")
    assert rows["video.size"] == ("[32, 32]", "[48, 48]")
    assert any(name.startswith("push") for name in rows)
    assert found.parts
    assert "walk.every" in {word for part in found.parts for word in part.words}
    assert not found.same


def test_how_films_were_made_is_told(here: Path):
    path = recipe(here)
    one = render(load_recipe(path), "one.mp4", device="cpu")
    two = render(load_recipe(path, ["video.crf=30"]), "two.mp4", device="cpu")
    told = json.loads(two.manifest.read_text())
    told["versions"]["torch"], told["device"] = "3.0", "cuda"
    two.manifest.write_text(json.dumps(told))
    rows = {row.name: (row.before, row.after) for row in diff(one.path, two.path).made}
    assert rows["crf"] == (17.0, 30.0)
    assert rows["device"] == ("cpu", "cuda")
    assert rows["version of torch"][1] == "3.0"
    assert "sha256" in rows
    for film in (one, two):
        film.manifest.unlink()
    bare = {row.name for row in diff(one.path, two.path).made}
    assert bare == {"sha256"}, "of films alone, what they are"


def test_a_recipe_that_can_t_be_used_any_more_is_no_end(here: Path):
    path = recipe(here)
    film = render(load_recipe(path), device="cpu")
    told = json.loads(film.manifest.read_text())
    told["recipe"]["text"] = TEXT.replace("cppn#7", "gone.pkl").replace("truncation", "trunkation")
    (here / "old.manifest.json").write_text(json.dumps(told))
    found = diff(film.path, here / "old.manifest.json")
    assert len(found.notes) == 1
    assert "trunkation" in found.notes[0] or "no such word" in found.notes[0]
    told["recipe"]["text"] = TEXT.replace("cppn#7", "gone.pkl")
    (here / "old.manifest.json").write_text(json.dumps(told))
    found = diff(film.path, here / "old.manifest.json")
    assert [row.name for row in found.words] == ["model"]
    assert not found.parts
    assert "where in the film can't be told" in found.notes[0]
