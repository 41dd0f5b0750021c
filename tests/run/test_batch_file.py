"""What a batch file says: its words, its matrices, the names of its films, and everything that is refused before."""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandream.base.errors import GandreamError
from gandream.recipe.load import load_recipe
from gandream.recipe.reader import read_text
from gandream.run.batch.check import How, checked, load_task
from gandream.run.batch.entries import Said, expanded
from gandream.run.batch.file import is_batch, read_batch
from gandream.run.batch.matrix import axis_of, named
from gandream.run.batch.run import Flags, plan_batch
from gandream.run.batch.template import Template

SMALL = "model: cppn#7\nwalk: {through: [1, 2], every: 0.5}\nvideo: {size: 64, fps: 10, duration: 1}\n"


@pytest.fixture(autouse=True)
def looks(here: Path) -> Path:
    """Three recipes."""
    (here / "looks").mkdir()
    for name in ("a", "b", "c"):
        (here / "looks" / f"{name}.yaml").write_text(SMALL)
    return here / "looks"


def batch(here: Path, text: str, file: str = "night.batch.yaml") -> Path:
    (here / file).parent.mkdir(parents=True, exist_ok=True)
    (here / file).write_text(text)
    return here / file


def names(here: Path, text: str, said: Said | None = None) -> list[str]:
    found = expanded(read_batch(batch(here, text)), "night", said)
    return [os.path.relpath(one.out, here) for one in found]


def refused(here: Path, text: str, *flags: Any) -> str:
    with pytest.raises(GandreamError) as error:
        plan_batch([batch(here, text)], *flags)
    assert error.value.exit_code == 2
    return str(error.value).replace(f"{here}/", "")


def test_every_combination_is_a_film(here: Path):
    text = "recipes: looks/*.yaml\nvary: {seed: 1-3, video.size: [64, 96x64]}\nout: 'films/{recipe}/{seed:02}-{size}'\n"
    expected = [f"films/{name}/0{seed}-{size}" for name, seed, size in product("abc", (1, 2, 3), ("64", "96x64"))]
    assert names(here, text) == expected


def test_what_an_entry_says_goes_before_the_batch(here: Path):
    text = """\
recipes:
  - looks/a.yaml
  - {recipe: [looks/b.yaml, looks/c.yaml], set: {truncation: 0.4}, vary: {seed: [9]}, out: "own/{recipe}{seed}"}
set: {truncation: 0.7, video.crf: 20}
vary: {seed: 1-2}
"""
    films = expanded(read_batch(batch(here, text)), "night")
    assert [film.assignments for film in films] == [
        ("truncation=0.7", "video.crf=20", "seed=1"),
        ("truncation=0.7", "video.crf=20", "seed=2"),
        ("video.crf=20", "truncation=0.4", "seed=9"),
        ("video.crf=20", "truncation=0.4", "seed=9"),
    ]
    assert [os.path.relpath(film.out, here) for film in films] == ["outputs/a-1", "outputs/a-2", "own/b9", "own/c9"]


def test_the_command_line_goes_before_the_file(here: Path):
    text = "recipes: looks/a.yaml\nset: {truncation: 0.7}\nvary: {seed: 1-9, video.crf: [18, 20]}\nout: x/{recipe}\n"
    said = Said(["seed=4"], ["video.crf=30,31", "truncation=0.1,0.2"], "y/{number:03}-{crf}-{truncation}")
    films = expanded(read_batch(batch(here, text)), "night", said)
    assert [os.path.relpath(film.out, here) for film in films] == [
        *("y/001-30-0.1", "y/002-30-0.2", "y/003-31-0.1", "y/004-31-0.2")
    ]
    assert films[0].assignments == ("video.crf=30", "truncation=0.1", "seed=4")


