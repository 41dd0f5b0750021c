"""The word classes: its forms, and what is told when it is wrong."""

from __future__ import annotations

from fractions import Fraction

import pytest

from gandream.recipe.classes import Classes
from gandream.recipe.recipe import Recipe, needs_beats
from gandream.recipe.times import Time


def test_without_it_there_are_none(load):
    assert load("").classes is None
    assert load("classes: null").classes is None


def test_all_that_it_takes(load):
    classes = load(
        "classes: {through: [silk, nebula, 7], every: 4 bars, hold: 50%, ease: in_out_sine, loop: false}"
    ).classes
    assert classes.through == ("silk", "nebula", 7)
    assert (classes.every, classes.at) == (Time(Fraction(4), "bars"), None)
    assert classes.hold == Time(Fraction(50), "%")
    assert (classes.ease, classes.loop) == ("in_out_sine", False)
    assert load("classes: {through: [0, 1], at: [1s, 50%]}").classes.at == (Time.seconds(1), Time(Fraction(50), "%"))


def test_what_it_does_where_nothing_is_said(load):
    classes = load("classes: {through: [0, 1]}").classes
    assert (classes.every, classes.at, classes.hold) == (None, None, Time.seconds(0))
    assert (classes.ease, classes.loop) == ("smooth", True)


@pytest.mark.parametrize(
    ("short", "through"),
    [
        ("[silk, 7]", ("silk", 7)),
        ("silk", ("silk",)),
        ("7", (7,)),
        ("{through: silk}", ("silk",)),
        ("['7']", ("7",)),
        ("[great white shark]", ("great white shark",)),
    ],
)
def test_the_short_forms(load, short, through):
    assert load(f"classes: {short}").classes == Classes(through=through)


def test_its_bars_want_a_beat(load):
    assert needs_beats(load("classes: {through: [0, 1], every: 4 bars}"))
    assert needs_beats(load("classes: {through: [0, 1], hold: 2 beats}"))
    assert not needs_beats(load("classes: {through: [0, 1], every: 4s, hold: 50%}"))


def test_what_is_written_is_read_back(load):
    text = "classes: {through: [silk, 7], every: 4 bars, hold: 50%, ease: linear, loop: false}"
    written = load(text).classes.model_dump(mode="json")
    assert Classes.model_validate(written) == load(text).classes


@pytest.mark.parametrize(
    ("text", "where", "problem", "hint"),
    [
        ("{through: [1], evry: 2s}", "2:25  classes.evry = 2s", "no such word here", "Did you mean 'every'?"),
        ("{every: 2s}", "2:1  classes.through", "is missing", ""),
        ("{through: []}", "2:11  classes.through", "is too short", ""),
        ("{through: [1, -1]}", "2:24  classes.through[1] = -1", "wanted a class: its number, or its name", ""),
        ("{through: [1.5]}", "2:21  classes.through[0] = 1.5", "wanted a class", ""),
        ("[1, true]", "2:14  classes[1] = true", "wanted a class", ""),
        ("{through: [1, 2], every: 50%}", "2:28  classes.every = 50%", "a length can't be a percentage", ""),
        ("{through: [1, 2], hold: 101%}", "2:28  classes.hold = 101%", "a class can be held for 100%", ""),
        ("{through: [1, 2], hold: -1s}", "2:28  classes.hold = -1s", "a time can't be negative here", ""),
        ("{through: [1, 2], hold: 2 barz}", "2:28  classes.hold = 2 barz", "there is no unit 'barz'", ""),
        ("{through: [1, 2], ease: smoth}", "2:28  classes.ease = smoth", "wanted an ease", "Did you mean 'smooth'?"),
        ("{through: [1, 2], loop: no}", "2:28  classes.loop = no", "wanted true or false", "In YAML 1.2"),
        ("{through: [1, 2], at: [1s]}", "2:28  classes.at", "`at` has 1 times for 2 classes", "for each class."),
        ("{through: 1, every: 1s, at: [1s]}", "2:34  classes.at", "`every` and `at` can't both be given", ""),
    ],
)
def test_what_is_told(mistake, text, where, problem, hint):
    error = mistake(f"classes: {text}")
    assert error.where == f"r.yaml:{where}"
    assert problem in error.problem
    assert hint in error.hint


def test_a_typo_of_the_word_itself(mistake):
    assert mistake("clases: [1]").hint == "Did you mean 'classes'?"


def test_from_python():
    assert Recipe.model_validate({"model": "x", "classes": ["silk", 7]}).classes == Classes(through=("silk", 7))
