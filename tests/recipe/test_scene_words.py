"""The words of scenes and of one's own curves: what is read, what is inherited, what is told of mistakes."""

from __future__ import annotations

import pytest

from gandream.base.errors import RecipeError
from gandream.recipe.load import load_recipe, recipe_from
from gandream.recipe.recipe import needs_beats, needs_sections
from gandream.recipe.scene import Sectioned, Transition
from gandream.recipe.times import Time, parse_time

MUSIC = "audio: song.wav\n"
TWO = "scenes:\n  - {for: 2s}\n  - {walk: {through: [5, 6]}, truncation: 0.5}\n"


@pytest.fixture
def mistake(write):
    def mistake(text: str) -> RecipeError:
        write(text)
        with pytest.raises(RecipeError) as caught:
            load_recipe("r.yaml")
        return caught.value

    return mistake


def scenes(*written, **words):
    return recipe_from({"model": "cppn#7", "scenes": list(written), **words})


@pytest.mark.parametrize(
    ("written", "crossfade", "ease"),
    [
        ("cut", None, "linear"),
        ("crossfade", "1s", "linear"),
        ("crossfade 2 bars", "2 bars", "linear"),
        ({"crossfade": 0.5, "ease": "smooth"}, "0.5s", "smooth"),
    ],
)
def test_transitions(written, crossfade, ease):
    found = Transition.model_validate(written)
    assert (found.crossfade and str(found.crossfade), found.ease) == (crossfade, ease)


def test_a_scene_has_the_words_of_the_film_where_it_says_nothing():
    recipe = scenes({"for": "2s"}, {"truncation": 0.5, "seed": 9, "model": "cppn#2"}, truncation=0.8, seed=3)
    first, second = recipe.told_scenes()
    assert [str(one.truncation) for one in (first, second)] == ["0.8", "0.5"]
    assert [one.seed for one in (first, second)] == [3, 9]
    assert [one.model.written for one in (first, second)] == ["cppn#7", "cppn#2"]
    assert (first.own_words, second.own_words) == (frozenset(), {"truncation", "seed", "model"})
    assert first.scenes is None, "a scene has none of its own"
    assert recipe.own_words == frozenset()


def test_a_scene_can_take_a_word_of_the_film_away():
    recipe = scenes({"effects": [], "for": "1s"}, {}, effects=["vignette"])
    assert [len(one.effects) for one in recipe.told_scenes()] == [0, 1]


def test_where_each_scene_has_a_model_the_film_needs_none():
    recipe = recipe_from({"scenes": [{"model": "cppn#3", "for": "1s"}, {"model": "cppn#4"}]})
    assert recipe.model.written == "cppn#3"
    with pytest.raises(RecipeError, match="is missing"):
        recipe_from({"scenes": [{"model": "cppn#3", "for": "1s"}, {}]})


def test_mistakes_in_a_scene_stand_where_they_are_written(write):
    write(TWO)
    recipe = load_recipe("r.yaml")
    first, second = recipe.told_scenes()
    assert second.where(("walk", "through", 1)) == "r.yaml:4:26  scenes[1].walk.through[1] = 6"
    assert second.where(("video", "fps")).startswith("r.yaml:1:1")
    assert first.where(("walk",)).endswith("walk"), "not its own"


def test_what_scenes_say_counts_for_beats_and_sections():
    assert needs_beats(scenes({"for": "2 bars"}, {}, tempo={"bpm": 90}))
    assert needs_beats(scenes({"for": "2s"}, {"truncation": "sin(beat)"}, tempo={"bpm": 90}))
    assert not needs_beats(scenes({"for": "2s"}, {}))


def test_sections_are_moments(write):
    assert parse_time("section 3", sections=True) == Time(parse_time(3).amount, "section")
    assert str(parse_time("section  12", sections=True)) == "section 12"
    write(MUSIC + "truncation: {section 1: 0.5, section 2: 1}\nmix: {from: 3, at: section 2}")
    recipe = load_recipe("r.yaml")
    assert needs_sections(recipe)
    assert str(recipe.mix[0].at) == "section 2"


def test_scenes_by_sections(write):
    write(MUSIC + "scenes: sections")
    found = load_recipe("r.yaml").scenes
    assert isinstance(found, Sectioned)
    assert (found.palette.seeds, found.labels) == (4, {})
    write(MUSIC + "scenes: {palette: {A: [1, 2], B: 7}, labels: {B: {truncation: 0.5}}}")
    recipe = load_recipe("r.yaml")
    assert [len(stops) for stops in recipe.scenes.palette.values()] == [2, 1]
    assert needs_sections(recipe)
    (scene,) = recipe.told_scenes()
    assert scene.where(("truncation",)).endswith("scenes.labels.B.truncation = 0.5")
    again = recipe_from(recipe.model_dump(mode="json", by_alias=True, exclude={"include"}) | {"model": "cppn#7"})
    assert again.scenes == recipe.scenes


