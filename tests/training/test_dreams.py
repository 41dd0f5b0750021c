"""The data set ``procedural:dreams``: a pure function of seed and index, of place rather than pixels, and colourful."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gandream.training.dreams.draws import Draws
from gandream.training.dreams.fields import fbm, grid, profile, rotate, sample, slopes, smoothstep, spots, texture
from gandream.training.dreams.palette import Palette, display, greatest_chroma, oklab_to_linear, oklch
from gandream.training.dreams.stream import CLASSES, pictures


@pytest.fixture(scope="module")
def hundred() -> tuple[Tensor, Tensor]:
    """Ten pictures of each class."""
    return pictures(5, torch.arange(100), 64)


class TestStream:
    def test_ten_classes_in_their_order(self, hundred: tuple[Tensor, Tensor]) -> None:
        names = ["silk", "marble", "nebula", "glass", "ripples", "rosettes", "dunes", "orbs", "aurora", "bloom"]
        images, labels = hundred
        assert list(CLASSES) == names
        assert images.shape == (100, 3, 64, 64)
        assert images.dtype == torch.uint8
        assert torch.equal(labels, torch.arange(100) % 10)

    def test_a_label_names_the_painter(self, hundred: tuple[Tensor, Tensor]) -> None:
        x, y = grid(64)
        for label, painter in enumerate(CLASSES.values()):
            painted = painter(Draws(5, torch.tensor([10 + label])), x, y)
            assert painted.shape == (1, 3, 64, 64)
            assert _difference(painted * 255, hundred[0][10 + label][None]) <= 1

    def test_a_picture_is_the_same_in_any_batch(self, hundred: tuple[Tensor, Tensor]) -> None:
        order = torch.randperm(100, generator=torch.Generator().manual_seed(0))[:45]
        images, labels = pictures(5, order, 64)
        assert torch.equal(labels, order % 10)
        # Sums of other shapes may round differently; nothing more.
        off = (images.int() - hundred[0][order].int()).abs()
        assert off.max() <= 2
        assert (off > 0).float().mean() < 0.01
        again, _ = pictures(5, order, 64)
        assert torch.equal(images, again)

    def test_one_alone(self, hundred: tuple[Tensor, Tensor]) -> None:
        for index in range(10, 20):
            alone, _ = pictures(5, torch.tensor([index]), 64)
            assert _difference(alone, hundred[0][index][None]) <= 2

    def test_seeds_and_indices_give_other_pictures(self, hundred: tuple[Tensor, Tensor]) -> None:
        images = hundred[0].float()
        other = pictures(6, torch.arange(20), 64)[0].float()
        assert ((images[:20] - other).abs().mean(dim=(1, 2, 3)) > 4).all()
        flat = images.flatten(1)
        distances = torch.cdist(flat, flat, p=1) / flat.shape[1]
        assert distances.fill_diagonal_(99).min() > 4
        high, _ = pictures(5, torch.arange(10) + 10 * 2**34, 64)
        assert ((high.float() - images[:10]).abs().mean(dim=(1, 2, 3)) > 4).all()

    def test_resolutions_show_the_same_picture(self, hundred: tuple[Tensor, Tensor]) -> None:
        fine, _ = pictures(5, torch.arange(30), 128)
        halved = torch.nn.functional.avg_pool2d(fine.float(), 2)
        off = (halved - hundred[0][:30].float()).abs().mean(dim=(1, 2, 3))
        assert off.max() < 6  # of 255; what fine lines and edges leave
        assert off.mean() < 2

    def test_no_pixels_and_no_pictures(self) -> None:
        assert pictures(1, torch.zeros(0, dtype=torch.int64), 32)[0].shape == (0, 3, 32, 32)
        tiny, _ = pictures(1, torch.arange(10), 4)
        assert tiny.shape == (10, 3, 4, 4)


class TestColours:
    def test_finite_and_in_range(self) -> None:
        x, y = grid(32)
        for painter in CLASSES.values():
            painted = painter(Draws(9, torch.arange(64)), x, y)
            assert torch.isfinite(painted).all()
            assert painted.min() >= 0
            assert painted.max() <= 1

    def test_contrast_light_and_colour(self, hundred: tuple[Tensor, Tensor]) -> None:
        images = hundred[0].float() / 255
        assert (images.mean(dim=1).std(dim=(1, 2)) > 0.03).all()
        means = images.mean(dim=(1, 2, 3))
        assert (means > 0.05).all()
        assert (means < 0.85).all()
        assert 0.25 < means.mean() < 0.6
        chroma = images.amax(dim=1) - images.amin(dim=1)
        assert (chroma.mean(dim=(1, 2)) > 0.08).all()
        assert chroma.mean() > 0.3

    def test_hardly_anything_clips(self, hundred: tuple[Tensor, Tensor]) -> None:
        white = (hundred[0].amin(dim=1) >= 254).float().mean(dim=(1, 2))
        black = (hundred[0].amax(dim=1) <= 1).float().mean(dim=(1, 2))
        assert white.max() < 0.05
        assert black.max() < 0.4
        assert black.mean() < 0.03

    def test_hues_all_around_the_circle(self) -> None:
        palette = Palette.draw(Draws(2, torch.arange(400)))
        middle = palette.stops[:, 2]
        sector = (torch.atan2(middle[:, 2], middle[:, 1]) / (2 * math.pi) * 6).floor() % 6
        shares = torch.bincount(sector.long(), minlength=6) / 400
        assert (shares > 0.03).sum() >= 5
        assert shares.max() < 0.5

    def test_a_class_differs_from_the_others(self, hundred: tuple[Tensor, Tensor]) -> None:
        """Even a linear reading of local structure tells classes apart far better than chance (0.1)."""
        train, labels = pictures(8, torch.arange(400), 32)
        test, truth = pictures(9, torch.arange(100), 32)
        weights = torch.linalg.lstsq(_features(train), torch.eye(10)[labels], driver="gelsd").solution
        assert ((_features(test) @ weights).argmax(dim=1) == truth).float().mean() > 0.6


class TestPalette:
    def test_ramps_rise_from_dark_to_light(self) -> None:
        palette = Palette.draw(Draws(1, torch.arange(50)), dark=0.15, light=0.9)
        lightness = palette.stops[..., 0]
        assert (lightness.diff(dim=1) > 0).all()
        ramp = palette(torch.linspace(0, 1, 64).expand(50, 1, 64))
        assert ramp.shape == (50, 3, 1, 64)
        assert torch.allclose(ramp[..., 0, 0], palette.colour(0), atol=1e-4)
        assert torch.allclose(ramp[..., 0, -1], palette.colour(-1), atol=1e-4)
        assert torch.isfinite(ramp).all()
        assert ramp.min() >= 0
        assert ramp.max() < 1.1

    def test_oklab_matches_the_published_primaries(self) -> None:
        # Linear red, green and blue in OKLab (L, a, b), from the inverse of Ottosson's matrices.
        lab = torch.tensor([[0.62796, 0.22486, 0.12585], [0.86644, -0.23389, 0.17950], [0.45201, -0.03246, -0.31153]])
        assert torch.allclose(oklab_to_linear(lab), torch.eye(3), atol=2e-3)

    def test_greatest_chroma_lies_on_the_gamuts_rim(self) -> None:
        hue = torch.linspace(0, 2 * math.pi, 40)
        lightness = torch.full_like(hue, 0.6)
        chroma = greatest_chroma(lightness, hue, limit=0.5)
        inside = oklab_to_linear(oklch(lightness, chroma, hue))
        outside = oklab_to_linear(oklch(lightness, chroma + 0.01, hue))
        assert inside.min() >= 0
        assert inside.max() <= 1
        assert ((outside.amin(dim=1) < 0) | (outside.amax(dim=1) > 1)).all()

    def test_display_is_srgb_below_the_shoulder_and_never_clips(self) -> None:
        light = torch.linspace(0, 20, 4001)
        shown = display(light)
        assert (shown.diff() >= 0).all()
        assert shown[0] == 0
        assert shown[-1] <= 1
        assert display(torch.tensor([0.2140])).item() == pytest.approx(0.5, abs=1e-3)
        assert display(torch.tensor([0.001])).item() == pytest.approx(0.01292, abs=1e-5)
        assert display(torch.tensor([-3.0])).item() == 0
        slope = (display(torch.tensor([0.5001])) - display(torch.tensor([0.4999]))) / 0.0002
        expected = 1.055 / 2.4 * 0.5 ** (1 / 2.4 - 1)
        assert slope.item() == pytest.approx(expected, rel=0.02)


class TestDraws:
    def test_moments(self) -> None:
        draws = Draws(3, torch.arange(200))
        uniform, normal, whole = draws.uniform(-1, 3, 500), draws.normal(500), draws.integer(2, 7, 500)
        assert uniform.min() >= -1
        assert uniform.max() < 3
        assert uniform.mean().item() == pytest.approx(1, abs=0.02)
        assert normal.mean().item() == pytest.approx(0, abs=0.015)
        assert normal.std().item() == pytest.approx(1, abs=0.015)
        assert (torch.bincount(whole.flatten())[2:].float() / 1e5 - 0.2).abs().max() < 0.01
        assert whole.min() == 2
        assert whole.max() == 6

    def test_calls_pictures_and_seeds_are_independent(self) -> None:
        draws = Draws(3, torch.arange(300))
        first, second = draws.normal(300), draws.normal(300)
        other = Draws(4, torch.arange(300)).normal(300)
        for a, b in ((first, second), (first, other), (first[:-1], first[1:]), (first[:, :-1], first[:, 1:])):
            assert abs((a * b).mean().item()) < 0.015
        assert not torch.equal(Draws(0, torch.arange(2)).words(8), Draws(2**32, torch.arange(2)).words(8))
        assert torch.equal(Draws(-1, torch.arange(2)).words(8), Draws(2**64 - 1, torch.arange(2)).words(8))

    def test_a_batch_is_its_pictures(self) -> None:
        indices = torch.tensor([7, 2**40, 0])
        together = Draws(11, indices)
        together.uniform()
        alone = Draws(11, indices[1:2])
        alone.uniform()
        assert torch.equal(together.words(3, 4)[1:2], alone.words(3, 4))


class TestFields:
    def test_noise_has_deviation_one_and_is_smooth(self) -> None:
        x, y = grid(64)
        draws = Draws(1, torch.arange(64))
        turned = rotate(x, y, draws.uniform(0, 6))
        for field in (fbm(draws, x, y, 1, 4.0), fbm(draws, *turned, 3, 4.0), profile(draws, x, 2, 6.0)):
            assert field.std().item() == pytest.approx(1, abs=0.12)
        single = fbm(draws, x, y, 1, 2.0)
        assert single.diff(dim=-1).abs().max() < 0.25

    def test_noise_is_a_function_of_place(self) -> None:
        def at(resolution: int) -> Tensor:
            return fbm(Draws(1, torch.arange(4)), *grid(resolution), 2, 3.0)

        coarse, fine = at(16), at(48)
        assert torch.allclose(coarse, fine[:, 1::3, 1::3], atol=1e-4)

    def test_a_bent_grid_sees_what_a_straight_one_sees(self) -> None:
        x, y = grid(32)
        straight = fbm(Draws(1, torch.arange(4)), x, y, 1, 3.0)
        bent = fbm(Draws(1, torch.arange(4)), x.clone(), y.clone(), 1, 3.0)
        assert (straight - bent).abs().max() < 0.1

    def test_spots_slopes_and_steps(self) -> None:
        x, y = grid(32)
        one = torch.tensor([[0.5]])
        spot = spots(x, y, 0.2 * one, -0.4 * one, 0.6 * one, 4.0 * one)
        expected = 2.0 * torch.exp(-((x - 0.1) ** 2 + (y + 0.2) ** 2) / 0.09)
        assert torch.allclose(spot, expected, atol=1e-5)
        dx, dy = slopes(3 * x - 2 * y)
        assert torch.allclose(dx, torch.full_like(dx, 3), atol=1e-3)
        assert torch.allclose(dy, torch.full_like(dy, -2), atol=1e-3)
        assert smoothstep(1.0, 0.0, torch.tensor([-1.0, 0.5, 2.0])).tolist() == [1.0, 0.5, 0.0]

    def test_a_texture_is_mirrored_beyond_its_rim(self) -> None:
        surface = texture(Draws(1, torch.arange(2)), 1, 1, 2.0, size=64)
        x, y = grid(16)
        inside, beyond = sample(surface, 1.5 - 0.2 * (x + 1), y), sample(surface, 1.5 + 0.2 * (x + 1), y)
        assert torch.allclose(inside, beyond, atol=1e-4)


def _difference(a: Tensor, b: Tensor) -> float:
    return (a.float() - b.float()).abs().max().item()


def _features(images: Tensor) -> Tensor:
    """A constant, and for each scale the mean size of edges, of corners and of light, per quarter of the picture."""
    grey = images.float().mean(dim=1, keepdim=True) / 255
    rows = [torch.ones(len(images), 1)]
    for scale in (1, 2, 4):
        small = torch.nn.functional.avg_pool2d(grey, scale)
        across, down = small.diff(dim=-1).abs(), small.diff(dim=-2).abs()
        pool = torch.nn.functional.adaptive_avg_pool2d
        maps = [pool(m, 3).flatten(1) for m in (small, small**2, across, down, across.sqrt(), down.sqrt())]
        rows += maps
    return torch.cat(rows, dim=1)
