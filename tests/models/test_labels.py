"""Names of classes: ImageNet's, files beside a model, and what a word means."""

from __future__ import annotations

import json
import time

import pytest

from gandream.base.errors import CheckpointError
from gandream.models.labels import class_names, imagenet, known_words, numbers_of, plain, read

NUMBERS = [str(number) for number in range(1000)]


def test_imagenets_names():
    names = imagenet()
    assert len(names) == 1000 == len({plain(name) for name in names})
    for number, name in (
        (0, "tench"),
        (1, "goldfish"),
        (207, "golden retriever"),
        (985, "daisy"),
        (999, "toilet tissue"),
    ):
        assert names[number] == name
    assert not any(name.isdecimal() for name in known_words(names))


@pytest.mark.parametrize(
    ("word", "numbers"),
    [
        ("goldfish", [1]),
        ("Golden_Retriever", [207]),
        ("golden-retriever", [207]),
        ("Carassius auratus", [1]),
        ("white shark", [2]),
        ("crane", [134, 517]),
        ("crane (bird)", [134]),
        ("cardigan", [264, 474]),
        ("partridge", [86]),  # the first name of one, another name of 82
        ("panther", [286, 290]),
        ("unicorn", []),
        ("7", []),
    ],
)
def test_what_a_word_means(word, numbers):
    assert numbers_of(word, imagenet()) == numbers


def test_other_classes_have_no_other_names():
    names = ("Carassius", "goldfish", "Gold Fish")
    assert numbers_of("gold_fish", names) == [2]
    assert numbers_of("goldfish", names) == [1]
    assert numbers_of("Carassius auratus", names) == []
    assert known_words(names) == list(names)


FORMS = {
    "labels.txt": "cat\n dog \nfox\n\n",
    "labels.json": json.dumps(["cat", "dog", "fox"]),
    "numbers.json": json.dumps({"2": "fox", "0": "cat", "1": "dog"}),
    "synsets.json": json.dumps({"0": ["n1", "cat"], "1": ["n2", "dog"], "2": ["n3", "fox"]}),
    "names.json": json.dumps({"fox": 2, "cat": 0, "dog": 1}),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms(name, tmp_path):
    (tmp_path / name).write_text(FORMS[name])
    assert read(tmp_path / name) == ("cat", "dog", "fox")


def test_the_same_name_twice_gets_its_number(tmp_path):
    (tmp_path / "labels.txt").write_text("cat\nCat\ndog\n")
    assert read(tmp_path / "labels.txt") == ("cat", "Cat (1)", "dog")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.txt", ""),
        ("labels.txt", "cat\n\ndog\n"),
        ("labels.json", "[1, 2]"),
        ("labels.json", '{"0": "cat", "2": "dog"}'),
        ("labels.json", "[" * 100_000),
        ("labels.json", "{"),
        ("labels.json", "[]"),
        ("labels.json", "7"),
    ],
)
def test_no_labels(name, text, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(CheckpointError) as caught:
        read(tmp_path / name)
    assert caught.value.where == str(tmp_path / name)
    assert caught.value.hint


def test_what_is_not_text_is_no_labels(tmp_path):
    (tmp_path / "labels.txt").write_bytes(b"\xff\xfe\x00c")
    with pytest.raises(CheckpointError, match="can't be read"):
        read(tmp_path / "labels.txt")


def test_whose_names_count(tmp_path):
    model, numbers = tmp_path / "zoo.pkl", ["0", "1", "2"]
    assert class_names([], model) == ()
    assert class_names(numbers, model) == ("0", "1", "2")
    assert class_names(NUMBERS, model) == imagenet()
    (tmp_path / "labels.txt").write_text("a\nb\nc\n")
    assert class_names(numbers, model) == ("a", "b", "c")
    assert class_names(["x", "y", "z"], model) == ("x", "y", "z")
    assert class_names(["0", "1"], model) == ("0", "1")  # the folder's labels are another model's
    (tmp_path / "zoo.labels.json").write_text('["cat", "dog", "fox"]')
    assert class_names(numbers, model) == ("cat", "dog", "fox")
    with pytest.raises(CheckpointError, match="names 3 classes, and zoo") as caught:
        class_names(["0", "1"], model)
    assert caught.value.where == str(tmp_path / "zoo.labels.json")


def test_names_of_very_many_classes_take_no_time(tmp_path):
    file = tmp_path / "labels.txt"
    file.write_text("\n".join(f"name {number % 20_000}" for number in range(60_000)))
    started = time.process_time()
    names = read(file)
    assert time.process_time() - started < 5, "comparing each with all before it would take minutes"
    assert (names[19_999], names[20_000], len(set(names))) == ("name 19999", "name 0 (20000)", 60_000)
