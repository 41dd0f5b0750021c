"""``gandream new`` and ``gandream schema``: what a person begins with."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from gandream.base.assets import recipes
from gandream.recipe.load import load_recipe
from gandream.run.rewriting import as_yaml

SCHEMA = "gandream.schema.json"
SHAPE = {"z": 64, "w": 64, "channels": (4, 4, 4, 4, 4)}
"""Of a small StyleGAN2 of 64 pixels, which has fine layers."""
HEAD = f"# yaml-language-server: $schema=./{SCHEMA}\n"


@pytest.fixture
def song(here: Path, clicks: Path) -> Path:
    (here / "my songs").mkdir()
    return Path(shutil.copy(clicks, here / "my songs" / "night, drive.wav"))


def test_a_starter_that_renders_as_it_is(gandream, here: Path):
    said = gandream("new")
    assert (said.status, said.err) == (0, "")
    assert said.out == (
        "film.yaml\n\nNext:\n  gandream preview film.yaml\n  gandream watch film.yaml\n  gandream render film.yaml\n"
    )
    text = Path("film.yaml").read_text()
    assert text.startswith(HEAD)
    assert text.count("#") > 20, "it is there to learn from"
    assert "outputs/film.mp4" in text
    assert {"signals", "walk", "push", "truncation", "effects", "video"} <= set(yaml.safe_load(text))
    assert json.loads(Path(SCHEMA).read_text())["title"] == "gandream recipe"
    said = gandream("validate", "film.yaml")
    assert (said.status, said.out, said.err) == (0, "film.yaml: good\n", "")


def test_the_next_commands_are_commands(gandream, here: Path):
    said = gandream("new", "my film", "--json")
    told = json.loads(said.out)
    assert told["recipe"] == "my film.yaml"
    assert told["next"] == [f'gandream {command} "my film.yaml"' for command in ("preview", "watch", "render")]
    for line in told["next"]:
        assert gandream(line.split()[1], "--help").status == 0


def test_the_starter_is_named_as_its_file(gandream, here: Path):
    assert gandream("new", "night_drive").status == 0
    text = Path("night_drive.yaml").read_text()
    assert "title: Night drive\n" in text
    assert "outputs/night_drive.mp4" in text


def test_nothing_is_written_over(gandream, here: Path):
    Path("film.yaml").write_text("mine")
    Path(SCHEMA).write_text("mine too")
    said = gandream("new")
    assert said.status == 2
    assert "already" in said.err
    assert "--force" in said.err
    assert Path("film.yaml").read_text() == "mine"
    assert gandream("new", "--force").status == 0
    assert Path("film.yaml").read_text().startswith(HEAD)
    assert Path(SCHEMA).read_text() == "mine too"


@pytest.mark.parametrize("name", recipes())
def test_each_shipped_recipe_keeps_everything_but_what_is_asked(gandream, song: Path, name: str):
    said = gandream("new", "deep/mine", "--from", name, "--song", song, "--model", "cppn#3", "--no-schema")
    assert said.status == 0
    assert not Path("deep", SCHEMA).exists()
    old = recipes()[name].read_text().splitlines()[1:]
    new = Path("deep/mine.yaml").read_text().splitlines()
    kept = [line for line in old if not re.match(r"(model|audio|title): |# .*gandream", line)]
    assert [line for line in new if line in kept] == kept, "all other lines are there, in their order"
    recipe = load_recipe("deep/mine.yaml")
    assert recipe.model.written == "cppn#3"
    assert recipe.title == "Mine"
    assert recipe.audio is not None
    assert recipe.audio.path.resolve() == song.resolve()
    assert recipe.audio.written == "../my songs/night, drive.wav"
    assert f"recipes/{name}.yaml" not in "\n".join(new)


def test_without_a_song_the_bundled_one_stays(gandream, here: Path):
    assert gandream("new", "one.yml", "--from", "music_viz").status == 0
    lines = Path("one.yml").read_text().splitlines()
    assert lines[0] + "\n" == HEAD
    expected = recipes()["music_viz"].read_text().replace("recipes/music_viz.yaml", "one.yml").splitlines()
    assert lines[1:] == expected[1:]


def test_notes_tell_what_was_meant_for_another_piece(gandream, song: Path):
    said = gandream("new", "--from", "bundled:music_viz", "--song", song)
    assert said.err == (
        "note: video: `start: 4 bars` and `duration: 20` were meant for music_viz; "
        "without, the film is as long as the song\n"
    )


def test_a_recipe_of_one_s_own_finds_its_files_from_elsewhere(gandream, song: Path):
    Path("kit").mkdir()
    np.savez("kit/faces.npz", smile=np.zeros(512), calm=np.ones(512))
    Path("kit/base.yaml").write_text("seed: 3\n")
    text = """\
