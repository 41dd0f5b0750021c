"""The camera and bends in finished frames: inside a model and on its pictures things move the same way, and as far."""

from __future__ import annotations

import importlib.util
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from gandream.effects.camera import endless, moved
from gandream.models.checkpoint.safe_tensors import write_safetensors
from gandream.models.registry import describe, load_generator
from gandream.recipe.load import recipe_from
from gandream.rendering.paint import Painter
from gandream.rendering.plan import make_plan
from gandream.trajectory.compose import compose
from gandream.video.format import VideoFormat


def painted(model, size=(64, 64), stop=1, **words) -> torch.Tensor:
    """Frames [0, stop) of a film of so many pixels (width, height)."""
    fit = words.pop("fit", "cover")
    video = {"size": f"{size[0]}x{size[1]}", "fps": 10, "duration": 2, "fit": fit}
    recipe = recipe_from({"model": str(model), "walk": {"through": [1, 2], "every": 1}, "video": video} | words)
    trajectory = compose(recipe, describe(str(model))).trajectory
    plan = make_plan(trajectory, VideoFormat(*size, Fraction(10)), "cpu", fit=fit)
    return Painter(plan, load_generator(str(model), "cpu")).paint(0, stop)


@pytest.fixture(scope="module")
def stylegan3(tmp_path_factory) -> Path:
    """A small StyleGAN3 of random weights, 32 x 32, whose kernels are points, as all random ones that turn are."""
    reference = Path(__file__).parents[1] / "models" / "stylegan3_reference.py"
    found = importlib.util.spec_from_file_location("reference3", reference)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    tensors, attributes = module.random_network(resolution=32, margin=10, kernel=1, radial=True)
    native = {"gandream": 1, "family": "stylegan3", "configuration": {"attributes": attributes}}
    file = tmp_path_factory.mktemp("model") / "sg3.safetensors"
    write_safetensors(file, tensors, {"gandream": json.dumps(native)})
    return file


def inner(x: torch.Tensor, share: float = 0.5) -> torch.Tensor:
    height, width = x.shape[2:]
    down, across = round(height * (1 - share) / 2), round(width * (1 - share) / 2)
    return x[:, :, down : height - down, across : width - across]


def apart(one: torch.Tensor, two: torch.Tensor) -> float:
    """RMS of the difference, in deviations."""
    return float((one - two).square().mean().sqrt() / one.std())


WORDS = ({"pan": [0.1, 0]}, {"pan": [0, 0.1]}, {"zoom": 1.5}, {"rotate": 20}, {"shear": 0.2},
         {"zoom": 1.3, "rotate": -15, "pan": [-0.05, 0.1]})  # fmt: skip


def opposite(camera: dict) -> dict:
    """The other way."""
    negative = {word: -value for word, value in camera.items() if word in ("rotate", "shear")}
    other = {"zoom": 1 / camera["zoom"]} if "zoom" in camera else {}
    return negative | other | ({"pan": [-value for value in camera["pan"]]} if "pan" in camera else {})


@pytest.mark.parametrize("camera", WORDS)
@pytest.mark.parametrize("size", [(96, 96), (128, 64), (64, 128)])
def test_pattern_networks_move_inside_as_their_pictures_do(camera, size):
    plain = painted("cppn#7", size)
    inside, outside = (painted("cppn#7", size, camera={**camera, "by": by}) for by in ("model", "picture"))
    assert apart(inner(inside), inner(plain)) > 0.2
    assert apart(inner(inside), inner(outside)) < 0.25 * apart(inner(inside), inner(plain))
    assert not torch.equal(inside, outside)


@pytest.mark.parametrize("camera", WORDS)
@pytest.mark.parametrize(("size", "fit"), [((32, 32), "cover"), ((48, 24), "cover"), ((48, 24), "extend")])
def test_stylegan3_moves_inside_as_its_pictures_do(stylegan3, camera, size, fit):
    plain = painted(stylegan3, size, fit=fit)
    inside, outside = (painted(stylegan3, size, fit=fit, camera={**camera, "by": by}) for by in ("model", "picture"))
    back = painted(stylegan3, size, fit=fit, camera={**opposite(camera), "by": "picture"})
    assert apart(inner(inside), inner(outside)) < 0.75 * apart(inner(inside), inner(plain))
    assert apart(inner(inside), inner(outside)) < 0.5 * apart(inner(inside), inner(back))


