"""What an edit changes, held against the keys of every single frame."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gandream.recipe.load import recipe_from
from gandream.run.changes import changes, words
from gandream.run.prepare import Prepared, prepare

WORDS: dict[str, Any] = {
    "model": "cppn#7",
    "tempo": {"bpm": 120},
    "walk": {"through": [1, 2, 3, 5], "every": "2 bars"},
    "push": [{"random": 3, "by": 0.2}, {"random": 4, "by": 0.1}],
    "curves": {"swell": {"8s": 0, "10s": 1, "12s": 0}},
    "truncation": "1 - 0.2*swell",
    "video": {"size": 64, "fps": 10, "duration": 16},
}
PLAIN = {name: value for name, value in WORDS.items() if name not in ("tempo", "walk")} | {
    "walk": {"through": [1, 2, 3, 5], "every": 4}
}


def made(cache: Path, **more: Any) -> Prepared:
    return prepare(recipe_from({**WORDS, **more}), cache)


def unlike(before: Prepared, after: Prepared) -> list[int]:
    """The frames whose keys differ, each looked at alone."""
    keys = [one.score.trajectory.key for one in (before, after)]
    effects = [one.score.effects.key for one in (before, after)]
    both = min(before.score.trajectory.frames, after.score.trajectory.frames)
    return [
        frame
        for frame in range(both)
        if keys[0](frame, frame + 1) != keys[1](frame, frame + 1)
        or effects[0](frame, frame + 1) != effects[1](frame, frame + 1)
    ]


EDITS: list[tuple[dict[str, Any], tuple[str, ...], str]] = [
    (
        {"push": [{"random": 3, "by": {"4 bars": 0.2, "5 bars": 0.9, "6 bars": 0.2}}, {"random": 4, "by": 0.1}]},
        ("push[0].by",),
        "bars 5 to 6 (0:08.1 to 0:12): push[0].by",
    ),
    (
        {"walk": {"through": [1, 2, 9, 5], "every": "2 bars"}},
        ("walk.through[2]",),
        "bars 3 to 6 (0:04.1 to 0:12): walk.through[2]",
    ),
    (
        {"curves": {"swell": {"8s": 0, "9s": 1, "12s": 0}}},
        ("curves.swell",),
        "bars 5 to 6 (0:08.1 to 0:12): curves.swell",
    ),
    ({"seed": 4}, ("seed",), "no picture: seed"),
    ({"model": "cppn#8"}, ("model",), "the whole film: model"),
    ({"title": "Other"}, ("title",), "no picture: title"),
    ({"video": {**WORDS["video"], "crf": 30}}, ("video.crf",), "the whole film: video.crf"),
    ({"effects": [{"contrast": {"2s": 1, "3s": 2, "4s": 1}}]}, ("effects[0]",), "bar 2 (0:02.1 to 0:04): effects[0]"),
]


@pytest.mark.parametrize(("more", "named", "said"), EDITS, ids=[said for *_, said in EDITS])
def test_an_edit_is_told_in_bars_and_words(tmp_path: Path, more, named, said):
    before, after = made(tmp_path), made(tmp_path, **more)
    assert words(before.recipe, after.recipe) == named
    assert [one.said for one in changes(before, after)] == [said]
    (found,) = changes(before, after)
    assert found.words == named
    frames = unlike(before, after)
    if "video" not in more:
        assert [found.start_frame, found.stop_frame] == ([frames[0], frames[-1] + 1] if frames else [0, 0])


def test_each_word_is_told_with_the_frames_that_it_shapes(tmp_path: Path):
    more = {
        "push": [{"random": 3, "by": {"2s": 0.2, "3s": 0.9, "4s": 0.2}}, {"random": 4, "by": 0.1}],
        "truncation": {"12s": 1, "13s": 0.5, "14s": 1},
        "curves": {},
    }
    before, after = made(tmp_path, truncation=1, curves={}), made(tmp_path, **more)
    assert [one.said for one in changes(before, after)] == [
        "bar 2 (0:02.1 to 0:04): push[0].by",
        "bar 7 (0:12.1 to 0:14): truncation",
    ]


def test_without_beats_it_is_told_in_times(tmp_path: Path):
    one = prepare(recipe_from(PLAIN), tmp_path)
    other = prepare(recipe_from({**PLAIN, "truncation": {"12s": 1, "13s": 0.5, "14s": 1}}), tmp_path)
    assert changes(one, other)[-1].said == "0:08.1 to 0:14: truncation"


def test_a_film_that_is_longer_or_shorter(tmp_path: Path):
    short, long = made(tmp_path), made(tmp_path, video={**WORDS["video"], "duration": 20})
    assert [one.said for one in changes(short, long)] == ["bars 9 to 10 (0:16 to 0:20), new: video.duration"]
    assert [one.said for one in changes(long, short)] == ["what came after 0:16 is gone: video.duration"]


def test_nothing_changes_in_a_recipe_that_says_the_same_otherwise(tmp_path: Path):
    before, after = made(tmp_path), made(tmp_path, tempo={"bpm": 120.0, "beats_per_bar": 4}, seed=0)
    assert changes(before, after) == ()
    assert words(before.recipe, after.recipe) == ()


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ([{"random": 1, "by": 1}], [{"random": 1, "by": 1}, {"random": 2, "by": 1}], ("push[1]",)),
        ([{"random": 2, "by": 1}], [{"random": 1, "by": 1}, {"random": 2, "by": 1}], ("push[0]",)),
        ([{"random": 1, "by": 1}, {"random": 2, "by": 1}], [{"random": 2, "by": 1}], ("push",)),
        ([{"random": 1, "by": 1}], [{"random": 1, "by": "t", "layers": "fine"}], ("push[0].by", "push[0].layers")),
    ],
)
def test_words_of_lists(old, new, named):
    assert words(recipe_from({**WORDS, "push": old}), recipe_from({**WORDS, "push": new})) == named


def test_a_signal_is_told_where_it_is_heard(tmp_path: Path):
    one = {"audio": "bundled:night_drive", "signals": {"kick": {"from": "beat"}, "hats": {"from": "bar"}}}
    two = {**one, "signals": {"kick": {"from": "beat", "power": 3}, "hats": {"from": "bar"}}}
    pushed = {"push": [{"random": 3, "by": "kick"}], "truncation": "1 - 0.1*hats", "curves": {}}
    found = changes(made(tmp_path, **one, **pushed), made(tmp_path, **two, **pushed))
    assert found
    assert {one.words for one in found} == {("signals.kick.power",)}


def test_scenes_and_what_remembers(tmp_path: Path):
    scenes = {"scenes": [{"for": 8}, {"for": 8, "truncation": 0.5}], "transition": "crossfade 1s"}
    after = {**scenes, "scenes": [{"for": 8}, {"for": 8, "truncation": 0.6}]}
    (found,) = changes(made(tmp_path, **scenes), made(tmp_path, **after))
    assert (found.start_frame, found.stop_frame, found.words) == (80, 160, ("scenes[1].truncation",))

    trails = {"effects": [{"trails": 0.9}]}
    flash = {"truncation": {"4s": 1, "4.1s": 0.5, "4.2s": 1}, "curves": {}}
    calm = {"truncation": 1, "curves": {}}
    alone, seen = made(tmp_path, **calm), made(tmp_path, **flash)
    (short,) = changes(alone, seen)
    (long,) = changes(made(tmp_path, **trails, **calm), made(tmp_path, **trails, **flash))
    assert short.start_frame == long.start_frame
    assert long.stop_frame > short.stop_frame, "what was there before is still seen"


def test_it_needs_no_torch(tmp_path: Path):
    code = (
        "import sys; from gandream.recipe.load import recipe_from; from gandream.run.prepare import prepare\n"
        "from gandream.run.changes import changes; from pathlib import Path\n"
        "recipes = (recipe_from({'model': f'cppn#{n}', 'video': {'duration': 2}}) for n in (1, 2))\n"
        "one, two = (prepare(recipe, Path('.')) for recipe in recipes)\n"
        "assert changes(one, two); assert 'torch' not in sys.modules and 'librosa' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