def test_files_start_from_the_batch_file(here: Path, clicks: Path):
    songs = here / "deep" / "album"
    songs.mkdir(parents=True)
    for song in ("02 Rain", "01 Sun"):
        (songs / f"{song}.wav").write_bytes(clicks.read_bytes())
    text = "recipes: ../looks/a.yaml\nvary: {audio: album/*.wav}\nout: 'films/{audio}.mp4'\n"
    plan = plan_batch([batch(here, text, "deep/night.batch.yaml")])
    assert [film.outputs for film in plan.films] == [
        (here / f"deep/films/{name}.mp4",) for name in ("01_Sun", "02_Rain")
    ]
    for film in plan.films:  # what a worker reads is what was checked, wherever it works
        recipe = load_task(film.task)
        assert recipe.audio is not None
        assert recipe.audio.path.resolve() == songs / f"{film.outputs[0].stem.replace('_', ' ')}.wav"
    assert plan.films[0].task.key != plan.films[1].task.key


def test_ranges_lists_steps_and_files(here: Path):
    def shown(key: str, value: Any) -> list[str]:
        return [one.written for one in axis_of(key, value, "here", here).values]

    assert shown("seed", "3-6") == ["3", "4", "5", "6"]
    assert shown("seed", ["1-2", 9]) == ["1", "2", "9"]
    assert shown("mix[0].layers", "0-3") == ["0-3"], "layers are written so"
    assert shown("truncation", {"from": 0, "to": 1, "count": 3}) == ["0", "0.5", "1"]
    assert shown("truncation", ["0.5*kick", 1]) == ["0.5*kick", "1"], "a star in an expression is no file"
    assert shown("x", {"files": "looks/*.yaml"}) == ["looks/a.yaml", "looks/b.yaml", "looks/c.yaml"]
    assert shown("walk.through", [[1, 2], [3, 4]]) == ["[1, 2]", "[3, 4]"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inside, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_values_are_assigned_as_they_were_written(value: Any):
    try:
        (one,) = axis_of("layers", [value], "here", Path()).values
    except GandreamError:
        assert value is None or isinstance(value, dict)
        return
    assert read_text(one.written, "there", Path(), lines=False)[0] == value
    assert one.shown
    assert one.shown.strip() == one.shown
    assert not set(one.shown) & set('/\\:*?"<>|')


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_names_of_films_are_names(text: str):
    found = named(text)
    assert found
    assert found not in (".", "..")
    assert not any(letter in '/\\:*?"<>|\0' or ord(letter) < 32 for letter in found)


def test_templates_fill_words_alone():
    template = Template("{{x}} {seed:03} {video.size}", "here")
    assert template.filled({"seed": "7", "video.size": "64x64"}) == "{x} 007 64x64"
    for text in ("{seed", "seed}", "{}", "{seed.real}", "{seed[0]}", "{seed!r}", "{0}", "{seed:>99}", "{sede}"):
        with pytest.raises(GandreamError):
            Template(text, "here").checked(["seed"])


MISTAKES = {
    "recipes: looks/*.yaml\nvary: {seed: []}\n": "seed has no values",
    "recipes: looks/*.yaml\nvary: {seed: }\n": "seed wants values",
    "recipes: looks/*.yaml\nvary: {audio: album/*.flac}\n": "there is no file album/*.flac",
    "recipes: looks/*.yml\n": "In looks there is: a.yaml, b.yaml, c.yaml.",
    "recipes: []\n": "there is no recipe here",
    "recipies: looks/*.yaml\n": "Did you mean 'recipes'?",
    "recipes: looks/*.yaml\nretires: 3\n": "Did you mean 'retries'?",
    "recipes: [{recipe: looks/a.yaml, vray: {}}]\n": "Did you mean 'vary'?",
    "recipes: looks/*.yaml\njobs: 0\n": "must be at least 1",
    "recipes: looks/*.yaml\ntimeout: 3 bars\n": "wanted a time such as 90s",
    "recipes: looks/*.yaml\ndevice: gpu\n": "wanted a device: auto, cpu, cuda, mps",
    "recipes: looks/*.yaml\non_success: rm -r x\n": "a command as a list",
    "recipes: looks/*.yaml\nvary: {seed: 3-1}\n": "write 1-3, not 3-1",
    "recipes: looks/*.yaml\nvary: {seed: 1-99999}\n": "more than 10000 values",
    "recipes: looks/*.yaml\nvary: {seed: 1-5000}\n": "more than 10000 films",
    "recipes: looks/*.yaml\nvary: {seed: [1, 1]}\n": "1 is there twice",
    "recipes: looks/*.yaml\nset: {seed: 1}\nvary: {seed: 1-2}\n": "seed is varied, and set too",
    "recipes: looks/*.yaml\nvary: {seed: 1-2}\nout: '{recipe}-{sead}'\n": "Did you mean 'seed'?",
    "recipes: looks/*.yaml\nvary: {seed: 1-2}\nout: '{recipe}'\n": "Put {seed} into `out`",
    "recipes: [looks/a.yaml, looks/a.yaml]\n": "'a' and 'a (2)' would both be this film",
    "recipes: looks/a.yaml\nvary: {title: [A, a]}\nout: '{title}'\n": "Put {folder} or {number} into `out`",
    "recipes: looks/a.yaml\nout: films/\n": "not that of a folder",
    "recipes: looks/a.yaml\nout: '{__class__}'\n": "there is no field '__class__'",
}


@pytest.mark.parametrize("text", MISTAKES, ids=lambda text: text.replace("\n", " ")[22:60])
def test_mistakes_of_a_batch_are_told_before_anything_is_rendered(here: Path, text: str):
    said = refused(here, text)
    assert MISTAKES[text] in said
    assert "Traceback" not in said
    assert not (here / "outputs").exists()


def test_mistakes_stand_where_they_are(here: Path):
    assert refused(here, "recipes: looks/a.yaml\nvary:\n  seed: []\n").startswith("night.batch.yaml:3:3  vary.seed\n")
    said = refused(here, "recipes: looks/a.yaml\njobs: x\nwhen: now\n")
    assert "night.batch.yaml:2:1  jobs = x" in said
    assert "night.batch.yaml:3:1  when = now" in said


def test_no_film_takes_the_place_of_what_it_is_made_of(here: Path, clicks: Path):
    (here / "song.mp4").write_bytes(clicks.read_bytes())
    said = refused(here, "recipes: looks/a.yaml\nset: {audio: song.mp4}\nout: song.mp4\n", Flags(force=True))
    assert "a file that 'a' is made of" in said


def test_broken_recipes_are_told_apart_from_a_broken_batch(here: Path):
    text = "recipes: [looks/*.yaml, looks/d.yaml]\nvary: {seed: [1], walk.every: [1, x]}\n"
    plan = plan_batch([batch(here, text)])
    assert [film.wanted.name for film in plan.good] == ["a-1-1", "b-1-1", "c-1-1"]
    wrong = {film.wanted.name: film.mistake for film in plan.broken}
    assert set(wrong) == {"a-1-x", "b-1-x", "c-1-x", "d-1-1", "d-1-x"}
    assert "night.batch.yaml:2:19  walk.every = x" in wrong["a-1-x"]
    assert "no such file" in wrong["d-1-1"]
    assert "night.batch.yaml:1:25  recipes[1] = looks/d.yaml" in wrong["d-1-1"]
    # What the model has to say is checked too.
    (here / "looks" / "a.yaml").write_text(SMALL + "layer: nothing\n")
    assert [film.wanted.name for film in plan_batch([here / "looks/a.yaml", here / "looks/b.yaml"]).broken] == ["a"]


def test_the_film_of_another_recipe_stays(here: Path):
    (here / "outputs").mkdir()
    (here / "outputs/a.mp4").write_bytes(b"somebody's")
    (broken,) = plan_batch([Path("looks/a.yaml")]).broken
    assert "a film is here already" in broken.mistake
    assert not plan_batch([Path("looks/a.yaml")], Flags(force=True)).broken


def test_a_key_knows_all_that_a_film_depends_on(here: Path, clicks: Path):
    (here / "song.wav").write_bytes(clicks.read_bytes())

    def key(how: How | None = None) -> str:
        read = read_batch(batch(here, "recipes: looks/a.yaml\nset: {audio: song.wav}\n"))
        return checked(expanded(read, "night"), how or How())[0].task.key

    first = key()
    assert key() == first
    assert key(How(draft=True)) != first
    (here / "song.wav").write_bytes(clicks.read_bytes()[:-4000])
    second = key()
    assert second != first
    (here / "looks" / "a.yaml").write_text(SMALL + "seed: 4\n")
    assert key() not in (first, second)


def test_the_films_are_those_of_render(here: Path):
    """Suffixes, drafts, several outputs: named as ``gandream render`` names them."""
    (here / "looks/a.yaml").write_text(SMALL.replace("size: 64", "size: 64, file: mov"))
    (here / "looks/b.yaml").write_text(SMALL.partition("video")[0] + "video: [{size: 64}, {size: 32, name: small}]\n")
    plan = plan_batch([Path("looks/a.yaml"), Path("looks/b.yaml")], Flags(words={"draft": False}))
    assert [[path.name for path in film.outputs] for film in plan.films] == [["a.mov"], ["b.mp4", "b_small.mp4"]]
    assert [
        film.outputs[0].name for film in plan_batch([Path("looks/c.yaml")], Flags(words={"draft": True})).films
    ] == ["c.draft.mp4"]


def test_batch_files_and_recipes_are_told_apart(here: Path):
    for text in ("recipes: a.yaml\n", "recipies: a.yaml\njobs: 2\n", "vary: {seed: 1-2}\nretries: 3\n"):
        assert is_batch(batch(here, text)), text
    for text in (SMALL, "include: x.yaml\nvideo: {size: 64}\n", "signals: {}\naudio: x\n"):
        assert not is_batch(batch(here, text)), text
    assert plan_batch([batch(here, SMALL, "a_batch_of_looks.yaml")]).good
    with pytest.raises(GandreamError, match="Give it alone"):
        plan_batch([Path("looks/a.yaml"), batch(here, "recipes: looks/a.yaml\n")])


def test_a_pattern_leaves_batch_files_out(here: Path):
    (here / "looks" / "night.yaml").write_text("recipes: a.yaml\n")
    assert names(here, "recipes: '**/*.yaml'\n") == ["outputs/a", "outputs/b", "outputs/c"]
    assert "are batch files" in refused(here, "recipes: 'looks/n*'\n")


def test_set_is_that_of_other_commands(here: Path):
    plan = plan_batch([Path("looks/a.yaml")], Flags(Said(["video.crf=30"], ["seed=1-2"])))
    for film, seed in zip(plan.films, (1, 2), strict=True):
        expected = load_recipe("looks/a.yaml", [f"seed={seed}", "video.crf=30"])
        assert load_task(film.task).model_dump(mode="json") == expected.model_dump(mode="json")


@pytest.mark.skipif(os.name == "nt", reason="links want a right of their own there")
def test_a_link_to_nowhere_is_told_as_broken(here: Path):
    (here / "looks/nowhere.yaml").symlink_to(here / "gone")
    films = plan_batch([batch(here, "recipes: looks/*.yaml\n")]).films
    assert [film.wanted.name for film in films if "no such file" in film.mistake] == ["nowhere"]


def test_a_batch_among_recipes_is_told_as_such(here: Path):
    with pytest.raises(GandreamError, match="this is a batch of recipes, not a recipe"):
        load_recipe(batch(here, "recipes: looks/a.yaml\nvary: {seed: 1-2}\n"))
