"""What a person reads who made a mistake: the place to the column, the words, the hint."""

from __future__ import annotations

import pytest

SONG = "audio: song.wav\n"

TOLD = [
    (
        "truncation: kik + 1",
        "2:13  truncation = kik + 1",
        r"there is nothing called 'kik' \(column 1 of the expression\)",
        "There is: t, frame",
    ),
    (
        SONG + "signals: {kick: onset}\ntruncation: '0.5 + kik'",
        "4:20  truncation = 0.5 + kik",
        "'kik' .column 7",
        "Did you mean 'kick'?",
    ),
    ("truncation: &a 0.5 + kik", "2:22  truncation = 0.5 + kik", "column 7", ""),
    ('truncation: "0.5\\x20+ kik"', "2:13  truncation = 0.5 + kik", "column 7", ""),
    ("truncation: >\n  0.5 +\n  kik", "2:13  truncation = 0.5 + kik", "'kik'", ""),
    ("truncation: 0.5 +", "2:18  truncation = 0.5 +", r"something is missing here.*\(column 6 of", ""),
    ("push:\n  - random: 1\n    by: sin(t, 2)", "4:9  push[0].by = sin(t, 2)", "here it has 2 arguments", ""),
    (
        SONG + "signals: {c: chroma}\ntruncation: 2*c",
        "4:15  truncation = 2*c",
        "'c' has twelve bands",
        "Choose one: c.C, c.C#",
    ),
    (SONG + "signals: {c: chroma}\ntruncation: c.H", "4:13  truncation = c.H", "'c' has no '.H'", "Its bands: C, C#"),
    (SONG + "signals: {c: chroma}\ntruncation: c.Cb", "4:13  truncation = c.Cb", "'c' has no '.Cb'", "Its bands"),
    (SONG + "signals: {c: chroma}\ntruncation: c.1", "4:13  truncation = c.1", "'c' has no '.1'", "Its bands"),
    (
        SONG + "signals: {k: rms}\ntruncation: k.__class__",
        "4:13  truncation = k.__class__",
        "single curve and has no '.__class__'",
        "Write k.",
    ),
    ("vars: {a: 1}\ntruncation: a.C", "3:13  truncation = a.C", "'a' is a single curve", "Write a."),
    ("truncation: t.x", "2:13  truncation = t.x", "'t' is a single curve", "Write t."),
    ("truncation: sin + 1", "2:13  truncation = sin + 1", "'sin' is a function", "Write sin(x)."),
    (
        "truncation: {0s: 0, 1s: 1, 0.5s: 2}",
        "2:28  truncation.0.5s = 2",
        "keyframes must rise in time; 1s comes before this",
        "",
    ),
    ("truncation: {0s: 0, ease: hld}", "2:21  truncation.ease = hld", "wanted an ease", "Did you mean 'hold'?"),
    ("truncation: {0s: true}", "2:14  truncation.0s = true", "value is a number", ""),
    ("walk: {evry: 2}", "2:8  walk.evry = 2", "no such word here", "Did you mean 'every'?"),
    ("walk:\n  through:\n    - 1\n    - [2]", "5:7  walk.through[1]", "wanted a latent: a seed such as 7", ""),
    ("walk: {through: [1, 2], at: [0]}", "2:25  walk.at", "`at` has 1 time for 2 latents", "one time for each latent"),
    ("walk: {every: 1, at: [0]}", "2:18  walk.at", "can't both be given", "Keep one"),
    ("walk: {every: 4 barz}", "2:8  walk.every = 4 barz", "there is no unit 'barz'. Did you mean 'bars'", ""),
    ("walk: {loop: yes}", "2:8  walk.loop = yes", "wanted true or false", "'yes' is just a word: write true."),
    ("walk: {loop: off}", "2:8  walk.loop = off", "wanted true or false", "write false."),
    ("walk: {<<: {every: 2}}", "2:8  walk.<<", "no such word here", "no part of YAML 1.2"),
    ("push: {randm: 3}", "2:8  push.randm = 3", "no such word here", "Did you mean 'random'?"),
    (
        "push: [{random: 1}, {random: 1, layers: coarze}]",
        "2:33  push[1].layers = coarze",
        "wanted layers",
        "Did you mean 'coarse'?",
    ),
    ("push: {random: 1, space: z, layers: 1}", "2:19  push.space = z", "z has no layers", "space: w"),
    ("push: {random: 1, box: 2}", "2:19  push.box = 2", "goes with `random` and `mode: drift`", ""),
    (SONG + "signals: {sin: rms}", "3:11  signals.sin = rms", "'sin' is a function in expressions", "Call it sin_"),
    (
        SONG + "signals: {beat: rms}",
        "3:11  signals.beat = rms",
        "'beat' is a word of its own in expressions",
        "Call it beat_",
    ),
    (SONG + "signals: {a b: rms}", "3:11  signals.a b = rms", "a name is up to 40 letters", ""),
    (SONG + "signals: {größe: rms}", "3:11  signals.größe = rms", "a name is up to 40 letters", ""),
    (SONG + "signals: {1: rms}", "3:11  signals[1] = rms", "a name is up to 40 letters", ""),
    (SONG + "signals: {k: rms}\nvars: {k: 1}", "4:8  vars.k = 1", "a signal has this name too", "Rename one"),
    (SONG + "signals: {k: {from: rms, clip: [1]}}", "3:26  signals.k.clip", "wanted a list of two", ""),
    (SONG + "signals: {k: {low: 3}}", "3:11  signals.k.from", "is missing", ""),
    (SONG + "signals: {k: [rms]}", "3:11  signals.k", "wanted words with values: from, low", ""),
    ("signals: {k: rms}", "2:1  signals", "signals need music to listen to", "bundled:night_drive"),
    ("vars: {and: 1}", "2:8  vars.and = 1", "'and' is a word of its own", "and_"),
    ("vars: {x: .nan}", "2:8  vars.x = nan", "must be finite", ""),
    ("vars: {x: " + "9" * 390 + "}", "2:8  vars.x = " + "9" * 60 + "…", "must be finite", ""),
    ("tempo: {bpm: .inf}", "2:9  tempo.bpm = inf", "must be", ""),
    ("gandream: 2", "2:1  gandream = 2", "knows version 1", "newer gandream"),
    ("title: " + "x" * 201, "2:1  title = " + "x" * 60 + "…", "too long: at most 200", ""),
    ("audio: song.wv", "2:1  audio = song.wv", "no such file: .*song.wv", "Did you mean 'song.wav'?"),
    ("audio: no/song.wav", "2:1  audio = no/song.wav", "no such file", "no isn't there either"),
    (
        "audio: bundled:nigt_drive",
        "2:1  audio = bundled:nigt_drive",
        "no such bundled piece; there is: night_drive",
        "'night_drive'",
    ),
    ("audio: ~nobody_123/x.wav", "2:1  audio = ~nobody_123/x.wav", "no user ~nobody_123", ""),
    ("audio: .", "2:1  audio = .", "this is a folder; wanted a sound file", ""),
    ("3: 4", "2:1  [3] = 4", "no such word here", "Words here: gandream, include, model"),
]


