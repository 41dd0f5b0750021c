"""What a comparison shows: values parted at commas, every combination, each with its label."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandream.base.errors import GandreamError, OutputError
from gandream.run.variants import axis_of, split, variants_of

RECIPE = "model: cppn#7\nwalk: {through: [1, 2], every: 1}\ntruncation: 0.5\nvideo: {size: 32, fps: 10}\n"


@pytest.fixture
def recipe(here: Path) -> Path:
    (here / "r.yaml").write_text(RECIPE)
    return Path("r.yaml")


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("truncation=0.5,0.8", ("0.5", "0.8")),
        ("truncation=mix(0.2, 1, t), 0.5", ("mix(0.2, 1, t)", "0.5")),
        ("walk={through: [1, 2]},{circle: 4}", ("{through: [1, 2]}", "{circle: 4}")),
        ("title='a, b','c'", ("'a, b'", "'c'")),
        ("walk.every=1,2 bars", ("1", "2 bars")),
        ("x=a=b,c", ("a=b", "c")),
    ],
)
def test_values_are_parted_at_commas(written, values):
    assert axis_of(written).values == values


@given(st.lists(st.text("ab (){}[]'\" ", max_size=8), min_size=1, max_size=5))
def test_parts_are_the_text(parts):
    """Whatever is split can be put together again, and what holds no comma stays whole."""
    text = ",".join(parts)
    try:
        found = split(text)
    except OutputError:
        return
    assert ",".join(found) == text
    assert len(found) <= len(parts)


def test_two_words_make_a_table(recipe):
    table = variants_of([recipe], ["truncation=0.5,0.8", "seed=1,2,3"], ["video.fps=5"])
    assert (table.rows, table.columns) == (2, 3)
    assert table.down == ("truncation 0.5", "truncation 0.8")
    assert table.across == ("seed 1", "seed 2", "seed 3")
    assert [one.assignments for one in table.variants[:4]] == [
        ("truncation=0.5", "seed=1"),
        ("truncation=0.5", "seed=2"),
        ("truncation=0.5", "seed=3"),
        ("truncation=0.8", "seed=1"),
    ]
    assert {one.recipe.seed for one in table.variants} == {1, 2, 3}
    assert {float(one.recipe.video.fps) for one in table.variants} == {5}


@pytest.mark.parametrize(("count", "shape"), [(2, (1, 2)), (3, (1, 3)), (4, (2, 2)), (5, (2, 3)), (9, (3, 3))])
def test_one_word_is_in_rows(recipe, count, shape):
    table = variants_of([recipe], [f"seed={','.join(map(str, range(count)))}"])
    assert (table.rows, table.columns, table.across) == (*shape, ())
    assert [one.label for one in table.variants[:2]] == ["seed 0", "seed 1"]


def test_more_words_are_in_rows_with_all_that_varies(recipe):
    table = variants_of([recipe], ["seed=1,2", "truncation=0.5,'0.8'", "model=cppn#1,cppn#2"])
    assert len(table.variants) == 8
    assert (table.rows, table.columns, table.across) == (2, 4, ()), "a row for each seed"
    assert table.variants[-1].label == "seed 2   truncation 0.8   model cppn#2"


def test_recipes_side_by_side(recipe, here):
    (here / "other.yaml").write_text(RECIPE.replace("cppn#7", "cppn#8"))
    table = variants_of([recipe, Path("other.yaml")], [])
    assert [one.label for one in table.variants] == ["r", "other"]
    assert [one.recipe.model.written for one in table.variants] == ["cppn#7", "cppn#8"]
    table = variants_of([recipe, Path("other.yaml")], ["seed=1,2"])
    assert (table.down, table.across) == (("r", "other"), ("seed 1", "seed 2"))


def test_words_that_change_nothing_are_found(recipe):
    table = variants_of([recipe], ["seed=1,2", "truncation=0.5,0.8,1"])
    assert [axis.key for axis in table.idle(["a", "b", "c", "a", "b", "c"])] == ["seed"]
    assert [axis.key for axis in table.idle(["a", "a", "a", "b", "b", "b"])] == ["truncation"]
    assert table.idle(["a", "b", "c", "a", "b", "d"]) == []


@pytest.mark.parametrize(
    ("varied", "words"),
    [
        ([], "there is nothing to compare it with"),
        (["seed=1"], "there is nothing to compare it with"),
        (["seed"], "wanted key=value,value"),
        (["=1,2"], "wanted key=value,value"),
        (["seed=1,,2"], "a value is missing between commas"),
        (["seed=1,1"], "1 is there twice"),
        (["seed=1,2", "seed=3,4"], "this word is varied twice"),
        (["truncation=mix(1,2"], "a ( is left open"),
        (["truncation=1)"], "closes what wasn't opened"),
        (["title='a"], "a ' is left open"),
        (["seed=" + ",".join(map(str, range(65)))], "65 variants, and a film shows 64 at most"),
        (["sed=1,2"], "Did you mean 'seed'?"),
        (["seed=1,-2"], "--vary seed=-2"),
    ],
)
def test_bad_input(recipe, varied, words):
    with pytest.raises(GandreamError) as error:
        variants_of([recipe], varied)
    assert words in str(error.value)
    assert "--set" not in str(error.value)
