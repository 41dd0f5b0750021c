"""`video` as a list: several outputs of one time, and what is wrong with a list, at its place."""

from __future__ import annotations

from fractions import Fraction

import pytest
import yaml

from gandream.run.explain import explained


def test_one_output_is_written_as_one_and_several_as_a_list(load):
    one, two = load("video: {size: 64}"), load("video: [{size: 64}, {size: 64x32, name: wide}]")
    assert one.model_dump(mode="json", by_alias=True)["video"]["size"] == [64, 64]
    assert [video["name"] for video in two.model_dump(mode="json", by_alias=True)["video"]] == [None, "wide"]
    assert load("video: [{size: 64}]").outputs == one.outputs
    assert load("").outputs == (one.video.model_copy(update={"size": None}),)
    assert two.video is two.outputs[0]
    said = [yaml.safe_load(explained(recipe))["video"] for recipe in (one, two)]
    assert said[0]["size"] == [64, 64]
    assert [video["size"] for video in said[1]] == [[64, 64], [64, 32]]


@pytest.mark.parametrize("first", [True, False])
def test_time_is_said_once_and_holds_for_all(load, first: bool):
    said, silent = "{fps: 25, duration: 4 bars, start: 1s, loop: true}", "{size: 32}"
    recipe = load(f"tempo: {{bpm: 120}}\nvideo: [{said if first else silent}, {silent if first else said}]")
    assert len(recipe.outputs) == 2
    for video in recipe.outputs:
        assert (video.fps, str(video.duration), str(video.start), video.loop) == (Fraction(25), "4 bars", "1s", True)


def test_the_same_time_may_be_said_again(load):
    assert len(load("video: [{fps: 25, duration: 2}, {fps: 25, duration: 2s}]").outputs) == 2


def test_settings_reach_into_the_list(load):
    assert load("video: [{size: 64}, {size: 32}]", "video[1].size=48").outputs[1].size == (48, 48)


@pytest.mark.parametrize(
    ("text", "where", "problem", "hint"),
    [
        ("[{fps: 25}, {fps: 30}]", "r.yaml:2:21  video[1].fps = 30", "says it differently", "Say `fps` once"),
        ("[{}, {duration: 2}, {duration: 3}]", "video[2].duration = 3", "says it differently", "Say `duration` once"),
        ("[{loop: true}, {loop: false}]", "video[1].loop = false", "says it differently", "Say `loop` once"),
        ("[{size: 64}, {sise: 64}]", "video[1].sise = 64", "no such word", "Did you mean 'size'?"),
        ("{sise: 64}", "video.sise = 64", "no such word", "Did you mean 'size'?"),
        ("[{file: gif}, {file: giff}]", "video[1].file = giff", "wanted a file kind", "Did you mean 'gif'?"),
        ("[{name: a}, {name: a}]", "video[1].name = a", "another output has this name", "Give each its own."),
        ("[{name: a/b}]", "video[0].name = a/b", "wanted a short name", ""),
        ("{name: ../x}", "video.name = ../x", "wanted a short name", ""),
        ("[]", "r.yaml:2:1  video", "too short", ""),
        ("[3]", "video[0] = 3", "wanted words with values", ""),
        ("{file: png, crf: 3}", "video.crf = 3", "png files have no crf", ""),
        ("{file: webp, crf: 64}", "video.crf = 64", "63", ""),
        ("{file: gif, alpha: true}", "video.alpha = true", "no alpha channel", ""),
        ("{file: jpg, depth: 16}", "video.depth = 16", "jpg files have 8 bits", ""),
    ],
)
def test_what_is_wrong_with_a_list_is_told_at_its_place(mistake, text, where, problem, hint):
    error = mistake(f"video: {text}")
    assert where in error.where
    assert problem in error.problem
    assert hint in error.hint


def test_at_most_sixteen(mistake):
    assert "too long" in mistake(f"video: [{', '.join(['{}'] * 17)}]").problem