include: base.yaml   # what all share
model: {file: 'cppn#7'}
audio: "../my songs/night, drive.wav"
walk: {through: [faces.npz#smile, faces.npz#calm]}   # two
vars: {other: faces.npz}
"""
    Path("kit/own.yaml").write_text(text)
    assert gandream("new", "new/own", "--from", "kit/own.yaml").status == 0
    written = Path("new/own.yaml").read_text()
    assert "include: ../kit/base.yaml   # what all share" in written
    assert "{through: [../kit/faces.npz#smile, ../kit/faces.npz#calm]}   # two" in written
    recipe = load_recipe("new/own.yaml")
    assert recipe.seed == 3
    assert recipe.audio is not None
    assert recipe.audio.path.resolve() == song.resolve()
    assert gandream("new", "new/again", "--from", "kit/own.yaml", "--model", "cppn#9").status == 0
    assert "model: {file: cppn#9}" in Path("new/again.yaml").read_text()


def test_a_model_of_one_s_own(gandream, here: Path, stylegan2_file: Callable[..., Path]):
    shutil.copy(stylegan2_file(**SHAPE), "net.safetensors")
    assert gandream("new", "films/plain", "--model", "net.safetensors").status == 0
    assert "\nmodel: ../net.safetensors\n" in Path("films/plain.yaml").read_text()
    assert gandream("validate", "films/plain.yaml").status == 0


def test_what_a_model_lacks_is_told(gandream, here: Path, stylegan2_file: Callable[..., Path]):
    shutil.copy(stylegan2_file(), "net.safetensors")
    said = gandream("new", "--model", "net.safetensors")
    assert said.status == 0
    assert re.fullmatch(
        r"note: film.yaml:\d+:\d+  push\[1\].layers = fine: net.safetensors has no fine layers: .*\n", said.err
    )


def test_a_model_with_classes_gets_a_line_for_them(gandream, here: Path, stylegan2_file: Callable[..., Path]):
    shutil.copy(stylegan2_file(**SHAPE, classes=12), "net.safetensors")
    assert gandream("new", "--model", "net.safetensors").status == 0
    text = Path("film.yaml").read_text()
    assert "# This model has 12 classes" in text
    assert "\nclasses: {through: [0, 4, 7, 11], every: 4 bars, hold: 50%}\n" in text
    assert gandream("validate", "film.yaml").status == 0
    assert gandream("new", "still", "--from", "orbit", "--model", "net.safetensors").status == 0
    assert "every: 4s" in Path("still.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--from", "musik_viz"], ["--from musik_viz", "no recipe of this name", "Did you mean 'music_viz'?"]),
        (["--from", "nothing at all"], ["There is: bent, chroma_blend"]),
        (["--song", "nigt.mp3"], ["--song nigt.mp3", "no such file", "Did you mean 'night.mp3'?"]),
        (["--song", "."], ["this is a folder", "night.mp3"]),
        (["--song", "bundled:nigt_drive"], ["night_drive"]),
        (["--model", "ccpn"], ["--model ccpn", "no model of this name", "Did you mean 'cppn'?"]),
        (["--model", "faces_never_added.pkl"], ["no such file"]),
        (["--model", "hf://owner/repo/net.pkl"], ["nothing is fetched unasked", "gandream models add"]),
        (["night.mp3"], ["ends in .yaml", "gandream new --song night.mp3"]),
        (["."], ["this is a folder"]),
        (["a/night.yaml/x"], []),
    ],
)
def test_what_can_t_be_is_told(gandream, here: Path, arguments: list[str], told: list[str]):
    Path("night.mp3").write_bytes(b"sound")
    Path("a").mkdir()
    Path("a/night.yaml").write_text("a file")
    said = gandream("new", *arguments)
    assert said.status == 2
    assert said.out == ""
    assert "Traceback" not in said.err
    for words in told:
        assert words in said.err
    assert sorted(path.name for path in here.rglob("*")) == ["a", "night.mp3", "night.yaml"]


def test_a_recipe_begins_with_what_any_editor_saves(gandream, here: Path):
    content = "model: cppn#7\r\nvideo: {duration: 2s}  # short\r\n".encode("utf-8-sig")
    Path("notepad.yaml").write_bytes(content)
    assert gandream("new", "a", "--from", "notepad.yaml").status == 0
    assert Path("a.yaml").read_bytes().decode() == f"{HEAD}model: cppn#7\nvideo: {{duration: 2s}}  # short\n"
    for content in (b"model: cppn#7\ntitle: caf\xe9\n", b"\0\0\0 ftypisom\xe6"):
        Path("odd.yaml").write_bytes(content)
        said = gandream("new", "b", "--from", "odd.yaml")
        assert (said.status, "UTF-8" in said.err) == (2, True)
        assert not Path("b.yaml").exists()


def test_list_tells_what_each_shows(gandream, here: Path):
    lines = gandream("new", "--list").out.splitlines()
    assert len(lines) == len(recipes())
    assert any(re.fullmatch(r"music_viz +Night Drive: one pattern network .*", line) for line in lines)
    found = json.loads(gandream("new", "--list", "--json").out)
    assert [one["name"] for one in found] == list(recipes())
    assert not list(here.iterdir())


def test_a_shipped_recipe_by_name_wherever_a_recipe_is_asked(gandream, here: Path):
    said = gandream("validate", "bundled:wander")
    assert said.status == 0
    assert gandream("still", "bundled:wander", "--set", "video.size=32", "--device", "cpu").status == 0
    assert Path("outputs/wander_at_0s.png").is_file()
    said = gandream("validate", "bundled:wandr")
    assert (said.status, "Did you mean 'wander'?" in said.err) == (2, True)
    for name in ("wander", "recipes/wander.yaml"):
        assert "This one ships with gandream: bundled:wander" in gandream("validate", name).err


def test_the_schema_on_paper_and_in_a_file(gandream, here: Path):
    said = gandream("schema")
    assert json.loads(said.out)["$schema"].endswith("2020-12/schema")
    assert gandream("schema", "-o", "x.json").out == "x.json\n"
    assert Path("x.json").read_text() == said.out
    assert gandream("schema", "-o", "no/x.json").status == 2
    assert gandream("schema", "-o", "x.json").status == 0, "a newer one takes its place"
    for content in ("model: cppn#7\n", "", "{}"):
        Path("film.yaml").write_text(content)
        said = gandream("schema", "-o", "film.yaml")
        assert (said.status, Path("film.yaml").read_text()) == (2, content)
        assert "a file is here already" in said.err


@pytest.mark.parametrize(
    "text", ["a.wav", "a b.wav", "a, b.wav", "7", "1e3", "true", "null", "a: b", "it's", 'say "x"', "ä.wav", "#x"]
)  # fmt: skip
def test_any_name_is_read_as_it_is(text: str):
    assert yaml.safe_load(f"{{a: {as_yaml(text)}, b: 1}}") == {"a": text, "b": 1}
