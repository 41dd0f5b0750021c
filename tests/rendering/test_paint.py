"""Pictures brought to the film's size and to three colours."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from gandream.models.registry import load_generator
from gandream.models.spec import Inputs
from gandream.recipe.recipe import Recipe
from gandream.recipe.video import FITS
from gandream.rendering.paint import FIT, Painter, contain, cover, in_colour, stretch
from gandream.rendering.plan import make_plan
from gandream.trajectory.compose import compose
from gandream.video.format import VideoFormat

WIDE = torch.linspace(-1, 1, 96).expand(1, 3, 32, 96).contiguous()
"""32 high, 96 wide, brighter to the right."""


def test_words_and_meanings_are_the_same_set():
    assert set(FIT) == set(FITS)


@pytest.mark.parametrize("fit", FIT)
@pytest.mark.parametrize(
    "size", [(32, 96), (64, 64), (16, 200), (200, 16), (8, 8), (33, 97), (1, 1), (16, 8192), (8192, 16)]
)
def test_every_fit_has_the_films_size(fit, size):
    for picture in (WIDE, torch.zeros(2, 3, 1, 1), torch.zeros(1, 3, 512, 4)):
        made = FIT[fit](picture, size)
        assert made.shape == (len(picture), 3, *size)
        assert torch.isfinite(made).all()


@pytest.mark.parametrize("fit", FIT)
def test_the_native_size_is_left_as_it_is(fit):
    assert torch.equal(FIT[fit](WIDE, (32, 96)), WIDE)


def test_stretch_shows_all_of_it():
    made = stretch(WIDE, (64, 48))
    torch.testing.assert_close(made[0, 0, 30, 2:-2], torch.linspace(-1, 1, 97)[1:-1:2][2:-2], atol=0.01, rtol=0)


def test_cover_cuts_off_both_sides_alike():
    made = cover(WIDE, (64, 64))  # the middle third
    assert made[0, 0, 32, 0].item() == pytest.approx(-1 / 3, abs=0.03)
    assert made[0, 0, 32, -1].item() == pytest.approx(1 / 3, abs=0.03)
    torch.testing.assert_close(made[0, 0, 32], -made[0, 0, 32].flip(0), atol=1e-4, rtol=0)
    high = cover(WIDE.transpose(2, 3).contiguous(), (64, 64))
    torch.testing.assert_close(high, made.transpose(2, 3), atol=1e-5, rtol=0)


def test_contain_shows_all_of_it_with_black_beside():
    made = contain(WIDE, (96, 96))
    assert (made[:, :, :32] == -1).all()
    assert (made[:, :, 64:] == -1).all()
    assert torch.equal(made[:, :, 32:64], WIDE)
    made = contain(WIDE, (32, 192))
    assert (made[..., :48] == -1).all()
    assert torch.equal(made[..., 48:144], WIDE)


def test_circles_stay_round():
    y, x = torch.meshgrid(torch.linspace(-1, 1, 64), torch.linspace(-1, 1, 64), indexing="ij")
    disc = ((x**2 + y**2 < 0.2).float() * 2 - 1).expand(1, 3, -1, -1)
    for fit in (cover, contain):
        for size in ((128, 200), (200, 128), (100, 90)):
            bright = fit(disc, size)[0, 0] > 0
            height, width = bright.any(dim=1).sum().item(), bright.any(dim=0).sum().item()
            assert abs(height - width) <= 2


def test_shrinking_has_no_aliases():
    checks = (torch.arange(256)[:, None] + torch.arange(256)) % 2 * 2.0 - 1
    assert stretch(checks.expand(1, 3, -1, -1), (64, 64)).abs().max() < 0.05


def test_grey_is_repeated_and_transparency_lies_over_black():
    grey = torch.linspace(-1, 1, 8).expand(2, 1, 8, 8)
    assert torch.equal(in_colour(grey), grey.expand(-1, 3, -1, -1))
    colour = torch.rand(2, 3, 8, 8) * 2 - 1
    assert torch.equal(in_colour(colour), colour)
    for opacity, expected in ((1, colour), (-1, -torch.ones_like(colour)), (0, (colour + 1) / 2 - 1), (3, colour)):
        made = in_colour(torch.cat([colour, torch.full((2, 1, 8, 8), float(opacity))], dim=1))
        torch.testing.assert_close(made, expected)
    both = in_colour(torch.cat([grey, torch.zeros_like(grey)], dim=1))
    torch.testing.assert_close(both, ((grey + 1) / 2 - 1).expand(-1, 3, -1, -1))


# what a painter makes


def painter(generator, width, height, fit="cover", **words) -> Painter:
    recipe = Recipe.model_validate({"model": "cppn#7", "walk": {"through": [1, 2]}, "video": {"duration": 1}, **words})
    trajectory = compose(recipe, generator.spec).trajectory
    return Painter(make_plan(trajectory, VideoFormat(width, height, Fraction(30)), "cpu", fit=fit), generator)


def test_a_model_of_any_size_paints_in_the_films():
    generator = load_generator("cppn#7", "cpu")
    for fit in FIT:
        made = painter(generator, 48, 32, fit)
        images = made.paint(3, 5)
        inputs = made.plan.trajectory.inputs(generator, 3, 5)
        assert torch.equal(images, generator.synthesise(inputs, size=(32, 48)))


class Grey:
    """A model whose pictures are 16 high, 24 wide, grey and transparent to the left."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        from dataclasses import replace

        self.inner = load_generator("cppn#7", "cpu")
        self.spec = replace(self.inner.spec, size=(16, 24), channels=2)
        self.w_avg = self.inner.w_avg

    def map(self, z, classes=None, psi=1.0) -> Inputs:
        return self.inner.map(z, classes, psi)

    def synthesise(self, inputs, *, noise="fixed", size=None, **_) -> torch.Tensor:
        assert size is None, "its size is its own"
        opacity = torch.where(torch.arange(24) < 12, -1.0, 1.0).expand(len(inputs.w), 1, 16, 24)
        return torch.cat([torch.full_like(opacity, 0.5), opacity], dim=1)


def test_a_model_of_its_own_size_is_fitted():
    images = painter(Grey(), 48, 48, "contain").paint(0, 2)
    assert images.shape == (2, 3, 48, 48)
    assert (images[:, :, :8] == -1).all()
    assert (images[:, :, 8:40, 30:] > 0.4).all()
    assert (images[:, :, 8:40, :18] < -0.9).all()
    assert (painter(Grey(), 48, 48, "cover").paint(0, 1)[:, :, :8, 40:] > 0.4).all()
