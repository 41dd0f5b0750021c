"""Films cut into segments by content."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from gandream.models.registry import describe
from gandream.recipe.recipe import Recipe
from gandream.rendering.plan import BATCH_PIXELS, MAX_BATCH, grid, make_plan
from gandream.run.picture import DEFAULT_SIZE, picture_format
from gandream.trajectory.compose import compose
from gandream.video.format import VideoFormat

SPEC = describe("cppn#7")
SMALL = VideoFormat(64, 64, Fraction(20))


def recipe(**words) -> Recipe:
    video = {"duration": 10, "fps": 20, **words.pop("video", {})}
    return Recipe.model_validate(
        {"model": "cppn#7", "walk": {"through": [1, 2, 3], "every": 2}, "video": video, **words}
    )


def planned(spec=SPEC, fmt=SMALL, frames=None, fit="cover", **words):
    return make_plan(compose(recipe(**words), spec).trajectory, fmt, "cpu", frames, fit=fit)


def keys(**words) -> list[str]:
    return [segment.key for segment in planned(**words).segments]


# sizes


def test_without_a_size_the_film_has_the_models():
    assert picture_format(recipe(), SPEC)[0].width == DEFAULT_SIZE[0]
    fmt, warnings = picture_format(recipe(), replace(SPEC, size=(256, 384)))
    assert ((fmt.width, fmt.height), warnings) == ((384, 256), ())
    fmt, _ = picture_format(recipe(video={"size": "640x360"}), replace(SPEC, size=(256, 384)))
    assert (fmt.width, fmt.height) == (640, 360)


def test_odd_sizes_become_even_with_a_warning_where_the_codec_needs_it():
    fmt, warnings = picture_format(recipe(), replace(SPEC, size=(255, 383)))
    assert (fmt.width, fmt.height) == (384, 256)
    assert warnings == ("video.size 383x255 is odd, which 4:2:0 can't hold: it becomes 384x256",)
    fmt, warnings = picture_format(recipe(video={"size": "63x65", "subsampling": "444"}), SPEC)
    assert ((fmt.width, fmt.height), warnings) == ((63, 65), ())


def test_a_batch_is_as_small_as_the_models_pictures_ask():
    sizes = [(64, (64, 64)), (64, (128, 128)), (64, (129, 129)), (64, (1024, 1024)), (2048, (64, 64)), (8192, None)]
    batches = [
        planned(replace(SPEC, size=native), VideoFormat(side, side, Fraction(20))).batch for side, native in sizes
    ]
    most = MAX_BATCH["cpu"]
    assert batches == [most, most, most // 2, max(1, BATCH_PIXELS["cpu"] >> 20), most, 1]


def test_few_large_frames_are_made_at_once_of_many_small_pictures():
    plan = planned(replace(SPEC, size=(64, 64)), VideoFormat(2048, 2048, Fraction(20)))
    assert (plan.batch, plan.piece) == (MAX_BATCH["cpu"], 1)


# keys


def test_segments_are_two_seconds_from_frame_0():
    plan = planned(frames=(30, 95))
    assert [(segment.start, segment.stop) for segment in plan.segments] == [(30, 40), (40, 80), (80, 95)]
    assert list(grid(0, 5, Fraction(1))) == [(0, 2), (2, 4), (4, 5)]


def test_equal_recipes_have_equal_keys():
    words = {
        "mix": {"from": {"through": [4, "mean"]}, "layers": "fine"},
        "truncation": {"layers": "coarse", "psi": 0.5},
    }
    assert keys(**words) == keys(**words)
    assert keys() == keys()


def test_segments_of_a_part_are_those_of_the_whole():
    whole, part = planned(mix={"from": 9, "at": 3}), planned(mix={"from": 9, "at": 3}, frames=(40, 120))
    assert part.segments == whole.segments[1:3]


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ({"mix": {"from": 9}}, [0, 1, 2, 3, 4]),
        ({"mix": {"from": 9, "at": 6}}, [3, 4]),
        ({"mix": {"from": 9, "at": 8.5}}, [4]),
        ({"mix": {"from": 9, "until": 1}}, [0]),
        ({"mix": {"from": 9, "at": 2.1, "until": 3, "layers": "fine"}}, [1]),
        ({"mix": {"from": {"through": [9, 8]}, "at": 8, "fade": 1}}, [4]),
        ({"mix": {"from": 9, "amount": 0}}, []),
        ({"truncation": {"layers": "fine", "psi": {"8s": 1, "9s": 0}}}, None),
        ({"walk": {"through": [1, 2, 3], "every": 2, "space": "w"}}, [0, 1, 2, 3, 4]),
        ({"walk": {"through": [1, 2, 3], "every": 2, "path": "spline"}}, [0, 1, 2, 3, 4]),
    ],
)
def test_a_word_changes_the_segments_where_it_does_something(words, changed):
    found = [index for index, (one, two) in enumerate(zip(keys(), keys(**words), strict=True)) if one != two]
    assert found == (list(range(5)) if changed is None else changed)


def test_fit_and_format_are_in_every_key():
    plans = [planned(), planned(fit="contain"), planned(fmt=VideoFormat(64, 66, Fraction(20)))]
    made = [[segment.key for segment in plan.segments] for plan in plans]
    for each in made:
        assert each[:2] == each[3:]  # the walk comes round after three segments, and these are made once
    assert len({key for each in made for key in each}) == 9


# parts


def test_a_part_has_in_its_key_what_shares_its_first_batch():
    still = {"through": [1], "path": "step"}  # in batches of eight: frames 0 to 7, 8 to 15 ...
    keyed = [planned(walk=still, frames=(start, start + 2)).segments[0].key for start in (8, 16, 17, 40)]
    assert keyed[0] == keyed[1] == keyed[3], "where in the film it is makes no difference"
    assert keyed[0] != keyed[2], "where in a batch it is may"
    psi = [f"1 - {low} * (frame < 18)" for low in (0, 0.5)]
    within, after = ([planned(truncation=one, frames=(start, 26)).segments[0].key for one in psi] for start in (18, 24))
    assert within[0] != within[1], "frames 16 and 17 are painted with it"
    assert after[0] == after[1]
