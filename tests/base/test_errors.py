from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandream.base import errors
from gandream.base.errors import GandreamError, RecipeError, RenderError, did_you_mean, listed


def test_an_error_is_where_what_and_what_to_do():
    assert (
        str(RecipeError("r.yaml:1:2  seed = x", "wanted a number", "Try 7."))
        == "r.yaml:1:2  seed = x\n  wanted a number\n  Try 7."
    )
    assert str(RecipeError("r.yaml", "is empty")) == "r.yaml\n  is empty"


def test_further_mistakes_follow():
    error = RecipeError("a", "b", "c")
    error.others = (RecipeError("d", "e"),)
    assert str(error) == "a\n  b\n  c\n\nd\n  e"


def test_only_failures_of_the_work_itself_exit_with_1():
    children = [child for child in GandreamError.__subclasses__() if child.__module__ == errors.__name__]
    assert {child.__name__ for child in children} == {
        f"{kind}Error" for kind in ("Recipe", "Audio", "Checkpoint", "Latent", "Training", "Output", "Render")
    }
    assert {child.exit_code for child in children if child is not RenderError} == {2}
    assert RenderError.exit_code == 1
    assert all(getattr(errors, child.__name__) is child for child in children)


@given(st.text(max_size=30))
def test_whatever_is_told_can_be_printed_and_steers_nothing(text):
    told = str(RecipeError(text, text, text))
    told.encode()
    assert not any(ord(character) < 32 and character != "\n" for character in told)
    assert "\x7f" not in told
    assert "\u202e" not in told


def test_pictures_and_letters_are_left_as_they_are():
    assert str(RecipeError("größe 👩‍🎤 音.yaml", "ok")).startswith("größe 👩‍🎤 音.yaml")


@pytest.mark.parametrize(
    ("word", "known", "nearest"),
    [
        ("evry", ["every", "at"], "every"),
        ("EVERY", ["every"], "every"),
        ("cppn", ["CPPN"], "CPPN"),
        ("xyz", ["every"], None),
        ("a", [], None),
        ("", ["a"], None),
        ("a" * 10**5, ["a" * 99], None),
    ],
)
def test_did_you_mean(word, known, nearest):
    expected = f"Did you mean '{nearest}'?" if nearest else ""
    assert did_you_mean(word, known) == expected
    assert did_you_mean(word, iter(known)) == expected
    assert did_you_mean(word, dict.fromkeys(known)) == expected


@given(st.lists(st.text("abc", min_size=1, max_size=60), min_size=1, max_size=9))
def test_a_known_word_means_itself(words):
    assert all(did_you_mean(word, words) == f"Did you mean '{word}'?" for word in words)


def test_listed():
    assert listed([]) == ""
    assert listed(["a", 2, "c"]) == "a, 2, c"
    assert listed("abcde", 3) == "a, b, c and 2 more"