@pytest.mark.parametrize(("text", "where", "words", "hint"), TOLD, ids=[told[1][:40] for told in TOLD])
def test_what_is_told(mistake, text, where, words, hint):
    error = mistake(text)
    assert error.where == f"r.yaml:{where}"
    assert hint in error.hint
    assert bool(hint) <= bool(error.hint)
    with pytest.raises(type(error), match=words):
        raise error


def test_a_recipe_without_a_model(mistake):
    error = mistake(b"seed: 1\n")
    assert str(error) == "r.yaml:1:1  model\n  is missing\n  A first line could be `model: cppn#7`."


SEVERAL = """\
seed: -1
walk: {evry: 2, every: 4 barz, through: [1, x, -3]}
tilte: x
video: {presett: fast, fps: 0}
"""


def test_several_mistakes_are_all_told_in_the_order_of_the_file(mistake):
    error = mistake(SEVERAL)
    assert [one.where for one in (error, *error.others)] == [
        "r.yaml:2:1  seed = -1",
        "r.yaml:3:8  walk.evry = 2",
        "r.yaml:3:17  walk.every = 4 barz",
        "r.yaml:3:45  walk.through[1] = x",
        "r.yaml:3:48  walk.through[2] = -3",
        "r.yaml:4:1  tilte = x",
        "r.yaml:5:9  video.presett = fast",
        "r.yaml:5:24  video.fps = 0",
    ]
    assert str(error).count("\n\n") == 7
    assert error.exit_code == 2


def test_so_many_mistakes_are_capped(mistake):
    error = mistake("walk: {through: [" + "x, " * 100 + "]}")
    assert len(error.others) == 8
    assert str(error).endswith("and 92 more\n  mend these first")


def test_exactly_as_many_as_are_told_are_not_capped(mistake):
    error = mistake("walk: {through: [" + "x, " * 8 + "]}")
    assert [one.problem for one in error.others] == [error.problem] * 7


def test_mistakes_in_names_are_all_told(mistake):
    error = mistake("vars: {sin: 1}\ntruncation: a + b\nwalk: {speed: c}")
    assert {one.where for one in (error, *error.others)} == {
        "r.yaml:2:8  vars.sin = 1",
        "r.yaml:3:13  truncation = a + b",
        "r.yaml:3:17  truncation = a + b",
        "r.yaml:4:15  walk.speed = c",
    }


def test_a_long_or_broken_value_is_shown_in_one_short_line(mistake):
    error = mistake('seed: "a\\n\\n  b' + "c" * 500 + '"\n' + "k" * 300 + ": 1")
    assert error.where == "r.yaml:2:1  seed = a b" + "c" * 57 + "…"
    assert error.others[0].where == "r.yaml:3:1  " + "k" * 60 + " = 1"
