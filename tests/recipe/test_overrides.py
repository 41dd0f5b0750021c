from __future__ import annotations

from pathlib import Path

import pytest

from gandream.recipe.load import load_recipe

BASE = "walk: {through: [1, 2, 3, 4], every: 2}\npush: {random: 3}\n"


def test_values_are_yaml_and_parents_are_made(load):
    recipe = load(
        BASE,
        "walk.through[1]=9",
        "walk.through.2=8",
        "walk.through[-1]=7",
        "walk.every=4 frames",
        "tempo.bpm=120",
        "video.size=1280x720",
        "truncation={0s: 0, 1s: 1}",
        "truncation.0s=0.5",
        "truncation.2s=2",
        "push={toward: 3, by: t}",
        "seed = 5",
        "title=a = b",
        "audio=",
    )
    assert [latent.seed for latent in recipe.walk.through] == [1, 9, 8, 7]
    assert (str(recipe.walk.every), recipe.tempo.bpm, recipe.video.size) == ("4 frames", 120, (1280, 720))
    assert recipe.truncation.values == (0.5, 1.0, 2.0)
    assert (recipe.push[0].toward.seed, recipe.seed, recipe.title, recipe.audio) == (3, 5, "a = b", None)
    assert recipe.document.overrides[0] == "walk.through[1]=9"


def test_the_last_one_counts(load):
    assert load("seed: 1", "seed=2", "seed=3").seed == 3


def test_a_repeated_alias_is_not_set_twice(load):
    recipe = load("vars: {a: &a [1, 2]}\nwalk: {through: *a}", "walk.through[0]=9")
    assert (recipe.walk.through[0].seed, recipe.vars["a"]) == (9, [1, 2])


def test_files_start_at_the_working_directory_or_at_the_recipe(write, tmp_path):
    write("audio: near.wav\n")
    folder = tmp_path / "recipes"
    folder.mkdir()
    (tmp_path / "r.yaml").rename(folder / "r.yaml")
    (folder / "near.wav").touch()
    recipe = load_recipe("recipes/r.yaml")
    assert recipe.audio.path == folder / "near.wav"
    assert recipe.model.folder == folder
    recipe = load_recipe("recipes/r.yaml", ["audio=song.wav", "model=mine.pt"])
    assert recipe.audio.path == Path.cwd() / "song.wav"
    assert recipe.model.folder == Path.cwd()


@pytest.mark.parametrize(
    ("assignment", "more", "words"),
    [
        ("", "", "wanted key=value"),
        ("seed", "", "wanted key=value"),
        ("=3", "", "wanted key=value"),
        (" =3", "", "wanted key=value"),
        *[
            (f"{key}=1", "", "can't read the key")
            for key in ("walk..every", ".", "walk.", ".walk", "[0]", "walk[", "walk[a]", "walk.[0]", "a[٣]", "a]")
        ],
        ("walk.through[4]=9", "", "walk.through is a list of 4; '4' is none"),
        ("walk.through[-5]=9", "", "list of 4; '-5' is none"),
        ("walk.through.x=9", "", "list of 4; 'x' is none"),
        ("push[0].by=1", "", r"push is no list, so \[0\] isn't in it"),
        ("signals[0]=rms", "", "signals is no list"),
        ("vars.x[0]=1", "", "vars.x is no list"),
        ("model.x=1", "", "model is 'cppn#7', which has no 'x'"),
        ("walk.every.x=1", "", "walk.every is 2, which has no 'x'"),
        (".".join("a" * 60) + "=1", "", "at most 50 parts"),
        ("seed=[1", "", "not valid YAML"),
        ("seed={a: 1, a: 2}", "", "'a' was already given$"),
        ("seed=!!binary x", "", "the tag !!binary"),
        ("seed=" + "[" * 60, "", "50 levels"),
        ("title=a\0", "", r"U\+0000"),
        ("seed=*a", "", "undefined alias"),
        ("seed=x", "  seed = x", "wanted a whole number"),
        ("seed=-1", "  seed = -1", "must be at least 0"),
        ("walk=", "  walk", "wanted words with values"),
        ("vidoe.crf=3", "  vidoe", "no such word here\n  Did you mean 'video'"),
        ("video.crff=3", "  video.crff = 3", "Did you mean 'crf'"),
        ("walk={evry: 1}", "  walk.evry = 1", "Did you mean 'every'"),
        ("walk.through[1]=x", "  walk.through[1] = x", "wanted a latent"),
        ("truncation=0.5 + kik", "  truncation = 0.5 + kik", r"nothing called 'kik' \(column 7 of the expression\)"),
        ("truncation=$x", "  truncation", "no variable 'x'\n  There are no `vars`"),
        ("audio=no.wav", "  audio = no.wav", "no such file: .*no.wav"),
        ("signals.k.from=rms", "  signals", "signals need music"),
    ],
)
def test_mistakes_are_told_at_the_option(mistake, assignment, more, words):
    error = mistake(BASE, assignment)
    shown = assignment if len(assignment) <= 80 else assignment[:77] + "..."
    assert error.where == f"--set {shown}{more}"
    with pytest.raises(type(error), match=words.replace("'a' was already given$", "'a' was already given\n")):
        raise error


