"""The word classes: its forms, and what is told when it is wrong."""

from __future__ import annotations

from fractions import Fraction

import pytest

from gandream.recipe.classes import Classes
from gandream.recipe.curve import Expression
from gandream.recipe.recipe import Recipe, curves_in, needs_beats
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
    written = load(text).classes.model_dump(mode="json", by_alias=True)
    assert Classes.model_validate(written) == load(text).classes


@pytest.mark.parametrize(
    ("text", "where", "problem", "hint"),
    [
        ("{through: [1], evry: 2s}", "2:25  classes.evry = 2s", "no such word here", "Did you mean 'every'?"),
        ("{every: 2s}", "2:1  classes.through", "no class is named", ""),
        ("{through: []}", "2:11  classes.through", "no class is named", ""),
        ("{through: [1, -1]}", "2:24  classes.through[1] = -1", "wanted a class: its number, or its name", ""),
        ("{through: [1.5]}", "2:21  classes.through[0] = 1.5", "wanted a class", ""),
        ("[1, true]", "2:14  classes[1] = true", "wanted a class", ""),
        ("{through: [1, 2], every: 50%}", "2:28  classes.every = 50%", "a length can't be a percentage", ""),
        ("{through: [1, 2], hold: 101%}", "2:28  classes.hold = 101%", "a class can be held for 100%", ""),
        ("{through: [1, 2], hold: -1s}", "2:28  classes.hold = -1s", "a time can't be negative here", ""),
        ("{through: [1, 2], hold: 2 barz}", "2:28  classes.hold = 2 barz", "there is no unit 'barz'", ""),
        ("{through: [1, 2], ease: smoth}", "2:28  classes.ease = smoth", "wanted an ease", "Did you mean 'smooth'?"),
        ("{through: [1, 2], loop: no}", "2:28  classes.loop = no", "wanted true or false", "In YAML 1.2"),
        ("{through: [1, 2], at: [1s]}", "2:28  classes.at", "`at` has 1 time for 2 classes", "for each class."),
        (
            "{through: [1, 2, 3], order: ping-pong, at: [0, 1, 2]}",
            "2:49  classes.at",
            "for 4 classes, there and back",
            "",
        ),
        ("{through: [1, 2], path: slerp}", "2:28  classes.path = slerp", "wanted a path: lerp, spline, step", ""),
        ("{through: [1, 2], order: shufle}", "2:28  classes.order = shufle", "wanted an order", "mean 'shuffle'?"),
        ("{through: [1, 2], order: strength}", "2:28  classes.order = strength", "doesn't go with `through`", ""),
        ("{through: [1, 2], shuffle: {every: 1}}", "2:28  classes.shuffle", "wanted a seed", "goes with `from`."),
        ("{through: [1, 2], shuffle: 3, order: reverse}", "2:28  classes.shuffle = 3", "`order: shuffle`", ""),
        ("{through: [1, 2], leak: 1s}", "2:28  classes.leak = 1s", "`leak` goes with `from`", ""),
        ("{through: [1, 2], normalise: false}", "2:28  classes.normalise = false", "goes with `weights`", ""),
        ("{weights: [0.5, 0.5]}", "2:11  classes.weights", "wanted classes with their weights", "`through: [...]`"),
        ("{weights: 3}", "2:11  classes.weights = 3", "wanted classes with their weights", ""),
        ("{weights: {}}", "2:11  classes.weights", "no class has a weight", ""),
        ("{weights: {1: 0.5}, through: [1]}", "2:11  classes.weights", "can't both be given", ""),
        ("{weights: {1: 0.5}, every: 2s}", "2:30  classes.every = 2s", "`every` goes with `through`", ""),
        ("{weights: {1: a + 1}}", "2:24  classes.weights[1] = a + 1", "there is nothing called 'a'", ""),
        ("{from: notes, through: 1}", "2:11  classes.from = notes", "there is no signal called 'notes'", "Declare"),
        ("{from: notes, leak: 0}", "2:24  classes.leak = 0", "wanted a time above 0", ""),
        ("{from: notes, leak: nver}", "2:24  classes.leak = nver", "wanted a time or `never`", ""),
        ("{from: notes, every: 2s}", "2:24  classes.every = 2s", "`every` goes with `through`", ""),
        ("{from: notes, order: reverse}", "2:24  classes.order = reverse", "doesn't go with `from`", "`strength`"),
        ("{from: notes, shuffle: 3}", "2:24  classes.shuffle = 3", "wanted words such as {every: 4 bars}", ""),
        ("{from: notes, shuffle: {strength: 1}}", "2:24  classes.shuffle.every", "either `every` or `at`", ""),
        ("{from: notes, levels: full}", "2:24  classes.levels = full", "wanted a way: minmax, peak, none", ""),
        ("{through: 1, every: 1s, at: [1s]}", "2:34  classes.at", "`every` and `at` can't both be given", ""),
    ],
)
def test_what_is_told(mistake, text, where, problem, hint):
    error = mistake(f"classes: {text}")
    assert error.where == f"r.yaml:{where}"
    assert problem in error.problem
    assert hint in error.hint


