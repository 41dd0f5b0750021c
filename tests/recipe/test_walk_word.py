"""The words of ``walk``: kinds that exclude each other, short forms, and what is told."""

import pytest

from gandream.recipe.load import recipe_from
from gandream.recipe.walk import KINDS

WALKS = [
    "wander",
    {"wander": None, "speed": 2},
    {"wander": "3s"},
    {"wander": {"sigma": "1 bar", "seed": 4, "around": 7, "amount": "0.3*t", "every": "8 bars"}},
    {"circle": "8 bars"},
    {"circle": {"plane": [1, {"seed": 2, "class": 3}], "radius": {"0s": 1, "2s": 0.5}}},
    {"simplex": {"kind": "perlin", "diameter": 3}, "space": "w"},
    {"bounce": 0.7},
    {"bounce": {"speed": 1, "box": 1, "randomness": 0, "redraw": "2 beats", "around": "mean"}},
    {"plane": {"x": "t", "y": "sin(t)", "seed": 9, "stride": 7, "ease": "smooth"}},
    {"through": "0-63", "order": "ping-pong", "ease": ["in_circ", "linear"]},
    {"through": [1, "5-7", {"seeds": 12, "seed": 5, "class": 2}], "every": ["2s", "1 bar"], "shuffle": 7},
    {"through": [1, 2], "path": ["slerp", "step"]},
]


@pytest.mark.parametrize("walk", WALKS, ids=str)
def test_what_is_written_is_read_back(walk):
    recipe = recipe_from({"model": "cppn#7", "walk": walk})
    written = recipe.model_dump(mode="json", by_alias=True)
    assert recipe_from(written).walk == recipe.walk
    assert sum(kind in written["walk"] for kind in (*KINDS, "through")) == 1


def test_short_forms():
    def walk(value):
        return recipe_from({"model": "cppn#7", "walk": value}).walk

    assert walk("wander") == walk({"wander": {}}) == walk({"wander": None})
    assert walk({"through": [1, 2], "circle": None}).kind == "through"
    assert walk({"through": None, "circle": {}}).kind == walk({"through": None, "circle": None}).kind == "circle"
    assert str(walk({"circle": "8 bars"}).circle.every) == "8 bars"
    assert walk({"bounce": 0.7}).bounce.speed == 0.7
    assert [walk(kind).kind for kind in ("wander", "circle", "simplex", "bounce", "plane", "through")] == [
        *("wander", "circle", "simplex", "bounce", "plane", "through")
    ]


@pytest.mark.parametrize(
    ("text", "where", "problem", "hint"),
    [
        ("{wander: 3s, circle: 4s}", "walk.circle = 4s", "a walk is one of", "A second walk goes into"),
        ("{through: [1, 2], plane: {}}", "walk.plane", "here are through, plane", ""),
        ("wandr", "walk = wandr", "wanted a walk: through, wander", "Did you mean 'wander'?"),
        ("{circle: {}, every: 4s}", "walk.every = 4s", "`every` goes with `through`", "{circle: {every: ...}}"),
        ("{bounce: {}, every: 4s}", "walk.every = 4s", "`every` goes with `through`", ""),
        ("{wander: 1s, order: reverse}", "walk.order = reverse", "`order` goes with `through`", ""),
        ("{plane: {}, speed: 2}", "walk.speed = 2", "`plane` has no speed", ""),
        ("{file: song.npy, space: w}", "walk.space = w", "what a file holds says itself", ""),
        ("{file: song.wav}", "walk.file = song.wav", "saved trajectories are .npy, .npz", ""),
        ("{file: none.npy}", "walk.file = none.npy", "no such file", ""),
        ("{file: {file: song.npy, fps: 30, duration: 2s}}", "walk.file.duration = 2s", "can't both be given", ""),
        ("{through: 0-}", "walk.through = ", "a range of seeds has two ends, such as 0-63", ""),
        ("{through: 7-3}", "walk.through = ", "a range of seeds rises", "Write 3-7, and `order: reverse`."),
        ("{through: 0-99999}", "walk.through = ", "these are 100000 seeds", ""),
        ("{through: 0-4294967296}", "walk.through = ", "seeds are from 0 to 4294967295", ""),
        ("{through: {seeds: 0}}", "walk.through.seeds = 0", "wanted how many seeds", ""),
        ("{through: {seeds: 1-3, seed: 4}}", "walk.through.seed = 4", "a range says them itself", ""),
        ("{through: 1-3, order: revers}", "walk.order = revers", "wanted an order", "Did you mean 'reverse'?"),
        ("{through: 1-3, order: reverse, shuffle: 3}", "walk.shuffle = 3", "goes with `order: shuffle`", ""),
        ("{through: 1-3, every: []}", "walk.every", "is too short", ""),
        ("{through: [1, 2], every: [1s, 0s]}", "walk.every[1] = 0s", "must be longer than 0", ""),
        ("{through: [1, 2], ease: [linear, sine]}", "walk.ease[1] = sine", "wanted an ease", ""),
        ("{through: 1-3, every: 2s, at: [1, 2, 3]}", "walk.at", "`every` and `at` can't both be given", ""),
        ("{circle: {plane: [3, 3]}}", "walk.circle.plane", "a plane wants two different latents", ""),
        ("{circle: {plane: [3]}}", "walk.circle.plane", "wanted a list of two", ""),
        ("{circle: {plane: [3, 4], seed: 1}}", "walk.circle.seed = 1", "`seed` draws a plane", ""),
        ("{wander: 0s}", "walk.wander", "must be longer than 0", ""),
        ("{wander: 10%}", "walk.wander", "a length can't be a percentage", ""),
        ("{bounce: {box: 0}}", "walk.bounce.box = 0", "must be at least 0.001", ""),
        ("{simplex: {kind: value}}", "walk.simplex.kind = value", "wanted a noise: simplex, perlin", ""),
        ("{simplex: {diametre: 3}}", "walk.simplex.diametre = 3", "no such word here", "Did you mean 'diameter'?"),
    ],
)
def test_what_is_told(mistake, text, where, problem, hint):
    error = mistake(f"walk: {text}")
    assert where in error.where
    assert problem in error.problem
    assert hint in error.hint