def test_what_an_option_leaves_alone_keeps_its_place(mistake):
    assert mistake("walk: {every: 0, path: lerp}", "walk.path=slerp").where == "r.yaml:2:8  walk.every = 0"


def test_variables_stand_for_whole_values(load):
    recipe = load(
        "vars: {seeds: [1, 2], speed: $pace, pace: 0.5 + t, film: {fps: 25, size: $size}, size: 64, n: 2}\n"
        "walk: {through: $seeds, speed: $speed}\nvideo: $film\ntruncation: n*2\npush: [{random: $n}]\ntitle: costs $n"
    )
    assert [latent.seed for latent in recipe.walk.through] == [1, 2]
    assert recipe.walk.speed.text == "0.5 + t"
    assert (recipe.video.size, recipe.video.fps, recipe.push[0].random, recipe.title) == ((64, 64), 25, 2, "costs $n")


def test_options_change_variables_first(load):
    assert load("vars: {n: 2}\nseed: $n", "vars.n=3").seed == 3
    assert load("vars: {n: 2}", "seed=$n").seed == 2


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("vars: {amount: 1}\nseed: $amont", "r.yaml:3:1  seed", "no variable 'amont'\n  Did you mean 'amount'"),
        ("vars: {1: 1}\nseed: $x", "r.yaml:3:1  seed", "no variable 'x'\n  Variables: 1"),
        ("seed: $x", "r.yaml:2:1  seed", "There are no `vars`"),
        ("vars: [1]\nseed: $x", "r.yaml:3:1  seed", "There are no `vars`"),
        ("vars: {a: $b, b: $a}", "r.yaml:2:8  vars.a", "'a' is made of itself|'b' is made of itself"),
        ("vars: {a: [{b: $a}]}", "r.yaml:2:13  vars.a[0].b[0].b", "'a' is made of itself"),
        ("vars: {a: 0.5 + kik}\nvideo: {}\ntruncation: $a", "r.yaml:2:17  truncation = 0.5 + kik", "'kik'"),
        ("vars: {f: quick}\nvideo: {crf: $f}", "r.yaml:3:9  video.crf = quick", "whole number"),
        ("vars: {w: {every: 0}}\nwalk: $w", "r.yaml:2:12  walk.every = 0", "longer than 0"),
        ("vars: {w: {every: $e}, e: 0}\nwalk: $w", "r.yaml:2:12  walk.every = 0", "longer than 0"),
        ("vars: {n: text}\ntruncation: 2*n", "r.yaml:3:15  truncation = 2*n", "is no number.*\n.*as a whole: \\$n"),
        ("truncation: 2*$n", "r.yaml:2:15  truncation = 2*$n", "no \\$ in an expression"),
    ],
)
def test_mistakes_with_variables(mistake, text, where, words):
    error = mistake(text)
    assert error.where == where
    with pytest.raises(type(error), match=words):
        raise error


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            ["v0: [1,1,1,1,1,1,1,1,1,1]", *(f"v{i}: [{','.join([f'$v{i - 1}'] * 10)}]" for i in range(1, 12))],
            "more than 20000 values",
        ),
        ([f"v{i}: $v{i + 1}" for i in range(5000)], "more than 50 deep"),
        ([f"v{i}: {'[' * 45}$v{i + 1}{']' * 45}" for i in range(300)], "more than 50 deep"),
        (["a: [$b, $b]", "b: [$a, $a]"], "'b' is made of itself"),
    ],
)
def test_bombs_of_variables(mistake, lines, words):
    error = mistake("vars:\n  " + "\n  ".join(lines))
    with pytest.raises(type(error), match=words):
        raise error
    assert error.where.startswith("r.yaml:")
    assert len(error.where) < 200
