"""YAML: the core schema of 1.2, exact places, and nothing that a file can do to the reader."""

# ruff: noqa: PT017 (the test is that text is read or refused)
from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandream.base.errors import RecipeError
from gandream.recipe.load import load_recipe
from gandream.recipe.reader import MAX_ALIASES, MAX_BYTES, read_text


def read(text: str):
    return read_text(text, "r.yaml", Path("/songs"))[0]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *[
            (word, word)
            for word in [
                "off",
                "on",
                "yes",
                "no",
                "y",
                "n",
                "Yes",
                "OFF",
                "0:42",
                "190:20:30",
                "2001-01-01",
                "1_000",
                "0b1",
                "0o8",
                "1e",
                "0x",
                ".e1",
                "<<",
                "=",
                "infinity",
                "nan",
            ]
        ],
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("-7", -7),
        ("+7", 7),
        ("00", 0),
        ("1e3", 1000.0),
        ("1e-3", 0.001),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.5", -0.5),
        ("6E+2", 600.0),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("+.INF", math.inf),
        ("1e400", math.inf),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("4 bars", "4 bars"),
        ("50%", "50%"),
        ("24000/1001", "24000/1001"),
        ('"\\ud83d\\ude00"', "😀"),
        ("😀", "😀"),
    ],
)
def test_scalars_are_what_they_look_like(written, value):
    found = read(f"a: {written}")["a"]
    assert found == value
    assert type(found) is type(value) or isinstance(value, str)


def test_nan_is_a_number():
    assert math.isnan(read("a: .nan")["a"])


def test_enormous_numbers_are_read_without_effort():
    assert read("a: " + "9" * 399)["a"] == 10**399 - 1
    assert read("a: " + "9" * 5000)["a"] == math.inf


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(_VALUES)
def test_json_is_yaml_and_reads_back(value):
    assert read(json.dumps({"a": value}))["a"] == value


@given(st.text(alphabet="ab1:-?,[]{}#&*!|>'\"%@` \n\t<~.", max_size=60))
def test_any_text_is_read_or_refused_in_words(text):
    try:
        read(text)
    except RecipeError as error:
        assert error.where.startswith("r.yaml:")
        assert error.problem


def test_bom_and_windows_lines_are_fine(load):
    assert load(b"\xef\xbb\xbfmodel: cppn#7\r\nseed: 5\r\n").seed == 5


def test_places_of_keys_and_values():
    _, marks = read_text('a: 1\n"b":\n  - x\n  - {c: &n "0.5 + k"}\n', "r.yaml", Path())
    assert marks[("a",)].at() == "r.yaml:1:1"
    assert marks[("b",)].at() == "r.yaml:2:1"
    assert marks[("b", 0)].at() == "r.yaml:3:5"
    assert marks[("b", 1, "c")].at() == "r.yaml:4:6"
    assert marks[("b", 1, "c")].at(6) == "r.yaml:4:19"  # the k, behind the anchor and the quote


