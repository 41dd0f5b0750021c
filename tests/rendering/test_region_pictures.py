"""The word `regions`: laid out, in keys, and in finished frames of models that blend inside and of others."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image

from gandream.base.errors import RecipeError
from gandream.models.registry import describe, load_generator
from gandream.recipe.load import recipe_from
from gandream.rendering.paint import Painter
from gandream.rendering.plan import make_plan
from gandream.trajectory.compose import compose
from gandream.video.format import VideoFormat


def trajectory(model="cppn#7", **words):
    video = {"size": "32x32", "fps": 10, "duration": 2}
    recipe = recipe_from({"model": str(model), "walk": {"through": [1]}, "video": video} | words)
    return compose(recipe, describe(str(model))).trajectory


def painted(model="cppn#7", start=0, stop=1, **words) -> torch.Tensor:
    plan = make_plan(trajectory(model, **words), VideoFormat(32, 32, Fraction(10)), "cpu")
    return Painter(plan, load_generator(str(model), "cpu")).paint(start, stop)


def test_models_without_regions_blend_their_pictures():
    one, two = (painted(walk={"through": [seed]}) for seed in (1, 2))
    out = painted(regions={"from": 2, "where": "right"})
    assert torch.equal(out[..., :12], one[..., :12])
    assert torch.equal(out[..., 20:], two[..., 20:])
    half = painted(regions={"from": 2, "where": "right", "amount": 0.5})
    torch.testing.assert_close(half[..., 20:], (one + two)[..., 20:] / 2)


def test_an_image_and_a_spot_say_where(tmp_path):
    Image.fromarray(np.repeat(np.array([[255, 0]], np.uint8), 2, axis=0).repeat(16, 0).repeat(16, 1)).save(
        tmp_path / "mask.png"
    )
    one, two = (painted(walk={"through": [seed]}) for seed in (1, 2))
    out = painted(regions={"from": 2, "where": str(tmp_path / "mask.png")})
    assert torch.equal(out[..., :16], two[..., :16])
    assert torch.equal(out[..., 16:], one[..., 16:])
    spot = painted(regions={"from": 2, "where": {"x": 0.25, "y": 0.25, "radius": 0.2}})
    assert torch.equal(spot[..., 8, 8], two[..., 8, 8])
    assert torch.equal(spot[..., 16:, 16:], one[..., 16:, 16:])


def test_a_walk_moves_in_its_region_alone_and_ranges_expand_alone(stylegan2_file):
    file = stylegan2_file()
    words = {
        "regions": {"from": {"through": [2, 3], "every": 0.5}, "where": {"x": "t/2", "y": 0.5, "radius": 0.4}},
        "truncation": 0.7,
    }
    whole = painted(file, 0, 12, **words)
    for start, stop in ((0, 5), (7, 12)):
        torch.testing.assert_close(painted(file, start, stop, **words), whole[start:stop], atol=1e-4, rtol=1e-3)
    assert (whole[1:] - whole[:-1]).abs().amax(dim=(1, 2, 3)).min() > 1e-3


def test_truncation_is_that_of_the_whole_picture(stylegan2_file):
    file = stylegan2_file()
    everywhere = {"x": 0.5, "y": 0.5, "radius": 100}
    out = painted(file, truncation=0.5, regions={"from": 2, "where": everywhere})
    torch.testing.assert_close(out, painted(file, truncation=0.5, walk={"through": [2]}), atol=1e-4, rtol=1e-3)
    coarse = painted(file, regions={"from": 2, "where": everywhere, "layers": "0-1"})
    mixed = painted(file, mix={"from": 2, "layers": "0-1"})
    torch.testing.assert_close(coarse, mixed, atol=1e-4, rtol=1e-3)


def test_keys():
    plain = trajectory()
    late = trajectory(regions={"from": 2, "where": "left", "at": 1})
    assert late.key(0, 10) == plain.key(0, 10)
    words = [{"where": "left"}, {"where": "right"}, {"where": "left", "amount": 0.5}, {"where": "left", "layers": 1},
             {"where": {"x": 0.1}}, {"where": {"x": 0.2}}]  # fmt: skip
    keys = [trajectory(regions={"from": 2, **one}).key(0, 10) for one in words]
    keys += [trajectory(regions={"from": 3, "where": "left"}).key(0, 10), plain.key(0, 10)]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("region", "says"),
    [
        ({"from": 2}, "where"),
        ({"where": "left"}, "from"),
        ({"from": 2, "where": "lift"}, "left"),
        ({"from": 2, "where": "nowhere.png"}, "no such file"),
        ({"from": 2, "where": "left", "layers": 40}, "40 is beyond"),
        ({"from": 2, "where": "left", "soft": 1}, "soft"),
    ],
)
def test_mistakes(region, says):
    with pytest.raises(RecipeError, match="regions") as caught:
        trajectory(regions=region)
    assert says in str(caught.value)
