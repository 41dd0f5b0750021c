"""Scenes know the frames that they show and no others; in a film that closes, the last leads back to the first."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from gandream.models.registry import describe
from gandream.models.spec import Layer, Spec
from gandream.recipe.load import recipe_from
from gandream.trajectory.compose import compose
from gandream.trajectory.layering import Blended
from gandream.trajectory.scenes import compose_scenes
from gandream.trajectory.window import cut, rows

LAYERS = tuple(Layer(f"layer{n}", 4 << (n + 1) // 2) for n in range(6))
SPEC = Spec("stylegan2", "six", "six", 16, LAYERS, (32, 32), classes=("a", "b", "c"), noise=True, shown=LAYERS)
CPPN = describe("cppn#7")
WORDS = {
    "model": "cppn#7",
    "classes": {"through": [0, 1, 2], "every": "1s"},
    "truncation": "0.5 + 0.1*t",
    "noise": [{"mode": "animate", "where": {"x": "0.1*t", "y": 0.5}}, {"layers": "3-5", "strength": "t"}],
    "regions": {"from": {"wander": "1s"}, "where": {"x": "0.1*t"}, "amount": "0.1*t"},
    "bend": {"layer": 2, "rotate": "10*t"},
    "camera": {"zoom": "1 + 0.1*t", "shake": 0.1, "zoom_speed": 0.1},
    "push": [
        {"random": 3, "by": "sin(t)"},
        {"by": "0.1*t", "bounce": {"box": 1}},
        {"random": 5, "by": "0.1*t", "mode": "drift", "space": "w", "layers": "0-2"},
    ],
    "mix": [{"from": [1, 2, 3], "every": "1s", "for": "0.5s"}, {"from": {"circle": "3s"}, "amount": "0.1*t"}],
    "video": {"fps": 10, "duration": 9},
}
WALKS = [
    {"through": [1, 2, 3], "every": "1s", "speed": "1 + 0.3*sin(t)"},
    {"through": [1, 2, {"seed": 3, "class": 1}], "every": "1s", "space": "w", "path": "spline"},
    {"wander": {"sigma": "1s", "amount": "0.5 + 0.05*t"}},
    {"simplex": "4s"},
    {"bounce": {"redraw": "1s"}},
    {"plane": {"x": "t", "y": "0.3*t"}},
]


def laid(walk, **words):
    pushes = [one for one in WORDS["push"] if "bounce" not in one or "space" not in walk]
    whole = compose(recipe_from({**WORDS, "walk": walk, "push": pushes, **words}), SPEC).trajectory
    weights = np.random.RandomState(0).dirichlet(np.ones(3), whole.frames)
    stops = (*whole.mixes[0].track.stops,)
    return replace(whole, blends=(Blended(stops, weights, weights[:, 0], np.arange(6) < 3),))


@pytest.mark.parametrize("smooth", [{}, {"smooth": "0.2s"}], ids=["", "smooth"])
@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: next(iter(walk)) + ("_w" if "space" in walk else ""))
def test_a_part_of_a_film_has_the_films_own_frames(walk, smooth):
    """Everything that shapes pictures is in the key, so equal keys say that nothing was cut wrongly, or forgotten."""
    whole = laid(walk, **smooth)
    part = whole.scene(30, 60)
    low, high = (22, 68) if smooth else (30, 60)
    assert part.there == (low, high)
    for start, stop in ((30, 60), (37, 38), (50, 60)):
        assert part.key(start, stop) == whole.key(start, stop)
        if not part.track.in_w:
            np.testing.assert_array_equal(part.latents(start, stop), whole.latents(start, stop))
    assert part.key(31, 41) != part.key(41, 51)
    with pytest.raises(AssertionError, match="frames 20:31 of a scene that has"):
        part.key(20, 31)


def arrays(part, found):
    """All arrays in what is laid out, whatever holds them."""
    if isinstance(part, np.ndarray):
        found.append(part)
    elif isinstance(part, tuple | list):
        for one in part:
            arrays(one, found)
    elif isinstance(part, dict):
        arrays(list(part.values()), found)
    elif hasattr(part, "__dataclass_fields__"):
        arrays([value for name, value in vars(part).items() if name not in ("timeline", "signals", "walked")], found)
    return found


@pytest.mark.parametrize("walk", WALKS[:3])
def test_nothing_of_the_whole_film_is_left(walk):
    part = laid(walk).scene(30, 60)
    assert not [one.shape for one in arrays(part, []) if 90 in one.shape]
    assert len([one.shape for one in arrays(part, []) if 30 in one.shape]) > 25


def test_what_is_shared_stays_shared_and_constants_stay_one_number():
    whole = laid(WALKS[0], truncation=0.7)
    part = whole.scene(30, 60)
    assert len({id(stop.class_) for stop in part.track.stops}) == 1
    assert part.psi.strides == (0,)
    assert cut(whole.spec, 30, 60) is whole.spec
    np.testing.assert_array_equal(rows(np.arange(5), 3, 8), [3, 4, 0, 1, 2])


def film(**words):
    return recipe_from({"model": "cppn#7", "video": {"fps": 10, "loop": True}, **words})


def cuts_of(recipe):
    return compose_scenes(recipe, lambda one: describe(one.model.written))


def test_in_a_film_that_closes_the_last_scene_goes_on_under_the_first():
    walk = {"through": [1, 2, 3], "every": "2s"}
    own = {"through": [5, 6, 7], "every": "1s"}
    scenes = [{"for": "4s"}, {"for": "3s", "walk": own}]
    score, (first, last) = cuts_of(film(walk=walk, scenes=scenes, transition="crossfade 1s"))
    assert (first.start, first.stop, last.start, last.stop, last.beyond) == (0, 50, 40, 70, 10)
    np.testing.assert_allclose(first.shares, np.arange(10) / 10)
    assert not score.warnings
    # What is the scene's own goes on; what goes through the film comes round.
    alone = compose(film(walk=own, video={"fps": 10, "duration": 9}), CPPN).trajectory
    np.testing.assert_allclose(last.trajectory.latents(40, 80), alone.latents(0, 40), atol=1e-6)
    _, (first, last) = cuts_of(film(walk=walk, scenes=[{"for": "4s"}, {"for": "3s"}], transition="crossfade 1s"))
    np.testing.assert_array_equal(last.trajectory.latents(70, 80), first.trajectory.latents(0, 10))
    around = np.concatenate([last.trajectory.latents(60, 70), first.trajectory.latents(0, 10)])
    steps = np.abs(np.diff(around, axis=0)).mean(axis=1)
    assert steps[9] < 1.5 * np.median(steps), "the walk closes over the film"


def test_the_first_scene_may_say_how_it_comes_in_and_a_cut_needs_nothing():
    scenes = [{"for": "4s", "transition": "crossfade 0.5s"}, {"for": "3s"}]
    _, (first, last) = cuts_of(film(scenes=scenes))
    assert (len(first.shares), last.beyond, first.stop) == (5, 5, 40)
    _, (first, last) = cuts_of(film(scenes=[{"for": "4s"}, {"for": "3s"}]))
    assert (len(first.shares), last.beyond) == (0, 0)


def test_a_film_of_one_scene_closes_as_a_film_without():
    walk = {"through": [1, 2, 3], "every": "1.9s"}
    _, (only,) = cuts_of(film(scenes=[{"for": "4s", "walk": walk}], transition="crossfade 1s"))
    whole = compose(film(walk=walk, video={"fps": 10, "loop": True, "duration": 4}), CPPN).trajectory
    assert only.trajectory.key(0, 40) == whole.key(0, 40)
    assert only.beyond == 0


def test_smoothing_goes_round_where_the_walk_does():
    words = {"walk": {"through": [1, 2, 3], "every": "2s"}, "smooth": "0.3s"}
    _, (first, last) = cuts_of(film(**words, scenes=[{"for": "4s"}, {"for": "3s", "truncation": 0.5}]))
    assert first.trajectory.there == (-12, 52)
    assert last.trajectory.there == (28, 82)
    whole = compose(film(**words, video={"fps": 10, "loop": True, "duration": 7}), CPPN).trajectory
    np.testing.assert_array_equal(first.trajectory.track.places[:12] % 3, whole.track.places[-12:] % 3)


@pytest.mark.parametrize("words", [{"transition": "crossfade 1s"}, {"smooth": "0.3s"}], ids=str)
def test_a_bouncing_push_goes_on_from_the_films_end_to_its_beginning(words):
    scenes = [{"for": "4s"}, {"for": "3s", "truncation": 0.5}]
    _, (first, last) = cuts_of(
        film(walk={"circle": "7s"}, push={"bounce": {"box": 2}, "by": 1}, scenes=scenes, **words)
    )
    part = last.trajectory
    together = part.latents(66, part.there[1])
    np.testing.assert_array_equal(together[:4], part.latents(66, 70))
    np.testing.assert_array_equal(together[4:], first.trajectory.latents(0, part.there[1] - 70))
    assert part.key(66, part.there[1]) != part.key(66, part.there[1] - 1)


@pytest.mark.parametrize("longer", [3, pytest.param(10, marks=pytest.mark.slow)])
@pytest.mark.slow
def test_memory_is_that_of_the_curves(longer):
    """Of many scenes as of one: a minute and more differ by some numbers for each frame, as does the peak."""

    def of(minutes: int) -> np.ndarray:
        own = [{"at": f"{n * minutes * 3}s", "walk": {"through": [n, n + 1]}, "truncation": f"0.5 + {n / 99}*sin(t)",
                "push": {"random": n, "by": "0.1*sin(t)"}} for n in range(20)]  # fmt: skip
        recipe = recipe_from({"model": "cppn#7", "scenes": own, "video": {"fps": 60, "duration": f"{minutes} min"},
                              "mix": {"from": 3, "amount": "sin(t)"}})  # fmt: skip
        gc.collect()
        tracemalloc.start()
        kept = cuts_of(recipe)
        gc.collect()
        found = np.array(tracemalloc.get_traced_memory())
        tracemalloc.stop()
        assert len(kept[1]) == 20
        return found

    held, peak = (of(longer) - of(1)) / ((longer - 1) * 60 * 60)
    assert held < 64, "bytes for each frame: walk, truncation, push and mix, and the clock's times"
    assert peak < 600, "of what one scene is made from"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"mix": {"from": {"through": [1, 2], "loop": False}}}, "the walk mix[0].from stays at its last latent"),
        ({"mix": [{"from": 3}, {"from": {"plane": {"x": "t"}}}]}, "mix[1].from.plane doesn't end where it begins"),
        ({"regions": {"from": {"wander": {}, "loop": False}, "where": "left"}}, "the walk regions[0].from goes on"),
    ],
)
def test_other_walks_that_dont_close_are_told_too(words, told):
    found = compose(film(**words, video={"fps": 10, "loop": True, "duration": 5}), CPPN).warnings
    assert [one for one in found if one.startswith("video.loop") and told in one]
    found = compose(film(**words, video={"fps": 10, "duration": 5}), CPPN).warnings
    assert not [one for one in found if told in one]