ATTACKS = {
    "[": ("a: " + "[" * 20000, "1:53", "50 levels"),
    "{": ("a: " + "{" * 20000, "1:53", "50 levels"),
    "[{": ("[{" * 20000, "1:51", "50 levels"),
    "- ": ("- " * 20000, "1:101", "50 levels"),
    "? ": ("? " * 20000, "1:101", "50 levels"),
    "{a:": ("{a: " * 20000, "1:201", "50 levels"),
    "block": ("\n".join(" " * depth + "a:" for depth in range(700)), "51:51", "50 levels"),
    "flow values": ("a: [" + "1," * 100000, "1:39999", "20000 values"),
    "flow lists": ("a: [" + "[]," * 80000, "1:59996", "20000 values"),
    "block values": ("- 1\n" * 60000, "20000:3", "20000 values"),
    "? keys": ("? a\n" * 60000, "10001:1", "20000 values"),
    "aliases": (f"a: [&a 1{',*a' * (MAX_ALIASES + 1)}]", f"1:{9 + 3 * MAX_ALIASES + 1}", "1000 aliases"),
    "long key": ("a" * 200000 + ": 1", "1:200001", "could not find expected ':'|mapping values"),
    "long flow key": ("{" + "a " * 100000 + ": 1}", "1:200002", "':'"),
    "colons": ("x: " + ":" * 200000, "1:200003", "mapping values"),
    "quotes": ('a: "' + "\\" * 200001, "1:200006", "unknown escape|end of stream"),
    "stars": ("*" * 200000, "1:2", "alias"),
    "commas": ("[" + "," * 200000, "1:2", "found ','"),
    "self": ("a: &a [*a]", "1:4", "holds itself"),
    "self, mapping": ("&a {b: {c: *a}}", "1:1", "holds itself"),
    "unknown alias": ("a: *b", "1:4", "undefined alias"),
    "anchor twice": ("a: &a 1\nb: &a 2", "2:4", "duplicate anchor 'a'"),
    "duplicate": ("a: 1\nb: 2\na: 3", "3:1", "'a' was already given on line 1"),
    "duplicate 0": ("a: {0: 1, 0.0: 2}", "1:11", "'0.0' was already given on line 1"),
    "duplicate quoted": ("a: {b: 1, 'b': 2}", "1:11", "'b' was already given"),
    "tab": ("walk:\n\tevery: 2", "2:1", "a tab"),
    "tab later": ("walk:\n  every: 2\n\tpath: lerp", "3:1", "a tab"),
    "documents": ("a: 1\n---\nb: 1", "2:1", "second document"),
    "unclosed": ("a: 1\nb: [1,\n  2\nc: 3\n", "4:2", r"'\]'.*begins on line 2"),
    "nul": ("a: 1\nb: x\0y", "2:5", r"U\+0000"),
    "escape": ("a: \x1b[2J", "1:4", r"U\+001B"),
    "half a character": ('a: "\\ud800"', "1:4", "come in pairs"),
    "null key": ("a: {null: 1}", "1:5", "a key must be a word"),
    "bool key": ("a: {true: 1}", "1:5", "a key must be a word"),
    "list key": ("a: {[1]: 1}", "1:5", "a key must be a word"),
    "mapping key": ("? {a: 1}\n: 2", "1:3", "a key must be a word"),
    "nan key": ("a: {.nan: 1}", "1:5", "a key must be a word"),
    "empty key": ("a: {'': 1}", "1:5", "a key must be a word"),
    **{
        tag: (f"a: {tag} {value}", "1:4", "has no meaning in a recipe")
        for tag, value in (
            ("!!python/object/apply:os.system", "['true']"),
            ("!!python/name:os.system", "''"),
            ("!foo", "x"),
            ("!!binary", "aGk="),
            ("!!set", "{a}"),
            ("!!omap", "[a: 1]"),
            ("!!timestamp", "2001-01-01"),
            ("!" * 9999, "x"),
        )
    },
    "!!int": ("a: !!int 1_0", "1:4", "'1_0' isn't a whole number"),
    "!!bool": ("a: !!bool maybe", "1:4", "'maybe' isn't true or false"),
    "!!null": ("a: !!null x", "1:4", "'x' isn't null"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_refused_quickly_at_its_place(name):
    text, place, words = ATTACKS[name]
    began = time.process_time()
    with pytest.raises(RecipeError, match=words) as caught:
        read(text)
    assert caught.value.where == f"r.yaml:{place}"
    assert time.process_time() - began < 4


@pytest.mark.parametrize(
    "text",
    [
        "#" * 250000,
        "#\n" * 120000,
        " " * 250000,
        "\n" * 250000,
        "a: " + "b " * 120000,
        'a: "' + "\n" * 200000 + '"',
        "a: |\n" + " b\n" * 60000,
        "%FOO bar\n" * 20000 + "---\na: 1",
        "a: [" + ",".join(f"&a{i} 1" for i in range(15000)) + "]",
    ],
    ids=range(9),
)
def test_long_but_harmless_is_read_quickly(text):
    began = time.process_time()
    read(text)
    assert time.process_time() - began < 4


def test_billion_laughs():
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [
        f"{name}: &{name} [{','.join(['*' + before] * 9)}]" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    with pytest.raises(RecipeError, match="repeat things into more than 20000 values"):
        read("\n".join(lines))


@pytest.mark.parametrize(
    ("data", "where", "words"),
    [
        (b"", "r.yaml", "the recipe is empty"),
        (b"# only a comment\n", "r.yaml", "the recipe is empty"),
        (b"\n- a\n", "r.yaml:2:1", "this is a list; a recipe is words"),
        (b"hello", "r.yaml:1:1", "this is a single value"),
        (b"model: a\ntitle: caf\xe9", "r.yaml:2:11", "isn't UTF-8"),
        ("model: a".encode("utf-16"), "r.yaml:1:1", "isn't UTF-8"),
        ("model: a".encode("utf-16-le"), "r.yaml:1:2", r"U\+0000"),
        (b"#" * (MAX_BYTES + 1), "r.yaml", "at most 256 kB"),
    ],
)
def test_what_is_no_recipe(mistake, data, where, words):
    error = mistake(data)
    assert error.where == where
    with pytest.raises(RecipeError, match=words):
        raise error


def test_the_largest_file_is_read(load):
    head = b"model: cppn#7\n"
    assert load(head + b"#" * (MAX_BYTES - len(head))).model.written == "cppn#7"


def test_missing_file_names_its_neighbours(write):
    write("")
    for missing, hint in (
        ("quite_other.yml", "Recipes here: r.yaml."),
        ("rr.yaml", "Did you mean 'r.yaml'?"),
        ("no/r.yaml", ""),
    ):
        with pytest.raises(RecipeError, match="no such file") as caught:
            load_recipe(missing)
        assert (caught.value.where, caught.value.hint) == (missing, hint)


def test_folder_and_impossible_names(write):
    write("")
    with pytest.raises(RecipeError, match="this is a folder") as caught:
        load_recipe(".")
    assert "r.yaml" in caught.value.hint
    for name in ("a\0b", "a" * 5000, "r.yaml/x"):
        with pytest.raises(RecipeError, match="can't read this file"):
            load_recipe(name)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root reads everything")
def test_unreadable_file(write):
    file = write("")
    file.chmod(0)
    with pytest.raises(RecipeError, match=r"can't read this file: Permission denied"):
        load_recipe(file)


def test_what_is_told_cannot_steer_a_terminal(mistake):
    told = str(mistake('"\\e[2J\\r\\u202e\\0": "\\a"\n'))
    assert r"\u001b[2J" in told
    assert told.replace("\n", "").isprintable()