def test_a_translation_of_stylegan3_by_whole_pixels_moves_the_picture(stylegan3):
    plain = painted(stylegan3, (32, 32))
    out = painted(stylegan3, (32, 32), camera={"pan": [4 / 32, 8 / 32]})
    found = {
        (down, across): apart(inner(torch.roll(plain, (down, across), (2, 3)), 0.4), inner(out, 0.4))
        for down in range(-9, 10) for across in range(-9, 10)
    }  # fmt: skip
    assert min(found, key=lambda at: found[at]) == (-8, 4), "to the right and up"


def test_pictures_move_by_whole_pixels_with_mirrored_edges(stylegan2_file):
    file = stylegan2_file()
    plain = painted(file, (16, 16))
    out = painted(file, (16, 16), camera={"pan": [0.25, 0.5]})
    mirrored = torch.cat([plain, plain.flip(3)], 3)
    mirrored = torch.cat([mirrored, mirrored.flip(2)], 2)
    wanted = torch.roll(mirrored, (-8, 4), (2, 3))[:, :, :16, :16]
    torch.testing.assert_close(out, wanted.clamp(-1, 1), atol=1e-3, rtol=0)


def test_what_the_frame_cuts_off_comes_in_when_the_picture_moves(stylegan2_file):
    """Of 32 x 32 a frame of 2 : 1 shows the middle 16 rows; half of its height is 8 of them."""
    file = stylegan2_file(channels=(8, 8, 6, 4))
    whole = painted(file, (32, 32))
    assert whole.shape == (1, 3, 32, 32)
    out = painted(file, (32, 16), camera={"pan": [0, 0.5]})
    torch.testing.assert_close(out, whole[:, :, 16:32].clamp(-1, 1), atol=1e-3, rtol=0)


def test_frames_in_which_nothing_moves_stay_as_they_are(stylegan2_file):
    file = stylegan2_file()
    plain = painted(file, (16, 16), 4)
    out = painted(file, (16, 16), 4, camera={"rotate": "where(frame < 2, 0, 45)"})
    assert torch.equal(out[:2], plain[:2])
    assert (out[2:] - plain[2:]).abs().amax(dim=(1, 2, 3)).min() > 0.1
    assert torch.equal(painted(file, (16, 16), 2, camera={"rotate": "where(frame < 2, 0, 45)"}), plain[:2])


def test_an_infinite_zoom_goes_on_from_octave_to_octave():
    larger, smaller = torch.full((3, 3, 20, 32), -1.0), torch.full((3, 3, 20, 32), 1.0)
    out = endless(larger, smaller, np.array([0.0, 0.5, 1.0]))
    assert torch.equal(out[0], larger[0])
    assert torch.equal(out[2], smaller[2])
    assert out[1, 0, 10, 16] == 1, "the smaller one comes from the middle"
    assert (out[1, 0, :2] == -1).all(), "beyond its edges, at 0.7, the larger one is seen"
    pictures = [
        painted("cppn#3", (64, 48), walk={"through": [7]}, camera={"zoom_speed": speed, "by": by})
        for by in ("model", "picture") for speed in (1e-9, 1)
    ]  # fmt: skip
    plain = painted("cppn#3", (64, 48), walk={"through": [7]})
    for one in pictures:
        assert apart(one, plain) < 0.01, "at first nothing is to be seen of it"


@pytest.mark.parametrize("by", ["model", "picture"])
def test_an_infinite_zoom_is_as_smooth_where_octaves_meet_as_elsewhere(by):
    """Ten frames an octave: from frame 9 to 10 the pictures change places."""
    film = painted("cppn#3", (64, 48), 20, walk={"through": [7]}, camera={"zoom_speed": 1, "by": by})
    steps = (film[1:] - film[:-1]).square().mean(dim=(1, 2, 3)).sqrt()
    assert steps[9] < 1.5 * steps.median()
    assert steps.min() > 0.02
    torch.testing.assert_close(film[10], film[0], atol=0.02, rtol=0)


def test_far_away_pictures_are_still_there():
    picture = torch.linspace(-1, 1, 32).expand(1, 3, 32, 32)
    one = np.eye(3)[None].copy()
    one[0, 0, 2] = 4e6  # a whole number of periods
    torch.testing.assert_close(moved(picture, one), picture, atol=1e-4, rtol=0)


def test_bends_are_seen_in_films(stylegan2_file):
    file = stylegan2_file()
    plain = painted(file, (16, 16), 4)
    out = painted(file, (16, 16), 4, bend={"layer": "b8.conv1", "rotate": "where(frame < 2, 0, 45)"})
    assert torch.equal(out[:2], plain[:2])
    assert (out[2:] - plain[2:]).abs().amax(dim=(1, 2, 3)).min() > 0.01
    still = painted(file, (16, 16), 4, bend={"layer": "all", "multiply": 1}, camera={"zoom": 1})
    assert torch.equal(still, plain)