TOLD = [
    ("scenes: []", "scenes", "wanted a list of 1 to 200 scenes", ""),
    ("scenes: sectons", "scenes", "wanted a source of scenes: sections", "sections"),
    ("scenes: [{walk: 3}]", "scenes[0].walk", "wanted", ""),
    ("scenes: [{wlak: {}}]", "scenes[0].wlak", "no such word here", "'walk'"),
    ("scenes: [{audio: song.wav}]", "scenes[0].audio", "no such word here", ""),
    ("scenes: [{for: 50%}]", "scenes[0].for", "a length can't be a percentage", ""),
    ("scenes: [{for: section 2}]", "scenes[0].for", "a section is a moment", ""),
    ("scenes: [{at: section}]", "scenes[0].at", "wanted a section by its number", ""),
    ("scenes: [{at: section 0}]", "scenes[0].at", "wanted a section by its number", ""),
    ("scenes: [{at: section 2}]", "scenes[0].at", "sections are heard in music", "seconds"),
    ("mix: {from: 1, at: section 2}", "mix.at", "sections are heard in music", ""),
    ("truncation: {section 2: 1}", "truncation", "sections are heard in music", ""),
    ("scenes: [{transition: crosfade}]", "scenes[0].transition", "wanted a transition: cut, crossfade", "'crossfade'"),
    ("scenes: [{transition: cut 1s}]", "scenes[0].transition", "wanted a transition", ""),
    ("scenes: [{transition: crossfade soon}]", "scenes[0].transition", "wanted a time", ""),
    ("scenes: [{transition: {crossfade: 1s, ease: smoth}}]", "scenes[0].transition.ease", "wanted an ease", "smooth"),
    ("transition: crossfade 1s", "transition", "there are no `scenes`", ""),
    ("scenes: sections", "scenes", "sections are heard in music", "night_drive"),
    (MUSIC + "scenes: {palette: 0-7}", "scenes.palette", "each label has seeds of its own", ""),
    (MUSIC + "scenes: {palette: {a: [1]}}", "scenes.palette", "sections are labelled A, B, C", ""),
    (MUSIC + "scenes: {palette: {A: []}}", "scenes.palette.A", "at least one latent", ""),
    (MUSIC + "scenes: {palette: {A: [-1]}}", "scenes.palette.A", "must be at least 0", ""),
    (MUSIC + "scenes: {labels: {A: {at: 3}}}", "scenes.labels.A.at", "no such word here", ""),
    ("scenes: [{blend: {by: noten, latents: [1]}}]", "scenes[0].blend.by", "there is no signal called 'noten'", ""),
    ("scenes: [{truncation: swing}]", "scenes[0].truncation", "there is nothing called 'swing'", ""),
    ("curves: {swing: t}\ntruncation: swin", "truncation", "there is nothing called 'swin'", "'swing'"),
    ("curves: {sin: 1}", "curves.sin", "'sin' is a function", "sin_"),
    ("curves: {scene_t: 1}", "curves.scene_t", "a word of its own", ""),
    ("curves: {a: 1}\nvars: {a: 2}", "curves.a", "a variable has this name too", ""),
    ("curves: {a: a + 1}", "curves.a", "this curve is made of itself: a -> a", ""),
    ("curves: {a: 2*b, b: c, c: 1 - a}", "curves.a", "made of itself: a -> b -> c -> a", ""),
    ("curves: {a: t +}", "curves.a", "something is missing here", ""),
    ("curves: {a: 1}\ntruncation: a.x", "truncation", "'a' is a single curve", ""),
]


@pytest.mark.parametrize(
    ("text", "where", "words", "hint"), TOLD, ids=[told[0].replace("\n", "; ")[:50] for told in TOLD]
)
def test_what_is_told(mistake, text, where, words, hint):
    error = mistake(text)
    assert error.where.split("  ")[1].split(" = ")[0].startswith(where)
    assert words in error.problem
    assert hint in error.hint


def test_each_circle_is_told_once(mistake):
    error = mistake("curves: {a: b, b: a, c: a, d: d, e: 2}")
    assert [one.problem for one in (error, *error.others)] == [
        "this curve is made of itself: a -> b -> a",
        "this curve is made of itself: d -> d",
    ]


def test_a_scene_takes_a_preset_whose_signals_stand_at_the_top():
    made = scenes(
        {"for": "3s", "use": "lucid_sonic"},
        {"for": "3s", "use": {"preset": "lucid_sonic", "speed_fpm": 6}, "truncation": 0.3},
        {"use": "lucid_sonic"},
        audio="bundled:night_drive",
        curves={"mine": 1},
    )
    first, second, third = made.told_scenes()
    assert {"walk", "push", "classes"} <= first.own_words & second.own_words
    assert second.truncation.value == 0.3
    assert {"mine", "lucid_step", "lucid_step_2"} <= set(made.curves), "what means something else has another name"
    assert "lucid_keys_2" in str(made.curves["lucid_step_2"])
    assert "lucid_keys_2" not in str(made.curves["lucid_step"])
    assert [push.by for push in first.push] == [push.by for push in third.push]
    alone = recipe_from({"model": "cppn#7", "use": "lucid_sonic", "audio": "bundled:night_drive"})
    assert (alone.walk, alone.push, alone.classes) == (first.walk, first.push, first.classes)
    assert {name: made.signals[name] for name in alone.signals} == alone.signals


def test_sections_of_a_label_take_a_preset():
    made = recipe_from(
        {"model": "cppn#7", "audio": "bundled:night_drive", "scenes": {"labels": {"B": {"use": "wavefunk"}}}}
    )
    assert isinstance(made.scenes, Sectioned)
    assert {"walk", "blend"} <= made.told_scenes()[0].own_words
    assert {"wave_low", "wave_notes"} <= set(made.signals)


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        ("scenes: [{use: lucid}]", "scenes[0].use", "no such preset"),
        ("scenes: [{}, {use: {preset: wavefunk, lo_fmx: 3}}]", "scenes[1].use", "no such word here"),
        ("scenes: {labels: {B: {use: 3}}}", "scenes.labels.B.use", "wanted a preset"),
    ],
)
def test_mistakes_in_a_scenes_preset(mistake, text, where, problem):
    found = mistake("audio: bundled:night_drive\n" + text)
    assert where in found.where
    assert problem in found.problem