MUSIC = "audio: song.wav\nsignals: {kick: onset, notes: chroma}\n"


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("{from: note}", "there is no signal called 'note'", "Did you mean 'notes'?"),
        ("{from: kick}", "'kick' is a single curve; `from` wants a signal with bands", "There is: notes."),
        (f"{{from: notes, through: {list(range(13))}}}", "has 12 bands, and here are 13 classes", "they are repeated"),
        ("{weights: {1: kik}}", "there is nothing called 'kik'", "Did you mean 'kick'?"),
    ],
)
def test_what_is_told_of_signals(mistake, text, problem, hint):
    error = mistake(f"{MUSIC}classes: {text}")
    assert problem in error.problem
    assert hint in error.hint


@pytest.mark.parametrize(
    "text",
    [
        "{weights: {silk: 0.7, 3: 0.3*kick, moss: {0s: 0, 2s: 1}}, normalise: false}",
        "{from: notes, through: [1, silk], order: strength, leak: never, react: kick, levels: peak, complexity: 0.5, "
        "smooth: 2 beats, floor: 0.01, shuffle: {every: 4 bars, strength: 0.25, seed: 3}}",
        "{from: notes, leak: 2 bars, shuffle: {at: [1s, 50%]}}",
        "{through: [1, 2, 3], path: spline, order: ping-pong}",
        "{through: [1, 2, 3], path: step, shuffle: 7, order: shuffle}",
    ],
)
def test_several_and_heard_ones_are_read_back(load, text):
    classes = load(MUSIC + f"tempo: {{bpm: 120}}\nclasses: {text}").classes
    assert Classes.model_validate(classes.model_dump(mode="json", by_alias=True)) == classes


def test_curves_and_beats_inside_are_found(load):
    recipe = load(MUSIC + "classes: {weights: {silk: beat, 3: 0.3*kick}}")
    paths = [path for path, curve in curves_in(recipe) if isinstance(curve, Expression)]
    assert paths == [("classes", "weights", "silk"), ("classes", "weights", 3)]
    assert needs_beats(recipe)
    assert needs_beats(load(MUSIC + "classes: {from: notes, leak: 2 beats}"))
    assert needs_beats(load(MUSIC + "classes: {from: notes, shuffle: {every: 4 bars}}"))
    assert not needs_beats(load(MUSIC + "classes: {from: notes, shuffle: {every: 4s}}"))


def test_a_typo_of_the_word_itself(mistake):
    assert mistake("clases: [1]").hint == "Did you mean 'classes'?"


def test_from_python():
    assert Recipe.model_validate({"model": "x", "classes": ["silk", 7]}).classes == Classes(through=("silk", 7))
