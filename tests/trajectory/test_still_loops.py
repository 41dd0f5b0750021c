"""A loop that is too short for its walk stands still, and that is said."""

from __future__ import annotations

import pytest

from gandream.models.registry import describe
from gandream.recipe.load import recipe_from
from gandream.trajectory.compose import compose


def warnings(walk, duration, loop=True):
    video = {"duration": duration, "fps": 10, "loop": loop}
    return compose(recipe_from({"model": "cppn#7", "walk": walk, "video": video}), describe("cppn#7")).warnings


@pytest.mark.parametrize(
    ("walk", "what"),
    [("wander", "a smaller `sigma`"), ({"bounce": {"speed": 0.4}}, "a higher `speed`")],
)
def test_a_walk_that_closing_holds_still_is_told(walk, what):
    (said,) = warnings(walk, 3)
    assert "stands still" in said
    assert what in said
    assert warnings(walk, 3, loop=False) == ()
    assert warnings(walk, 60) == ()


def test_one_that_moves_or_is_meant_to_stay_is_not():
    assert warnings({"wander": {"sigma": "0.3s"}}, 3) == ()
    assert warnings({"bounce": {"speed": 8}}, 3) == ()
    assert warnings({"wander": {}, "speed": 0}, 3) == ()
